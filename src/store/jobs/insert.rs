//! Submission.

use rusqlite::params;
use serde::Serialize;
use serde_json::Map;

use super::{
    super::{StoreError, Tx},
    claim::HELD,
    read, row,
};
use crate::domain::{Analysis, Body, Job, JobState, Light, NewJob, Payload, Timestamp};

/// What came of a submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Inserted {
    /// The job.
    pub job: Job,
    /// False if its idempotency key had brought it here before.
    pub created: bool,
}

/// Stores a job (QUEUED, or HELD: as is wished, or because its verdict is red) and its event. The same idempotency key answers with the same
/// job, and refuses another name or content. A large file must be in place before; a job it depends on must exist.
pub fn insert(tx: &Tx<'_>, new: &NewJob) -> Result<Inserted, StoreError> {
    if let Some(key) = &new.idempotency_key
        && let Some(job) = read::by_key(tx, key)?
    {
        if job.name != new.name || read::payload(tx, job.id)? != new.payload {
            return Err(StoreError::KeyReused(job.id));
        }
        return Ok(Inserted { job, created: false });
    }
    let job = fresh(new, Timestamp::now());
    let seq = tx.next_job();
    write(tx, seq, new, &job)?;
    if let Payload::Inline(content) = &new.payload {
        let sql = "INSERT INTO job_files (job, content) VALUES (?1, ?2)";
        tx.prepare_cached(sql)?.execute(params![seq, content])?;
    }
    for needed in &job.depends_on {
        row::find(tx, *needed)?;
        let sql = "INSERT OR IGNORE INTO dependencies (needs, job) VALUES (?1, ?2)";
        tx.prepare_cached(sql)?.execute(params![needed.as_bytes(), seq])?;
    }
    tx.count(None, Some(job.state));
    let body = Body::JobStateChange {
        job_id: job.id,
        job_name: job.name.clone(),
        from_state: None,
        to_state: job.state,
        reason: job.error.clone().unwrap_or_else(|| "submitted".to_owned()),
        device_id: job.device.clone().unwrap_or_default(),
        metadata: Map::new(),
    };
    tx.emit(&format!("job:{}", job.id), None, body)?;
    Ok(Inserted { job, created: true })
}

/// Stores many jobs, all or none; one may depend on another before it in the list.
pub fn insert_batch(tx: &Tx<'_>, new: &[NewJob]) -> Result<Vec<Inserted>, StoreError> {
    new.iter().map(|job| insert(tx, job)).collect()
}

fn fresh(new: &NewJob, now: Timestamp) -> Job {
    let command = match &new.payload {
        Payload::Command(command) => Some(command.clone()),
        Payload::Inline(_) | Payload::Stored { .. } => None,
    };
    let red = |it: &&Analysis| it.verdict == Light::Red && !new.forced;
    let held = new.analysis.as_ref().filter(red).map(|it| it.reason().unwrap_or_default());
    Job {
        id: new.id,
        name: new.name.clone(),
        kind: new.payload.kind(),
        state: if new.hold || held.is_some() { JobState::Held } else { JobState::Queued },
        priority: new.priority,
        device: new.device.clone(),
        driver: new.driver.clone(),
        command,
        progress_percentage: 0.0,
        lines_total: new.analysis.as_ref().map(|analysis| analysis.lines),
        lines_acknowledged: 0,
        eta_seconds: None,
        attempts: 0,
        max_attempts: new.max_attempts,
        not_before: new.not_before,
        depends_on: new.depends_on.clone(),
        labels: new.labels.clone(),
        timeout_seconds: new.timeout_seconds,
        submitted_by: new.submitted_by.clone(),
        created_at: now,
        started_at: None,
        finished_at: None,
        exit_code: None,
        error: held.map(|reason| format!("{HELD}: {reason}")),
        analysis: new.analysis.clone(),
        forced: new.forced,
    }
}

fn write(tx: &Tx<'_>, seq: i64, new: &NewJob, job: &Job) -> Result<(), StoreError> {
    let (sha256, bytes) = match &new.payload {
        Payload::Stored { sha256, size } => (Some(sha256), Some(size)),
        Payload::Inline(_) | Payload::Command(_) => (None, None),
    };
    let target = match (&new.payload, &job.device, &job.driver) {
        (Payload::Command(_), ..) => "command".to_owned(),
        (_, Some(device), _) => format!("device:{device}"),
        (_, None, Some(driver)) => format!("driver:{driver}"),
        (_, None, None) => "any".to_owned(),
    };
    // A claim looks at it now, or when its time comes.
    let look_at = job.not_before.filter(|time| *time > job.created_at).map_or(0, Timestamp::as_ms);
    let sql =
        "INSERT INTO jobs (seq, id, name, kind, state, priority, rank, target, look_at, device,
        driver, command, file_sha256, file_bytes, lines_total, max_attempts, not_before, depends_on,
        labels, timeout_seconds, submitted_by, idempotency_key, created_at, analysis,
        forced, error)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?1, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
        ?19, ?20, ?21, ?22, ?23, ?24, ?25)";
    tx.prepare_cached(sql)?.execute(params![
        seq,
        job.id.as_bytes(),
        job.name,
        job.kind.as_str(),
        job.state.as_str(),
        job.priority.0,
        target,
        look_at,
        job.device,
        job.driver,
        json("command", job.command.as_ref())?,
        sha256,
        bytes,
        job.lines_total,
        job.max_attempts,
        job.not_before.map(Timestamp::as_ms),
        json("depends_on", Some(&job.depends_on).filter(|jobs| !jobs.is_empty()))?,
        json("labels", Some(&job.labels).filter(|labels| !labels.is_empty()))?,
        job.timeout_seconds,
        job.submitted_by,
        new.idempotency_key,
        job.created_at.as_ms(),
        json("analysis", job.analysis.as_ref())?,
        job.forced,
        job.error,
    ])?;
    Ok(())
}

fn json(what: &'static str, value: Option<&impl Serialize>) -> Result<Option<String>, StoreError> {
    let text = value.map(serde_json::to_string).transpose();
    text.map_err(|error| StoreError::unreadable(what, &error))
}
