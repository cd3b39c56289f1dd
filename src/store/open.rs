//! Opening the database file: is it ours, is it whole, and how is it to be used.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::StoreError;

/// How long a statement waits for another process that holds the database locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The first `SQLite` without the fault that could lose commits when the log starts over.
const SQLITE_NEEDED: (i32, &str) = (3_051_003, "3.51.3");
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Length of the header of a database file, in bytes.
const HEADER: usize = 100;
/// Rights of the database and its copies, whatever the umask.
const MODE: u32 = 0o640;

/// When a commit counts as durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// After it has reached the disk: survives the loss of power.
    #[default]
    Full,
    /// After it has reached the kernel: survives a crash of the station, not the loss of power.
    Normal,
}

/// Where the store lies and how it works.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The database file; its directory exists.
    pub path: PathBuf,
    /// Where a copy goes before a migration; made when needed.
    pub backups: PathBuf,
    /// Where large job files lie; made when needed.
    pub files: PathBuf,
    /// When a commit counts as durable.
    pub synchronous: Synchronous,
    /// Read connections, at least one.
    pub pool_size: u32,
}

/// Which file a name stood for: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId(u64, u64);

impl FileId {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|found| Self(found.dev(), found.ino()))
    }
}

/// Opens the one connection that writes; makes the file if there is none.
pub(super) fn writer(options: &StoreOptions) -> Result<Connection, StoreError> {
    let path = &options.path;
    check_version()?;
    create(path).map_err(|error| StoreError::io(path, error))?;
    check_header(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare_writer(&connection, options.synchronous)?;
    Ok(connection)
}

/// Opens a connection that can only read.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(64);
    keep_plans(&connection)?;
    Ok(connection)
}

/// Gives a file of the store its rights, whatever the umask was when it was made.
pub(super) fn set_mode(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(MODE))
}

/// Makes a new name in `directory` outlast the loss of power.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Turns "damaged" and "not a database" into an error that names the file.
pub(super) fn explain(path: &Path, error: StoreError) -> StoreError {
    match &error {
        StoreError::Sql(cause)
            if matches!(
                cause.sqlite_error_code(),
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
            ) =>
        {
            unusable(path, cause)
        }
        _ => error,
    }
}

pub(super) fn unusable(path: &Path, reason: &(impl ToString + ?Sized)) -> StoreError {
    StoreError::Unusable { path: path.to_owned(), reason: reason.to_string() }
}

fn check_version() -> Result<(), StoreError> {
    let (number, needed) = SQLITE_NEEDED;
    if rusqlite::version_number() < number {
        return Err(StoreError::OldSqlite { found: rusqlite::version().to_owned(), needed });
    }
    Ok(())
}

/// The log and its index take their rights from the database file, so only this one is set.
fn create(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().read(true).append(true).create(true).mode(MODE).open(path)?;
    set_mode(&file)
}

fn prepare_writer(connection: &Connection, synchronous: Synchronous) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::unreadable("journal mode", &mode));
    }
    let synchronous = match synchronous {
        Synchronous::Full => "full",
        Synchronous::Normal => "normal",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // Kibibytes: what a group of full batches changes, so that none of it is written twice.
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.pragma_update(None, "wal_autocheckpoint", 2000)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.set_prepared_statement_cache_capacity(128);
    keep_plans(connection)?;
    Ok(())
}

/// A kept statement keeps its plan: `SQLite` would compile it anew for another value of a parameter
/// that might lead to a better one, each `LIMIT ?` among them.
fn keep_plans(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Refuses what `SQLite` would only stumble over later: another kind of file, or one cut short.
fn check_header(path: &Path) -> Result<(), StoreError> {
    let io = |error| StoreError::io(path, error);
    let mut file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let log = fs::metadata(log_of(path)).map_or(0, |found| found.len());
    if length == 0 {
        return match log {
            0 => Ok(()),
            _ => Err(unusable(path, "it is empty, but its write-ahead log is not")),
        };
    }
    let mut header = [0; HEADER];
    if file.read_exact(&mut header).is_err() {
        return Err(unusable(path, "it is cut short within its header"));
    }
    if !header.starts_with(MAGIC) {
        return Err(unusable(path, "it is not an SQLite database"));
    }
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    // While the log holds something, a checkpoint cut short may have left the file short as well.
    if log == 0 && length < page * u64::from(pages) {
        return Err(unusable(path, &format!("it is cut short: {length} bytes of {pages} pages")));
    }
    Ok(())
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}
