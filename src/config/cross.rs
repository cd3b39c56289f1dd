//! What is wrong with values that are right one by one.

use std::{path::Path, time::Duration};

use super::{
    problem::{Level, Place, Problem},
    tree::Node,
    types::Config,
};
use crate::domain::same_name;

/// A socket address holds a path of so many bytes.
const LONGEST_SOCKET_PATH: usize = 107;

/// Judges values together. A pair of which one was wrong by itself is left alone.
pub(super) fn check(config: &Config, tree: &Node, problems: &mut Vec<Problem>) {
    let mut found = Vec::new();
    // Elements that are wrong have been left out, and numbers would be those of others.
    let broken = problems
        .iter()
        .any(|problem| problem.level == Level::Error && problem.key.starts_with("device"));
    let mut say = |level: Level, keys: &[&str], message: String| {
        let wrong = |key: &&str| problems.iter().any(|problem| problem.key == *key);
        if !keys.iter().any(wrong) {
            let key = keys.first().copied().unwrap_or_default();
            let places = keys.iter().filter_map(|key| tree.at(key)).map(|node| &node.place);
            let given = places.into_iter().find(|place| **place != Place::Default);
            let place = given.cloned().unwrap_or(Place::Default);
            found.push(Problem { level, place, key: key.to_owned(), message });
        }
    };
    access(config, &mut say);
    times(config, tree, &mut say);
    if !broken {
        devices(config, &mut say);
    }
    places(config, tree, &mut say);
    problems.append(&mut found);
}

type Say<'a> = dyn FnMut(Level, &[&str], String) + 'a;

fn access(config: &Config, say: &mut Say<'_>) {
    let websocket = &config.websocket;
    if websocket.authenticate && websocket.api_key.is_none() {
        let message = "is true without a key, allowed: together with websocket.api_key";
        say(Level::Error, &["websocket.authenticate", "websocket.api_key"], message.into());
    }
    if !websocket.authenticate && websocket.api_key.is_some() {
        let message = "is not asked for, since websocket.authenticate is false";
        say(Level::Warning, &["websocket.api_key", "websocket.authenticate"], message.into());
    }
    if !websocket.enabled || websocket.authenticate || websocket.is_loopback() {
        return;
    }
    let host = &websocket.host;
    let keys = [
        "websocket.host",
        "websocket.enabled",
        "websocket.authenticate",
        "security.allow_unauthenticated",
    ];
    if config.security.allow_unauthenticated {
        let message =
            format!("{host:?} lets anyone who reaches it run machines: there is no authentication");
        say(Level::Warning, &keys, message);
    } else {
        let message = format!(
            "{host:?} reaches beyond this computer without authentication, allowed: localhost, \
             or websocket.authenticate with an api_key, or security.allow_unauthenticated: true"
        );
        say(Level::Error, &keys, message);
    }
}

fn times(config: &Config, tree: &Node, say: &mut Say<'_>) {
    let duration =
        |key: &str| -> Option<Duration> { serde_yaml::from_value(tree.at(key)?.value()).ok() };
    for [base, max] in [
        ["supervisor.restart.backoff_base", "supervisor.restart.backoff_max"],
        ["queue.retry.base", "queue.retry.max"],
    ] {
        if duration(max) < duration(base) {
            let first = base.rsplit('.').next().unwrap_or(base);
            let message = format!("is shorter than {first}, allowed: at least that");
            say(Level::Error, &[max, base], message);
        }
    }
    if config.metrics.history < config.metrics.interval {
        let message = "is shorter than metrics.interval, allowed: at least that";
        say(Level::Error, &["metrics.history", "metrics.interval"], message.into());
    }
}

fn devices(config: &Config, say: &mut Say<'_>) {
    for (index, device) in config.devices.iter().enumerate() {
        for (before, other) in config.devices[..index].iter().enumerate() {
            if same_name(&device.name, &other.name) {
                let message = format!(
                    "{:?} is the name of devices[{before}] too, allowed: a name once",
                    device.name
                );
                say(Level::Error, &[&format!("devices[{index}].name")], message);
            }
            if device.port == other.port && !device.port.starts_with("sim:") {
                let message = format!(
                    "{:?} is the port of devices[{before}] too, allowed: a port once",
                    device.port
                );
                say(Level::Error, &[&format!("devices[{index}].port")], message);
            }
        }
    }
}

fn places(config: &Config, tree: &Node, say: &mut Say<'_>) {
    let socket = config.station.socket_path.as_os_str().len();
    if socket > LONGEST_SOCKET_PATH {
        let message = format!(
            "is a path of {socket} bytes, allowed: at most {LONGEST_SOCKET_PATH} for a socket"
        );
        say(Level::Error, &["station.socket_path"], message);
    }
    let under = |path: &Path| path.starts_with(&config.station.workspace);
    // The numbers they were given by.
    let numbers: Vec<_> = match tree.at("sync.targets") {
        Some(targets) => targets.elements().map(|(number, _)| number).collect(),
        None => Vec::new(),
    };
    for (at, (target, index)) in config.sync.targets.iter().zip(&numbers).enumerate() {
        let same = |other: &super::SyncTarget| same_name(&other.name, &target.name);
        let before = config.sync.targets[..at].iter().position(same);
        if let Some(before) = before.map(|before| numbers[before]) {
            let message = format!(
                "{:?} is the name of sync.targets[{before}] too, allowed: a name once",
                target.name
            );
            say(Level::Error, &[&format!("sync.targets[{index}].name")], message);
        }
        if under(&target.path) {
            let message = "lies in the workspace, which it is to be a copy of, \
                           allowed: a directory elsewhere";
            say(Level::Error, &[&format!("sync.targets[{index}].path")], message.into());
        }
    }
}
