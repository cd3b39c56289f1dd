//! What the station knows this moment, for readers on any thread.
//!
//! Each part has one writer (the device manager, the supervisor, the metrics daemon, the station);
//! readers take a copy. A writer shows a change here before it is published as an event, so that
//! a GET after an event shows at least what the event said.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::checkup::Summary;
use crate::{
    domain::{Daemon, Device, Job, JobId, LastRun, Live, Progress, Timestamp, same_name},
    store::queue_modes::Modes,
};

/// How far the station is in its own life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not ready yet; says what it waits for.
    Starting(String),
    /// Start-up is over.
    Ready,
    /// Shutdown has begun.
    Stopping,
}

/// The shared view.
pub struct Board {
    started: Instant,
    phase: RwLock<Phase>,
    devices: RwLock<BTreeMap<String, Device>>,
    daemons: RwLock<Vec<Arc<Daemon>>>,
    summary: RwLock<Summary>,
    progress: RwLock<HashMap<JobId, (Progress, Arc<Live>)>>,
    system: RwLock<Option<Arc<Live>>>,
    connections: AtomicUsize,
    heartbeat_ms: AtomicI64,
    troubles: RwLock<BTreeMap<&'static str, String>>,
    last_run: RwLock<Option<LastRun>>,
    queue_modes: RwLock<Arc<Modes>>,
}

fn read<T: Clone>(lock: &RwLock<T>) -> T {
    lock.read().unwrap_or_else(PoisonError::into_inner).clone()
}

fn change<T, R>(lock: &RwLock<T>, work: impl FnOnce(&mut T) -> R) -> R {
    work(&mut lock.write().unwrap_or_else(PoisonError::into_inner))
}

