//! Looking at runs.

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::{
    super::{
        Page, StoreError,
        page::{self, Limit},
        settings,
    },
    HookRun, RunState,
    run::select,
};
use crate::domain::Timestamp;

/// Where it is kept which events have been looked at.
pub(super) const CURSOR: &str = "hooks.cursor";

/// Events up to this number have been looked at.
pub fn cursor(connection: &Connection) -> Result<u64, StoreError> {
    let text = settings::get(connection, CURSOR)?.unwrap_or_default();
    text.parse().map_err(|why| StoreError::unreadable(CURSOR, &why))
}

/// A run whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its number in the order of events.
    pub seq: i64,
    /// Its name for ever.
    pub id: String,
    /// What it happened to.
    pub resource: String,
    /// What the hook does; the same wherever it is configured.
    pub hook_key: String,
    /// How often it has been tried.
    pub attempts: u32,
    /// The number of the event; none for a test.
    pub event_seq: Option<u64>,
    /// What it is told, a JSON object.
    pub payload: String,
}

/// Runs whose turn it is, at most `limit`, in the order of events: of one resource only one at a
/// time, and none before the earlier ones of that resource have been tried, nor before the earlier
/// ones of the same hook are done.
pub fn due(
    connection: &Connection,
    now: Timestamp,
    webhooks: bool,
    limit: usize,
) -> Result<Vec<Due>, StoreError> {
    let sql = "SELECT seq, id, resource, hook_key, attempts, event_seq, payload FROM hook_runs this
        WHERE finished_at IS NULL AND state = 'WAITING' AND next_at <= :now
        AND (kind = 'webhook') = :webhooks
        AND NOT EXISTS (SELECT 1 FROM hook_runs other WHERE other.finished_at IS NULL
            AND other.resource = this.resource AND other.seq <> this.seq
            AND (other.state = 'RUNNING'
                OR other.seq < this.seq AND (NOT other.deferred OR other.hook_key = this.hook_key)))
        ORDER BY seq LIMIT :limit";
    let mut statement = connection.prepare_cached(sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {":now": now.as_ms(), ":webhooks": webhooks, ":limit": limit};
    let rows = statement.query_map(params, |row| {
        Ok(Due {
            seq: row.get(0)?,
            id: row.get(1)?,
            resource: row.get(2)?,
            hook_key: row.get(3)?,
            attempts: row.get(4)?,
            event_seq: row.get(5)?,
            payload: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When the next run that waits for its time is due, after `now`.
pub fn next_at(connection: &Connection, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(next_at) FROM hook_runs WHERE finished_at IS NULL AND next_at > ?1";
    let at: Option<i64> =
        connection.prepare_cached(sql)?.query_row([now.as_ms()], |row| row.get(0))?;
    Ok(at.map(Timestamp::from_ms))
}

/// How many runs wait that are no webhooks.
pub fn waiting(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM hook_runs WHERE finished_at IS NULL AND kind <> 'webhook'";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// What waits to be delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// Webhooks that wait.
    pub length: u64,
    /// The hook that has been tried most often without success, how often, and why.
    pub stuck: Option<(String, u32, String)>,
}

/// What waits to be delivered.
pub fn outbox(connection: &Connection) -> Result<Outbox, StoreError> {
    let sql = "SELECT count(*) FROM hook_runs WHERE finished_at IS NULL AND kind = 'webhook'";
    let length = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    let sql = "SELECT hook, attempts, coalesce(error, '') FROM hook_runs
        WHERE finished_at IS NULL AND deferred ORDER BY attempts DESC, seq LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let stuck = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    Ok(Outbox { length, stuck: stuck.optional()? })
}

/// Which runs; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// In this state.
    pub state: Option<RunState>,
    /// Of the hook of this name.
    pub hook: Option<String>,
    /// Of what happened to this, as `job:ID`.
    pub resource: Option<String>,
}

/// A page of runs, newest first.
pub fn list(
    connection: &Connection,
    filter: &RunFilter,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<HookRun>, StoreError> {
    let limit = Limit::new(limit);
    let rest = "WHERE seq < ?1 AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR hook = ?3)
        AND (?4 IS NULL OR resource = ?4) ORDER BY seq DESC LIMIT ?5";
    let start = page::start(cursor)?;
    let state = filter.state.map(RunState::as_str);
    let params = params![start, state, filter.hook, filter.resource, limit.query()];
    Ok(limit.page(select(connection, rest, params)?))
}

/// The run of that id.
pub fn get(connection: &Connection, id: &str) -> Result<HookRun, StoreError> {
    let found = select(connection, "WHERE id = ?1", [id])?;
    let found = found.into_iter().next().map(|(_, run)| run);
    found.ok_or_else(|| StoreError::NotFound(format!("run {id}")))
}

/// The newest run of a hook.
pub fn last_of(connection: &Connection, hook_key: &str) -> Result<Option<HookRun>, StoreError> {
    let rest = "WHERE hook_key = ?1 ORDER BY seq DESC LIMIT 1";
    Ok(select(connection, rest, [hook_key])?.into_iter().next().map(|(_, run)| run))
}
