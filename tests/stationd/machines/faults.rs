//! Machines that refuse, lock themselves, talk nonsense or fall silent.

use serde_json::{Value, json};
use stationd::firmware::Faults;

use super::{
    ROSETTE, SIM, await_device, bench::Machine, geometry::assert_drawn, queue_has_looked,
    simulated, submit, with_mill, zigzag,
};
use crate::support::Station;

fn mill(speed: f64, faults: Faults) -> (tempfile::TempDir, Machine, Station) {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), speed, faults);
    let station = with_mill(&mill.port).start();
    (directory, mill, station)
}

#[track_caller]
fn error(job: &Value) -> &str {
    job["error"].as_str().unwrap_or_else(|| panic!("{job}"))
}

#[test]
fn a_refused_line_fails_the_job_and_is_named_with_its_meaning() {
    let station = simulated("0").start();
    let id = submit(&station, "", "G21\n; nothing\nG0 X1\n\nG99 X4\nG0 X9\n");
    let job = station.await_job(&id, "FAILED");
    assert!(
        error(&job).starts_with("line 5: error:20: a word or command that is not supported"),
        "{job}"
    );
    assert!(error(&job).ends_with("G99 X4"), "{job}");
    let metrics = station.local().get("/metrics").text();
    assert!(metrics.contains("\nstationd_job_errors_total 1\n"), "{metrics}");
    await_device(&station, SIM, "idle");
    let next = submit(&station, "", "G0 X2\n");
    station.await_job(&next, "COMPLETED");
    assert_eq!(station.job(&id)["state"], "FAILED");
    station.act(&id, "retry").expect(200);
    assert_eq!(station.await_job(&id, "FAILED")["attempts"], 2);
}

#[test]
fn a_line_that_the_machine_would_cut_off_is_never_sent() {
    let station = simulated("0").start();
    let long = format!("G0 X1\nG1 X1.{} F9\n", "0".repeat(100));
    let id = submit(&station, "force=true", &long);
    let job = station.await_job(&id, "FAILED");
    assert!(error(&job).starts_with("line 2: the line has 10"), "{job}");
}

#[test]
fn a_soft_limit_fails_the_job_and_locks_the_machine_until_a_person_unlocks_it() {
    let (_directory, _mill, station) =
        mill(0.0, Faults { alarm_at_line: Some((10, 2)), ..Faults::default() });
    let id = submit(&station, "", &zigzag(50));
    let job = station.await_job(&id, "FAILED");
    assert!(error(&job).starts_with("line 9: ALARM:2: a move beyond the soft limits"), "{job}");
    let locked = await_device(&station, "mill", "alarm");
    assert!(locked["error_message"].as_str().unwrap().contains("ALARM:2"), "{locked}");
    assert!(locked["error_count"].as_u64() >= Some(1), "{locked}");
    let next = submit(&station, "", "G0 X1\n");
    queue_has_looked(&station);
    assert_eq!(station.job(&next)["state"], "QUEUED");
    station.tcp().post("/api/v1/devices/mill/unlock", &Value::Null).expect(200);
    station.await_job(&next, "COMPLETED");
}

#[test]
fn a_limit_switch_interrupts_the_job_and_asks_for_homing() {
    let (_directory, _mill, station) =
        mill(0.0, Faults { alarm_at_line: Some((20, 1)), ..Faults::default() });
    let id = submit(&station, "", &zigzag(50));
    let job = station.await_job(&id, "INTERRUPTED");
    assert!(error(&job).starts_with("ALARM:1: a limit switch was hit"), "{job}");
    assert!(error(&job).contains("home it first"), "{job}");
    await_device(&station, "mill", "alarm");
    station.tcp().post("/api/v1/devices/mill/home", &Value::Null).expect(200);
    await_device(&station, "mill", "idle");
}

#[test]
fn line_noise_between_the_answers_changes_nothing() {
    let (_directory, mill, station) =
        mill(0.0, Faults { garbage: 0.3, seed: 7, ..Faults::default() });
    await_device(&station, "mill", "idle");
    mill.say(b"\x00\xff\xfe<img src=x onerror=alert(1)>\x1b[2J\r\n");
    mill.say(&vec![b'x'; 100_000]);
    mill.say(b"\r\n[MSG:]\r\n<>\r\n<|||>\r\n<Idle|MPos:a,b,c>\r\n");
    let id = submit(&station, "", ROSETTE);
    station.await_job(&id, "COMPLETED");
    assert_drawn(ROSETTE, &serde_json::to_value(mill.drawing()).unwrap());
    assert!(!station.log().contains('\u{1b}'), "no control character reaches the log");
}

#[test]
fn a_machine_that_brings_nothing_but_noise_gets_no_job() {
    let (_directory, mill, station) = mill(0.0, Faults { silent: true, ..Faults::default() });
    let id = submit(&station, "", "G0 X1\n");
    mill.say(b"ok\r\nok\r\n<Idle|MPos:0,0,0>\r\nerror:1\r\n");
    queue_has_looked(&station);
    assert_eq!(super::device(&station, "mill")["status"], "connecting");
    assert_eq!(station.job(&id)["state"], "QUEUED");
}

#[test]
fn a_machine_that_falls_silent_interrupts_its_job() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Faults { silent_at_line: Some(30), ..Faults::default() };
    let mill = Machine::serial(directory.path(), 0.0, faults);
    let station = super::with_devices(&json!([{"name": "mill", "driver": "grbl",
        "port": mill.port, "timeout": "1s"}]))
    .start();
    let id = submit(&station, "", &zigzag(100));
    let job = station.await_job(&id, "INTERRUPTED");
    assert!(error(&job).contains("has not answered for 1 s"), "{job}");
    assert!(error(&job).contains("did not confirm that it stopped"), "{job}");
    assert_eq!(job["lines_acknowledged"], 28, "{job}");
}

#[test]
fn a_lost_answer_interrupts_the_job_and_nothing_is_sent_twice() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Faults { drop_ok: Some(40), ..Faults::default() };
    let mill = Machine::serial(directory.path(), 0.0, faults);
    let station = super::with_devices(&json!([{"name": "mill", "driver": "grbl",
        "port": mill.port, "timeout": "1s"}]))
    .start();
    let file = zigzag(50);
    let id = submit(&station, "", &file);
    let job = station.await_job(&id, "INTERRUPTED");
    assert!(error(&job).contains("has acknowledged nothing for 1 s"), "{job}");
    let sent = super::runs::sent_lines(&mill);
    assert_eq!(sent[1..], file.lines().collect::<Vec<_>>(), "each line once");
}
