//! Losses: of the station, of the cable, of the machine's memory. Nothing is sent again by itself.

use std::fs;

use serde_json::{Value, json};
use stationd::firmware::Faults;

use super::{
    ROSETTE, await_device, await_lines, bench::Machine, device, drawing, geometry::assert_drawn,
    queue_has_looked, runs::sent_lines, simulated, submit, with_mill, zigzag,
};
use crate::support::{Station, eventually};

/// A mill on a serial port of its own, ten times as fast as a real one.
fn bench() -> (tempfile::TempDir, Machine) {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 10.0, Faults::default());
    (directory, mill)
}

/// Fails unless a machine has been asked who and how it is, and nothing else.
#[track_caller]
fn assert_only_asked(mill: &Machine) {
    let lines = sent_lines(mill);
    assert!(lines.iter().all(|line| line == "$I"), "{lines:?}");
}

fn checkpoint(station: &Station, id: &str) -> Value {
    let dir = station.workspace().join("jobs").join(id);
    // What is newer than the last note that was synced stands beside it.
    let live = fs::read_to_string(dir.join("checkpoint.live"));
    let text = live.or_else(|_| fs::read_to_string(dir.join("checkpoint.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_killed_station_knows_how_far_the_job_was_and_sends_nothing_again() {
    let (_directory, mill) = bench();
    let mut station = with_mill(&mill.port).start();
    let file = zigzag(2000);
    let id = submit(&station, "", &file);
    await_lines(&station, &id, 120);
    station.kill();
    let sent = sent_lines(&mill);
    let whole: Vec<&str> = file.lines().collect();
    assert_eq!(sent[0], "$I");
    assert_eq!(sent[1..], whole[..sent.len() - 1], "what was sent is the file's beginning");
    let known = checkpoint(&station, &id);
    let lines = known["lines_acknowledged"].as_u64().unwrap();
    assert!(lines >= 70 && lines < sent.len() as u64, "{known}, {} lines sent", sent.len() - 1);

    // The machine itself goes on with what it holds. Its cable is out until that is over, so that
    // what it hears afterwards is all from the new station.
    mill.plug(false);
    mill.plug(true);
    station.again();
    let job = station.job(&id);
    assert_eq!((&job["state"], &job["lines_acknowledged"]), (&json!("INTERRUPTED"), &json!(lines)));
    let error = job["error"].as_str().unwrap();
    let line = format!("up to line {lines} of the file");
    assert!(error.contains("the station went down") && error.contains(&line), "{error}");
    await_device(&station, "mill", "idle");
    queue_has_looked(&station);
    assert_only_asked(&mill);
    assert_eq!(station.job(&id)["state"], "INTERRUPTED");
    assert!(station.act(&id, "resume").refused(409).contains("only as a person"));
    assert_only_asked(&mill);
}

#[test]
fn an_interrupted_job_runs_again_from_its_beginning_when_a_person_says_so() {
    let mut station = simulated("10").start();
    let id = submit(&station, "name=zigzag", &zigzag(100));
    await_lines(&station, &id, 20);
    station.kill();
    station.again();
    assert_eq!(station.job(&id)["state"], "INTERRUPTED");
    queue_has_looked(&station);
    assert_eq!(drawing(&station)["total"], 0, "a new machine, and nothing was sent to it");
    assert!(matches!(
        station.act(&id, "retry").expect(200)["state"].as_str(),
        Some("QUEUED" | "RUNNING")
    ));
    let job = station.await_job(&id, "COMPLETED");
    assert_drawn(&zigzag(100), &drawing(&station));
    assert_eq!((&job["attempts"], &job["error"]), (&json!(2), &Value::Null));
}

#[test]
fn an_unplugged_machine_interrupts_its_job_and_comes_back_by_itself() {
    let (_directory, mill) = bench();
    let station = with_mill(&mill.port).start();
    let id = submit(&station, "", &zigzag(2000));
    let (next, waiting) =
        (submit(&station, "hold=true", "G0 X1\n"), submit(&station, "device=mill", "G0 X2\n"));
    await_lines(&station, &id, 60);
    mill.plug(false);
    let job = station.await_job(&id, "INTERRUPTED");
    let error = job["error"].as_str().unwrap();
    assert!(
        error.contains("port is gone") || error.contains("link to the machine was lost"),
        "{error}"
    );
    assert!(job["lines_acknowledged"].as_u64() >= Some(60), "{job}");
    let gone = await_device(&station, "mill", "disconnected");
    assert!(gone["error_message"].as_str().is_some_and(|why| !why.is_empty()), "{gone}");
    assert_eq!(gone["position"], Value::Null, "nobody knows where it is");
    let health = station.local().get("/health").expect(200);
    assert_eq!(health["status"], "degraded");
    assert!(health["checks"]["devices"].as_str().unwrap().contains("mill"), "{health}");

    mill.plug(true);
    await_device(&station, "mill", "idle");
    queue_has_looked(&station);
    assert_only_asked(&mill);
    assert_eq!(station.job(&id)["state"], "INTERRUPTED");
    assert_eq!(station.local().get("/health").expect(200)["status"], "healthy");
    // Half a part lies on it: what waited already waits for a person, who may say something else.
    assert_eq!(station.job(&waiting)["state"], "QUEUED");
    let queue = station.local().get("/api/v1/queue").expect(200);
    let told = queue["items"].as_array().unwrap().iter().find(|job| job["id"] == json!(waiting));
    assert_eq!(told.unwrap()["waits_for"], "person", "{queue}");
    assert_eq!(told.unwrap()["blocked_by"], json!(id), "{queue}");
    assert!(told.unwrap()["why"].as_str().unwrap().contains(&id), "{queue}");
    station.act(&next, "release").expect(200);
    station.await_job(&next, "COMPLETED");
    queue_has_looked(&station);
    assert_eq!(station.job(&waiting)["state"], "QUEUED");
    assert_eq!(station.act(&id, "cancel").expect(200)["state"], "CANCELLED");
    station.await_job(&waiting, "COMPLETED");
}

#[test]
fn a_machine_that_is_not_there_yet_is_waited_for() {
    let (_directory, mill) = bench();
    mill.plug(false);
    eventually("the cable is out", || (!fs::exists(&mill.port).unwrap()).then_some(()));
    let station = with_mill(&mill.port).start();
    let missing = await_device(&station, "mill", "disconnected");
    assert!(missing["error_message"].as_str().unwrap().contains("ttyMILL"), "{missing}");
    let id = submit(&station, "", "G0 X1\n");
    queue_has_looked(&station);
    assert_eq!(station.job(&id)["state"], "QUEUED");
    mill.plug(true);
    station.local().post("/api/v1/devices/mill/connect", &Value::Null).expect(200);
    station.await_job(&id, "COMPLETED");
}

#[test]
fn a_machine_disconnected_by_hand_stays_so_until_it_is_connected_by_hand() {
    let (_directory, mill) = bench();
    let station = with_mill(&mill.port).start();
    await_device(&station, "mill", "idle");
    let on = |action: &str| {
        let path = format!("/api/v1/devices/mill/{action}");
        station.tcp().post(&path, &Value::Null).expect(200)
    };
    assert_eq!(on("disconnect")["status"], "disconnected", "the answer is how it is by then");
    let id = submit(&station, "", "G0 X1\n");
    queue_has_looked(&station);
    assert_eq!(station.job(&id)["state"], "QUEUED");
    on("connect");
    station.await_job(&id, "COMPLETED");
}

#[test]
fn a_disconnect_in_the_middle_of_a_job_is_answered_once_the_machine_is_safe() {
    let (_directory, mill) = bench();
    let station = with_mill(&mill.port).start();
    let id = submit(&station, "", &zigzag(2000));
    await_lines(&station, &id, 60);
    let answer = station.tcp().post("/api/v1/devices/mill/disconnect", &Value::Null).expect(200);
    assert_eq!(answer["status"], "disconnected", "{answer}");
    station.await_job(&id, "INTERRUPTED");
}

#[test]
fn a_machine_that_starts_anew_interrupts_its_job() {
    let (_directory, mill) = bench();
    let station = with_mill(&mill.port).start();
    let id = submit(&station, "", &zigzag(2000));
    await_lines(&station, &id, 60);
    mill.reset();
    let job = station.await_job(&id, "INTERRUPTED");
    let error = job["error"].as_str().unwrap();
    assert!(error.contains("the machine was reset") && error.contains("home it first"), "{error}");
    let before = sent_lines(&mill).len();
    await_device(&station, "mill", "idle");
    queue_has_looked(&station);
    let after = sent_lines(&mill);
    assert!(after[before - 1..].iter().filter(|line| *line != "$I").count() <= 1, "{after:?}");
    let asked = after.iter().rposition(|line| line == "$I").unwrap();
    assert!(asked > 1 && asked + 1 == after.len(), "asked who it is, then left alone: {after:?}");
}

#[test]
fn a_machine_on_the_network_that_hangs_up_interrupts_its_job() {
    let mill = Machine::tcp(10.0, Faults::default());
    let station = with_mill(&mill.port).start();
    let id = submit(&station, "", &zigzag(2000));
    await_lines(&station, &id, 20);
    mill.plug(false);
    station.await_job(&id, "INTERRUPTED");
    mill.plug(true);
    await_device(&station, "mill", "idle");
    queue_has_looked(&station);
    assert_only_asked(&mill);
    assert_eq!(device(&station, "mill")["current_job_id"], Value::Null);
}

#[test]
fn a_job_of_a_crashed_device_manager_is_interrupted_and_the_machine_is_free_again() {
    let (_directory, mill) = bench();
    let station = with_mill(&mill.port).start();
    let id = submit(&station, "", &zigzag(2000));
    await_lines(&station, &id, 20);
    let fault = json!({"fault": "panic"});
    station.local().post("/api/v1/daemons/device-manager/fault", &fault).expect(200);
    let job = station.await_job(&id, "INTERRUPTED");
    assert!(job["error"].as_str().unwrap().contains("line"), "{job}");
    let next = submit(&station, "", "G0 X1\n");
    station.await_job(&next, "COMPLETED");
    assert_eq!(station.job(&id)["state"], "INTERRUPTED");
    // The old one's link was closed safely: hold, reset, tool off.
    assert!(sent_lines(&mill).iter().any(|line| line == "M5"), "{:?}", sent_lines(&mill));
}

#[test]
fn a_file_too_large_for_the_database_is_streamed_from_disk() {
    let station = simulated("0").start();
    let file = ROSETTE.replace("M2\n", "") + &ROSETTE.replace("M2\n", "");
    assert!(file.len() > 64 * 1024);
    let id = submit(&station, "", &file);
    station.await_job(&id, "COMPLETED");
    assert_drawn(&file, &drawing(&station));
    assert_eq!(fs::read_dir(station.workspace().join("files")).unwrap().count(), 1);
    let back = station.local().get(&format!("/api/v1/jobs/{id}/file"));
    assert_eq!(back.text(), file);
}
