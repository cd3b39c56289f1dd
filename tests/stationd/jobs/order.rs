//! Whose turn it is, and who has to wait for what.

use std::{
    fs,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::WAIT_FOR_FILE;
use crate::support::{Station, eventually};

#[test]
fn the_higher_priority_runs_first_and_then_the_older() {
    let station = Station::with().set("queue.max_concurrent_commands", "1").start();
    let (go, order) = (station.home().join("go"), station.home().join("order"));
    let first = station.submit(&json!({"command": ["sh", "-c", WAIT_FOR_FILE, go]}));
    station.await_job(&first, "RUNNING");
    let write = |name: &str, priority: Value| {
        let command = json!(["sh", "-c", "echo $1 >> \"$0\"", order, name]);
        station.submit(&json!({"command": command, "priority": priority}))
    };
    let mut ids = Vec::new();
    for (name, priority) in [
        ("normal-1", json!(0)),
        ("low", json!("low")),
        ("high", json!("high")),
        ("normal-2", json!("normal")),
        ("eleven", json!(11)),
        ("critical", json!("critical")),
        ("minus", json!(-20)),
    ] {
        ids.push(write(name, priority));
    }
    fs::write(go, "").unwrap();
    for id in ids {
        station.await_job(&id, "COMPLETED");
    }
    let order = fs::read_to_string(order).unwrap();
    let names: Vec<_> = order.lines().collect();
    assert_eq!(names, ["critical", "eleven", "high", "normal-1", "normal-2", "low", "minus"]);
}

#[test]
fn no_more_run_at_the_same_time_than_are_allowed() {
    let station = Station::with().set("queue.max_concurrent_commands", "3").start();
    let (go, running) = (station.home().join("go"), station.home().join("running"));
    fs::create_dir(&running).unwrap();
    // None goes away before all have counted.
    let script =
        format!("mkdir $1/$$ && ls $1 | wc -l; mkdir $1/$$/counted; {WAIT_FOR_FILE}; rm -r $1/$$");
    let ids: Vec<_> = (0..8)
        .map(|_| station.submit(&json!({"command": ["sh", "-c", script, go, running]})))
        .collect();
    eventually("three run", || {
        let places = fs::read_dir(&running).unwrap().flatten();
        (places.filter(|it| it.path().join("counted").exists()).count() == 3).then_some(())
    });
    let queue = station.local().get("/api/v1/status").expect(200);
    assert_eq!((&queue["active_jobs"], &queue["queue_length"]), (&json!(3), &json!(5)));
    fs::write(go, "").unwrap();
    let most = ids.iter().map(|id| {
        station.await_job(id, "COMPLETED");
        super::output(&station, id).trim().parse::<usize>().unwrap()
    });
    assert_eq!(most.max(), Some(3));
}

#[test]
fn a_held_job_waits_for_a_person() {
    let station = Station::start();
    let held = station.submit(&json!({"command": ["true"], "hold": true}));
    let other = station.submit(&json!({"command": ["true"]}));
    station.await_job(&other, "COMPLETED");
    assert_eq!(station.job(&held)["state"], "HELD");
    assert_eq!(station.act(&held, "release").expect(200)["state"], "QUEUED");
    station.await_job(&held, "COMPLETED");
    let cancelled = station.submit(&json!({"command": ["true"], "hold": true}));
    assert_eq!(station.act(&cancelled, "cancel").expect(200)["state"], "CANCELLED");
}

#[test]
fn a_job_waits_for_its_time() {
    let station = Station::start();
    let at = Timestamp::now() + Duration::from_millis(700);
    let id = station.submit(&json!({"command": ["true"], "not_before": at.to_string()}));
    let soon = station.submit(&json!({"command": ["true"]}));
    station.await_job(&soon, "COMPLETED");
    let job = station.await_job(&id, "COMPLETED");
    let started: Timestamp = job["started_at"].as_str().unwrap().parse().unwrap();
    let late = started.as_millisecond() - at.as_millisecond();
    assert!((0..5000).contains(&late), "{late} ms");
}

#[test]
fn a_job_waits_for_those_it_needs() {
    let station = Station::start();
    let go = station.home().join("go");
    let first = station.submit(&json!({"command": ["sh", "-c", WAIT_FOR_FILE, go]}));
    let held = station.submit(&json!({"command": ["true"], "hold": true}));
    let needs = |ids: &[&str]| {
        station.submit(&json!({"command": ["true"], "depends_on": ids, "priority": "critical"}))
    };
    let second = needs(&[&first]);
    let both = needs(&[&second, &held]);
    let other = station.submit(&json!({"command": ["true"]}));
    station.await_job(&other, "COMPLETED");
    assert_eq!(station.job(&second)["state"], "QUEUED");
    fs::write(go, "").unwrap();
    station.await_job(&second, "COMPLETED");
    assert_eq!(station.job(&both)["state"], "QUEUED");
    station.act(&held, "release").expect(200);
    station.await_job(&both, "COMPLETED");

    let fails = station.submit(&json!({"command": ["false"]}));
    let hopeless = needs(&[&fails]);
    let more = needs(&[&hopeless]);
    for id in [&hopeless, &more] {
        let job = station.await_job(id, "FAILED");
        assert!(job["error"].as_str().unwrap().contains("depends on"), "{job}");
        assert_eq!(job["attempts"], 0, "it never ran");
    }
}

#[test]
fn a_job_that_fails_is_tried_again_after_a_growing_time() {
    let station = Station::with().set("queue.retry.jitter", "0").start();
    let tries = station.home().join("tries");
    let script = "date +%s%3N >> \"$0\"; test $(wc -l < \"$0\") = 3";
    let command = json!(["sh", "-c", script, tries]);
    let id = station.submit(&json!({"command": command, "max_attempts": 5}));
    let job = station.await_job(&id, "COMPLETED");
    assert_eq!(job["attempts"], 3);
    let times: Vec<i64> =
        fs::read_to_string(tries).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    let (first, second) = (times[1] - times[0], times[2] - times[1]);
    assert!((1000..2000).contains(&first) && (2000..3500).contains(&second), "{times:?}");

    let id = station.submit(&json!({"command": ["false"], "max_attempts": 2}));
    eventually("it has failed for good", || {
        let job = station.job(&id);
        (job["state"] == "FAILED" && job["attempts"] == 2).then_some(())
    });
}

#[test]
fn a_submission_that_is_repeated_is_one_job() {
    let station = Station::start();
    let post = |key: &str| {
        let client = station.local().with_header("Idempotency-Key", key);
        client.post("/api/v1/jobs", &json!({"command": ["true"]}))
    };
    let first = post("one");
    assert_eq!(first.header("idempotent-replayed"), None);
    let id = first.expect(201)["id"].clone();
    let again = post("one");
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect(201)["id"], id);
    assert_ne!(post("two").expect(201)["id"], id);
    // Also of those that come at the same time.
    let ids = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| post("three").expect(201))).collect();
        all.into_iter().map(|it| it.join().unwrap()["id"].to_string()).collect::<Vec<_>>()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn a_job_runs_soon_after_it_was_submitted() {
    let station = Station::start();
    let begun = Instant::now();
    for _ in 0..20 {
        let id = station.submit(&json!({"command": ["true"]}));
        station.await_job(&id, "COMPLETED");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?} for 20 jobs", begun.elapsed());
}
