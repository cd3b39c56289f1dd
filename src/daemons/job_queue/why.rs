//! Why a job waits, in one word and in one sentence.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use rusqlite::Connection;
use serde::Serialize;

use crate::{
    daemons::Board,
    domain::{Device, DeviceStatus, Job, JobId, JobKind, JobState, Timestamp, same_name},
    store::{
        StoreError,
        jobs::{self, Interrupted},
        queue_modes::{Mode, Modes},
    },
};

/// A waiting job and what it waits for.
#[derive(Clone, Debug, Serialize)]
pub struct Waiting {
    /// The job.
    #[serde(flatten)]
    job: Job,
    #[serde(flatten)]
    reason: Reason,
}

/// Why a job waits.
#[derive(Clone, Debug, Serialize)]
struct Reason {
    /// In one word: `person`, `paused`, `time`, `job`, `device`, `group`, `slot` or `turn`.
    waits_for: &'static str,
    /// In one sentence.
    why: String,
    /// The other job that must end, or that a person must decide on, before its turn can come.
    blocked_by: Option<JobId>,
}

impl Reason {
    fn new(waits_for: &'static str, why: impl Into<String>) -> Self {
        Self { waits_for, why: why.into(), blocked_by: None }
    }

    fn by(self, job: JobId) -> Self {
        Self { blocked_by: Some(job), ..self }
    }
}

/// What is looked at to tell why jobs wait.
struct Around {
    now: Timestamp,
    modes: Arc<Modes>,
    /// Each with the job that was interrupted on it.
    devices: Vec<(Device, Option<Interrupted>)>,
    running: Vec<JobId>,
    states: BTreeMap<JobId, Option<JobState>>,
}

impl Waiting {
    /// Those jobs, in their order, each with why it waits. `active` are the jobs that run.
    pub fn of(
        connection: &Connection,
        board: &Board,
        active: &[Job],
        waiting: Vec<Job>,
    ) -> Result<Vec<Self>, StoreError> {
        let mut states = BTreeMap::new();
        for needed in waiting.iter().flat_map(|job| &job.depends_on) {
            if let Entry::Vacant(entry) = states.entry(needed.job) {
                entry.insert(match jobs::get(connection, needed.job) {
                    Ok(job) => Some(job.state),
                    Err(StoreError::NotFound(_)) => None,
                    Err(error) => return Err(error),
                });
            }
        }
        let with_interrupted = |device: Device| {
            let job = jobs::interrupted_on(connection, &device.name)?;
            Ok((device, job))
        };
        let devices = board.devices().into_iter().map(with_interrupted);
        let programs = active.iter().filter(|job| job.kind == JobKind::Command);
        let around = Around {
            now: Timestamp::now(),
            modes: board.queue_modes(),
            devices: devices.collect::<Result<_, StoreError>>()?,
            running: programs.map(|job| job.id).collect(),
            states,
        };
        let tell = |job: Job| {
            let reason = around.why(connection, &job)?;
            Ok(Self { job, reason })
        };
        waiting.into_iter().map(tell).collect()
    }
}

impl Around {
    fn why(&self, connection: &Connection, job: &Job) -> Result<Reason, StoreError> {
        if let Some(why) = self.not_yet(job) {
            return Ok(why);
        }
        match job.kind {
            JobKind::Command => Ok(self.program(job)),
            JobKind::Device => self.machine(connection, job),
        }
    }

    /// What holds it up whatever it runs on.
    fn not_yet(&self, job: &Job) -> Option<Reason> {
        if job.state == JobState::Held {
            let why = job.error.as_deref().unwrap_or("it waits until a person releases it");
            return Some(Reason::new("person", why));
        }
        if self.modes.whole() == Some(Mode::Paused) {
            return Some(Reason::new("paused", "the queue is paused"));
        }
        if let Some(time) = job.not_before.filter(|time| *time > self.now) {
            let attempts = match job.attempts {
                0 => String::new(),
                made => format!(": attempt {} of {} is next", made + 1, job.max_attempts),
            };
            return Some(Reason::new("time", format!("not before {time}{attempts}")));
        }
        for needed in &job.depends_on {
            if let Some(state) = self.states.get(&needed.job).copied().flatten()
                && needed.on.is_met(state).is_none()
            {
                let why = format!("job {} is {state}, not yet {}", needed.job, needed.on);
                return Some(Reason::new("job", why).by(needed.job));
            }
        }
        None
    }

    fn program(&self, job: &Job) -> Reason {
        match &job.group {
            _ if self.running.is_empty() => Reason::new("turn", "it is about to start"),
            Some(group) => Reason::new(
                "group",
                format!("group {group} is full, or as many programs run as may at a time"),
            ),
            None => Reason::new("slot", "as many programs run as may at a time"),
        }
    }

    fn machine(&self, connection: &Connection, job: &Job) -> Result<Reason, StoreError> {
        let fits = |device: &Device| match (&job.device, &job.driver) {
            (Some(name), _) => same_name(&device.name, name),
            (None, Some(driver)) => device.driver.eq_ignore_ascii_case(driver),
            (None, None) => true,
        };
        let mut reasons = Vec::new();
        let mut undecided = Vec::new();
        for (device, interrupted) in self.devices.iter().filter(|(device, _)| fits(device)) {
            let name = &device.name;
            let half_done = match interrupted {
                Some(other) if other.holds(connection, job)? => Some(other.job),
                _ => None,
            };
            let reason = match (self.modes.device(name), device.status) {
                (Some(Mode::Paused), _) if job.device.is_some() => {
                    return Ok(Reason::new("paused", format!("device {name} is paused")));
                }
                (Some(mode), _) if job.device.is_none() => format!("device {name} is {mode}"),
                _ if device.current_job_id.is_none()
                    && let Some(other) = half_done =>
                {
                    undecided.push(other);
                    format!(
                        "job {other} was interrupted on {name}: resume, retry or cancel it first"
                    )
                }
                _ if device.estop.is_some() => {
                    format!("device {name} is stopped by an emergency stop")
                }
                (_, DeviceStatus::Idle) if device.current_job_id.is_none() => {
                    return Ok(Reason::new("turn", "others are before it"));
                }
                (_, status) if device.current_job_id.is_none() => {
                    format!("device {name} is {status}")
                }
                _ => format!("device {name} works on another job"),
            };
            reasons.push(reason);
        }
        let none = || match (&job.device, &job.driver) {
            (Some(name), _) => format!("there is no device {name}"),
            (None, Some(driver)) => format!("there is no device with the driver {driver}"),
            (None, None) => "there is no device".to_owned(),
        };
        let why = if reasons.is_empty() { none() } else { reasons.join(", ") };
        Ok(match undecided.first() {
            // No machine can free itself: a person has to decide.
            Some(other) if undecided.len() == reasons.len() => {
                Reason::new("person", why).by(*other)
            }
            _ => Reason::new("device", why),
        })
    }
}
