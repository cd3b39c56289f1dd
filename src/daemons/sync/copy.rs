//! One pass to one target.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{
    domain::{Job, JobId, JobKind, JobState, Payload},
    store::{
        Store, StoreError,
        jobs::{self, JobFilter},
    },
};

/// What is copied.
pub(super) struct Source {
    pub(super) store: Store,
    pub(super) jobs: PathBuf,
}

/// How much was copied; what was there already does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Why a pass ended early.
#[derive(Debug, Error)]
pub(super) enum CopyError {
    /// The database could not be read or copied.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> CopyError {
    let path = path.to_owned();
    move |source| CopyError::Io { path, source }
}

impl Source {
    /// Brings the directory `to` up to date, as long as `go_on` says so.
    pub(super) fn copy_to(&self, to: &Path, go_on: impl Fn() -> bool) -> Result<Copied, CopyError> {
        let mut copied = Copied::default();
        fs::create_dir_all(to).map_err(at(to))?;
        for state in [JobState::Completed, JobState::Failed, JobState::Cancelled] {
            let mut filter = JobFilter { state: Some(state), ..JobFilter::default() };
            loop {
                let page = self.store.read(|connection| jobs::list(connection, &filter))?;
                for job in &page.items {
                    if !go_on() {
                        return Ok(copied);
                    }
                    self.copy_job(job, &to.join("jobs").join(job.id.to_string()), &mut copied)?;
                }
                match page.next_cursor {
                    Some(cursor) => filter.cursor = Some(cursor),
                    None => break,
                }
            }
        }
        // Last, so that every job in the snapshot has its files beside it.
        self.snapshot(to, &mut copied)?;
        Ok(copied)
    }

    /// The database, if anything has happened since the last copy: the number of the newest event
    /// stands beside it.
    fn snapshot(&self, to: &Path, copied: &mut Copied) -> Result<(), CopyError> {
        let newest = self.store.read(crate::store::events::newest)?.unwrap_or(0).to_string();
        let (database, mark) = (to.join("stationd.db"), to.join("stationd.db.seq"));
        if database.exists() && fs::read_to_string(&mark).is_ok_and(|known| known == newest) {
            return Ok(());
        }
        self.store.snapshot(&database)?;
        fs::write(&mark, newest).map_err(at(&mark))?;
        copied.files += 1;
        copied.bytes += fs::metadata(&database).map_err(at(&database))?.len();
        Ok(())
    }

    fn copy_job(&self, job: &Job, to: &Path, copied: &mut Copied) -> Result<(), CopyError> {
        if job.kind == JobKind::Device {
            self.copy_payload(job.id, &to.join("file"), copied)?;
            self.copy_program(job.id, &to.join("program"), copied)?;
        }
        let from = self.jobs.join(job.id.to_string());
        for name in ["output.log", "checkpoint.json"] {
            let file = from.join(name);
            match fs::metadata(&file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(at(&file)(error)),
                Ok(known) if is_there(&to.join(name), known.len()) => {}
                Ok(_) => {
                    let open = File::open(&file).map_err(at(&file))?;
                    put(&to.join(name), open, copied)?;
                }
            }
        }
        Ok(())
    }

    /// A job's file never changes: one that is there is the same.
    fn copy_payload(&self, id: JobId, to: &Path, copied: &mut Copied) -> Result<(), CopyError> {
        if to.exists() {
            return Ok(());
        }
        let payload = self.store.read(|connection| jobs::payload(connection, id))?;
        self.copy(payload, to, copied)
    }

    /// What the file was converted to.
    fn copy_program(&self, id: JobId, to: &Path, copied: &mut Copied) -> Result<(), CopyError> {
        if to.exists() {
            return Ok(());
        }
        match self.store.read(|connection| jobs::program(connection, id))? {
            Some(program) => self.copy(program, to, copied),
            None => Ok(()),
        }
    }

    fn copy(&self, payload: Payload, to: &Path, copied: &mut Copied) -> Result<(), CopyError> {
        match payload {
            Payload::Inline(bytes) => put(to, bytes.as_slice(), copied),
            Payload::Stored { sha256, .. } => put(to, self.store.files().open(&sha256)?, copied),
            Payload::Command(_) => Ok(()),
        }
    }
}

/// Of an ended job, output only grows by running it again: the same length is the same content.
fn is_there(to: &Path, length: u64) -> bool {
    fs::metadata(to).is_ok_and(|known| known.len() == length)
}

/// Writes beside the place, syncs, then puts it in place: a copy is whole or not there.
fn put(to: &Path, mut from: impl Read, copied: &mut Copied) -> Result<(), CopyError> {
    let dir = to.parent().unwrap_or(to);
    fs::create_dir_all(dir).map_err(at(dir))?;
    let new = to.with_extension("new");
    let write = |from: &mut dyn Read| {
        let mut file = File::create(&new)?;
        let bytes = io::copy(from, &mut file)?;
        file.flush()?;
        file.sync_data()?;
        fs::rename(&new, to).map(|()| bytes)
    };
    copied.bytes += write(&mut from).map_err(at(&new))?;
    copied.files += 1;
    Ok(())
}
