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
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Axes, JobId, Timestamp},
    link::Checkpoint,
};

const EVERY: Duration = Duration::from_secs(1);
const LINES: u64 = 50;
const NAME: &str = "checkpoint.json";

/// What is known of a job's way on its machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// How far it got.
    #[serde(flatten)]
    pub checkpoint: Checkpoint,
    /// Where the tool was when it began, X Y Z in millimetres of work coordinates.
    #[serde(default)]
    pub start: Option<Axes>,
    /// How it left the machine; absent if nobody was there to see it.
    #[serde(default)]
    pub left: Option<Left>,
}

/// How a job left its machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Left {
    /// When.
    pub at: Timestamp,
    /// The machine stood still where it says it was.
    pub position_known: bool,
}

/// The journal of the job on a machine.
pub(super) struct Journal {
    dir: PathBuf,
    start: Option<Axes>,
    written: Option<(Instant, Trace)>,
    failing: bool,
}

impl Journal {
    /// A journal in the directory of the job, with nothing in it yet.
    pub(super) fn new(jobs: &Path, id: JobId, start: Option<Axes>) -> Self {
        Self { dir: jobs.join(id.to_string()), start, written: None, failing: false }
    }

    /// Notes how far the job is, if the last note is old enough.
    pub(super) fn note(&mut self, checkpoint: Checkpoint, now: Instant) {
        let due = self.written.is_none_or(|(at, last)| {
            now.duration_since(at) >= EVERY
                || checkpoint.lines_acknowledged >= last.checkpoint.lines_acknowledged + LINES
        });
        if due {
            self.write(checkpoint, None, now);
        }
    }

    /// Notes where the job stands still, or how it left the machine, whatever was noted before.
    pub(super) fn finish(&mut self, checkpoint: Checkpoint, left: Option<Left>, now: Instant) {
        let trace = Trace { checkpoint, start: self.start, left };
        if self.written.is_none_or(|(_, last)| last != trace) {
            self.write(checkpoint, left, now);
        }
    }

    fn write(&mut self, checkpoint: Checkpoint, left: Option<Left>, now: Instant) {
        let trace = Trace { checkpoint, start: self.start, left };
        let written = replace(&self.dir, &trace);
        if let Err(error) = &written
            && !self.failing
        {
            warn!("failed to write the checkpoint in {}: {error}", self.dir.display());
        }
        self.failing = written.is_err();
        self.written = Some((now, trace));
    }
}

fn replace(dir: &Path, trace: &Trace) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let new = dir.join("checkpoint.new");
    let mut file = File::create(&new)?;
    file.write_all(&serde_json::to_vec(trace)?)?;
    file.sync_data()?;
    fs::rename(&new, dir.join(NAME))
}

/// What is known of a job's way; `None` if nothing can be read.
pub fn trace(jobs: &Path, id: JobId) -> Option<Trace> {
    let text = fs::read(jobs.join(id.to_string()).join(NAME)).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_every_second_or_fifty_lines_and_at_the_end() {
        let (dir, id, start) = (tempfile::tempdir().unwrap(), JobId::new(), Instant::now());
        let mut journal = Journal::new(dir.path(), id, Some([1.0, 2.0, 3.0]));
        let at = |lines| Checkpoint { lines_acknowledged: lines, ..Checkpoint::default() };
        let known = || trace(dir.path(), id).map(|known| known.checkpoint.lines_acknowledged);
        assert_eq!(known(), None);
        journal.note(at(1), start);
        journal.note(at(49), start + EVERY / 2);
        assert_eq!(known(), Some(1));
        journal.note(at(51), start + EVERY / 2);
        assert_eq!(known(), Some(51));
        journal.note(at(52), start + EVERY * 2);
        assert_eq!(known(), Some(52));
        let left = Some(Left { at: Timestamp::from_ms(5), position_known: true });
        journal.finish(at(52), left, start + EVERY * 2);
        let start = Some([1.0, 2.0, 3.0]);
        assert_eq!(trace(dir.path(), id), Some(Trace { checkpoint: at(52), start, left }));
    }

    #[test]
    fn a_full_disk_is_no_panic() {
        let mut journal = Journal::new(Path::new("/proc/no-such-place"), JobId::new(), None);
        journal.finish(Checkpoint::default(), None, Instant::now());
        assert!(journal.failing);
    }
}
