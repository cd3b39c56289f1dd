//! Pausing, draining and going on, for all of the queue and for one device.

use std::fs;

use serde_json::json;

use super::{queue, why};
use crate::support::{Station, eventually};

const WAIT_FOR_FILE: &str = "while [ ! -e \"$0\" ]; do sleep 0.01; done";

#[test]
fn a_paused_queue_starts_nothing_until_it_is_resumed_also_after_a_restart() {
    let mut station = Station::start();
    assert_eq!(queue(&station)["state"], "running");
    station.cli(["queue", "pause"]).exited(0);
    let id = station.submit(&json!({"command": ["true"]}));
    station.stop();
    station.again();
    let shown = queue(&station);
    assert_eq!((&shown["state"], &shown["queued"]), (&json!("paused"), &json!(1)));
    assert_eq!(why(&station, &id).0, "paused");
    let text = station.cli(["queue", "show"]).exited(0).stdout;
    assert!(text.contains("queue: paused") && text.contains("the queue is paused"), "{text}");
    let resumed = station.local().post("/api/v1/queue/resume", &json!({})).expect(200);
    assert_eq!(resumed["state"], "running");
    station.await_job(&id, "COMPLETED");
    let local = station.local();
    local.post("/api/v1/queue/pause", &json!({"device": "none"})).refused(404);
    local.post("/api/v1/queue/pause", &json!({"devices": []})).refused(422);
}

#[test]
fn a_drained_queue_has_run_what_waited_and_takes_nothing_new() {
    let mut station = Station::with().set("queue.max_concurrent_commands", "1").start();
    let go = station.home().join("go");
    let first = station.submit(&json!({"command": ["sh", "-c", WAIT_FOR_FILE, go]}));
    let second = station.submit(&json!({"command": ["true"], "depends_on": [first]}));
    let held = station.submit(&json!({"command": ["true"], "hold": true}));
    let later = station.submit(&json!({"command": ["true"], "not_before": "+1h"}));
    station.cli(["queue", "drain"]).exited(0);
    assert_eq!(queue(&station)["state"], "draining");
    let refused = station.local().post("/api/v1/jobs", &json!({"command": ["true"]}));
    assert!(refused.header("retry-after").is_some());
    let why = refused.refused(503);
    assert!(why.contains("draining") && why.contains("queue resume"), "{why}");
    fs::write(&go, "").unwrap();
    let told = station.cli(["queue", "drain", "--wait"]).exited(0).stdout;
    let drained = "queue: drained (nothing is left that can run, takes no new jobs)\n";
    assert_eq!(told, drained);
    assert!(station.cli(["queue", "show"]).exited(0).stdout.starts_with(drained));
    let refused = station.cli(["run", "--", "true"]).exited(1).stderr;
    assert!(refused.contains("`stationd queue resume`"), "{refused}");
    assert!(!refused.contains("in a moment"), "{refused}");
    assert_eq!(queue(&station)["state"], "drained");
    assert_eq!(station.job(&second)["state"], "COMPLETED");
    assert_eq!(station.job(&held)["state"], "HELD");
    assert_eq!(station.job(&later)["state"], "QUEUED");
    let events = station.local().get("/api/v1/events?type=system_alert&limit=100").expect(200);
    assert!(events.to_string().contains("queue drained"), "{events}");
    station.stop();
    station.again();
    station.local().post("/api/v1/jobs", &json!({"command": ["true"]})).refused(503);
    station.cli(["queue", "resume"]).exited(0);
    let id = station.submit(&json!({"command": ["true"]}));
    station.await_job(&id, "COMPLETED");
}

#[test]
fn a_paused_device_leaves_its_jobs_waiting_and_says_so() {
    let station = Station::with().simulate("grbl").start();
    station.cli(["queue", "pause", "--device", "SIM_GRBL"]).exited(0);
    let file = station.home().join("a.gcode");
    fs::write(&file, "G21\nG90\nG1 X1 F600\n").unwrap();
    let file = file.to_str().unwrap();
    let submitted = station.cli(["submit", file, "--device", "sim-grbl", "--json"]).exited(0);
    let id = submitted.json()["id"].as_str().unwrap().to_owned();
    let program = station.submit(&json!({"command": ["true"]}));
    station.await_job(&program, "COMPLETED");
    let (waits_for, text) = why(&station, &id);
    assert_eq!((waits_for.as_str(), text.as_str()), ("paused", "device sim-grbl is paused"));
    station.cli(["queue", "drain", "--device", "sim-grbl"]).exited(0);
    station.await_job(&id, "COMPLETED");
    eventually("the device is drained", || {
        (queue(&station)["parts"][0]["mode"] == "drained").then_some(())
    });
    let refused = station.cli(["submit", file, "--device", "sim-grbl"]).exited(1).stderr;
    assert!(refused.contains("drained"), "{refused}");
    station.cli(["queue", "resume", "--device", "sim-grbl"]).exited(0);
    station.cli(["submit", file, "--device", "sim-grbl", "--watch"]).exited(0);
}
