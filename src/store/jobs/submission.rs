//! Several jobs submitted as one: all of them or none, and once only by their key.

use rusqlite::{OptionalExtension, params};

use super::{
    super::{StoreError, Tx},
    insert::{Inserted, insert},
    read, row,
};
use crate::domain::{NewJob, Timestamp};

/// Jobs that are submitted as one; one may depend on another before it in the list.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The jobs.
    pub jobs: Vec<NewJob>,
    /// The same key again answers with the same jobs.
    pub key: Option<String>,
    /// SHA-256 of what was asked for: the same key is refused for anything else.
    pub fingerprint: [u8; 32],
}

/// Stores many jobs, all or none. A key that was there before answers with those of its jobs that
/// are still kept.
pub fn insert_batch(tx: &Tx<'_>, batch: &Batch) -> Result<Vec<Inserted>, StoreError> {
    if let Some(key) = &batch.key {
        if let Some(job) = read::by_key(tx, key)? {
            return Err(StoreError::KeyReused(job.id));
        }
        if let Some(before) = replay(tx, key, batch)? {
            return Ok(before);
        }
    }
    let first = tx.next_job_is();
    let inserted =
        batch.jobs.iter().map(|job| insert(tx, job)).collect::<Result<Vec<_>, StoreError>>()?;
    if let Some(key) = &batch.key {
        let sql = "INSERT INTO submissions (key, first, jobs, fingerprint, at)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        let (jobs, now) = (tx.next_job_is() - first, Timestamp::now().as_ms());
        tx.prepare_cached(sql)?.execute(params![key, first, jobs, batch.fingerprint, now])?;
    }
    Ok(inserted)
}

/// Forgets up to `limit` keys of before `before`; returns how many.
pub fn prune(tx: &Tx<'_>, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let sql = "DELETE FROM submissions WHERE key IN (
        SELECT key FROM submissions WHERE at < ?1 ORDER BY at LIMIT ?2)";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(tx.prepare_cached(sql)?.execute(params![before.as_ms(), limit])?)
}

fn replay(tx: &Tx<'_>, key: &str, batch: &Batch) -> Result<Option<Vec<Inserted>>, StoreError> {
    let sql = "SELECT first, jobs, fingerprint FROM submissions WHERE key = ?1";
    let found = tx
        .prepare_cached(sql)?
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((first, jobs, fingerprint)): Option<(i64, i64, [u8; 32])> = found else {
        return Ok(None);
    };
    let kept = row::select(tx, "WHERE seq >= ?1 AND seq < ?2 ORDER BY seq", [first, first + jobs])?;
    if fingerprint != batch.fingerprint {
        return Err(StoreError::BatchKeyReused(key.to_owned()));
    }
    let again = |job| Inserted { job, created: false, taken: false };
    Ok(Some(row::jobs(kept).into_iter().map(again).collect()))
}

/// True if several jobs were submitted by this key.
pub(super) fn is_taken(tx: &Tx<'_>, key: &str) -> Result<bool, StoreError> {
    Ok(tx.prepare_cached("SELECT 1 FROM submissions WHERE key = ?1")?.exists([key])?)
}
