//! The one place where a job's state changes.

use rusqlite::{OptionalExtension, params};
use serde_json::{Map, Value};

use super::{
    super::{StoreError, Tx},
    row,
};
use crate::domain::{Actor, Body, Job, JobId, JobKind, JobState, Progress, Timestamp};

pub(super) const JOB_ON: &str = "SELECT id FROM jobs INDEXED BY jobs_on_device
    WHERE kind = 'device' AND state IN ('RUNNING', 'PAUSED') AND device IS NOT NULL AND device = ?1";
pub(super) const DEPENDENTS: &str = "UPDATE jobs SET look_at = -1
    WHERE +state = 'QUEUED' AND look_at IS NULL
    AND seq IN (SELECT job FROM dependencies WHERE needs = ?1)";

pub(super) const BY_UNIQUE_KEY: &str = "WHERE unique_key = ?1
    AND state IN ('HELD', 'QUEUED', 'RUNNING', 'PAUSED', 'INTERRUPTED')";

/// The `look_at` of a job whose dependencies are to be judged.
pub(super) const UNJUDGED: i64 = -1;

/// Why and how a job moves.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// In a few words; part of the event.
    pub reason: String,
    /// Who asked for it; part of the event's metadata.
    pub actor: Option<Actor>,
    /// What the program returned.
    pub exit_code: Option<i32>,
    /// What a person should read beside the job; the reason, if a job fails or is interrupted
    /// without.
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

/// Moves a job to another state and writes the event that tells of it; refuses what the table of
/// states does not have. Returns the job as it then is.
pub fn transition(tx: &Tx<'_>, id: JobId, to: JobState, change: Change) -> Result<Job, StoreError> {
    apply_to(tx, row::find(tx, id)?, to, change)
}

/// The same, of a job that has just been read in this transaction.
pub(super) fn apply_to(
    tx: &Tx<'_>,
    found: row::Numbered,
    to: JobState,
    change: Change,
) -> Result<Job, StoreError> {
    let row::Numbered { seq, mut job } = found;
    let (id, from) = (job.id, job.state);
    if !from.may_become(to) {
        return Err(StoreError::IllegalMove { from, to });
    }
    apply(&mut job, to, &change, Timestamp::now());
    if from.is_terminal() {
        check_key_is_free(tx, &job)?;
    }
    if to == JobState::Queued {
        forget_claim(tx, seq, &mut job)?;
    }
    if to.is_active() {
        check_machine_is_free(tx, &job)?;
    }
    save(tx, seq, &job)?;
    tx.count(Some(from), Some(to));
    if to.is_terminal() {
        look_at_dependents(tx, id)?;
    }
    tell(tx, &job, from, change)?;
    Ok(job)
}

/// As [`transition`], but only of a job that is still in the state `from`: what was decided for
/// that state does not hold for another.
pub fn transition_from(
    tx: &Tx<'_>,
    id: JobId,
    from: JobState,
    to: JobState,
    change: Change,
) -> Result<Job, StoreError> {
    match row::find(tx, id)?.job.state {
        state if state == from => transition(tx, id, to, change),
        state => Err(StoreError::Moved { from, to: state }),
    }
}

/// Refuses what was decided about another version of the job.
pub fn check_version(tx: &Tx<'_>, id: JobId, expected: Option<u64>) -> Result<(), StoreError> {
    let found = row::find(tx, id)?.job.version;
    match expected {
        Some(expected) if expected != found => Err(StoreError::Changed { id, found }),
        _ => Ok(()),
    }
}

/// Puts back a job that was claimed and not started: it waits as it did before, and no attempt has
/// been made.
pub fn put_back(tx: &Tx<'_>, id: JobId) -> Result<Job, StoreError> {
    transition(tx, id, JobState::Interrupted, Change::because("it was not started"))?;
    let sql = "UPDATE jobs SET attempts = max(attempts - 1, 0) WHERE id = ?1";
    tx.prepare_cached(sql)?.execute([id.as_bytes()])?;
    transition(tx, id, JobState::Queued, Change::because("waits again"))
}

/// Notes how far an active job is, without an event. A job that is not active is left as it is.
pub fn checkpoint_progress(tx: &Tx<'_>, id: JobId, progress: &Progress) -> Result<(), StoreError> {
    let sql = "UPDATE jobs SET lines_done = ?2, lines_total = ?3, progress = ?4, eta_seconds = ?5,
        message = ?6
        WHERE id = ?1 AND state IN ('RUNNING', 'PAUSED')";
    tx.prepare_cached(sql)?.execute(params![
        id.as_bytes(),
        progress.lines_acknowledged,
        progress.lines_total,
        progress.progress_percentage,
        progress.eta_seconds,
        progress.message,
    ])?;
    Ok(())
}

/// Lets a job run although its verdict is red.
pub fn force(tx: &Tx<'_>, id: JobId) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE jobs SET forced = 1 WHERE id = ?1")?.execute([id.as_bytes()])?;
    Ok(())
}

