use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use rusqlite::Connection;
use tempfile::TempDir;

use super::{super::*, assert_whole, command, feed, fresh, options, write};
use crate::domain::{Body, Severity};

/// Holds the writer in a write until the returned sender is dropped, so that a group gathers.
fn hold(store: &Store) -> (Pending<()>, mpsc::Sender<()>) {
    let (release, wait) = mpsc::channel::<()>();
    let (entered, inside) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let held = store.write(move |_| {
        let _ = entered.send(());
        let _ = wait.lock().unwrap().recv();
        Ok(())
    });
    inside.recv().unwrap();
    (held, release)
}

fn set(key: &str) -> impl Fn(&Tx<'_>) -> Result<(), StoreError> + Send + 'static {
    let key = key.to_owned();
    move |tx| settings::set(tx, &key, "set")
}

fn is_set(store: &Store, key: &str) -> bool {
    store.read(|connection| settings::get(connection, key)).unwrap().is_some()
}

#[test]
fn what_is_answered_is_seen_by_another_connection() {
    let (dir, store) = fresh();
    let outside = Connection::open(dir.path().join("stationd.db")).unwrap();
    for _ in 0..50 {
        let id = write(&store, |tx| jobs::insert(tx, &command())).job.id;
        let found: u32 = outside
            .query_row("SELECT count(*) FROM jobs WHERE id = ?1", [id.as_bytes()], |row| row.get(0))
            .unwrap();
        assert_eq!(found, 1);
    }
}

#[test]
fn writes_that_wait_share_one_commit() {
    let (_dir, store) = fresh();
    let (held, release) = hold(&store);
    let waiting: Vec<_> = (0..200).map(|n| store.write(set(&format!("key {n}")))).collect();
    assert_eq!(store.stats().queue_depth, 200);
    let before = store.stats().commits;
    drop(release);
    held.wait().unwrap();
    for pending in waiting {
        pending.wait().unwrap();
    }
    let stats = store.stats();
    assert_eq!(stats.commits - before, 2, "one for the write that held, one for the 200");
    assert_eq!((stats.writes, stats.queue_depth, stats.failures), (201, 0, 0));
}

#[test]
fn a_failing_write_and_a_panicking_one_fail_alone() {
    let (_dir, store) = fresh();
    let (held, release) = hold(&store);
    let good = store.write(set("first"));
    let failing = store.write(|tx| {
        settings::set(tx, "half done", "set")?;
        tx.emit("system", None, Body::alert(Severity::Info, "test", "never", "seen"))?;
        Err::<(), _>(StoreError::NotFound("thing".to_owned()))
    });
    let refused = store.write(|tx| Ok(tx.execute("INSERT INTO nowhere VALUES (1)", [])?));
    let panicking = store.write(|tx| -> Result<(), StoreError> {
        settings::set(tx, "panicked", "set")?;
        panic!("as the test wants")
    });
    let last =
        store.write(|tx| tx.emit("system", None, Body::alert(Severity::Info, "t", "t", "t")));
    drop(release);
    held.wait().unwrap();
    good.wait().unwrap();
    assert!(matches!(failing.wait(), Err(StoreError::NotFound(thing)) if thing == "thing"));
    assert!(matches!(refused.wait(), Err(StoreError::Sql(_))));
    assert!(
        matches!(panicking.wait(), Err(StoreError::Panicked(why)) if why.contains("as the test"))
    );
    assert_eq!(last.wait().unwrap(), 1, "the number of the event that never was is used");
    assert!(is_set(&store, "first") && !is_set(&store, "half done") && !is_set(&store, "panicked"));
    assert_eq!(store.health(), StoreHealth::Ok);
    assert_eq!(store.stats().failures, 3);
    assert_whole(&store);
}

#[test]
fn events_reach_the_feed_in_order_and_as_they_are_stored() {
    let dir = TempDir::new().unwrap();
    let (feed, heard) = feed();
    let store = Store::open(options(dir.path()), Arc::clone(&feed)).unwrap();
    let start = Arc::new(Barrier::new(8));
    let failed = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for n in 0..8 {
            let (store, start, failed) = (store.clone(), Arc::clone(&start), Arc::clone(&failed));
            scope.spawn(move || {
                start.wait();
                for turn in 0..50 {
                    let fails = (n + turn) % 7 == 0;
                    let answer = store.write(move |tx| {
                        jobs::insert(tx, &command())?;
                        if fails { Err(StoreError::NotFound("luck".to_owned())) } else { Ok(()) }
                    });
                    failed.fetch_add(usize::from(answer.wait().is_err()), Ordering::Relaxed);
                }
            });
        }
    });
    let acknowledged = 400 - failed.load(Ordering::Relaxed);
    let heard = heard.lock().unwrap();
    let seqs: Vec<u64> = heard.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(seqs, (1..=acknowledged as u64).collect::<Vec<_>>(), "in order and without a gap");
    let stored = store
        .read(|connection| events::since(connection, 0, &events::EventFilter::default(), 1000))
        .unwrap();
    assert_eq!(*heard, stored.into_iter().map(|event| (event.seq, event.json)).collect::<Vec<_>>());
    assert_eq!(feed.newest(), acknowledged as u64);
    assert_whole(&store);
}

