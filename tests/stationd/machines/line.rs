//! Jobs on machines that only acknowledge lines.

use serde_json::json;
use stationd::firmware::Faults;

use super::{
    await_device, await_lines, bench::Machine, geometry::assert_drawn, queue_has_looked, submit,
    with_devices, zigzag,
};
use crate::support::Station;

fn plain(speed: f64, faults: Faults) -> (tempfile::TempDir, Machine, Station) {
    let directory = tempfile::tempdir().unwrap();
    let machine = Machine::of("line", directory.path(), speed, faults);
    let device = json!([{"name": "knife", "driver": "line", "port": machine.port, "timeout": "2s",
        "on_stop": ["G0 Z5", "off"],
        "line": {"banner": "^line machine ready", "halt": ["!"], "pause": ["hold"]}}]);
    let station = with_devices(&device).start();
    (directory, machine, station)
}

fn sent(machine: &Machine) -> Vec<String> {
    String::from_utf8(machine.heard()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_file_is_drawn_by_the_machine_that_is_named() {
    let station = Station::with().simulate("line").set("simulator.speed", "0").start();
    let unnamed =
        station.local().request("POST", "/api/v1/jobs?name=a.gcode", &[], b"G21\nG1 X1\n");
    unnamed.refused(422);
    // It does not move where it is.
    let file = zigzag(100).replace("G0 X0 Y0\n", "");
    let id = submit(&station, "name=zigzag.gcode&device=sim-line", &file);
    let job = station.await_job(&id, "COMPLETED");
    assert_eq!((&job["driver"], &job["lines_acknowledged"]), (&json!("line"), &json!(105)));
    let drawing = station.local().get("/api/v1/devices/sim-line/drawing").expect(200);
    assert_drawn(&file, &drawing);
    let lines = submit(&station, "name=two.lines", "cut 1\nhome\n");
    station.await_job(&lines, "COMPLETED");
}

#[test]
fn a_refused_line_fails_the_job_and_is_named() {
    let (_directory, machine, station) = plain(0.0, Faults::default());
    let id = submit(&station, "name=a.lines", "one\n\nbad two\nthree\n");
    let job = station.await_job(&id, "FAILED");
    let error = job["error"].as_str().unwrap();
    assert!(error.starts_with("line 3: error: line 2 is not understood"), "{error}");
    assert_eq!(sent(&machine), ["one", "bad two", "!", "G0 Z5", "off"]);
}

#[test]
fn a_lost_acknowledgement_interrupts_the_job_and_nothing_is_sent_twice() {
    let (_directory, machine, station) =
        plain(0.0, Faults { drop_ok: Some(20), ..Faults::default() });
    let id = submit(&station, "name=a.gcode&device=knife", &zigzag(100));
    let job = station.await_job(&id, "INTERRUPTED");
    assert!(job["error"].as_str().unwrap().contains("acknowledged a line for 2 s"), "{job}");
    let whole = zigzag(100);
    let beginning: Vec<&str> = whole.lines().take(20).collect();
    assert_eq!(sent(&machine)[..20], beginning);
    assert_eq!(sent(&machine)[20..], ["!", "G0 Z5", "off"]);
}

#[test]
fn a_cancel_halts_the_machine_and_a_pause_holds_it() {
    let (_directory, machine, station) = plain(10.0, Faults::default());
    let id = submit(&station, "name=a.gcode&device=knife", &zigzag(2000));
    await_lines(&station, &id, 40);
    assert_eq!(station.act(&id, "pause").expect(200)["state"], "PAUSED");
    assert_eq!(sent(&machine).last().map(String::as_str), Some("hold"));
    station.act(&id, "resume").expect(200);
    assert_eq!(station.act(&id, "cancel").expect(200)["state"], "CANCELLED");
    assert!(sent(&machine).ends_with(&["!", "G0 Z5", "off"].map(str::to_owned)));
    // Its last line is acknowledged before the pen is up.
    let strokes = || machine.drawing().moves.iter().filter(|to| to.draw).count();
    let drawn = strokes();
    queue_has_looked(&station);
    assert_eq!(strokes(), drawn, "nothing is drawn any more");
    await_device(&station, "knife", "idle");
}

#[test]
fn an_unplugged_machine_interrupts_its_job_and_nothing_is_sent_by_itself() {
    let (_directory, machine, station) = plain(10.0, Faults::default());
    let id = submit(&station, "name=a.gcode&device=knife", &zigzag(2000));
    await_lines(&station, &id, 40);
    machine.plug(false);
    station.await_job(&id, "INTERRUPTED");
    machine.plug(true);
    await_device(&station, "knife", "idle");
    queue_has_looked(&station);
    assert_eq!(sent(&machine), [""; 0]);
    assert!(station.act(&id, "resume").refused(409).len() > 10);
}
