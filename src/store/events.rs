//! The stored stream of events.

use super::{StoreError, Tx};
use crate::domain::{Channel, Timestamp};
use rusqlite::Connection;

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

/// Which events; `None` and empty mean any.
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
    _connection: &Connection,
    _seq: u64,
    _filter: &EventFilter,
    _limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    todo!()
}
/// The number of the oldest event kept.
pub fn oldest(_connection: &Connection) -> Result<Option<u64>, StoreError> {
    todo!()
}
/// The number of the newest event.
pub fn newest(_connection: &Connection) -> Result<Option<u64>, StoreError> {
    todo!()
}
/// The number after which everything happened at `time` or later.
pub fn seq_before(_connection: &Connection, _time: Timestamp) -> Result<u64, StoreError> {
    todo!()
}
/// Deletes up to `limit` events from before `before`, but never the newest; returns how many.
pub fn prune(_tx: &Tx<'_>, _before: Timestamp, _limit: usize) -> Result<usize, StoreError> {
    todo!()
}