impl Board {
    /// An empty board; the station's uptime counts from now.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            phase: RwLock::new(Phase::Starting("the station is starting".to_owned())),
            devices: RwLock::default(),
            daemons: RwLock::default(),
            summary: RwLock::default(),
            progress: RwLock::default(),
            system: RwLock::default(),
            connections: AtomicUsize::new(0),
            heartbeat_ms: AtomicI64::new(0),
            troubles: RwLock::default(),
            last_run: RwLock::default(),
            queue_modes: RwLock::default(),
        })
    }

    /// The parts of the queue that are paused or drained.
    pub fn queue_modes(&self) -> Arc<Modes> {
        read(&self.queue_modes)
    }

    /// Shows them.
    pub fn show_queue_modes(&self, modes: Modes) {
        change(&self.queue_modes, |shown| *shown = Arc::new(modes));
    }

    /// When the station was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// How far the station is in its own life.
    pub fn phase(&self) -> Phase {
        read(&self.phase)
    }

    /// Moves on; nothing follows [`Phase::Stopping`].
    pub fn set_phase(&self, phase: Phase) {
        change(&self.phase, |current| {
            if *current != Phase::Stopping {
                *current = phase;
            }
        });
    }

    /// Every machine, by name.
    pub fn devices(&self) -> Vec<Device> {
        self.devices.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The machine of that name.
    pub fn device(&self, name: &str) -> Option<Device> {
        let devices = self.devices.read().unwrap_or_else(PoisonError::into_inner);
        devices.values().find(|device| same_name(&device.name, name)).cloned()
    }

    /// Shows a machine; only the device manager does so.
    pub fn show_device(&self, device: Device) {
        change(&self.devices, |devices| devices.insert(device.name.clone(), device));
    }

    /// Every daemon, in the order of their start.
    pub fn daemons(&self) -> Vec<Arc<Daemon>> {
        read(&self.daemons)
    }

    /// The daemon of that name.
    pub fn daemon(&self, name: &str) -> Option<Arc<Daemon>> {
        let daemons = self.daemons.read().unwrap_or_else(PoisonError::into_inner);
        daemons.iter().find(|daemon| same_name(&daemon.name, name)).cloned()
    }

    /// Shows a daemon; only the supervisor's observer does so.
    pub fn show_daemon(&self, daemon: &Daemon) {
        self.change_daemons(|daemons| {
            match daemons.iter_mut().find(|known| known.name == daemon.name) {
                Some(known) => *known = Arc::new(daemon.clone()),
                None => daemons.push(Arc::new(daemon.clone())),
            }
        });
    }

    /// Forgets a daemon that is no more.
    pub fn forget_daemon(&self, name: &str) {
        self.change_daemons(|daemons| daemons.retain(|known| known.name != name));
    }

    fn change_daemons(&self, work: impl FnOnce(&mut Vec<Arc<Daemon>>)) {
        change(&self.daemons, |daemons| {
            work(daemons);
            change(&self.summary, |summary| *summary = Summary::of(daemons));
        });
    }

    /// What is wrong with the daemons.
    pub(super) fn summary(&self) -> Summary {
        read(&self.summary)
    }

    /// The last progress message of every active job.
    pub fn progress(&self) -> Vec<Arc<Live>> {
        let progress = self.progress.read().unwrap_or_else(PoisonError::into_inner);
        progress.values().map(|(_, live)| live.clone()).collect()
    }

    /// Shows how far a job is.
    pub fn show_progress(&self, id: JobId, progress: Progress, live: Arc<Live>) {
        change(&self.progress, |all| all.insert(id, (progress, live)));
    }

    /// Forgets a job that has ended.
    pub fn forget_progress(&self, id: JobId) {
        change(&self.progress, |all| all.remove(&id));
    }

    /// Puts what is newer than the database into a job read from it.
    pub fn overlay(&self, job: &mut Job) {
        if !job.state.is_active() {
            return;
        }
        let all = self.progress.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((progress, _)) = all.get(&job.id) {
            job.lines_acknowledged = progress.lines_acknowledged;
            job.progress_percentage = progress.progress_percentage;
            job.eta_seconds = progress.eta_seconds;
            job.message.clone_from(&progress.message);
        }
    }

    /// The last word on the station as a whole.
    pub fn system(&self) -> Option<Arc<Live>> {
        read(&self.system)
    }

    /// Shows the station as a whole; only the metrics daemon does so.
    pub fn show_system(&self, live: Arc<Live>) {
        change(&self.system, |system| *system = Some(live));
    }

    /// The heartbeat file was written at `now`; only the heartbeat says so.
    pub fn beat(&self, now: Timestamp) {
        self.heartbeat_ms.store(now.as_ms(), Ordering::Relaxed);
    }

    /// How long ago the heartbeat file was last written; `None` if never.
    pub fn heartbeat_age(&self) -> Option<Duration> {
        let last = self.heartbeat_ms.load(Ordering::Relaxed);
        (last != 0).then(|| Timestamp::from_ms(last).until(Timestamp::now()))
    }

    /// What is wrong with a part of the host or the station, if anything: `disk`, `memory`,
    /// `supervisor` (the watchdog says so), `plugins` (the station).
    pub fn trouble(&self, subject: &str) -> Option<String> {
        self.troubles.read().unwrap_or_else(PoisonError::into_inner).get(subject).cloned()
    }

    /// Says what is wrong with a part, or that nothing is.
    pub fn set_trouble(&self, subject: &'static str, trouble: Option<String>) {
        change(&self.troubles, |all| match trouble {
            Some(trouble) => drop(all.insert(subject, trouble)),
            None => drop(all.remove(subject)),
        });
    }

    /// How the run of the station before this one ended, once that is known.
    pub fn last_run(&self) -> Option<LastRun> {
        read(&self.last_run)
    }

    /// Says how the run of the station before this one ended; only the station does so.
    pub fn set_last_run(&self, last_run: LastRun) {
        change(&self.last_run, |current| *current = Some(last_run));
    }

    /// WebSocket connections that are open.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Counts a WebSocket connection in, unless `limit` are open already; the guard counts it out.
    pub fn connect(self: &Arc<Self>, limit: usize) -> Option<Connected> {
        let more = |open: usize| (open < limit).then_some(open + 1);
        self.connections
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
            .then(|| Connected(self.clone()))
    }
}

/// A WebSocket connection that counts while it lives.
pub struct Connected(Arc<Board>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
