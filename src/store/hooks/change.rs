//! Moving runs on.

use rusqlite::params;

use super::{
    super::{StoreError, Tx, settings},
    HookRun, RunState,
    read::{CURSOR, get},
};
use crate::domain::Timestamp;

/// A run that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// Its name for ever.
    pub id: String,
    /// The number of the event; none for a test.
    pub event_seq: Option<u64>,
    /// What happened.
    pub event: String,
    /// What it happened to; runs of one resource follow each other.
    pub resource: String,
    /// Where the hook is configured.
    pub hook: String,
    /// What the hook does.
    pub hook_key: String,
    /// How it does it.
    pub kind: &'static str,
    /// What it is told, a JSON object.
    pub payload: String,
}

/// Adds runs, and notes that events up to `cursor` have been looked at. What an event has led to
/// already is not added again.
pub fn plan(tx: &Tx<'_>, cursor: Option<u64>, runs: &[NewRun]) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO hook_runs (id, event_seq, event, resource, hook, hook_key, kind, payload,
            state, next_at, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'WAITING', ?9, ?9)
        ON CONFLICT (event_seq, hook_key) DO NOTHING";
    let mut statement = tx.prepare_cached(sql)?;
    let now = Timestamp::now().as_ms();
    for run in runs {
        statement.execute(params![
            run.id,
            run.event_seq,
            run.event,
            run.resource,
            run.hook,
            run.hook_key,
            run.kind,
            run.payload,
            now
        ])?;
    }
    if let Some(cursor) = cursor {
        settings::set(tx, CURSOR, &cursor.to_string())?;
    }
    Ok(())
}

/// Notes that these are being done.
pub fn begin(tx: &Tx<'_>, seqs: &[i64]) -> Result<(), StoreError> {
    let sql = "UPDATE hook_runs SET state = 'RUNNING', attempts = attempts + 1, started_at = ?2
        WHERE seq = ?1 AND state = 'WAITING'";
    let mut statement = tx.prepare_cached(sql)?;
    let now = Timestamp::now().as_ms();
    for seq in seqs {
        statement.execute([*seq, now])?;
    }
    Ok(())
}

/// How a try went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The exit code, or the HTTP status.
    pub code: Option<i64>,
    /// What is wrong.
    pub error: Option<String>,
    /// The beginning of what the program wrote, or the server answered.
    pub output: Option<String>,
    /// Bytes of it beyond that.
    pub output_lost: u64,
}

/// Notes that a run is over.
pub fn finish(tx: &Tx<'_>, seq: i64, state: RunState, ended: &Ended) -> Result<(), StoreError> {
    let sql = "UPDATE hook_runs SET state = ?2, finished_at = ?3, code = ?4, error = ?5,
        output = ?6, output_lost = ?7, deferred = 0 WHERE seq = ?1 AND finished_at IS NULL";
    tx.prepare_cached(sql)?.execute(params![
        seq,
        state.as_str(),
        Timestamp::now().as_ms(),
        ended.code,
        ended.error,
        ended.output,
        ended.output_lost
    ])?;
    Ok(())
}

/// Notes that a run has failed and is to be tried again at `next_at`; others go on meanwhile.
pub fn defer(tx: &Tx<'_>, seq: i64, next_at: Timestamp, ended: &Ended) -> Result<(), StoreError> {
    let sql = "UPDATE hook_runs SET state = 'WAITING', deferred = 1, next_at = ?2, code = ?3,
        error = ?4, output = ?5, output_lost = ?6 WHERE seq = ?1 AND finished_at IS NULL";
    tx.prepare_cached(sql)?.execute(params![
        seq,
        next_at.as_ms(),
        ended.code,
        ended.error,
        ended.output,
        ended.output_lost
    ])?;
    Ok(())
}

/// Nobody does these any more: the station, or an earlier incarnation of the daemon, went down
/// meanwhile. They wait again; returns how many there were.
pub fn reset(tx: &Tx<'_>) -> Result<usize, StoreError> {
    let sql = "UPDATE hook_runs SET state = 'WAITING' WHERE finished_at IS NULL
        AND state = 'RUNNING'";
    Ok(tx.prepare_cached(sql)?.execute([])?)
}

/// Has a run that was given up tried again, from the beginning. Returns it as it then is.
pub fn retry(tx: &Tx<'_>, id: &str) -> Result<HookRun, StoreError> {
    let sql = "UPDATE hook_runs SET state = 'WAITING', attempts = 0, deferred = 1, next_at = ?2,
        finished_at = NULL WHERE id = ?1 AND state = 'FAILED'";
    tx.prepare_cached(sql)?.execute(params![id, Timestamp::now().as_ms()])?;
    get(tx, id)
}

/// Gives up the oldest webhooks that wait, until no more than `most` do. Returns how many.
pub fn cap(tx: &Tx<'_>, most: u64) -> Result<usize, StoreError> {
    let sql = "UPDATE hook_runs SET state = 'FAILED', finished_at = ?2, deferred = 0,
            error = 'given up: too many others waited'
        WHERE seq IN (SELECT seq FROM hook_runs WHERE finished_at IS NULL AND kind = 'webhook'
            AND state = 'WAITING' ORDER BY seq DESC LIMIT -1 OFFSET ?1)";
    let now = Timestamp::now().as_ms();
    Ok(tx.prepare_cached(sql)?.execute(params![most, now])?)
}

/// Deletes up to `limit` runs that ended before `before`, or that are not among the newest `keep`.
/// Returns how many.
pub fn prune(tx: &Tx<'_>, before: Timestamp, keep: u64, limit: usize) -> Result<usize, StoreError> {
    let sql = "DELETE FROM hook_runs WHERE seq IN (SELECT seq FROM hook_runs
        WHERE finished_at IS NOT NULL AND (finished_at < ?1
            OR seq <= (SELECT seq FROM hook_runs ORDER BY seq DESC LIMIT 1 OFFSET ?2))
        ORDER BY seq LIMIT ?3)";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(tx.prepare_cached(sql)?.execute(params![before.as_ms(), keep, limit])?)
}
