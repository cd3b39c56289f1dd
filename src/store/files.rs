//! Job files too large for the database, by the SHA-256 of their content.
//!
//! The file comes before the row: it is written under a passing name, synced, renamed, and its
//! directory synced, and only then may a job name it. What no job names is swept away later.

use std::{
    fmt::Write as _,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::{StoreError, open, schedules};
use crate::domain::Payload;

/// Files up to this length lie in the database itself; in bytes.
pub const INLINE_LIMIT: usize = 64 * 1024;

/// How the name of an unfinished file ends.
const PART: &str = ".part";

/// The directory of large job files. Clones share it.
#[derive(Clone)]
pub struct Files(Arc<Shared>);

struct Shared {
    dir: PathBuf,
    parts: AtomicU64,
    /// Held while a file comes into place or is swept away, so that no file goes while a job is
    /// about to name it.
    places: Mutex<()>,
}

/// A file that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// SHA-256 of its content in hexadecimal; its name.
    pub sha256: String,
    /// Its length in bytes.
    pub size: u64,
}

/// A file on its way in, piece by piece: kept in memory while small, on disk beyond.
pub struct Intake {
    files: Files,
    limit: u64,
    small: Vec<u8>,
    large: Option<Part>,
}

/// An unfinished file; deleted if it is given up.
struct Part {
    path: PathBuf,
    file: File,
    hash: Sha256,
    size: u64,
}

impl Files {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self(Arc::new(Shared { dir, parts: AtomicU64::new(0), places: Mutex::new(()) }))
    }

    /// Takes in a file of at most `limit` bytes.
    pub fn intake(&self, limit: u64) -> Intake {
        Intake { files: self.clone(), limit, small: Vec::new(), large: None }
    }

    /// Stores what `reader` gives, durably, whatever its length. Blocks.
    pub fn save(&self, mut reader: impl Read) -> Result<Saved, StoreError> {
        let mut part = self.part()?;
        let mut buffer = vec![0; INLINE_LIMIT];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return self.keep(part),
                Ok(length) => part.write(&buffer[..length])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(StoreError::io(&part.path, error)),
            }
        }
    }

    /// Opens a stored file for reading.
    pub fn open(&self, sha256: &str) -> Result<File, StoreError> {
        let path = self.path(sha256)?;
        File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::NotFound(format!("file {sha256}")),
            _ => StoreError::io(&path, error),
        })
    }

    /// Where a stored file lies; refuses what is no name of one.
    pub fn path(&self, sha256: &str) -> Result<PathBuf, StoreError> {
        if !is_name(sha256) {
            return Err(StoreError::NotFound(format!("file {sha256:?}")));
        }
        Ok(self.0.dir.join(sha256))
    }

    /// Deletes files that no job names and that nobody has touched for `age`; returns how many.
    pub fn sweep_orphans(
        &self,
        connection: &Connection,
        age: Duration,
    ) -> Result<usize, StoreError> {
        let io = |error| StoreError::io(&self.0.dir, error);
        let entries = match fs::read_dir(&self.0.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(io(error)),
        };
        let mut named = connection.prepare_cached(&format!(
            "SELECT EXISTS (SELECT 1 FROM jobs WHERE file_sha256 = ?1)
                 OR EXISTS (SELECT 1 FROM job_programs WHERE file_sha256 = ?1)
                 OR EXISTS ({})",
            schedules::NAMES_FILE
        ))?;
        let mut swept = 0;
        for entry in entries {
            let entry = entry.map_err(io)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !is_name(&name) && !name.ends_with(PART) {
                continue;
            }
            let _places = self.places();
            // A file may go while the list is read.
            let Ok(modified) = entry.metadata().and_then(|found| found.modified()) else {
                continue;
            };
            let old = SystemTime::now().duration_since(modified).is_ok_and(|since| since >= age);
            if old && !named.query_row([&name], |row| row.get::<_, bool>(0))? {
                fs::remove_file(entry.path()).map_err(io)?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    fn part(&self) -> Result<Part, StoreError> {
        let dir = &self.0.dir;
        DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(dir)
            .map_err(|error| StoreError::io(dir, error))?;
        let number = self.0.parts.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!("{}-{number}{PART}", std::process::id()));
        let opened =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(&path);
        let file = opened.map_err(|error| StoreError::io(&path, error))?;
        open::set_mode(&file).map_err(|error| StoreError::io(&path, error))?;
        Ok(Part { path, file, hash: Sha256::new(), size: 0 })
    }

    fn keep(&self, mut part: Part) -> Result<Saved, StoreError> {
        let sha256 = hex(&part.hash.finalize_reset());
        let io = |error| StoreError::io(&part.path, error);
        // Touched, synced and renamed over one of the same content: a sweep sees it as fresh.
        part.file.sync_all().map_err(io)?;
        let _places = self.places();
        fs::rename(&part.path, self.0.dir.join(&sha256)).map_err(io)?;
        open::sync_directory(&self.0.dir).map_err(io)?;
        Ok(Saved { sha256, size: part.size })
    }

    fn places(&self) -> MutexGuard<'_, ()> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intake {
    /// Takes the next piece. Blocks on the disk once the file is large.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let size = self.large.as_ref().map_or(self.small.len() as u64, |part| part.size);
        if size + bytes.len() as u64 > self.limit {
            return Err(StoreError::TooLarge { limit: self.limit });
        }
        if let Some(part) = &mut self.large {
            return part.write(bytes);
        }
        if self.small.len() + bytes.len() <= INLINE_LIMIT {
            self.small.extend_from_slice(bytes);
            return Ok(());
        }
        let part = self.large.insert(self.files.part()?);
        part.write(&std::mem::take(&mut self.small))?;
        part.write(bytes)
    }

    /// Ends the file: a small one comes back in memory, a large one is durable in its place.
    pub fn finish(self) -> Result<Payload, StoreError> {
        let Some(part) = self.large else { return Ok(Payload::Inline(self.small)) };
        let Saved { sha256, size } = self.files.keep(part)?;
        Ok(Payload::Stored { sha256, size })
    }
}

impl Part {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|error| StoreError::io(&self.path, error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Once in place it no longer has this name; otherwise the sweep takes what stays behind.
        let _ = fs::remove_file(&self.path);
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_name(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
