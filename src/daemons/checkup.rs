//! Is the station well? One judgement for `/health`, `system_status` and the metrics.

use std::sync::Arc;

use serde::Serialize;

use super::Board;
use crate::{
    domain::{Daemon, DaemonState, Device, DeviceStatus, HealthStatus},
    store::{Integrity, Store, StoreHealth},
};

/// The station's health, part by part. A check is `ok` or a sentence saying what is wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checkup {
    /// In one word.
    pub status: HealthStatus,
    /// Part by part.
    pub checks: Checks,
}

/// The parts that are checked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checks {
    /// The store.
    pub database: String,
    /// The job queue.
    pub queue: String,
    /// Every configured machine.
    pub devices: String,
    /// Every enabled daemon.
    pub daemons: String,
    /// Free space in the workspace.
    pub disk: String,
    /// What was found in the plug-ins' directory.
    pub plugins: String,
}

const OK: &str = "ok";

/// What is wrong with the daemons: found out whenever one changes, not whenever somebody asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    /// A critical one does not do its work.
    fatal: bool,
    /// What is wrong with the first that is not well.
    trouble: Option<String>,
    /// What is wrong with the job queue.
    queue: Option<String>,
}

impl Summary {
    /// Looks at each of them.
    pub(super) fn of(daemons: &[Arc<Daemon>]) -> Self {
        let mut enabled = daemons.iter().filter(|daemon| daemon.enabled);
        let queue = daemons.iter().find(|daemon| daemon.name == "job-queue");
        Self {
            fatal: daemons.iter().any(|daemon| daemon.critical && !is_well(daemon)),
            trouble: enabled.find_map(|daemon| trouble_with(daemon)),
            queue: queue.and_then(|daemon| trouble_with(daemon)),
        }
    }
}

/// Looks at everything once; cheap enough for every request.
pub fn checkup(board: &Board, store: &Store) -> Checkup {
    let summary = board.summary();
    let (database, failed) = state_of(store);
    let fatal = failed || summary.fatal;
    let checks = Checks {
        database: database.unwrap_or_else(|| OK.to_owned()),
        queue: summary.queue.unwrap_or_else(|| OK.to_owned()),
        devices: board.devices().iter().find_map(lost).unwrap_or_else(|| OK.to_owned()),
        daemons: summary.trouble.unwrap_or_else(|| OK.to_owned()),
        disk: board.trouble("disk").unwrap_or_else(|| OK.to_owned()),
        plugins: board.trouble("plugins").unwrap_or_else(|| OK.to_owned()),
    };
    let Checks { database, queue, devices, daemons, disk, plugins } = &checks;
    let all = [database, queue, devices, daemons, disk, plugins];
    let status = if fatal {
        HealthStatus::Unhealthy
    } else if all.iter().any(|check| *check != OK) {
        HealthStatus::Degraded
    } else {
        HealthStatus::Healthy
    };
    Checkup { status, checks }
}

/// What is wrong with the database, and whether the station can no longer do its work.
fn state_of(store: &Store) -> (Option<String>, bool) {
    match (store.health(), store.integrity()) {
        (StoreHealth::Failed(why), _) => (Some(why), true),
        (_, Integrity::Damaged(what)) => (Some(format!("the database is damaged: {what}")), true),
        (StoreHealth::Full, _) => (Some("the disk is full".to_owned()), false),
        (StoreHealth::Busy, _) => (Some("another process holds the database".to_owned()), false),
        (StoreHealth::Ok, _) => (None, false),
    }
}

fn is_well(daemon: &Daemon) -> bool {
    !daemon.enabled || (daemon.state != DaemonState::Failed && daemon.health.healthy)
}

fn trouble_with(daemon: &Daemon) -> Option<String> {
    let Daemon { name, state, health, last_error, .. } = daemon;
    match (state, health.status) {
        // However it is this moment, it will not be so for long.
        (DaemonState::Starting | DaemonState::Running, _)
            if daemon.attempt >= Daemon::CRASH_LOOP =>
        {
            let why = last_error.as_deref().unwrap_or("no reason is known");
            Some(format!("daemon \"{name}\" is in a crash loop: {why}"))
        }
        (DaemonState::Failed | DaemonState::Backoff, _) => {
            let why = last_error.as_deref().unwrap_or("no reason is known");
            Some(format!("daemon \"{name}\" is {state}: {why}"))
        }
        (DaemonState::Stopped, _) if daemon.completed => None,
        (DaemonState::Stopped, _) => Some(format!("daemon \"{name}\" is stopped")),
        (_, status @ (HealthStatus::Degraded | HealthStatus::Unhealthy)) => {
            Some(format!("daemon \"{name}\" is {status}: {}", health.message))
        }
        _ => None,
    }
}

fn lost(device: &Device) -> Option<String> {
    let Device { name, status, error_message, .. } = device;
    let why = error_message.as_deref().unwrap_or("no reason is known");
    matches!(status, DeviceStatus::Disconnected | DeviceStatus::Error)
        .then(|| format!("device \"{name}\" is {status}: {why}"))
}