#[test]
fn too_many_waiting_writes_are_refused_but_facts_never_are() {
    let (_dir, store) = fresh();
    let (held, release) = hold(&store);
    let waiting: Vec<_> = (0..2048).map(|_| store.write(|_| Ok(()))).collect();
    assert!(matches!(store.write(|_| Ok(())).wait(), Err(StoreError::Overloaded)));
    let fact = store.record(set("fact"));
    drop(release);
    held.wait().unwrap();
    fact.wait().unwrap();
    assert!(waiting.into_iter().all(|pending| pending.wait().is_ok()));
    assert!(store.write(|_| Ok(())).wait().is_ok());
}

#[test]
fn closing_waits_for_what_was_queued_and_refuses_what_comes_later() {
    let (dir, store) = fresh();
    let (held, release) = hold(&store);
    let queued = store.write(set("queued"));
    let closer = store.clone();
    let closing = thread::spawn(move || closer.close());
    drop(release);
    held.wait().unwrap();
    queued.wait().unwrap();
    closing.join().unwrap().unwrap();
    assert!(matches!(store.write(|_| Ok(())).wait(), Err(StoreError::Closed)));
    assert!(matches!(store.read(|_| Ok(())), Err(StoreError::Closed)));
    assert!(store.close().is_ok(), "once more is nothing");
    assert!(!dir.path().join("stationd.db-wal").exists(), "all of it is in the database");
}

#[test]
fn an_answer_can_be_awaited() {
    let (_dir, store) = fresh();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let job = runtime.block_on(store.write(|tx| jobs::insert(tx, &command()))).unwrap().job;
    assert_eq!(store.read(|connection| jobs::get(connection, job.id)).unwrap(), job);
    // Even on a thread that drives a runtime, waiting is no panic.
    runtime.block_on(async { store.write(|_| Ok(())).wait() }).unwrap();
}

#[test]
fn a_read_sees_one_moment_and_cannot_write() {
    let (_dir, store) = fresh();
    store
        .read(|connection| {
            let before = events::newest(connection)?;
            write(&store, |tx| jobs::insert(tx, &command()));
            assert_eq!(events::newest(connection)?, before);
            assert!(connection.execute("DELETE FROM jobs", []).is_err());
            Ok(())
        })
        .unwrap();
    assert_eq!(store.read(events::newest).unwrap(), Some(1));
}

#[test]
fn a_listener_that_panics_stops_no_write() {
    let dir = TempDir::new().unwrap();
    let feed = crate::feed::Feed::new();
    feed.listen(|_| panic!("as the test wants"));
    let store = Store::open(options(dir.path()), feed).unwrap();
    write(&store, |tx| jobs::insert(tx, &command()));
    write(&store, |tx| jobs::insert(tx, &command()));
    assert_eq!(store.health(), StoreHealth::Ok);
}
