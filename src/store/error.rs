//! What can go wrong with the database, as callers tell it apart.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::{ErrorCode, ffi};
use thiserror::Error;

use crate::domain::{JobId, JobState};

/// A read or a write that did not happen. Cheap to clone: one failed commit fails every write in it.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// No such job, event, file or setting.
    #[error("no such {0}")]
    NotFound(String),
    /// The table of the job's states does not have this move.
    #[error("a {from} job cannot become {to}")]
    IllegalMove {
        /// What the job is.
        from: JobState,
        /// What it was to become.
        to: JobState,
    },
    /// Only a job that has ended can be deleted.
    #[error("a {0} job cannot be deleted: cancel it first")]
    NotEnded(JobState),
    /// Only a job that waits can be edited or moved.
    #[error("a {0} job no longer waits in the queue")]
    NotWaiting(JobState),
    /// A key says that two submissions are one, but they are not.
    #[error("this Idempotency-Key belongs to another submission: {0}")]
    KeyReused(JobId),
    /// The job came to another state while something was decided about it.
    #[error("the job was {from} and is {to} by now")]
    Moved {
        /// What it was.
        from: JobState,
        /// What it is.
        to: JobState,
    },
    /// The job is not the version that was decided about.
    #[error("job {id} was changed meanwhile: it is version {found} now")]
    Changed {
        /// The job.
        id: JobId,
        /// Its version.
        found: u64,
    },
    /// A key says that two batches are one, but they are not.
    #[error("this Idempotency-Key belongs to another submission: {0}")]
    BatchKeyReused(String),
    /// Another job has the unique key and has not ended.
    #[error("job {job} has the unique key \"{key}\" and has not ended")]
    KeyTaken {
        /// The key.
        key: String,
        /// The job.
        job: JobId,
    },
    /// There is no room for another job file, though all ended jobs' files are gone.
    #[error(
        "{needed} bytes more would not fit into queue.max_storage ({limit} bytes): jobs that have \
         not ended need the rest"
    )]
    NoRoom {
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that all files may have together.
        limit: u64,
    },
    /// Something of that name is there already.
    #[error("there is a {0} already")]
    Exists(String),
    /// A machine works on one job at a time.
    #[error("device {device} already has job {job}")]
    DeviceTaken {
        /// The machine.
        device: String,
        /// The job on it.
        job: JobId,
    },
    /// A page was asked for by a cursor that this list never gave out.
    #[error("\"{0}\" is not a cursor of this list")]
    BadCursor(String),
    /// A file is longer than allowed.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The most that is taken, in bytes.
        limit: u64,
    },
    /// The disk is full; the same write works once there is space.
    #[error("the disk is full")]
    Full,
    /// Another process holds the database locked.
    #[error("the database is locked by another process")]
    Busy,
    /// Too many writes wait; try again in a moment.
    #[error("too many writes wait for the database")]
    Overloaded,
    /// The store was closed.
    #[error("the database is closed")]
    Closed,
    /// The database was written by a newer version of the program.
    #[error(
        "database {path} has schema version {found}, this program knows versions up to {known}: \
         use the newer program, or restore a backup from before the upgrade"
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// The newest version this program knows.
        known: i32,
    },
    /// The file is no database of ours, or is damaged beyond opening.
    #[error("{path} cannot be used as the database: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The linked `SQLite` can lose data.
    #[error("SQLite {found} has known faults in its write-ahead log: {needed} or newer is needed")]
    OldSqlite {
        /// Its version.
        found: String,
        /// The first version without them.
        needed: &'static str,
    },
    /// The schema could not be brought up to date; the database is as it was.
    #[error("the database could not be migrated: {0}")]
    Migration(String),
    /// A commit failed in a way after which nothing written can be trusted; final.
    #[error("the database has failed: {0}")]
    Failed(Arc<str>),
    /// The work of this write panicked; nothing of it was written.
    #[error("a database write panicked: {0}")]
    Panicked(String),
    /// A value in the database is not what the program writes there.
    #[error("unreadable {what} in the database: {reason}")]
    Unreadable {
        /// Which value.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// `SQLite` refused.
    #[error("database error: {0}")]
    Sql(Arc<rusqlite::Error>),
    /// A file beside the database could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
}

impl StoreError {
    pub(super) fn job(id: JobId) -> Self {
        Self::NotFound(format!("job {id}"))
    }

    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io { path: path.to_owned(), source: Arc::new(source) },
        }
    }

    pub(super) fn unreadable(what: &'static str, reason: &(impl ToString + ?Sized)) -> Self {
        Self::Unreadable { what, reason: reason.to_string() }
    }

    /// True if no later write can be trusted: `SQLite` could not write or sync, or found damage.
    pub(super) fn is_fatal(&self) -> bool {
        let Self::Sql(error) = self else { return matches!(self, Self::Failed(_)) };
        matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::SystemIoFailure
                    | ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::ReadOnly
            )
        )
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            Some(cause) if cause.code == ErrorCode::DiskFull => Self::Full,
            // The index of the write-ahead log could not grow: only a full disk does that.
            Some(cause) if cause.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            Some(cause)
                if matches!(cause.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) =>
            {
                Self::Busy
            }
            _ => Self::Sql(Arc::new(error)),
        }
    }
}