/// What follows from the move for the job's own fields.
fn apply(job: &mut Job, to: JobState, change: &Change, now: Timestamp) {
    let from = job.state;
    job.state = to;
    job.eta_seconds = None;
    job.device = change.device.clone().or_else(|| job.device.take());
    job.driver = change.driver.clone().or_else(|| job.driver.take());
    job.exit_code = change.exit_code;
    job.finished_at = to.is_terminal().then_some(now);
    job.error.clone_from(&change.error);
    job.not_before = change.not_before.or(job.not_before);
    job.version += 1;
    match to {
        JobState::Running if from != JobState::Paused => {
            job.started_at = Some(now);
            job.attempts += u32::from(from == JobState::Queued);
        }
        JobState::Completed => {
            job.progress_percentage = 100.0;
            job.lines_acknowledged = job.lines_total.unwrap_or(job.lines_acknowledged);
        }
        JobState::Failed | JobState::Interrupted => {
            job.error.get_or_insert_with(|| change.reason.clone());
        }
        JobState::Queued => {
            job.progress_percentage = 0.0;
            job.message = None;
            job.lines_acknowledged = 0;
            job.started_at = None;
        }
        _ => {}
    }
}

/// A job that waits again may be claimed by whoever could at first.
fn forget_claim(tx: &Tx<'_>, seq: i64, job: &mut Job) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached("SELECT target FROM jobs WHERE seq = ?1")?;
    let target: String = statement.query_row([seq], |row| row.get(0))?;
    if !target.starts_with("device:") {
        job.device = None;
    }
    if target == "any" {
        job.driver = None;
    }
    let look_at = if job.depends_on.is_empty() { 0 } else { UNJUDGED };
    tx.prepare_cached("UPDATE jobs SET look_at = ?2 WHERE seq = ?1")?.execute([seq, look_at])?;
    Ok(())
}

/// A key belongs to the one job that has it and has not ended.
fn check_key_is_free(tx: &Tx<'_>, job: &Job) -> Result<(), StoreError> {
    let Some(key) = &job.unique_key else { return Ok(()) };
    match unique(tx, key)? {
        Some(other) => Err(StoreError::KeyTaken { key: key.clone(), job: other.id }),
        None => Ok(()),
    }
}

/// The job that has this unique key and has not ended.
pub(super) fn unique(tx: &Tx<'_>, key: &str) -> Result<Option<Job>, StoreError> {
    Ok(row::jobs(row::select(tx, BY_UNIQUE_KEY, [key])?).pop())
}

fn check_machine_is_free(tx: &Tx<'_>, job: &Job) -> Result<(), StoreError> {
    let (JobKind::Device, Some(device)) = (job.kind, &job.device) else { return Ok(()) };
    match job_on(tx, device)? {
        Some(other) if other != job.id => {
            Err(StoreError::DeviceTaken { device: device.clone(), job: other })
        }
        _ => Ok(()),
    }
}

/// The job that a machine works on.
pub(super) fn job_on(tx: &Tx<'_>, device: &str) -> Result<Option<JobId>, StoreError> {
    let mut statement = tx.prepare_cached(JOB_ON)?;
    Ok(statement.query_row([device], |found| row::id(found, 0)).optional()?)
}

fn save(tx: &Tx<'_>, seq: i64, job: &Job) -> Result<(), StoreError> {
    let sql =
        "UPDATE jobs SET state = ?2, device = ?3, driver = ?4, progress = ?5, lines_done = ?6,
        eta_seconds = NULL, attempts = ?7, started_at = ?8, finished_at = ?9, exit_code = ?10,
        error = ?11, not_before = ?12, version = ?13, message = ?14 WHERE seq = ?1";
    tx.prepare_cached(sql)?.execute(params![
        seq,
        job.state.as_str(),
        job.device,
        job.driver,
        job.progress_percentage,
        job.lines_acknowledged,
        job.attempts,
        job.started_at.map(Timestamp::as_ms),
        job.finished_at.map(Timestamp::as_ms),
        job.exit_code,
        job.error,
        job.not_before.map(Timestamp::as_ms),
        job.version,
        job.message,
    ])?;
    Ok(())
}

/// Who waits for this job is looked at by the next claim.
pub(super) fn look_at_dependents(tx: &Tx<'_>, id: JobId) -> Result<(), StoreError> {
    tx.prepare_cached(DEPENDENTS)?.execute([id.as_bytes()])?;
    Ok(())
}

fn tell(tx: &Tx<'_>, job: &Job, from: JobState, change: Change) -> Result<(), StoreError> {
    let mut metadata = change.metadata;
    if let Some(actor) = change.actor {
        metadata.insert("actor".to_owned(), Value::String(actor.name));
    }
    let body = Body::JobStateChange {
        job_id: job.id,
        job_name: job.name.clone(),
        from_state: Some(from),
        to_state: job.state,
        reason: change.reason,
        device_id: job.device.clone().unwrap_or_default(),
        metadata,
    };
    tx.emit(&format!("job:{}", job.id), change.cause_seq, body)?;
    Ok(())
}
