//! What a killed station has promised, it keeps.

use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use serde_json::json;

use super::{gone, process};
use crate::support::{Client, Station, eventually};

#[test]
fn a_program_that_a_killed_station_left_is_ended_and_run_again_once() {
    let mut station = Station::start();
    let starts = station.home().join("starts");
    let pid = station.home().join("pid");
    let script = "echo x >> \"$0\"; echo $$ > \"$1\"; [ -e \"$2\" ] || exec sleep 600";
    let go = station.home().join("go");
    let id = station.submit(&json!({"command": ["sh", "-c", script, starts, pid, go]}));
    let orphan = process(&pid);
    station.kill();
    assert!(orphan.exists(), "nobody ends it with the station");
    fs::write(go, "").unwrap();
    station.again();
    let job = station.await_job(&id, "COMPLETED");
    gone(&orphan);
    assert_eq!(fs::read_to_string(starts).unwrap(), "x\nx\n");
    assert_eq!(job["attempts"], 2);
    station.kill();
    station.again();
    assert_eq!(station.job(&id)["attempts"], 2, "what is over stays over");
}

/// Submits until told to stop; what was acknowledged is kept. A lost connection is tried again.
fn submit_all(client: &Client, stop: &AtomicBool, acknowledged: &Mutex<BTreeSet<String>>) {
    let body = json!({"command": ["true"], "hold": true}).to_string();
    let json = [("Content-Type", "application/json")];
    while !stop.load(Ordering::Relaxed) {
        match client.attempt("POST", "/api/v1/jobs", &json, body.as_bytes()) {
            Ok(answer) => {
                assert_eq!(answer.status, 201, "{}", answer.text());
                let id = answer.json()["id"].as_str().unwrap().to_owned();
                acknowledged.lock().unwrap().insert(id);
            }
            Err(_) => thread::yield_now(),
        }
    }
}

/// All jobs the station knows.
fn all_jobs(station: &Station) -> BTreeSet<String> {
    let (mut found, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = station.local().get(&format!("/api/v1/jobs?limit=500{cursor}")).expect(200);
        let ids = page["items"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap());
        found.extend(ids.map(str::to_owned));
        let Some(next) = page["next_cursor"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

#[test]
fn no_acknowledged_job_is_lost_by_twenty_kills_under_load() {
    const ROUNDS: usize = 20;
    let mut station = Station::start();
    let (stop, acknowledged) = (AtomicBool::new(false), Mutex::new(BTreeSet::new()));
    let client = station.local();
    let count = || acknowledged.lock().unwrap().len();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| submit_all(&client, &stop, &acknowledged));
        }
        // Whatever fails, the others must be told to stop, or the scope never ends.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 0..ROUNDS {
                let before = count();
                eventually("more is acknowledged", || {
                    (count() > before + 10 + round).then_some(())
                });
                station.kill();
                station.again();
            }
        }));
        stop.store(true, Ordering::Relaxed);
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
    let (acknowledged, found) = (acknowledged.into_inner().unwrap(), all_jobs(&station));
    let lost: Vec<_> = acknowledged.difference(&found).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), acknowledged.len());
    assert!(acknowledged.len() > ROUNDS * 10);
    // One that was stored but not acknowledged any more is possible: one a thread and kill.
    assert!(found.len() <= acknowledged.len() + 4 * ROUNDS);
    station.kill();
    let database = Connection::open(station.workspace().join("stationd.db")).unwrap();
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn a_killed_station_is_back_quickly() {
    let mut station = Station::start();
    for _ in 0..50 {
        station.submit(&json!({"command": ["true"], "hold": true}));
    }
    station.kill();
    let begun = Instant::now();
    station.again();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
