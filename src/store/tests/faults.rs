use std::{fs, io::Write, process::Command, time::Duration};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{super::*, assert_whole, command, eventually, fresh, options, write};
use crate::{
    domain::{NewJob, Payload},
    feed::Feed,
};

/// Set for a child process: where its store lies that is to fail.
const FAILING_DIR: &str = "STORE_TEST_FAILING_DIR";

/// A small file system of its own; taken down when dropped.
struct Tmpfs(TempDir);

impl Tmpfs {
    fn new(size: &str) -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let options = format!("size={size}");
        match mount(
            Some("none"),
            dir.path(),
            Some("tmpfs"),
            MsFlags::empty(),
            Some(options.as_str()),
        ) {
            Ok(()) => Some(Self(dir)),
            Err(error) => {
                skipped(&format!("a tmpfs cannot be mounted here: {error}"));
                None
            }
        }
    }

    fn resize(&self, size: &str) {
        let options = format!("size={size}");
        let flags = MsFlags::MS_REMOUNT;
        mount(Some("none"), self.0.path(), Some("tmpfs"), flags, Some(options.as_str())).unwrap();
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = umount2(self.0.path(), MntFlags::MNT_DETACH);
    }
}

fn skipped(reason: &str) {
    std::io::stderr().write_all(format!("skipped: {reason}\n").as_bytes()).unwrap();
}

fn heavy() -> NewJob {
    NewJob { payload: Payload::Inline(vec![b'x'; 60_000]), ..command() }
}

/// F-03: a full disk refuses writes, loses nothing, and is over once there is space.
#[test]
fn a_full_disk_refuses_and_recovers() {
    let Some(disk) = Tmpfs::new("2m") else { return };
    let store = Store::open(options(disk.0.path()), Feed::new()).unwrap();
    let mut acknowledged = Vec::new();
    let error = loop {
        match store.write(|tx| jobs::insert(tx, &heavy())).wait() {
            Ok(inserted) => acknowledged.push(inserted.job.id),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 1000, "the disk never fills");
    };
    assert!(matches!(error, StoreError::Full), "{error}");
    assert_eq!(store.health(), StoreHealth::Full);
    let mut file = store.files().intake(u64::MAX);
    let filled = (0..100).try_for_each(|_| file.write(&vec![b'x'; 60_000]));
    assert!(matches!(filled, Err(StoreError::Full)), "{filled:?}");
    drop(file);
    for id in &acknowledged {
        store.read(|connection| jobs::get(connection, *id)).unwrap();
    }
    disk.resize("16m");
    write(&store, |tx| jobs::insert(tx, &heavy()));
    assert_eq!(store.health(), StoreHealth::Ok);
    assert_eq!(
        store.read(jobs::counts).unwrap().of(crate::domain::JobState::Queued),
        acknowledged.len() as u64 + 1
    );
    assert_whole(&store);
    store.close().unwrap();
}

