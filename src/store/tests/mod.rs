//! The store on real files, from outside as far as possible.

mod faults;
mod files;
mod opening;
mod trails;
mod writing;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{Store, StoreError, StoreOptions, Synchronous, Tx};
use crate::{
    domain::{JobId, NewJob, Payload, Priority, Rules, Surroundings},
    feed::Feed,
};

pub(super) fn options(dir: impl Into<PathBuf>) -> StoreOptions {
    let dir = dir.into();
    StoreOptions {
        path: dir.join("stationd.db"),
        backups: dir.join("backups"),
        files: dir.join("files"),
        synchronous: Synchronous::Full,
        pool_size: 2,
    }
}

pub(super) fn open(dir: &TempDir) -> Result<Store, StoreError> {
    Store::open(options(dir.path()), Feed::new())
}

pub(super) fn fresh() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = open(&dir).unwrap();
    (dir, store)
}

/// A command job without any wish.
pub(super) fn command() -> NewJob {
    NewJob {
        id: JobId::new(),
        name: "a job".to_owned(),
        payload: Payload::Command(vec!["true".to_owned()]),
        program: None,
        priority: Priority(0),
        device: None,
        driver: None,
        surroundings: Surroundings::default(),
        hold: false,
        not_before: None,
        depends_on: Vec::new(),
        labels: std::collections::BTreeMap::new(),
        timeout_seconds: None,
        rules: Rules::default(),
        max_attempts: 1,
        submitted_by: "test".to_owned(),
        idempotency_key: None,
        analysis: None,
        forced: false,
    }
}

/// A device job for a machine.
pub(super) fn drawing(device: Option<&str>, driver: Option<&str>) -> NewJob {
    NewJob {
        payload: Payload::Inline(b"G1 X1\n".to_vec()),
        device: device.map(str::to_owned),
        driver: driver.map(str::to_owned),
        ..command()
    }
}

/// Runs `work` in the writer and waits for it.
pub(super) fn write<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write(work).wait().unwrap()
}

/// Waits until `condition` holds.
pub(super) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "never came: {what}");
        std::thread::yield_now();
    }
}

/// Invariant: the file is whole, and every reference in it leads somewhere.
pub(super) fn assert_whole(store: &Store) {
    store
        .read(|connection| {
            assert_eq!(super::backup::check(connection, "integrity_check")?, None);
            let dangling: u32 = connection.query_row(
                "SELECT count(*) FROM pragma_foreign_key_check",
                [],
                |row| row.get(0),
            )?;
            assert_eq!(dangling, 0);
            let wrong: u32 = connection.query_row(
                "SELECT count(*) FROM job_counts
                 WHERE jobs <> (SELECT count(*) FROM jobs WHERE jobs.state = job_counts.state)",
                [],
                |row| row.get(0),
            )?;
            assert_eq!(wrong, 0, "a count of jobs is wrong");
            Ok(())
        })
        .unwrap();
}

/// What a listener heard: each event's number and text.
type Heard = Arc<Mutex<Vec<(u64, String)>>>;

pub(super) fn feed() -> (Arc<Feed>, Heard) {
    let feed = Feed::new();
    let heard = Heard::default();
    let ears = Arc::clone(&heard);
    feed.listen(move |frame| {
        ears.lock().unwrap().push((frame.seq.unwrap(), frame.text.to_string()));
    });
    (feed, heard)
}
