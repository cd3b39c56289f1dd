//! What is kept and what goes.

use rusqlite::{OptionalExtension, params};

use super::{
    super::{StoreError, Tx},
    change, row,
};
use crate::domain::{JobId, On, Timestamp};

pub(super) const OLD: &str = "SELECT id FROM jobs
    WHERE finished_at IS NOT NULL AND finished_at < ?1 ORDER BY finished_at LIMIT ?2";

/// Deletes an ended job. Its large file, if no other job names it, goes with the next sweep.
pub fn delete(tx: &Tx<'_>, id: JobId) -> Result<(), StoreError> {
    let row::Numbered { seq, job } = row::find(tx, id)?;
    if !job.state.is_terminal() {
        return Err(StoreError::NotEnded(job.state));
    }
    for on in [On::Completed, On::Failed, On::Ended] {
        if on.is_met(job.state) == Some(true) {
            // Who waits for it has what it waited for.
            let sql = "DELETE FROM dependencies WHERE needs = ?1 AND outcome = ?2";
            tx.prepare_cached(sql)?.execute(params![id.as_bytes(), on.as_str()])?;
        }
    }
    drop_file(tx, seq)?;
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

/// Sees to it that `needed` more bytes of job files fit into `limit`: files of jobs that have ended
/// go, of those that ended first, first; the jobs stay. What does not fit all the same is refused.
pub fn make_room(tx: &Tx<'_>, needed: u64, limit: u64) -> Result<(), StoreError> {
    let fits = |kept: i64| u64::try_from(kept).unwrap_or(0).saturating_add(needed) <= limit;
    let mut kept = tx.storage()?;
    if fits(kept) {
        return Ok(());
    }
    while !fits(kept) {
        let mut oldest = tx.prepare_cached(OLDEST_STORED)?;
        let Some(seq) = oldest.query_row([], |row| row.get(0)).optional()? else {
            return Err(StoreError::NoRoom { needed, limit });
        };
        drop_file(tx, seq)?;
        kept = tx.storage()?;
    }
    Ok(())
}

pub(super) const OLDEST_STORED: &str = "SELECT seq FROM jobs INDEXED BY jobs_stored
    WHERE stored_bytes IS NOT NULL AND finished_at IS NOT NULL ORDER BY finished_at LIMIT 1";

/// Takes a job's file away. A large one leaves the disk with the next sweep.
fn drop_file(tx: &Tx<'_>, seq: i64) -> Result<(), StoreError> {
    let sql = "SELECT stored_bytes, file_sha256 FROM jobs WHERE seq = ?1";
    let (bytes, sha256): (Option<i64>, Option<String>) =
        tx.prepare_cached(sql)?.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(bytes) = bytes else { return Ok(()) };
    let sql = "UPDATE jobs SET stored_bytes = NULL, file_sha256 = NULL, file_bytes = NULL
        WHERE seq = ?1";
    tx.prepare_cached(sql)?.execute([seq])?;
    tx.prepare_cached("DELETE FROM job_files WHERE job = ?1")?.execute([seq])?;
    let still_named = match sha256 {
        Some(sha256) => is_kept(tx, &sha256)?,
        None => false,
    };
    if !still_named {
        tx.stored(-bytes);
    }
    Ok(())
}

/// True if a job names the file.
pub(super) fn is_kept(tx: &Tx<'_>, sha256: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM jobs WHERE file_sha256 = ?1";
    Ok(tx.prepare_cached(sql)?.exists([sha256])?)
}
