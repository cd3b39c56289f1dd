//! The parts of a station and how they are wired: every daemon's factory, and who reaches whom.
//!
//! Two phases. First each daemon is described by the function that builds it, which gives a link
//! to it; then the links are put together and handed to everybody. A factory runs on its daemon's
//! own thread and waits there for the links, so no order of construction can be wrong.

use std::{
    convert::Infallible,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use actix::{Actor, Addr};

use tokio::sync::mpsc::Sender;

use super::{Paths, StartError, devices::configured, observer::observer, roster::rules};
use crate::{
    config::{self, Config, HookConfig, SyncTarget},
    daemons::{
        Links, Tools,
        device_manager::{self, DeviceManager},
        heartbeat::{self, Heartbeat},
        hooks::{self, Bell, Hooks},
        job_queue::{self, JobQueue},
        metrics::{self, Metrics},
        process::Host,
        sync::{self, Sync, Target},
        watchdog::{self, Watchdog},
    },
    http::Control,
    store,
    supervision::{Child, Spec, Supervisor, child},
};

/// The configuration that holds now. A daemon reads its options from it at each start, so that it
/// takes up new ones by a restart.
pub(super) type InForce = Arc<RwLock<Arc<Config>>>;

fn now(in_force: &InForce) -> Arc<Config> {
    in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Starts the supervisor, and with it every daemon. Needs the running system of the main thread.
pub(super) fn assemble(
    in_force: &InForce,
    daemons: Vec<(Spec, Option<Child>)>,
    paths: &Paths,
    tools: &Tools,
    host: &Arc<Host>,
    control: Sender<Control>,
) -> Result<Addr<Supervisor>, StartError> {
    let config = &*now(in_force);
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
        let (in_force, board) = (in_force.clone(), tools.board.clone());
        child(move |_| {
            let config::Heartbeat { interval, file, mode } = now(&in_force).heartbeat.clone();
            let options = heartbeat::Options { file, mode, interval };
            Ok::<_, Infallible>(Heartbeat::new(options, board.clone()))
        })
    };
    let (doer, hooks) = {
        let (in_force, tools, host) = (in_force.clone(), tools.clone(), host.clone());
        let bell = Bell::at(&tools.feed);
        child(move |vitals| {
            let options = hook_options(&now(&in_force), &host, &bell);
            Hooks::new(options, tools.clone(), vitals)
        })
    };
    let (sampler, _) = {
        let (in_force, tools, workspace) = (in_force.clone(), tools.clone(), paths.root.clone());
        child(move |_| {
            let interval = now(&in_force).metrics.interval;
            let options = metrics::Options { interval, workspace: workspace.clone() };
            Metrics::new(options, tools.clone())
        })
    };
    let (copier, sync) = {
        let (in_force, store, jobs) = (in_force.clone(), tools.store.clone(), paths.jobs.clone());
        child(move |vitals| {
            let options = sync_options(&now(&in_force), &jobs);
            Ok::<_, Infallible>(Sync::new(options, store.clone(), vitals))
        })
    };
    let (dog, _) = {
        let (in_force, tools, workspace) = (in_force.clone(), tools.clone(), paths.root.clone());
        child(move |_| {
            let config::Watchdog { interval, disk_free_min, memory_max } =
                now(&in_force).watchdog.clone();
            let workspace = workspace.clone();
            let options = watchdog::Options { interval, workspace, disk_free_min, memory_max };
            Watchdog::new(options, tools.clone())
        })
    };
    let built_in = [queue, manager, doer, beat, sampler, copier, dog]; // in the order of `BUILTINS`
    let mut built_in = built_in.into_iter();
    let daemons = daemons.into_iter().filter_map(|(spec, child)| {
        let child = child.or_else(|| built_in.next())?;
        Some((spec, child))
    });
    let restarts = tools.store.read(store::daemons::restarts).unwrap_or_default();
    let observer = observer(tools.clone(), control);
    let supervisor = Supervisor::new(daemons.collect(), rules(config, restarts), observer)
        .map_err(|problems| StartError::Configuration(problems.to_string()))?
        .start();
    tools.wire(Links { supervisor: supervisor.clone(), job_queue, device_manager, sync, hooks });
    Ok(supervisor)
}

fn queue_options(config: &Config, paths: &Paths) -> job_queue::Options {
    job_queue::Options {
        max_concurrent_commands: config.queue.max_concurrent_commands,
        command_timeout: config.queue.command_timeout,
        max_output: config.queue.max_output,
        shutdown_grace: config.queue.shutdown_grace,
        retention: config.queue.retention,
        max_storage: config.queue.max_storage,
        groups: config.queue.groups.clone(),
        retry: config.queue.retry.backoff(),
        timezone: config.station.timezone(),
        event_retention: config.database.event_retention,
        jobs: paths.jobs.clone(),
    }
}

fn hook_options(config: &Config, host: &Arc<Host>, bell: &Arc<Bell>) -> hooks::Options {
    hooks::Options {
        hooks: config.hooks.iter().filter_map(HookConfig::hook).collect(),
        station: config.station.name.clone(),
        retention: config.database.event_retention,
        host: host.clone(),
        bell: bell.clone(),
    }
}

fn sync_options(config: &Config, jobs: &Path) -> sync::Options {
    let target =
        |target: &SyncTarget| Target { name: target.name.clone(), path: target.path.clone() };
    sync::Options {
        interval: config.sync.interval,
        targets: config.sync.targets.iter().map(target).collect(),
        jobs: jobs.to_owned(),
    }
}
