//! How far a device job got, on disk, apart from the database.
//!
//! Two small files per job in `jobs/<id>/`. `checkpoint.live` is replaced with each note, unsynced: it
//! outlives the station. `checkpoint.json` is replaced and synced at most every second or fifty lines,
//! by a thread of its own, for a disk may take seconds: it outlives a power cut. The newer note of
//! the two counts. A full disk loses freshness here, never the job.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender, channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use log::warn;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Axes, JobId, Position, Timestamp},
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
    /// Counts the notes of a job, over all its runs: which one is the newest.
    #[serde(default)]
    pub note: u64,
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
    sync: Sender<Note>,
    last: Trace,
    /// What was handed over to be synced, and when.
    handed: (Instant, u64),
}

impl Journal {
    /// Notes how far the job is; for good, if the last such note is old enough.
    pub(super) fn note(&mut self, checkpoint: Checkpoint, now: Instant) {
        let (at, lines) = self.handed;
        let is_due =
            now.duration_since(at) >= EVERY || checkpoint.lines_acknowledged >= lines + LINES;
        self.write(Trace { checkpoint, left: None, ..self.last }, is_due.then_some(now));
    }

    /// Notes where the job stands still, or how it left the machine, whatever was noted before.
    pub(super) fn finish(&mut self, checkpoint: Checkpoint, left: Option<Left>, now: Instant) {
        self.write(Trace { checkpoint, left, ..self.last }, Some(now));
    }

    /// Writes it, and if `sync` says when, for good.
    fn write(&mut self, trace: Trace, sync: Option<Instant>) {
        self.last = Trace { note: self.last.note + 1, ..trace };
        // The thread says so if the disk is full.
        drop(replace(&self.dir, LIVE, &self.last, false));
        if let Some(now) = sync {
            self.handed = (now, trace.checkpoint.lines_acknowledged);
            // The thread ends after all journals.
            let _ = self.sync.send((self.dir.clone(), self.last));
        }
    }
}

/// A note to be synced, and the directory of its job.
type Note = (PathBuf, Trace);

/// Makes journals, and has a thread that syncs what they note. Dropping it waits until the last note
/// is on the disk; journals are dropped before.
pub(super) struct Journals {
    jobs: PathBuf,
    notes: Sender<Note>,
    thread: Option<JoinHandle<()>>,
}

impl Journals {
    /// In the directories of jobs below this one.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn new(jobs: PathBuf) -> io::Result<Self> {
        let (notes, received) = channel();
        let work = move || sync(&received);
        let thread = thread::Builder::new().name("journal".to_owned()).spawn(work)?;
        Ok(Self { jobs, notes, thread: Some(thread) })
    }

    /// The journal of a job that begins like this with the machine there. What an earlier run has
    /// noted counts no more, but for where the file was begun if this one goes on with it. That is
    /// synced before it returns: else a power cut could leave what the earlier run has noted for what
    /// this one has done.
    pub(super) fn begin(&self, id: JobId, at: Option<Position>, begins: &Start) -> Journal {
        let at = at.map(|Position { x, y, z }| [x, y, z]);
        let before = trace(&self.jobs, id);
        let goes_on = begins.preamble.is_some();
        let start = if goes_on { before.and_then(|last| last.start) } else { at };
        let note = before.map_or(0, |last| last.note) + 1;
        let (lines_acknowledged, lines_sent) = (begins.skip, begins.skip);
        let checkpoint = Checkpoint { lines_acknowledged, lines_sent, ..Checkpoint::default() };
        let last = Trace { checkpoint, start, began: at, left: None, note };
        let dir = self.jobs.join(id.to_string());
        let begun = fs::create_dir_all(&dir).and_then(|()| replace(&dir, NAME, &last, true));
        if let Err(error) = begun {
            warn!("failed to write the checkpoint in {}: {error}", dir.display());
        }
        Journal { dir, sync: self.notes.clone(), last, handed: (Instant::now(), begins.skip) }
    }
}

impl Drop for Journals {
    fn drop(&mut self) {
        self.notes = channel().0;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // one that has panicked has said so
        }
    }
}

/// Of each job, what is newest; until nobody is left who could note anything.
fn sync(notes: &Receiver<Note>) {
    let mut is_failing = false;
    while let Ok((dir, trace)) = notes.recv() {
        let mut newest = HashMap::from([(dir, trace)]);
        newest.extend(notes.try_iter());
        for (dir, trace) in newest {
            let written = replace(&dir, NAME, &trace, true);
            // A job that has ended may be deleted.
            let written = written.or_else(|error| if dir.exists() { Err(error) } else { Ok(()) });
            if let Err(error) = &written
                && !is_failing
            {
                warn!("failed to write the checkpoint in {}: {error}", dir.display());
            }
            is_failing = written.is_err();
        }
    }
}

