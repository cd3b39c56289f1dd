//! How far a device job got, on disk, apart from the database.
//!
//! One small file per job, `jobs/<id>/checkpoint.json`, replaced and synced at most every second or
//! fifty lines, so that after a crash or a power cut a person can be told what the machine is known
//! to have done. A full disk loses freshness here, never the job.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use log::warn;

use crate::{domain::JobId, link::Checkpoint};

const EVERY: Duration = Duration::from_secs(1);
const LINES: u64 = 50;
const NAME: &str = "checkpoint.json";

/// The journal of the job on a machine.
pub(crate) struct Journal {
    dir: PathBuf,
    written: Option<(Instant, Checkpoint)>,
    failing: bool,
}

impl Journal {
    /// A journal in the directory of the job, with nothing in it yet.
    pub(crate) fn new(jobs: &Path, id: JobId) -> Self {
        Self { dir: jobs.join(id.to_string()), written: None, failing: false }
    }

    /// Notes how far the job is, if the last note is old enough.
    pub(crate) fn note(&mut self, checkpoint: Checkpoint, now: Instant) {
        let due = self.written.is_none_or(|(at, last)| {
            now.duration_since(at) >= EVERY
                || checkpoint.lines_acknowledged >= last.lines_acknowledged + LINES
        });
        if due {
            self.write(checkpoint, now);
        }
    }

    /// Notes where the job ended, whatever was noted before.
    pub(crate) fn finish(&mut self, checkpoint: Checkpoint, now: Instant) {
        if self.written.is_none_or(|(_, last)| last != checkpoint) {
            self.write(checkpoint, now);
        }
    }

    fn write(&mut self, checkpoint: Checkpoint, now: Instant) {
        let written = replace(&self.dir, &checkpoint);
        if let Err(error) = &written
            && !self.failing
        {
            warn!("failed to write the checkpoint in {}: {error}", self.dir.display());
        }
        self.failing = written.is_err();
        self.written = Some((now, checkpoint));
    }
}

fn replace(dir: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let new = dir.join("checkpoint.new");
    let mut file = File::create(&new)?;
    file.write_all(&serde_json::to_vec(checkpoint)?)?;
    file.sync_data()?;
    fs::rename(&new, dir.join(NAME))
}

/// The last checkpoint of a job; `None` if it has none that can be read.
pub fn checkpoint(jobs: &Path, id: JobId) -> Option<Checkpoint> {
    let text = fs::read(jobs.join(id.to_string()).join(NAME)).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_every_second_or_fifty_lines_and_at_the_end() {
        let (dir, id, start) = (tempfile::tempdir().unwrap(), JobId::new(), Instant::now());
        let mut journal = Journal::new(dir.path(), id);
        let at = |lines| Checkpoint { lines_acknowledged: lines, ..Checkpoint::default() };
        let known = || checkpoint(dir.path(), id).map(|known| known.lines_acknowledged);
        assert_eq!(known(), None);
        journal.note(at(1), start);
        journal.note(at(49), start + EVERY / 2);
        assert_eq!(known(), Some(1));
        journal.note(at(51), start + EVERY / 2);
        assert_eq!(known(), Some(51));
        journal.note(at(52), start + EVERY * 2);
        assert_eq!(known(), Some(52));
        journal.finish(at(53), start + EVERY * 2);
        assert_eq!(known(), Some(53));
    }

    #[test]
    fn a_full_disk_is_no_panic() {
        let mut journal = Journal::new(Path::new("/proc/no-such-place"), JobId::new());
        journal.finish(Checkpoint::default(), Instant::now());
        assert!(journal.failing);
    }
}
