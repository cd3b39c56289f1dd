//! Reading the configuration again while the station runs.
//!
//! It takes effect as a whole or not at all. What cannot change under way is named, so that nobody
//! believes that it did.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
};

use super::{
    control::Station,
    plugins,
    roster::{roster, rules},
    run::{load, log_options},
};
use crate::{config::Config, http::Settings, supervision::Configure};

/// Reads the configuration again and puts into effect what can be. Answers with what changed, or
/// with every line of what is wrong.
pub(super) async fn reload(station: &mut Station) -> Result<Vec<String>, Vec<String>> {
    let Station { options, paths, configuration: now, app, log, .. } = station;
    let loaded = load(options)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let (mut new, plugins) = (loaded.config, loaded.plugins);
    let daemons = roster(&new, &options.selection(), &station.host)
        .map_err(|error| vec![error.to_string()])?;
    // First, since whoever is restarted reads it.
    let before = station.in_force.read().unwrap_or_else(PoisonError::into_inner).clone();
    *station.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new.clone());
    let configure = Configure { daemons, rules: rules(&new, HashMap::new()) };
    let mut changes = match station.supervisor.send(configure).await {
        Ok(Ok(changes)) => changes,
        Ok(Err(problems)) => {
            *station.in_force.write().unwrap_or_else(PoisonError::into_inner) = before;
            return Err(problems.0.iter().map(ToString::to_string).collect());
        }
        Err(gone) => return Err(vec![gone.to_string()]),
    };
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
        ("queue", new.queue != now.queue),
        ("simulator", new.simulator != now.simulator),
        ("metrics.history", new.metrics.history != now.metrics.history),
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
    (now.heartbeat, now.watchdog) = (new.heartbeat.clone(), new.watchdog.clone());
    (now.sync, now.metrics.interval) = (new.sync.clone(), new.metrics.interval);
    now.metrics.enabled = new.metrics.enabled;
    (now.supervisor, now.daemons) = (new.supervisor.clone(), new.daemons.clone());
    now.hooks.clone_from(&new.hooks);
    (now.profiles, now.plugins) = (new.profiles.clone(), new.plugins.clone());
    new = now.clone();
    app.reload(Settings::from(&new));
    plugins::show(app, plugins);
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