/// F-06: a lock held by another process costs the write, not the store.
#[test]
fn a_database_locked_by_another_process_is_busy_and_recovers() {
    let (dir, store) = fresh();
    let other = Connection::open(dir.path().join("stationd.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.write(|tx| jobs::insert(tx, &command())).wait();
    assert!(matches!(refused, Err(StoreError::Busy)));
    assert_eq!(store.health(), StoreHealth::Busy);
    other.execute_batch("COMMIT").unwrap();
    write(&store, |tx| jobs::insert(tx, &command()));
    assert_eq!(store.health(), StoreHealth::Ok);
}

/// F-08: after an error of the disk nothing is tried again. The error is real: no file of the child
/// process may grow beyond a limit, and with SIGXFSZ ignored the write fails instead.
#[test]
fn a_failed_write_to_the_disk_ends_all_writing() {
    let limited = ["sh", "-c", r#"trap "" XFSZ; ulimit -f 2000; exec "$0" "$@""#];
    fails_for_good("a_failed_write_to_the_disk_ends_all_writing", &limited);
}

/// F-08: the kernel says once that a sync failed and forgets what was lost; so must nobody else.
#[test]
fn a_failed_sync_ends_all_writing() {
    let syncs = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=30"];
    let probe = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    let traceable =
        std::env::var(FAILING_DIR).is_ok() || probe.is_ok_and(|output| output.status.success());
    if !traceable {
        return skipped("strace cannot trace here");
    }
    let traced = [&["strace", "-f", "-o", "/dev/null"][..], &syncs].concat();
    fails_for_good("a_failed_sync_ends_all_writing", &traced);
}

/// Runs this test again as a child of `launcher`, where the disk fails sooner or later.
fn fails_for_good(test: &str, launcher: &[&str]) {
    if let Ok(dir) = std::env::var(FAILING_DIR) {
        return write_until_it_fails(&dir);
    }
    let dir = TempDir::new().unwrap();
    let output = Command::new(launcher[0])
        .args(&launcher[1..])
        .arg(std::env::current_exe().unwrap())
        .args([&format!("store::tests::faults::{test}"), "--exact", "--nocapture"])
        .env(FAILING_DIR, dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let store = super::open(&dir).unwrap();
    eventually("the check", || store.integrity() == Integrity::Ok);
    assert_whole(&store);
}

fn write_until_it_fails(dir: &str) {
    let store = Store::open(options(dir), Feed::new()).unwrap();
    let error = loop {
        match store.write(|tx| jobs::insert(tx, &heavy())).wait() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Failed(_)), "{error}");
    let later = store.write(|tx| settings::set(tx, "small", "enough to fit")).wait();
    assert!(matches!(later, Err(StoreError::Failed(_))), "no retry");
    assert!(matches!(store.health(), StoreHealth::Failed(why) if why.contains("I/O")));
    assert!(store.read(jobs::counts).is_ok(), "reading goes on");
    assert!(matches!(store.close(), Err(StoreError::Failed(_))));
}

/// F-09: a database that was replaced under our feet is noticed.
#[test]
fn a_replaced_file_is_noticed() {
    let (dir, store) = fresh();
    assert_eq!(store.check_file(), StoreHealth::Ok);
    let path = dir.path().join("stationd.db");
    fs::rename(&path, dir.path().join("elsewhere.db")).unwrap();
    assert!(matches!(store.check_file(), StoreHealth::Failed(_)));
    let late = store.write(|tx| jobs::insert(tx, &command())).wait();
    assert!(matches!(late, Err(StoreError::Failed(why)) if why.contains("replaced")));
    fs::write(&path, b"another").unwrap();
    assert!(matches!(store.check_file(), StoreHealth::Failed(_)));
}

/// I1: what was acknowledged before a SIGKILL is there afterwards; and the stop was not clean.
#[test]
fn what_was_acknowledged_survives_a_kill() {
    use std::io::{BufRead, BufReader};
    const CHILD: &str = "STORE_TEST_KILLED_DIR";
    if let Ok(dir) = std::env::var(CHILD) {
        let store = Store::open(options(dir), Feed::new()).unwrap();
        loop {
            let job = write(&store, |tx| jobs::insert(tx, &command())).job;
            let line = format!("acknowledged {}\n", job.id);
            std::io::stdout().write_all(line.as_bytes()).unwrap();
        }
    }
    let dir = TempDir::new().unwrap();
    let name = "store::tests::faults::what_was_acknowledged_survives_a_kill";
    for round in 1..=5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let id_of = |line: String| line.split_once("acknowledged ")?.1.parse().ok();
        let mut ids = Vec::new();
        for id in lines.filter_map(id_of) {
            ids.push(id);
            if ids.len() == round * 20 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        let store = super::open(&dir).unwrap();
        for id in ids {
            store.read(|connection| jobs::get(connection, id)).unwrap();
        }
        eventually("the check", || store.integrity() == Integrity::Ok);
        assert_whole(&store);
        store.close().unwrap();
    }
}

#[test]
fn a_pool_of_readers_serves_more_threads_than_it_has_connections() {
    let (_dir, store) = fresh();
    write(&store, |tx| jobs::insert(tx, &command()));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..20 {
                    store.read(jobs::counts).unwrap();
                }
            });
        }
        let panicked = scope
            .spawn(|| store.read(|_| -> Result<(), StoreError> { panic!("as the test wants") }));
        assert!(panicked.join().is_err());
    });
    for _ in 0..5 {
        store.read(jobs::counts).unwrap();
    }
    assert!(store.stats().last_commit > Duration::ZERO);
}
