//! How far a device job got, on disk, apart from the database.
//!
//! One small file per job, `jobs/<id>/checkpoint.json`, replaced and synced at most every second or
//! fifty lines, so that after a power cut a person can be told what the machine is known to have
//! done. Between those, what is newer stands unsynced beside it in `checkpoint.live`, which outlives
//! the station. A full disk loses freshness here, never the job.

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
    link::{Checkpoint, Start},
};

const EVERY: Duration = Duration::from_secs(1);
const LINES: u64 = 50;
const NAME: &str = "checkpoint.json";
const LIVE: &str = "checkpoint.live";

/// What is known of a job's way on its machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// How far it got.
    #[serde(flatten)]
    pub checkpoint: Checkpoint,
    /// Where the tool was when it began, X Y Z in millimetres of work coordinates.
    #[serde(default)]
    pub start: Option<Axes>,
    /// Where the tool was when it last went on with it, the same way.
    #[serde(default)]
    pub began: Option<Axes>,
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
    began: Option<Axes>,
    written: Option<(Instant, Trace)>,
    failing: bool,
}

impl Journal {
    /// A journal in the directory of a job that begins like this with the machine there. What an
    /// earlier run has noted counts no more, but for where the file was begun if this one goes on
    /// with it.
    pub(super) fn new(jobs: &Path, id: JobId, at: Option<Axes>, begins: &Start) -> Self {
        let goes_on = begins.preamble.is_some();
        let start = if goes_on { trace(jobs, id).and_then(|last| last.start) } else { at };
        let dir = jobs.join(id.to_string());
        let mut journal = Self { dir, start, began: at, written: None, failing: false };
        let (lines_acknowledged, lines_sent) = (begins.skip, begins.skip);
        let begins = Checkpoint { lines_acknowledged, lines_sent, ..Checkpoint::default() };
        journal.write(begins, None, Instant::now());
        journal
    }

    /// Notes how far the job is; for good, if the last such note is old enough.
    pub(super) fn note(&mut self, checkpoint: Checkpoint, now: Instant) {
        let due = self.written.is_none_or(|(at, last)| {
            now.duration_since(at) >= EVERY
                || checkpoint.lines_acknowledged >= last.checkpoint.lines_acknowledged + LINES
        });
        if due {
            self.write(checkpoint, None, now);
        } else {
            let trace = self.trace(checkpoint, None);
            // The next one that is due says so if the disk is full.
            drop(replace(&self.dir, LIVE, &trace, false));
        }
    }

    /// Notes where the job stands still, or how it left the machine, whatever was noted before.
    pub(super) fn finish(&mut self, checkpoint: Checkpoint, left: Option<Left>, now: Instant) {
        let trace = self.trace(checkpoint, left);
        if self.written.is_none_or(|(_, last)| last != trace) {
            self.write(checkpoint, left, now);
        }
    }

    fn trace(&self, checkpoint: Checkpoint, left: Option<Left>) -> Trace {
        Trace { checkpoint, start: self.start, began: self.began, left }
    }

    fn write(&mut self, checkpoint: Checkpoint, left: Option<Left>, now: Instant) {
        let trace = self.trace(checkpoint, left);
        let written = replace(&self.dir, NAME, &trace, true);
        if let Err(error) = &written
            && !self.failing
        {
            warn!("failed to write the checkpoint in {}: {error}", self.dir.display());
        }
        self.failing = written.is_err();
        self.written = Some((now, trace));
    }
}

fn replace(dir: &Path, name: &str, trace: &Trace, sync: bool) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let new = dir.join("checkpoint.new");
    let mut file = File::create(&new)?;
    file.write_all(&serde_json::to_vec(trace)?)?;
    if sync {
        file.sync_data()?;
        // Older than this one, or of an earlier run.
        if let Err(error) = fs::remove_file(dir.join(LIVE))
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
    }
    fs::rename(&new, dir.join(name))
}

/// What is known of a job's way; `None` if nothing can be read.
pub fn trace(jobs: &Path, id: JobId) -> Option<Trace> {
    let dir = jobs.join(id.to_string());
    let read = |name| serde_json::from_slice(&fs::read(dir.join(name)).ok()?).ok();
    read(LIVE).or_else(|| read(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_every_second_or_fifty_lines_and_at_the_end() {
        let (dir, id, start) = (tempfile::tempdir().unwrap(), JobId::new(), Instant::now());
        let mut journal = Journal::new(dir.path(), id, Some([1.0, 2.0, 3.0]), &Start::default());
        let at = |lines| Checkpoint { lines_acknowledged: lines, ..Checkpoint::default() };
        let known = || trace(dir.path(), id).map(|known| known.checkpoint.lines_acknowledged);
        // What is on disk for sure.
        let synced = || {
            let text = fs::read(dir.path().join(id.to_string()).join(NAME)).unwrap();
            serde_json::from_slice::<Trace>(&text).unwrap().checkpoint.lines_acknowledged
        };
        assert_eq!((known(), synced()), (Some(0), 0));
        journal.note(at(49), start + EVERY / 2);
        assert_eq!((known(), synced()), (Some(49), 0));
        journal.note(at(50), start + EVERY / 2);
        assert_eq!((known(), synced()), (Some(50), 50));
        journal.note(at(51), start + EVERY / 2);
        assert_eq!((known(), synced()), (Some(51), 50));
        journal.note(at(52), start + EVERY * 2);
        assert_eq!((known(), synced()), (Some(52), 52));
        journal.note(at(53), start + EVERY * 2);
        let left = Some(Left { at: Timestamp::from_ms(5), position_known: true });
        journal.finish(at(53), left, start + EVERY * 2);
        let start = Some([1.0, 2.0, 3.0]);
        assert_eq!(
            trace(dir.path(), id),
            Some(Trace { checkpoint: at(53), start, began: start, left })
        );
    }

    #[test]
    fn a_job_that_begins_anew_forgets_and_one_that_goes_on_remembers_where_it_began() {
        let (dir, id) = (tempfile::tempdir().unwrap(), JobId::new());
        let known =
            || trace(dir.path(), id).map(|it| (it.checkpoint.lines_sent, it.start, it.left));
        let (here, there) = (Some([1.0; 3]), Some([9.0; 3]));
        let mut journal = Journal::new(dir.path(), id, here, &Start::default());
        let far = Checkpoint { lines_acknowledged: 20, lines_sent: 30, ..Checkpoint::default() };
        journal.note(far, Instant::now());
        assert_eq!(known(), Some((30, here, None)));
        let preamble = Some(Vec::new());
        Journal::new(dir.path(), id, there, &Start { preamble, skip: 15, ..Start::default() });
        assert_eq!(known(), Some((15, here, None)));
        Journal::new(dir.path(), id, there, &Start::default());
        assert_eq!(known(), Some((0, there, None)));
    }

    #[test]
    fn a_full_disk_is_no_panic() {
        let mut journal =
            Journal::new(Path::new("/proc/no-such-place"), JobId::new(), None, &Start::default());
        journal.finish(Checkpoint::default(), None, Instant::now());
        assert!(journal.failing);
    }
}
