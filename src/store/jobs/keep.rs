//! What is kept and what goes.

use rusqlite::params;

use super::{
    super::{StoreError, Tx},
    change, row,
};
use crate::domain::{JobId, JobState, Timestamp};

pub(super) const OLD: &str = "SELECT id FROM jobs
    WHERE finished_at IS NOT NULL AND finished_at < ?1 ORDER BY finished_at LIMIT ?2";

/// Deletes an ended job. Its large file, if no other job names it, goes with the next sweep.
pub fn delete(tx: &Tx<'_>, id: JobId) -> Result<(), StoreError> {
    let row::Numbered { seq, job } = row::find(tx, id)?;
    if !job.state.is_terminal() {
        return Err(StoreError::NotEnded(job.state));
    }
    if job.state == JobState::Completed {
        // Who waits for it has what it waited for.
        tx.prepare_cached("DELETE FROM dependencies WHERE needs = ?1")?.execute([id.as_bytes()])?;
    }
    tx.prepare_cached("DELETE FROM jobs WHERE seq = ?1")?.execute([seq])?;
    tx.count(Some(job.state), None);
    change::look_at_dependents(tx, id)
}

/// Deletes up to `limit` jobs that ended before `before`, those that ended first, first; returns
/// which.
pub fn prune(tx: &Tx<'_>, before: Timestamp, limit: usize) -> Result<Vec<JobId>, StoreError> {
    let ids = {
        let mut statement = tx.prepare_cached(OLD)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![before.as_ms(), limit], |row| row::id(row, 0))?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    ids.iter().try_for_each(|id| delete(tx, *id))?;
    Ok(ids)
}
