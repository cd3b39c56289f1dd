//! Job files too large for the database, by the SHA-256 of their content.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::Connection;

use super::StoreError;
use crate::domain::Payload;

/// Files up to this length lie in the database itself; in bytes.
pub const INLINE_LIMIT: usize = 64 * 1024;

/// The directory of large job files.
pub struct Files {}

/// A file that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// SHA-256 of its content in hexadecimal; its name.
    pub sha256: String,
    /// Its length in bytes.
    pub size: u64,
}

/// A file on its way in, piece by piece: kept in memory while small, on disk beyond.
pub struct Intake {}

impl Files {
    /// Takes in a file of at most `limit` bytes.
    pub fn intake(&self, _limit: u64) -> Intake {
        todo!()
    }
    /// Stores what `reader` gives, durably, whatever its length.
    pub fn save(&self, _reader: impl Read) -> Result<Saved, StoreError> {
        todo!()
    }
    /// Opens a stored file for reading.
    pub fn open(&self, _sha256: &str) -> Result<File, StoreError> {
        todo!()
    }
    /// Where a stored file lies.
    pub fn path(&self, _sha256: &str) -> Result<PathBuf, StoreError> {
        todo!()
    }
    /// Deletes files that no job names and that are older than `age`; returns how many.
    pub fn sweep_orphans(
        &self,
        _connection: &Connection,
        _age: Duration,
    ) -> Result<usize, StoreError> {
        todo!()
    }
    /// The directory.
    pub fn dir(&self) -> &Path {
        todo!()
    }
}

impl Intake {
    /// Takes the next piece. Blocks on the disk once the file is large.
    pub fn write(&mut self, _bytes: &[u8]) -> Result<(), StoreError> {
        todo!()
    }
    /// Ends the file: small ones come back in memory, large ones are durable in their place.
    pub fn finish(self) -> Result<Payload, StoreError> {
        todo!()
    }
}
