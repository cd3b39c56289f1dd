//! Small values that outlive the station: the queue's pause, records of starts and stops.

use super::{StoreError, Tx};
use rusqlite::Connection;

/// The value of `key`, if it was set.
pub fn get(_connection: &Connection, _key: &str) -> Result<Option<String>, StoreError> {
    todo!()
}
/// Sets `key`.
pub fn set(_tx: &Tx<'_>, _key: &str, _value: &str) -> Result<(), StoreError> {
    todo!()
}
/// Forgets `key`; true if it was set.
pub fn remove(_tx: &Tx<'_>, _key: &str) -> Result<bool, StoreError> {
    todo!()
}
