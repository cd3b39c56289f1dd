//! A machine with half a job on it.
//!
//! What waited already when a job was interrupted does not start on that machine before a person has
//! decided what becomes of it. Whoever submits, releases or retries a job after that has decided.

use rusqlite::{Connection, OptionalExtension};

use super::{super::StoreError, row};
use crate::domain::{Job, JobId};

/// A job that was interrupted and that nobody has resumed, retried or cancelled.
#[derive(Clone, Copy, Debug)]
pub struct Interrupted {
    /// Which.
    pub job: JobId,
    /// The event of it.
    since: i64,
}

/// The job that was interrupted last on this machine.
pub fn interrupted_on(
    connection: &Connection,
    device: &str,
) -> Result<Option<Interrupted>, StoreError> {
    // Such jobs are few, those of a machine are not.
    let sql = "SELECT id FROM jobs INDEXED BY jobs_by_state
        WHERE state = 'INTERRUPTED' AND device = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([device], |found| row::id(found, 0))?;
    let mut newest = None::<Interrupted>;
    for job in ids {
        let job = job?;
        let since = last_change(connection, job)?;
        if newest.is_none_or(|other| other.since < since) {
            newest = Some(Interrupted { job, since });
        }
    }
    Ok(newest)
}

impl Interrupted {
    /// True if the waiting `job` must not start on that machine.
    pub fn holds(&self, connection: &Connection, job: &Job) -> Result<bool, StoreError> {
        // No person is behind one that comes by itself; of what is no longer known, none is assumed.
        Ok(job.schedule.is_some() || last_change(connection, job.id)? <= self.since)
    }
}

/// The number of the event that brought it to its state; 0 if that is not kept any more.
fn last_change(connection: &Connection, job: JobId) -> Result<i64, StoreError> {
    let sql = "SELECT seq FROM events WHERE resource = ?1 AND kind = 'job_state_change'
        ORDER BY seq DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let seq = statement.query_row([format!("job:{job}")], |found| found.get(0)).optional()?;
    Ok(seq.unwrap_or(0))
}
