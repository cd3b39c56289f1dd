//! How an interrupted job would go on, and how far that can be trusted.
//!
//! Nothing goes on by itself. A person is shown an [`Offer`]: what is certain, what would be sent
//! first, where the file goes on. Its token names exactly this offer; whatever changes meanwhile (the
//! machine is plugged in again, homed, another attempt) makes another one of it.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde::Serialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::device_manager::{Trace, trace};
pub use super::stops::stops;
use crate::{
    domain::{Axes, Device, DeviceStatus, Job, JobState, Machine, Payload, Position, Timestamp},
    link::{Checkpoint, Source},
    store::{Store, StoreError, jobs},
    toolpath::{
        Confidence, Dialect, Facts, ResumeError, ResumePlan, Stood, Trust, plan_resume, reached,
    },
};

/// More lines than a machine takes between two notes of how far it is.
const NOTED_LATE: u64 = 200;

/// What a person is shown before an interrupted job goes on.
#[derive(Clone, Debug, Serialize)]
pub struct Offer {
    /// Stands for this offer and no other.
    pub token: String,
    /// The machine it would go on on.
    pub device: String,
    /// Where the machine says its tool is.
    pub position: Option<Axes>,
    /// Lines that would be sent after the preamble.
    pub lines_left: u64,
    /// Lines the machine had acknowledged.
    pub lines_acknowledged: u64,
    /// What would be done.
    #[serde(flatten)]
    pub plan: ResumePlan,
}