fn replace(dir: &Path, name: &str, trace: &Trace, sync: bool) -> io::Result<()> {
    let new = dir.join(format!("{name}.new"));
    let mut file = File::create(&new)?;
    file.write_all(&serde_json::to_vec(trace)?)?;
    if sync {
        file.sync_data()?;
    }
    fs::rename(&new, dir.join(name))
}

/// What is known of a job's way; `None` if nothing can be read.
pub fn trace(jobs: &Path, id: JobId) -> Option<Trace> {
    let dir = jobs.join(id.to_string());
    let read = |name| serde_json::from_slice::<Trace>(&fs::read(dir.join(name)).ok()?).ok();
    [NAME, LIVE].into_iter().filter_map(read).max_by_key(|trace| trace.note)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lines: u64) -> Checkpoint {
        Checkpoint { lines_acknowledged: lines, ..Checkpoint::default() }
    }

    #[test]
    fn every_note_is_known_and_one_a_second_or_fifty_lines_and_the_last_is_on_the_disk() {
        let (dir, id, start) = (tempfile::tempdir().unwrap(), JobId::new(), Instant::now());
        let here = Some(Position { x: 1.0, y: 2.0, z: 3.0 });
        let left = Some(Left { at: Timestamp::from_ms(5), position_known: true });
        let known = || trace(dir.path(), id).unwrap().checkpoint.lines_acknowledged;
        // What is on the disk for sure, once the thread has had its time.
        let synced = |notes: &[(u64, Instant)], left: Option<Left>| {
            let journals = Journals::new(dir.path().to_owned()).unwrap();
            let mut journal = journals.begin(id, here, &Start::default());
            for (lines, now) in notes {
                journal.note(at(*lines), *now);
                assert_eq!(known(), *lines);
            }
            if left.is_some() {
                journal.finish(at(60), left, start);
            }
            drop((journal, journals));
            let text = fs::read(dir.path().join(id.to_string()).join(NAME)).unwrap();
            serde_json::from_slice::<Trace>(&text).unwrap()
        };
        let soon = start + EVERY / 2;
        assert_eq!(synced(&[(49, soon)], None).checkpoint, at(0));
        assert_eq!(synced(&[(49, soon), (50, soon)], None).checkpoint, at(50));
        assert_eq!(synced(&[(50, soon), (51, soon)], None).checkpoint, at(50));
        assert_eq!(synced(&[(1, start + EVERY * 2)], None).checkpoint, at(1));
        let last = synced(&[(51, soon)], left);
        let (note, there) = (last.note, Some([1.0, 2.0, 3.0]));
        assert_eq!(last, Trace { checkpoint: at(60), start: there, began: there, left, note });
        assert_eq!(trace(dir.path(), id), Some(last));
    }

    #[test]
    fn the_newer_note_counts_whichever_file_it_is_in() {
        let (dir, id) = (tempfile::tempdir().unwrap(), JobId::new());
        let own = dir.path().join(id.to_string());
        fs::create_dir(&own).unwrap();
        for (name, note) in [(NAME, 5), (LIVE, 7), (NAME, 9)] {
            replace(&own, name, &Trace { note, ..Trace::default() }, false).unwrap();
            assert_eq!(trace(dir.path(), id).unwrap().note, note);
        }
        // As a power cut may leave it.
        fs::write(own.join(LIVE), "").unwrap();
        assert_eq!(trace(dir.path(), id).unwrap().note, 9);
    }

    #[test]
    fn a_job_that_begins_anew_forgets_and_one_that_goes_on_remembers_where_it_began() {
        let (dir, id) = (tempfile::tempdir().unwrap(), JobId::new());
        let known =
            || trace(dir.path(), id).map(|it| (it.checkpoint.lines_sent, it.start, it.left));
        let (here, there) = (Some([1.0; 3]), Some([9.0; 3]));
        let journals = Journals::new(dir.path().to_owned()).unwrap();
        let begin = |at: f64, start: &Start| {
            journals.begin(id, Some(Position { x: at, y: at, z: at }), start)
        };
        let mut journal = begin(1.0, &Start::default());
        let far = Checkpoint { lines_acknowledged: 20, lines_sent: 30, ..Checkpoint::default() };
        journal.note(far, Instant::now());
        assert_eq!(known(), Some((30, here, None)));
        let preamble = Some(Vec::new());
        begin(9.0, &Start { preamble, skip: 15, ..Start::default() });
        assert_eq!(known(), Some((15, here, None)));
        begin(9.0, &Start::default());
        assert_eq!(known(), Some((0, there, None)));
    }

    #[test]
    fn what_cannot_be_written_is_no_panic() {
        let (nowhere, id) = (Path::new("/proc/no-such-place"), JobId::new());
        let journals = Journals::new(nowhere.to_owned()).unwrap();
        let mut journal = journals.begin(id, None, &Start::default());
        journal.finish(at(1), None, Instant::now());
        drop((journal, journals));
        assert_eq!(trace(nowhere, id), None);
    }
}
