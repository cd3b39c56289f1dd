//! Bringing the schema up to date.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use log::info;
use refinery::Runner;
use rusqlite::{Connection, OptionalExtension};

use super::{StoreError, StoreOptions, backup, open};
use crate::domain::Timestamp;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The migrations that this program knows.
pub(super) fn runner() -> Runner {
    embedded::migrations::runner()
}

/// Applies what is missing, all in one transaction, after a copy of an existing database.
pub(super) fn run(
    connection: &mut Connection,
    options: &StoreOptions,
    runner: Runner,
) -> Result<(), StoreError> {
    let known = runner.get_migrations().iter().map(refinery::Migration::version).max().unwrap_or(0);
    let found = version(connection, &options.path)?;
    if found > known {
        return Err(StoreError::Newer { path: options.path.clone(), found, known });
    }
    check_unchanged(connection, &runner, found)?;
    if found == known {
        return Ok(());
    }
    if found > 0 {
        keep_copy(connection, &options.backups, found)?;
    }
    info!("migrating the database from schema version {found} to {known}");
    // The history table is a file's content: what refinery does not expect there makes it panic.
    catch_unwind(AssertUnwindSafe(|| runner.set_grouped(true).run(connection)))
        .map_err(|_| StoreError::Migration("its history of migrations is unreadable".to_owned()))?
        .map_err(|error| StoreError::Migration(error.to_string()))?;
    Ok(())
}

/// The schema's version; 0 for a new database.
fn version(connection: &Connection, path: &Path) -> Result<i32, StoreError> {
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(0);
    }
    if !connection.table_exists(None, "refinery_schema_history")? {
        return Err(open::unusable(path, "it belongs to another program"));
    }
    let sql = "SELECT coalesce(max(version), 0) FROM refinery_schema_history";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// A migration is never edited once released: what was applied must be what is known.
fn check_unchanged(connection: &Connection, runner: &Runner, up_to: i32) -> Result<(), StoreError> {
    if up_to == 0 {
        return Ok(());
    }
    let mut applied =
        connection.prepare("SELECT checksum FROM refinery_schema_history WHERE version = ?1")?;
    for migration in runner.get_migrations().iter().filter(|known| known.version() <= up_to) {
        let checksum: Option<String> =
            applied.query_row([migration.version()], |row| row.get(0)).optional()?;
        if checksum != Some(migration.checksum().to_string()) {
            return Err(StoreError::Migration(format!("it was not made by {migration} as known")));
        }
    }
    Ok(())
}

fn keep_copy(connection: &Connection, backups: &Path, version: i32) -> Result<(), StoreError> {
    fs::create_dir_all(backups).map_err(|error| StoreError::io(backups, error))?;
    let copy = backups.join(format!("before-v{}-{}.db", version + 1, Timestamp::now().as_ms()));
    backup::snapshot(connection, &copy)?;
    info!("the database as it was is kept as {}", copy.display());
    Ok(())
}
