//! Reading the configuration again while the station runs.
//!
//! It takes effect as a whole or not at all. What cannot change under way is named, so that nobody
//! believes that it did.

use std::sync::Arc;

use nix::unistd::geteuid;

use super::{
    LogHandle, Paths, StartOptions,
    run::{load, log_options},
};
use crate::{
    config::Config,
    http::{App, Names, Policy, Settings, Target, Token},
};

/// Reads the configuration again and puts into effect what can be. Answers with what changed, or
/// with every line of what is wrong.
pub(super) fn reload(
    options: &StartOptions,
    paths: &Paths,
    now: &mut Config,
    app: &Arc<App>,
    log: &LogHandle,
) -> Result<Vec<String>, Vec<String>> {
    let loaded = load(options)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let mut new = loaded.config;
    let mut changes = Vec::new();
    if new.logging != now.logging {
        log.reload(&log_options(&new, paths, false));
        changes.push("logging: in effect, but for the file and its rotation".to_owned());
    }
    if new.security != now.security || access(&new) != access(now) {
        changes.push("websocket and security: in effect".to_owned());
    }
    let stays = [
        ("station", new.station != now.station),
        ("websocket.host and port", address(&new) != address(now)),
        ("database", new.database != now.database),
        ("supervisor", new.supervisor != now.supervisor),
        ("queue", new.queue != now.queue),
        ("heartbeat", new.heartbeat != now.heartbeat),
        ("simulator", new.simulator != now.simulator),
        ("metrics", new.metrics != now.metrics),
        ("sync", new.sync != now.sync),
        ("devices", new.devices != now.devices),
    ];
    for (section, changed) in stays {
        if changed {
            changes.push(format!("{section}: takes effect at the next restart"));
        }
    }
    // What stays as it was is compared with what runs again next time.
    let running = now.clone();
    (now.logging, now.security) = (new.logging.clone(), new.security.clone());
    now.websocket = new.websocket.clone();
    (now.websocket.host, now.websocket.port) = address(&running);
    now.websocket.enabled = running.websocket.enabled;
    new = now.clone();
    app.reload(settings(&new, paths));
    Ok(changes)
}

fn address(config: &Config) -> (String, u16) {
    (config.websocket.host.clone(), config.websocket.port)
}

fn access(config: &Config) -> crate::config::Websocket {
    let mut websocket = config.websocket.clone();
    (websocket.host, websocket.port) = (String::new(), 0);
    websocket
}

/// What requests need to know of the configuration.
pub(super) fn settings(config: &Config, paths: &Paths) -> Settings {
    let websocket = &config.websocket;
    let target = |device: &crate::config::DeviceConfig| Target {
        name: device.name.clone(),
        driver: device.driver.clone(),
        require_confirmation: device.require_confirmation,
    };
    let key = websocket.api_key.as_ref().filter(|_| websocket.authenticate);
    Settings {
        station: config.station.name.clone(),
        socket_path: config.station.socket_path.clone(),
        jobs_dir: paths.jobs.clone(),
        policy: Policy {
            token: key.map(|key| Token::new(key.expose())),
            trust_local_socket: true,
            group_socket: config.station.socket_group.is_some(),
            allow_unauthenticated: config.security.allow_unauthenticated,
            station_uid: geteuid().as_raw(),
        },
        names: Names::new(
            &websocket.host,
            &config.security.allowed_hosts,
            &websocket.allowed_origins,
        ),
        targets: config.devices.iter().map(target).collect(),
        max_file_size: config.queue.max_file_size,
        max_connections: websocket.max_connections,
        heartbeat_interval: websocket.heartbeat_interval,
        message_rate_limit: u16::try_from(websocket.message_rate_limit).unwrap_or(u16::MAX),
        send_queue: websocket.send_queue,
        security_events: config.logging.security_events,
    }
}
