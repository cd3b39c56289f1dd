//! The stored stream of events.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension, params};

use super::{StoreError, Tx};
use crate::domain::{Channel, Timestamp};

/// An event exactly as subscribers got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number.
    pub seq: u64,
    /// The channel it belongs to.
    pub channel: Channel,
    /// What it is about.
    pub resource: String,
    /// The JSON object.
    pub json: String,
}

/// Which events; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// As `job_state_change`.
    pub kind: Option<String>,
    /// As `job:ID`.
    pub resource: Option<String>,
    /// One of the channels.
    pub channel: Option<Channel>,
}

/// The events after number `seq`, oldest first, at most `limit`.
pub fn since(
    connection: &Connection,
    seq: u64,
    filter: &EventFilter,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    // One text for each index that may serve: a condition on a parameter would hide it.
    let resource = if filter.resource.is_some() { "resource = ?2" } else { "?2 IS NULL" };
    let sql = format!(
        "SELECT seq, channel, resource, json FROM events
         WHERE {resource} AND seq > ?1 AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR channel = ?4)
         ORDER BY seq LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![
        signed(seq),
        filter.resource,
        filter.kind,
        filter.channel.map(Channel::as_str),
        i64::try_from(limit).unwrap_or(i64::MAX),
    ])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let channel = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        events.push(StoredEvent {
            seq: row.get(0)?,
            channel: channel.parse().map_err(|why| StoreError::unreadable("channel", &why))?,
            resource: row.get(2)?,
            json: row.get(3)?,
        });
    }
    Ok(events)
}

/// The last event of one type about one thing between two numbers, as subscribers got it.
pub fn before(
    connection: &Connection,
    resource: &str,
    kind: &str,
    between: Range<u64>,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT json FROM events WHERE resource = ?1 AND seq > ?2 AND seq < ?3 AND kind = ?4
        ORDER BY seq DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let params = params![resource, signed(between.start), signed(between.end), kind];
    Ok(statement.query_row(params, |row| row.get(0)).optional()?)
}

/// The number of the oldest event kept.
pub fn oldest(connection: &Connection) -> Result<Option<u64>, StoreError> {
    number(connection, "SELECT min(seq) FROM events")
}

/// The number of the newest event.
pub fn newest(connection: &Connection) -> Result<Option<u64>, StoreError> {
    number(connection, "SELECT max(seq) FROM events")
}

/// The number after which everything happened at `time` or later, by the order of numbers.
pub fn seq_before(connection: &Connection, time: Timestamp) -> Result<u64, StoreError> {
    let (Some(oldest), Some(newest)) = (oldest(connection)?, newest(connection)?) else {
        return Ok(0);
    };
    // Times rise with the numbers, so halving finds the place and no index on time is needed.
    let mut statement =
        connection.prepare_cached("SELECT at FROM events WHERE seq >= ?1 ORDER BY seq LIMIT 1")?;
    let (mut low, mut high) = (oldest, newest + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let at: Option<i64> = statement.query_row([signed(middle)], |row| row.get(0)).optional()?;
        if at.is_some_and(|at| at < time.as_ms()) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low.saturating_sub(1))
}

/// Deletes up to `limit` events from before `before`, but never the newest; returns how many.
pub fn prune(tx: &Tx<'_>, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let (Some(oldest), Some(newest)) = (oldest(tx)?, newest(tx)?) else { return Ok(0) };
    // The newest stays, so that numbers go on from it after a restart.
    let last = seq_before(tx, before)?.min(newest - 1).min(oldest.saturating_add(limit as u64) - 1);
    Ok(tx.prepare_cached("DELETE FROM events WHERE seq <= ?1")?.execute([signed(last)])?)
}

fn number(connection: &Connection, sql: &str) -> Result<Option<u64>, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

fn signed(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
