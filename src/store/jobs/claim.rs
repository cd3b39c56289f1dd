//! Whose turn it is.
//!
//! A claim looks at ready jobs only: those whose `look_at` is 0. One that turns out to wait, for its
//! time or for another job, is put aside until that time comes or that job ends, so that it costs
//! one look each time something has changed for it and nothing in between.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    super::{StoreError, Tx},
    change::{self, Change, transition},
    clear::{Claimant, Clearance, clear},
    row::{self, Numbered},
};
use crate::domain::{Job, JobId, JobState, Timestamp};

/// Why a job with a red verdict waits for a person.
pub(super) const HELD: &str = "held by the preflight check";

/// So many jobs that suit other machines are passed over in one claim.
const MOST_PASSED: usize = 1000;

/// What a look at a ready job finds.
enum Verdict {
    /// It may run.
    Go,
    /// Not on this machine.
    Elsewhere,
    /// Not before then; until a job it needs ends, if none.
    Wait(Option<Timestamp>),
    /// Not before a person has decided, for this reason.
    Hold(String),
    /// Never, for this reason.
    Never(String),
}

pub(super) const NEXT_COMMAND: &str = "WHERE seq = (
    SELECT seq FROM jobs INDEXED BY jobs_ready WHERE state = 'QUEUED' AND look_at = 0 AND target = 'command'
    ORDER BY priority DESC, rank, seq LIMIT 1)";

/// Those whose time has come are ready.
pub(super) const DUE: &str = "UPDATE jobs INDEXED BY jobs_timed SET look_at = 0
    WHERE state = 'QUEUED' AND look_at > 0 AND look_at <= ?1";

/// The best of three queues, each read from its index, after a place in their order.
pub(super) const NEXT_FOR_DEVICE: &str = "WHERE seq = (SELECT seq FROM (
    SELECT * FROM (SELECT priority, rank, seq FROM jobs INDEXED BY jobs_ready
        WHERE state = 'QUEUED' AND look_at = 0 AND target = ?1 AND priority <= ?3
        AND (priority < ?3 OR rank > ?4 OR (rank = ?4 AND seq > ?5))
        ORDER BY priority DESC, rank, seq LIMIT 1)
    UNION ALL SELECT * FROM (SELECT priority, rank, seq FROM jobs INDEXED BY jobs_ready
        WHERE state = 'QUEUED' AND look_at = 0 AND target = ?2 AND priority <= ?3
        AND (priority < ?3 OR rank > ?4 OR (rank = ?4 AND seq > ?5))
        ORDER BY priority DESC, rank, seq LIMIT 1)
    UNION ALL SELECT * FROM (SELECT priority, rank, seq FROM jobs INDEXED BY jobs_ready
        WHERE state = 'QUEUED' AND look_at = 0 AND target = 'any' AND priority <= ?3
        AND (priority < ?3 OR rank > ?4 OR (rank = ?4 AND seq > ?5))
        ORDER BY priority DESC, rank, seq LIMIT 1))
    ORDER BY priority DESC, rank, seq LIMIT 1)";

/// Takes the next job for this machine and makes it RUNNING; none if none may run now or the machine
/// has one. On the way a job that needs one that failed, was cancelled or is gone becomes FAILED, and
/// one that would leave the envelope, or is red in another way and not forced, becomes HELD.
pub fn claim_for_device(
    tx: &Tx<'_>,
    machine: &Claimant,
    now: Timestamp,
) -> Result<Option<Job>, StoreError> {
    if change::job_on(tx, &machine.name)?.is_some() {
        return Ok(None);
    }
    tx.prepare_cached(DUE)?.execute([now.as_ms()])?;
    let own = format!("device:{}", machine.name);
    let shared = format!("driver:{}", machine.driver);
    // Before all that have a place.
    let mut after = (i64::MAX, 0.0, 0);
    for _ in 0..MOST_PASSED {
        let params = params![own, shared, after.0, after.1, after.2];
        let Some(Numbered { seq, job }) = row::select(tx, NEXT_FOR_DEVICE, params)?.pop() else {
            return Ok(None);
        };
        match judge(tx, seq, &job, Some(machine), now)? {
            Verdict::Go => {
                let change = Change {
                    device: Some(machine.name.clone()),
                    driver: Some(machine.driver.clone()),
                    ..Change::because("started")
                };
                return transition(tx, job.id, JobState::Running, change).map(Some);
            }
            Verdict::Elsewhere => {
                let sql = "SELECT priority, rank, seq FROM jobs WHERE seq = ?1";
                after = tx
                    .prepare_cached(sql)?
                    .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            }
            other => put_aside(tx, seq, job.id, other)?,
        }
    }
    Ok(None)
}

/// Takes the next command job and makes it RUNNING; none if none may run now. A job that needs one
/// that failed, was cancelled or is gone becomes FAILED on the way.
pub fn claim_command(tx: &Tx<'_>, now: Timestamp) -> Result<Option<Job>, StoreError> {
    tx.prepare_cached(DUE)?.execute([now.as_ms()])?;
    while let Some(Numbered { seq, job }) = row::select(tx, NEXT_COMMAND, [])?.pop() {
        match judge(tx, seq, &job, None, now)? {
            Verdict::Go => {
                let change = Change::because("started");
                return transition(tx, job.id, JobState::Running, change).map(Some);
            }
            other => put_aside(tx, seq, job.id, other)?,
        }
    }
    Ok(None)
}

/// When the next job that waits for its time may run.
pub fn next_not_before(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(look_at) FROM jobs INDEXED BY jobs_timed WHERE state = 'QUEUED' AND look_at > 0";
    let time: Option<i64> = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(time.map(Timestamp::from_ms))
}

/// A ready job that may not run now is not ready any more.
fn put_aside(tx: &Tx<'_>, seq: i64, id: JobId, verdict: Verdict) -> Result<(), StoreError> {
    match verdict {
        Verdict::Go | Verdict::Elsewhere => {}
        Verdict::Wait(until) => {
            tx.prepare_cached("UPDATE jobs SET look_at = ?2 WHERE seq = ?1")?
                .execute(params![seq, until.map(Timestamp::as_ms)])?;
        }
        Verdict::Hold(reason) => {
            let reason = format!("{HELD}: {reason}");
            let change = Change { error: Some(reason.clone()), ..Change::because(reason) };
            transition(tx, id, JobState::Held, change)?;
        }
        Verdict::Never(reason) => {
            transition(tx, id, JobState::Failed, Change::because(reason))?;
        }
    }
    Ok(())
}

fn judge(
    tx: &Tx<'_>,
    seq: i64,
    job: &Job,
    machine: Option<&Claimant>,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    if let (Some(asked), Some(Claimant { driver, .. })) = (&job.driver, machine)
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
    let (Verdict::Go, Some(machine)) = (&verdict, machine) else { return Ok(verdict) };
    Ok(match clear(job, machine, job.device.is_some()) {
        Clearance::Go => Verdict::Go,
        Clearance::Elsewhere => Verdict::Elsewhere,
        Clearance::Hold(reason) => Verdict::Hold(reason),
    })
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
