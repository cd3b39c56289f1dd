//! The parts of a station and how they are wired: every daemon's factory, and who reaches whom.
//!
//! Two phases. First each daemon is described by the function that builds it, which gives a link
//! to it; then the links are put together and handed to everybody. A factory runs on its daemon's
//! own thread and waits there for the links, so no order of construction can be wrong.

use std::{convert::Infallible, time::Duration};

use actix::{Actor, Addr};

use super::{Paths, StartError, devices::configured};
use crate::{
    config::{Config, SyncTarget},
    daemons::{
        Links, Tools,
        device_manager::{self, DeviceManager},
        heartbeat::{self, Heartbeat},
        job_queue::{self, JobQueue},
        metrics::{self, Metrics},
        sync::{self, Sync, Target},
    },
    domain::{BUILTINS, Body, Builtin, Daemon, Dependency, same_name},
    supervision::{Child, Policy, Spec, Supervisor, child},
};

/// Starts the supervisor, and with it every daemon. Needs the running system of the main thread.
pub(super) fn assemble(
    config: &Config,
    only: &[String],
    paths: &Paths,
    tools: &Tools,
) -> Result<Addr<Supervisor>, StartError> {
    let (queue, job_queue) = {
        let (options, tools) = (queue_options(config, paths), tools.clone());
        child(move |_| JobQueue::new(options.clone(), tools.clone()))
    };
    let (manager, device_manager) = {
        let options =
            device_manager::Options { devices: configured(config), jobs: paths.jobs.clone() };
        let tools = tools.clone();
        child(move |vitals| DeviceManager::new(options.clone(), tools.clone(), vitals))
    };
    let (beat, _) = {
        let options = heartbeat::Options {
            file: config.heartbeat.file.clone(),
            mode: config.heartbeat.mode,
            interval: config.heartbeat.interval,
        };
        let board = tools.board.clone();
        child(move |_| Ok::<_, Infallible>(Heartbeat::new(options.clone(), board.clone())))
    };
    let (sampler, _) = {
        let options = metrics::Options {
            interval: config.metrics.interval,
            workspace: paths.root.clone(),
            disk_free_min: DISK_FREE_MIN,
        };
        let tools = tools.clone();
        child(move |_| Metrics::new(options.clone(), tools.clone()))
    };
    let (copier, sync) = {
        let (options, store) = (sync_options(config, paths), tools.store.clone());
        child(move |vitals| Ok::<_, Infallible>(Sync::new(options.clone(), store.clone(), vitals)))
    };
    let daemons = specs(config, only, [queue, manager, beat, sampler, copier])?;
    let supervisor = Supervisor::new(daemons, observer(tools.clone()))
        .map_err(|problems| StartError::Configuration(problems.to_string()))?
        .start();
    tools.wire(Links { supervisor: supervisor.clone(), job_queue, device_manager, sync });
    Ok(supervisor)
}

fn queue_options(config: &Config, paths: &Paths) -> job_queue::Options {
    job_queue::Options {
        max_concurrent_commands: config.queue.max_concurrent_commands,
        command_timeout: config.queue.command_timeout,
        shutdown_grace: config.queue.shutdown_grace,
        retention: config.queue.retention,
        event_retention: config.database.event_retention,
        jobs: paths.jobs.clone(),
    }
}

fn sync_options(config: &Config, paths: &Paths) -> sync::Options {
    let target =
        |target: &SyncTarget| Target { name: target.name.clone(), path: target.path.clone() };
    sync::Options {
        interval: config.sync.interval,
        targets: config.sync.targets.iter().map(target).collect(),
        jobs: paths.jobs.clone(),
    }
}

/// Below that many free bytes the disk is reported.
const DISK_FREE_MIN: u64 = 500_000_000;

/// Beyond the grace, time to bring machines to a safe stop and to end programs.
const STOP_MARGIN: Duration = Duration::from_secs(8);

fn specs(
    config: &Config,
    only: &[String],
    children: [Child; 5],
) -> Result<Vec<(Spec, Child)>, StartError> {
    let wanted = wanted(only)?;
    let supervisor = &config.supervisor;
    let policy = |name: &str| Policy {
        backoff: supervisor.restart.backoff,
        max_restarts: supervisor.restart.max_restarts,
        stable_after: supervisor.restart.stable_after,
        start_timeout: supervisor.start_timeout,
        stop_timeout: match name {
            // Both see what runs to its end, or to a safe stop.
            "job-queue" | "device-manager" => config.queue.shutdown_grace + STOP_MARGIN,
            _ => supervisor.stop_timeout,
        },
        health_interval: supervisor.health_interval,
        health_timeout: supervisor.health_timeout,
        ..Policy::default()
    };
    let spec = |builtin: Builtin| Spec {
        description: builtin.description.to_owned(),
        category: builtin.category.to_owned(),
        critical: builtin.critical,
        enabled: config.daemon_enabled(builtin.name)
            && wanted.as_ref().is_none_or(|all| all.contains(&builtin.name)),
        depends_on: builtin.depends_on.iter().copied().map(Dependency::on).collect(),
        ..Spec::new(builtin.name, policy(builtin.name))
    };
    Ok(BUILTINS.into_iter().map(spec).zip(children).collect())
}

/// The daemons named on the command line, and what they need; `None` if none was named.
fn wanted(only: &[String]) -> Result<Option<Vec<&'static str>>, StartError> {
    let mut wanted: Vec<&'static str> = Vec::new();
    let mut todo: Vec<&str> = only.iter().map(String::as_str).collect();
    while let Some(name) = todo.pop() {
        let known = BUILTINS.iter().find(|known| same_name(known.name, name));
        let Some(Builtin { name: known, depends_on: needs, .. }) = known else {
            let all = BUILTINS.map(|known| known.name).join(", ");
            let wrong = format!("--daemons: no daemon is called \"{name}\": there are {all}");
            return Err(StartError::Configuration(wrong));
        };
        wanted.push(known);
        todo.extend(*needs);
    }
    Ok((!only.is_empty()).then_some(wanted))
}

/// Shows every change of a daemon and makes it a durable event.
fn observer(tools: Tools) -> impl Fn(&Daemon) {
    move |daemon| {
        tools.board.show_daemon(daemon);
        let body = Body::DaemonStatus {
            name: daemon.name.clone(),
            state: daemon.state,
            health: daemon.health.status,
            message: daemon.health.message.clone(),
            restarts: daemon.restarts,
            last_error: daemon.last_error.clone().unwrap_or_default(),
            next_restart_at: daemon.next_restart_at,
        };
        let resource = format!("daemon:{}", daemon.name);
        drop(tools.store.record(move |tx| tx.emit(&resource, None, body.clone())));
    }
}
