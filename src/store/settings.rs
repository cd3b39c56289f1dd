//! Small values that outlive the station: the queue's pause, records of starts and stops.

use rusqlite::{Connection, OptionalExtension};

use super::{StoreError, Tx};

/// The value of `key`, if it was set.
pub fn get(connection: &Connection, key: &str) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM settings WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

/// Sets `key`.
pub fn set(tx: &Tx<'_>, key: &str, value: &str) -> Result<(), StoreError> {
    put(tx, key, value)
}

/// Forgets `key`; true if it was set.
pub fn remove(tx: &Tx<'_>, key: &str) -> Result<bool, StoreError> {
    let mut statement = tx.prepare_cached("DELETE FROM settings WHERE key = ?1")?;
    Ok(statement.execute([key])? > 0)
}

/// As [`set`], outside a write: while the store opens and closes.
pub(super) fn put(connection: &Connection, key: &str, value: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO settings (key, value) VALUES (?1, ?2)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute([key, value])?;
    Ok(())
}