/// Why there is no offer.
#[derive(Debug, Error)]
pub enum NoOffer {
    /// It is not interrupted, or runs no file.
    #[error("a {0} job is not gone on with by a plan: only an interrupted job of a machine is")]
    NotInterrupted(JobState),
    /// Its machine is not configured any more.
    #[error("its machine is not there any more: retry the job from its beginning or cancel it")]
    NoMachine,
    /// The machine cannot take it now.
    #[error("device \"{name}\" is {status}: it has to be idle before the job can go on")]
    NotIdle {
        /// Which.
        name: String,
        /// What it does.
        status: DeviceStatus,
    },
    /// There is no plan.
    #[error(transparent)]
    Plan(#[from] ResumeError),
    /// The database or the file cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What goes to the machine of a job, wherever that is kept.
pub fn source(store: &Store, job: &Job) -> Result<Source, StoreError> {
    match store.read(|connection| jobs::runs(connection, job.id))? {
        Payload::Inline(bytes) => Ok(Source::Bytes(bytes)),
        Payload::Stored { sha256, .. } => store.files().path(&sha256).map(Source::File),
        Payload::Command(_) => Err(StoreError::NotFound(format!("file of job {}", job.id))),
    }
}

/// How the job would go on; `machine` is its device as it is configured. Reads its file up to where it was interrupted: blocks.
pub fn offer(
    store: &Store,
    jobs: &Path,
    device: Option<&Device>,
    machine: &Machine,
    job: &Job,
) -> Result<Offer, NoOffer> {
    if job.state != JobState::Interrupted || job.command.is_some() {
        return Err(NoOffer::NotInterrupted(job.state));
    }
    let device = device.ok_or(NoOffer::NoMachine)?;
    let trace = trace(jobs, job.id).unwrap_or_default();
    let checkpoint = trace.checkpoint;
    let (source, dialect) = (source(store, job)?, Dialect::of(&device.driver));
    let position = device.position.map(place);
    let executed = checkpoint.lines_acknowledged.saturating_sub(checkpoint.planner_lines);
    let (certain, trust) = ran_on(&trace, device, &source, dialect)?
        .map_or_else(|| (executed, trust(&trace, device)), |lines| (lines, Trust::Certain));
    let axes = machine.ebb.axes();
    let stops = stops(job).iter().map(|stop| stop.line).collect();
    let facts = Facts { trust, position, start: trace.start, axes, stops };
    let plan = plan_resume(open(&source)?, dialect, certain, &facts)?;
    let total = job.lines_total.unwrap_or(plan.skip_lines);
    Ok(Offer {
        token: token(job, device, &trace, &plan),
        device: device.name.clone(),
        position,
        lines_left: total.saturating_sub(plan.skip_lines),
        lines_acknowledged: checkpoint.lines_acknowledged,
        plan,
    })
}

impl Offer {
    /// Fails unless the machine can begin at once.
    pub fn check(&self, device: &Device) -> Result<(), NoOffer> {
        if device.status == DeviceStatus::Idle && device.current_job_id.is_none() {
            return Ok(());
        }
        Err(NoOffer::NotIdle { name: device.name.clone(), status: device.status })
    }

    /// True if a person has to insist.
    pub fn needs_force(&self) -> bool {
        self.plan.confidence != Confidence::Certain
    }
}

fn open(source: &Source) -> Result<Box<dyn Read + '_>, ResumeError> {
    Ok(match source {
        Source::Bytes(bytes) => Box::new(io::Cursor::new(bytes)),
        Source::File(path) => Box::new(File::open(path)?),
    })
}

fn place(Position { x, y, z }: Position) -> Axes {
    [x, y, z]
}

/// How many lines a machine has executed that ran on while nobody watched: with nothing left to do
/// it stands at the end of one of them. All that it acknowledged is done then.
fn ran_on(
    trace: &Trace,
    device: &Device,
    source: &Source,
    dialect: Dialect,
) -> Result<Option<u64>, ResumeError> {
    let watched = trace.left.is_some_and(|left| device.connected_at.is_none_or(|at| at < left.at));
    let Some(stood) = device.ran_on_to.filter(|_| !watched && is_usable(device)) else {
        return Ok(None);
    };
    let Checkpoint { lines_acknowledged, lines_sent, .. } = trace.checkpoint;
    // What was sent after the last note, if nobody saw the end of it.
    let late = if trace.left.is_some() { 0 } else { NOTED_LATE };
    let window = (lines_acknowledged, lines_sent.saturating_add(late));
    let stood = Stood { at: place(stood), start: trace.start, began: trace.began };
    Ok(reached(open(source)?, dialect, window, stood)?)
}

fn is_usable(device: &Device) -> bool {
    !matches!(device.status, DeviceStatus::Alarm | DeviceStatus::Disconnected)
}

/// Whether the machine is where it says it is.
fn trust(trace: &Trace, device: &Device) -> Trust {
    let since = |at: Option<Timestamp>, then: Timestamp| at.is_some_and(|at| at > then);
    if device.status == DeviceStatus::Alarm {
        let why = device.error_message.as_deref().unwrap_or("it is locked");
        return Trust::NeedsHoming(format!("the machine is in alarm: {why}"));
    }
    if device.status == DeviceStatus::Disconnected {
        return Trust::NeedsHoming("the machine is not connected".to_owned());
    }
    let Some(left) = trace.left else {
        // Homed since it was connected is homed since the station came back.
        return if device.homed_at.is_some() {
            Trust::Certain
        } else {
            Trust::NeedsHoming(
                "the station went down while the job ran, and has not seen what the machine did \
                 with what it held"
                    .to_owned(),
            )
        };
    };
    if since(device.homed_at, left.at) {
        Trust::Certain
    } else if !left.position_known {
        Trust::NeedsHoming("the machine was stopped or lost in motion".to_owned())
    } else if since(device.connected_at, left.at) {
        Trust::NeedsHoming("the machine was disconnected since, and may have been off".to_owned())
    } else if device.position.is_none() {
        Trust::NeedsHoming("the machine does not say where it is".to_owned())
    } else {
        Trust::Certain
    }
}

fn token(job: &Job, device: &Device, trace: &Trace, plan: &ResumePlan) -> String {
    let facts = format!(
        "{}|{}|{:?}|{:?}|{:?}|{trace:?}|{plan:?}",
        job.id, job.attempts, job.started_at, device.connected_at, device.homed_at
    );
    let digest = Sha256::digest(facts.as_bytes());
    digest.iter().take(12).fold(String::new(), |mut token, byte| {
        _ = write!(token, "{byte:02x}");
        token
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemons::device_manager::Left;

    fn device(status: DeviceStatus, connected: i64, homed: Option<i64>) -> Device {
        Device {
            name: "mill".to_owned(),
            driver: "grbl".to_owned(),
            port: "/dev/ttyUSB0".to_owned(),
            capabilities: &[],
            link: "serial".to_owned(),
            status,
            identity: None,
            firmware_version: None,
            position: Some(Position::default()),
            current_job_id: None,
            error_message: None,
            envelope: None,
            connected_at: Some(Timestamp::from_ms(connected)),
            error_count: 0,
            last_heard: None,
            pen_up: None,
            temperatures: Vec::new(),
            homed_at: homed.map(Timestamp::from_ms),
            ran_on_to: None,
            estop: None,
        }
    }

    #[test]
    fn a_machine_is_trusted_only_as_far_as_it_was_watched() {
        use DeviceStatus::{Alarm, Disconnected, Idle};
        let left = |known| Some(Left { at: Timestamp::from_ms(100), position_known: known });
        let certain =
            |left, device| trust(&Trace { left, ..Trace::default() }, &device) == Trust::Certain;
        assert!(certain(left(true), device(Idle, 50, None)), "it stands where it was stopped");
        assert!(!certain(left(true), device(Idle, 150, None)), "it was plugged in since");
        assert!(!certain(left(false), device(Idle, 50, None)), "it was stopped in motion");
        assert!(!certain(left(false), device(Idle, 50, Some(60))), "homed before that");
        assert!(certain(left(false), device(Idle, 50, Some(150))), "homed since");
        assert!(certain(left(true), device(Idle, 150, Some(160))));
        assert!(!certain(None, device(Idle, 150, None)), "nobody was there to see it");
        assert!(certain(None, device(Idle, 150, Some(160))));
        assert!(!certain(left(true), device(Alarm, 50, Some(150))), "it is locked");
        assert!(!certain(left(true), device(Disconnected, 50, Some(150))));
    }
}
