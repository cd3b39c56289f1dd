//! Submission.

use rusqlite::params;
use serde::Serialize;
use serde_json::json as value;

use super::{
    super::{StoreError, Tx},
    change::{self, Change, UNJUDGED},
    claim::HELD,
    keep, read, row, submission,
};
use crate::domain::{
    Actor, Analysis, Body, IfTaken, Job, JobState, Light, NewJob, Payload, Surroundings, Timestamp,
};

/// What came of a submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Inserted {
    /// The job.
    pub job: Job,
    /// False if its idempotency key had brought it here before, or stood for a job that was there.
    pub created: bool,
    /// True if it is another job that has the unique key asked for.
    pub taken: bool,
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
        return Ok(Inserted { job, created: false, taken: false });
    }
    if let Some(key) = &new.idempotency_key
        && submission::is_taken(tx, key)?
    {
        return Err(StoreError::BatchKeyReused(key.clone()));
    }
    if let Some(job) = other_of_key(tx, new)? {
        return Ok(Inserted { job, created: false, taken: true });
    }
    let job = fresh(new, Timestamp::now());
    let seq = tx.next_job();
    write(tx, seq, new, &job)?;
    if let Payload::Inline(content) = &new.payload {
        let sql = "INSERT INTO job_files (job, content) VALUES (?1, ?2)";
        tx.prepare_cached(sql)?.execute(params![seq, content])?;
    }
    write_program(tx, seq, new.program.as_ref())?;
    for needed in &job.depends_on {
        row::find(tx, needed.job)?;
        let sql = "INSERT OR REPLACE INTO dependencies (needs, job, outcome) VALUES (?1, ?2, ?3)";
        let row = params![needed.job.as_bytes(), seq, needed.on.as_str()];
        tx.prepare_cached(sql)?.execute(row)?;
    }
    tx.count(None, Some(job.state));
    let body = Body::JobStateChange {
        job_id: job.id,
        job_name: job.name.clone(),
        from_state: None,
        to_state: job.state,
        reason: job.error.clone().unwrap_or_else(|| "submitted".to_owned()),
        device_id: job.device.clone().unwrap_or_default(),
        metadata: value!({"actor": new.submitted_by}).as_object().cloned().unwrap_or_default(),
    };
    tx.emit(&format!("job:{}", job.id), None, body)?;
    Ok(Inserted { job, created: true, taken: false })
}

/// The job that has the unique key, if that one is to stand for both. One that is to be replaced is
/// cancelled; one that runs already is not.
fn other_of_key(tx: &Tx<'_>, new: &NewJob) -> Result<Option<Job>, StoreError> {
    let Some(key) = &new.rules.unique_key else { return Ok(None) };
    let Some(other) = change::unique(tx, key)? else { return Ok(None) };
    match (new.rules.if_taken, other.state) {
        (IfTaken::Ignore, _) => Ok(Some(other)),
        (IfTaken::Replace, JobState::Held | JobState::Queued) => {
            let change = Change {
                actor: Some(Actor { name: new.submitted_by.clone(), ..Actor::station() }),
                ..Change::because(format!("replaced by job {}", new.id))
            };
            change::transition(tx, other.id, JobState::Cancelled, change)?;
            Ok(None)
        }
        _ => Err(StoreError::KeyTaken { key: key.clone(), job: other.id }),
    }
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
        surroundings: new.surroundings.clone(),
        progress_percentage: 0.0,
        message: None,
        lines_total: new.analysis.as_ref().map(|analysis| analysis.lines),
        lines_acknowledged: 0,
        eta_seconds: None,
        attempts: 0,
        max_attempts: new.max_attempts,
        not_before: new.not_before,
        depends_on: new.depends_on.clone(),
        labels: new.labels.clone(),
        timeout_seconds: new.timeout_seconds,
        group: new.rules.group.clone(),
        unique_key: new.rules.unique_key.clone(),
        retry: new.rules.retry,
        schedule: new.rules.schedule.clone(),
        submitted_by: new.submitted_by.clone(),
        created_at: now,
        started_at: None,
        finished_at: None,
        exit_code: None,
        error: held.map(|reason| format!("{HELD}: {reason}")),
        analysis: new.analysis.clone(),
        forced: new.forced,
        version: 1,
    }
}

fn write(tx: &Tx<'_>, seq: i64, new: &NewJob, job: &Job) -> Result<(), StoreError> {
    let (sha256, bytes) = match &new.payload {
        Payload::Stored { sha256, size } => (Some(sha256), Some(size)),
        Payload::Inline(_) | Payload::Command(_) => (None, None),
    };
    let stored = match &new.payload {
        Payload::Stored { sha256, size } => {
            if !keep::is_kept(tx, sha256)? {
                tx.stored(signed(*size));
            }
            Some(signed(*size))
        }
        Payload::Inline(content) => {
            let size = signed(content.len() as u64);
            tx.stored(size);
            Some(size)
        }
        Payload::Command(_) => None,
    };
    let target = match (&new.payload, &job.device, &job.driver) {
        (Payload::Command(_), ..) => match &job.group {
            Some(group) => format!("command:{group}"),
            None => "command".to_owned(),
        },
        (_, Some(device), _) => format!("device:{device}"),
        (_, None, Some(driver)) => format!("driver:{driver}"),
        (_, None, None) => "any".to_owned(),
    };
    // A claim looks at it now, or when its time comes.
    let look_at = match job.not_before.filter(|time| *time > job.created_at) {
        _ if !job.depends_on.is_empty() => UNJUDGED,
        Some(time) => time.as_ms(),
        None => 0,
    };
    // Most have nothing to say about it.
    let surroundings = Some(&job.surroundings).filter(|it| **it != Surroundings::default());
    let sql =
        "INSERT INTO jobs (seq, id, name, kind, state, priority, rank, target, look_at, device,
        driver, command, file_sha256, file_bytes, lines_total, max_attempts, not_before, depends_on,
        labels, timeout_seconds, submitted_by, idempotency_key, created_at, analysis,
        forced, error, job_group, unique_key, retry, schedule, stored_bytes,
        surroundings)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?1, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
        ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)";
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
        job.group,
        job.unique_key,
        json("retry", job.retry.as_ref())?,
        job.schedule,
        stored,
        json("surroundings", surroundings)?,
    ])?;
    Ok(())
}

fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn write_program(tx: &Tx<'_>, seq: i64, program: Option<&Payload>) -> Result<(), StoreError> {
    let (content, sha256, bytes) = match program {
        None | Some(Payload::Command(_)) => return Ok(()),
        Some(Payload::Inline(content)) => (Some(content), None, None),
        Some(Payload::Stored { sha256, size }) => (None, Some(sha256), Some(signed(*size))),
    };
    let sql = "INSERT INTO job_programs (job, content, file_sha256, file_bytes)
        VALUES (?1, ?2, ?3, ?4)";
    tx.prepare_cached(sql)?.execute(params![seq, content, sha256, bytes])?;
    Ok(())
}

fn json(what: &'static str, value: Option<&impl Serialize>) -> Result<Option<String>, StoreError> {
    let text = value.map(serde_json::to_string).transpose();
    text.map_err(|error| StoreError::unreadable(what, &error))
}
