//! The bare limit of whoever lets each job reach the disk alone.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use stationd::domain::JobId;

/// Rows a second, each in a transaction of its own that reaches the disk.
pub(crate) fn one_by_one(dir: &Path, time: Duration) -> f64 {
    let connection = Connection::open(dir.join("one.db")).expect("opens");
    connection
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
             CREATE TABLE IF NOT EXISTS job (id BLOB PRIMARY KEY, body TEXT) STRICT;",
        )
        .expect("a table");
    let body = "x".repeat(200);
    let begun = Instant::now();
    let mut rows = 0;
    while begun.elapsed() < time {
        let mut insert =
            connection.prepare_cached("INSERT INTO job VALUES (?, ?)").expect("a statement");
        insert.execute((JobId::new().as_bytes(), &body)).expect("a row");
        rows += 1;
    }
    f64::from(rows) / begun.elapsed().as_secs_f64()
}
