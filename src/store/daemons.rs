//! What is remembered of daemons from one run of the station to the next.

use std::collections::HashMap;

use rusqlite::Connection;

use super::{StoreError, Tx};

/// How often each daemon was restarted, over all runs.
pub fn restarts(connection: &Connection) -> Result<HashMap<String, u64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name, restarts FROM daemons")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes how often a daemon was restarted, over all runs.
pub fn set_restarts(tx: &Tx<'_>, name: &str, restarts: u64) -> Result<(), StoreError> {
    let sql = "INSERT INTO daemons (name, restarts) VALUES (?1, ?2)
               ON CONFLICT (name) DO UPDATE SET restarts = excluded.restarts";
    tx.prepare_cached(sql)?.execute((name, restarts))?;
    Ok(())
}
