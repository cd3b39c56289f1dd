//! Whose turn it is.
//!
//! A claim looks at ready jobs only: those whose `look_at` is 0. One that turns out to wait, for its
//! time or for another job, is put aside until that time comes or that job ends, so that it costs
//! one look each time something has changed for it and nothing in between.

use rusqlite::{Connection, OptionalExtension, Params, params};

use super::{
    super::{StoreError, Tx},
    change::{self, Change, transition},
    row::{self, Numbered},
};
use crate::domain::{Job, JobId, JobState, Timestamp};

/// What a look at a ready job finds.
enum Verdict {
    /// It may run.
    Go,
    /// Not before then; until a job it needs ends, if none.
    Wait(Option<Timestamp>),
    /// Never, for this reason.
    Never(String),
}

pub(super) const NEXT_COMMAND: &str = "WHERE seq = (
    SELECT seq FROM jobs INDEXED BY jobs_ready WHERE state = 'QUEUED' AND look_at = 0 AND target = 'command'
    ORDER BY priority DESC, rank, seq LIMIT 1)";

/// Those whose time has come are ready.
pub(super) const DUE: &str = "UPDATE jobs INDEXED BY jobs_timed SET look_at = 0
    WHERE state = 'QUEUED' AND look_at > 0 AND look_at <= ?1";

/// The best of three queues, each read from its index.
pub(super) const NEXT_FOR_DEVICE: &str = "WHERE seq = (SELECT seq FROM (
    SELECT * FROM (SELECT priority, rank, seq FROM jobs INDEXED BY jobs_ready
        WHERE state = 'QUEUED' AND look_at = 0 AND target = ?1
        ORDER BY priority DESC, rank, seq LIMIT 1)
    UNION ALL SELECT * FROM (SELECT priority, rank, seq FROM jobs INDEXED BY jobs_ready
        WHERE state = 'QUEUED' AND look_at = 0 AND target = ?2
        ORDER BY priority DESC, rank, seq LIMIT 1)
    UNION ALL SELECT * FROM (SELECT priority, rank, seq FROM jobs INDEXED BY jobs_ready
        WHERE state = 'QUEUED' AND look_at = 0 AND target = 'any'
        ORDER BY priority DESC, rank, seq LIMIT 1))
    ORDER BY priority DESC, rank, seq LIMIT 1)";

/// Takes the next job for this machine and makes it RUNNING; none if none may run now or the machine
/// has one. A job that needs one that failed, was cancelled or is gone becomes FAILED on the way.
pub fn claim_for_device(
    tx: &Tx<'_>,
    device: &str,
    driver: &str,
    now: Timestamp,
) -> Result<Option<Job>, StoreError> {
    if change::job_on(tx, device)?.is_some() {
        return Ok(None);
    }
    let targets = (format!("device:{device}"), format!("driver:{driver}"));
    let Some(job) = next(tx, NEXT_FOR_DEVICE, params![targets.0, targets.1], Some(driver), now)?
    else {
        return Ok(None);
    };
    let change = Change {
        device: Some(device.to_owned()),
        driver: Some(driver.to_owned()),
        ..Change::because("started")
    };
    transition(tx, job.id, JobState::Running, change).map(Some)
}

/// Takes the next command job and makes it RUNNING; none if none may run now. A job that needs one
/// that failed, was cancelled or is gone becomes FAILED on the way.
pub fn claim_command(tx: &Tx<'_>, now: Timestamp) -> Result<Option<Job>, StoreError> {
    let Some(job) = next(tx, NEXT_COMMAND, [], None, now)? else { return Ok(None) };
    transition(tx, job.id, JobState::Running, Change::because("started")).map(Some)
}

/// When the next job that waits for its time may run.
pub fn next_not_before(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(look_at) FROM jobs INDEXED BY jobs_timed WHERE state = 'QUEUED' AND look_at > 0";
    let time: Option<i64> = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(time.map(Timestamp::from_ms))
}

fn next(
    tx: &Tx<'_>,
    rest: &str,
    params: impl Params + Copy,
    driver: Option<&str>,
    now: Timestamp,
) -> Result<Option<Job>, StoreError> {
    tx.prepare_cached(DUE)?.execute([now.as_ms()])?;
    while let Some(Numbered { seq, job }) = row::select(tx, rest, params)?.pop() {
        match judge(tx, seq, &job, driver, now)? {
            Verdict::Go => return Ok(Some(job)),
            Verdict::Wait(until) => {
                tx.prepare_cached("UPDATE jobs SET look_at = ?2 WHERE seq = ?1")?
                    .execute(params![seq, until.map(Timestamp::as_ms)])?;
            }
            Verdict::Never(reason) => {
                transition(tx, job.id, JobState::Failed, Change::because(reason))?;
            }
        }
    }
    Ok(None)
}

fn judge(
    tx: &Tx<'_>,
    seq: i64,
    job: &Job,
    driver: Option<&str>,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    if let (Some(asked), Some(driver)) = (&job.driver, driver)
        && asked != driver
    {
        return Ok(Verdict::Never(format!("it asks for driver {asked}, the device has {driver}")));
    }
    if let Some(time) = job.not_before.filter(|time| *time > now) {
        return Ok(Verdict::Wait(Some(time)));
    }
    let mut verdict = Verdict::Go;
    for needed in &job.depends_on {
        match state(tx, *needed)? {
            Some(JobState::Completed) => {}
            Some(state @ (JobState::Failed | JobState::Cancelled)) => {
                return Ok(Verdict::Never(format!(
                    "job {needed}, which it depends on, is {state}"
                )));
            }
            Some(_) => verdict = Verdict::Wait(None),
            None if is_open(tx, *needed, seq)? => {
                return Ok(Verdict::Never(format!("job {needed}, which it depends on, is gone")));
            }
            // It was completed before it was deleted.
            None => {}
        }
    }
    Ok(verdict)
}

fn state(tx: &Tx<'_>, id: JobId) -> Result<Option<JobState>, StoreError> {
    let mut statement = tx.prepare_cached("SELECT state FROM jobs WHERE id = ?1")?;
    let mut rows = statement.query([id.as_bytes()])?;
    rows.next()?.map(|row| row::word(row, 0, "job state")).transpose()
}

fn is_open(tx: &Tx<'_>, needed: JobId, seq: i64) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM dependencies WHERE needs = ?1 AND job = ?2";
    let mut statement = tx.prepare_cached(sql)?;
    Ok(statement.query_row(params![needed.as_bytes(), seq], |_| Ok(())).optional()?.is_some())
}
