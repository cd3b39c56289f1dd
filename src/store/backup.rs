//! Whole copies of a database in use.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use super::{StoreError, open};

/// Copies the database behind `source` to the file `to`: consistent, synced, then put in place. In
/// WAL mode it holds up no writer. Blocks.
pub fn snapshot(source: &Connection, to: &Path) -> Result<(), StoreError> {
    let temporary = temporary(to);
    let copied = copy(source, &temporary).and_then(|()| put_in_place(&temporary, to));
    if copied.is_err() {
        // Best effort: what matters is the error that led here.
        let _ = fs::remove_file(&temporary);
    }
    copied
}

/// Checks a copy from end to end. Blocks for as long as reading all of it takes.
pub fn verify(path: &Path) -> Result<(), StoreError> {
    // The copy is complete in itself: immutable keeps SQLite from making a log beside it.
    let uri = format!("file:{}?immutable=1", escape(path));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(uri, flags)?;
    match check(&connection, "integrity_check").map_err(|error| open::explain(path, error))? {
        None => Ok(()),
        Some(damage) => Err(open::unusable(path, &damage)),
    }
}

/// Runs `quick_check` or `integrity_check`; the first damage it finds.
pub(super) fn check(connection: &Connection, pragma: &str) -> Result<Option<String>, StoreError> {
    let sql = format!("PRAGMA {pragma}(1)");
    let answer: String = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok((answer != "ok").then_some(answer))
}

fn copy(source: &Connection, temporary: &Path) -> Result<(), StoreError> {
    let io = |error| StoreError::io(temporary, error);
    let file = File::create(temporary).map_err(io)?;
    open::set_mode(&file).map_err(io)?;
    let mut target = Connection::open(temporary)?;
    // Synced once at the end instead; nobody knows this name yet.
    target.pragma_update(None, "synchronous", "off")?;
    // One step is one read transaction: a single moment of the source.
    let step = Backup::new(source, &mut target)?.step(-1)?;
    if !matches!(step, StepResult::Done) {
        return Err(StoreError::Busy);
    }
    target.close().map_err(|(_, error)| error)?;
    file.sync_all().map_err(io)
}

fn put_in_place(temporary: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(temporary, to).map_err(|error| StoreError::io(to, error))?;
    let directory = to.parent().unwrap_or(Path::new("."));
    open::sync_directory(directory).map_err(|error| StoreError::io(directory, error))
}

fn temporary(to: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(to.file_name().unwrap_or_default());
    name.push(".part");
    to.with_file_name(name)
}

fn escape(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
