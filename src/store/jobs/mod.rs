//! All SQL of jobs.

use super::{Page, StoreError, Tx};
use crate::domain::{
    Actor, Job, JobId, JobKind, JobState, NewJob, Payload, Priority, Progress, Timestamp,
};
use rusqlite::Connection;
use serde_json::{Map, Value};

/// What came of a submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Inserted {
    /// The job.
    pub job: Job,
    /// False if its idempotency key had brought it here before.
    pub created: bool,
}

/// Why and how a job moves.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// In a few words; part of the event.
    pub reason: String,
    /// Who asked for it; part of the event's metadata.
    pub actor: Option<Actor>,
    /// What the program returned.
    pub exit_code: Option<i32>,
    /// What a person should read beside the job; the reason, if a job fails or is interrupted without.
    pub error: Option<String>,
    /// The machine it now runs on.
    pub device: Option<String>,
    /// The driver it now runs by.
    pub driver: Option<String>,
    /// A job that waits again does so at least until then.
    pub not_before: Option<Timestamp>,
    /// The event that led to it.
    pub cause_seq: Option<u64>,
    /// Anything else for the event.
    pub metadata: Map<String, Value>,
}

impl Change {
    /// A change for that reason and nothing else.
    pub fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..Self::default() }
    }
}

/// Which jobs; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// In this state.
    pub state: Option<JobState>,
    /// On or for this machine.
    pub device: Option<String>,
    /// Of this kind.
    pub kind: Option<JobKind>,
    /// At most this many; 0 means the usual 100, the most is 1000.
    pub limit: usize,
    /// From an earlier page.
    pub cursor: Option<String>,
}

/// How many jobs there are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; 8]);

impl Counts {
    /// In that state.
    pub fn of(&self, _state: JobState) -> u64 {
        todo!()
    }
}

/// Stores a job (QUEUED, or HELD) and its event. The same idempotency key answers with the same job.
pub fn insert(_tx: &Tx<'_>, _job: &NewJob) -> Result<Inserted, StoreError> {
    todo!()
}
/// Stores many jobs, all or none.
pub fn insert_batch(_tx: &Tx<'_>, _jobs: &[NewJob]) -> Result<Vec<Inserted>, StoreError> {
    todo!()
}
/// The job of that id.
pub fn get(_connection: &Connection, _id: JobId) -> Result<Job, StoreError> {
    todo!()
}
/// The job that this idempotency key brought in.
pub fn by_key(_connection: &Connection, _key: &str) -> Result<Option<Job>, StoreError> {
    todo!()
}
/// Jobs, newest first.
pub fn list(_connection: &Connection, _filter: &JobFilter) -> Result<Page<Job>, StoreError> {
    todo!()
}
/// The jobs that wait, in the order they will run, at most `limit`.
pub fn queue(_connection: &Connection, _limit: usize) -> Result<Vec<Job>, StoreError> {
    todo!()
}
/// RUNNING and PAUSED jobs.
pub fn active(_connection: &Connection) -> Result<Vec<Job>, StoreError> {
    todo!()
}
/// RUNNING and PAUSED jobs of one kind: at start, what the last stop left behind.
pub fn running(_connection: &Connection, _kind: JobKind) -> Result<Vec<Job>, StoreError> {
    todo!()
}
/// How many waiting jobs will run before this one.
pub fn queued_ahead(_connection: &Connection, _id: JobId) -> Result<u64, StoreError> {
    todo!()
}
/// How many jobs there are in each state.
pub fn counts(_connection: &Connection) -> Result<Counts, StoreError> {
    todo!()
}
/// When the next job that waits for its time may run.
pub fn next_not_before(_connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    todo!()
}
/// What the job is made of.
pub fn payload(_connection: &Connection, _id: JobId) -> Result<Payload, StoreError> {
    todo!()
}
/// Moves a job to another state: the one place that does. Writes its event.
pub fn transition(
    _tx: &Tx<'_>,
    _id: JobId,
    _to: JobState,
    _change: Change,
) -> Result<Job, StoreError> {
    todo!()
}
/// Takes the next job for this machine and makes it RUNNING; none if none may run now.
pub fn claim_for_device(
    _tx: &Tx<'_>,
    _device: &str,
    _driver: &str,
    _now: Timestamp,
) -> Result<Option<Job>, StoreError> {
    todo!()
}
/// Takes the next command job and makes it RUNNING; none if none may run now.
pub fn claim_command(_tx: &Tx<'_>, _now: Timestamp) -> Result<Option<Job>, StoreError> {
    todo!()
}
/// Notes how far an active job is. No event.
pub fn checkpoint_progress(
    _tx: &Tx<'_>,
    _id: JobId,
    _progress: &Progress,
) -> Result<(), StoreError> {
    todo!()
}
/// Changes the priority of a waiting job.
pub fn set_priority(_tx: &Tx<'_>, _id: JobId, _priority: Priority) -> Result<Job, StoreError> {
    todo!()
}
/// Puts a waiting job right before another, taking its priority.
pub fn move_before(_tx: &Tx<'_>, _id: JobId, _before: JobId) -> Result<Job, StoreError> {
    todo!()
}
/// Deletes an ended job.
pub fn delete(_tx: &Tx<'_>, _id: JobId) -> Result<(), StoreError> {
    todo!()
}
/// Deletes up to `limit` jobs that ended before `before`; returns which.
pub fn prune(_tx: &Tx<'_>, _before: Timestamp, _limit: usize) -> Result<Vec<JobId>, StoreError> {
    todo!()
}
