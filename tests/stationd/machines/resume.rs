//! Jobs that were interrupted go on where the machine is known to have been, when a person has
//! looked at how and has confirmed it.

use serde_json::{Value, json};
use stationd::firmware::Faults;

use super::{
    await_device, await_done, await_lines,
    bench::Machine,
    plotters::{drawn as drawn_by, many, with_pen},
    queue_has_looked,
    runs::sent_lines,
    submit, with_mill,
};
use crate::support::Station;

/// So many strokes of 50 mm, each with the pen up before it.
pub(super) fn strokes(count: u32) -> String {
    let stroke = |y| format!("G0 Z5\nG0 X0 Y{y}\nG1 Z0 F6000\nG1 X50 F6000\n");
    let all: String = (1..=count).map(stroke).collect();
    format!("G21\nG90\n{all}G0 Z5\n")
}

/// How often each stroke was drawn to its end.
pub(super) fn drawn(mill: &Machine, count: u32) -> Vec<usize> {
    let moves = mill.drawing().moves;
    let ends = |y: u32| {
        let at = |to: f64, wanted: f64| (to - wanted).abs() < 1e-6;
        let end = |it: &&stationd::firmware::Move| {
            it.draw && at(it.to[0], 50.0) && at(it.to[1], f64::from(y))
        };
        moves.iter().filter(end).count()
    };
    (1..=count).map(ends).collect()
}

#[track_caller]
pub(super) fn plan(station: &Station, id: &str) -> Value {
    station.local().get(&format!("/api/v1/jobs/{id}/resume")).expect(200)
}

#[track_caller]
pub(super) fn confirm(station: &Station, id: &str, body: &Value) -> crate::support::Answer {
    station.local().post(&format!("/api/v1/jobs/{id}/resume"), body)
}

/// The event that tells of an interrupted job going on.
#[track_caller]
fn going_on(station: &Station, id: &str) -> Value {
    let history = format!("/api/v1/events?resource=job:{id}&limit=100");
    let events = station.local().get(&history).expect(200);
    let mut events = events["items"].as_array().unwrap().iter();
    let found = events.find(|it| it["from_state"] == "INTERRUPTED" && it["to_state"] == "RUNNING");
    found.expect("the event of going on").clone()
}

/// Fails unless every stroke was drawn, and none twice that was certain when the job went on.
#[track_caller]
fn assert_whole(mill: &Machine, count: u32, plan: &Value) {
    let drawn = drawn(mill, count);
    assert!(drawn.iter().all(|times| *times >= 1), "{drawn:?}");
    // Two lines of setting up, four to a stroke.
    let certain = (plan["last_certain_line"].as_u64().unwrap().saturating_sub(2) / 4) as usize;
    assert!(drawn[..certain].iter().all(|times| *times == 1), "{certain} certain: {drawn:?}");
}

#[test]
fn after_a_pulled_cable_a_job_goes_on_once_the_machine_is_home_and_a_person_has_said_so() {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 10.0, Faults::default());
    let station = with_mill(&mill.port).start();
    let id = submit(&station, "name=strokes.nc", &strokes(60));
    await_lines(&station, &id, 60);
    mill.plug(false);
    station.await_job(&id, "INTERRUPTED");
    assert!(confirm(&station, &id, &json!({})).refused(409).contains("only as a person"));
    let disconnected = plan(&station, &id);
    assert_eq!(disconnected["confidence"], "needs_homing");
    let answer = confirm(&station, &id, &json!({"token": disconnected["token"], "force": true}));
    assert!(answer.refused(409).contains("has to be idle"));

    mill.plug(true);
    await_device(&station, "mill", "idle");
    let lost = plan(&station, &id);
    assert_eq!(lost["confidence"], "needs_homing", "{lost}");
    assert_ne!(lost["token"], disconnected["token"]);
    let old = confirm(&station, &id, &json!({"token": disconnected["token"]})).refused(409);
    assert!(old.contains("the plan has changed"), "{old}");
    let refused = confirm(&station, &id, &json!({"token": lost["token"]})).refused(409);
    assert!(refused.contains("home the machine"), "{refused}");
    let shown = station.cli(["job", "resume", &id]).exited(1);
    assert!(shown.stdout.contains("Position: needs homing"), "{shown:?}");
    assert!(shown.stderr.contains("--yes --force"), "{shown:?}");
    queue_has_looked(&station);
    assert!(sent_lines(&mill).iter().all(|line| line == "$I"), "nothing moves by itself");

    station.cli(["device", "home", "mill"]).exited(0);
    let certain = plan(&station, &id);
    assert_eq!(certain["confidence"], "certain", "{certain}");
    assert!(certain["last_certain_line"].as_u64().unwrap() >= 40, "{certain}");
    let preamble = certain["preamble"].as_array().unwrap();
    assert!(preamble.iter().any(|line| line.as_str().unwrap().starts_with("G0 Z")), "{certain}");
    let told = station.cli(["job", "resume", &id, "--yes"]).exited(0);
    assert_eq!(told.stdout, format!("{id}: RUNNING\n"));
    // Asked again, it is what it is: nothing starts a second time.
    confirm(&station, &id, &json!({"token": certain["token"]}));
    let done = station.await_job(&id, "COMPLETED");
    assert_eq!((&done["progress_percentage"], &done["attempts"]), (&json!(100.0), &json!(1)));
    assert_whole(&mill, 60, &certain);
    let resumed = going_on(&station, &id);
    assert!(resumed["reason"].as_str().unwrap().starts_with("goes on at line "), "{resumed}");
    assert!(resumed["metadata"]["actor"].is_string(), "{resumed}");
}

#[test]
fn after_a_kill_a_job_goes_on_too() {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 10.0, Faults::default());
    let mut station = with_mill(&mill.port).start();
    let id = submit(&station, "", &strokes(60));
    await_lines(&station, &id, 80);
    station.kill();
    station.again();
    await_device(&station, "mill", "idle");
    let lost = plan(&station, &id);
    assert_eq!(lost["confidence"], "needs_homing", "{lost}");
    assert!(lost["reason"].as_str().unwrap().contains("the station went down"), "{lost}");
    station.cli(["device", "home", "mill"]).exited(0);
    let certain = plan(&station, &id);
    assert_eq!(certain["confidence"], "certain", "{certain}");
    station.cli(["job", "resume", &id, "--yes"]).exited(0);
    station.await_job(&id, "COMPLETED");
    assert_whole(&mill, 60, &lost);
    let resumed = going_on(&station, &id);
    assert!(!resumed["reason"].as_str().unwrap().contains("forced"), "{resumed}");
}

#[test]
fn a_cut_above_zero_is_gone_on_with_and_not_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 10.0, Faults::default());
    let mut station = with_mill(&mill.port).start();
    // Zero is on the table under the work, and the router is switched by hand.
    let file =
        "G21\nG90\nG0 X10 Y10 Z20\nG1 Z5 F600\nG1 X60 F300\nG1 Y30\nG1 X10\nG1 Y10\nG0 Z20\n";
    let id = submit(&station, "", file);
    await_lines(&station, &id, 9);
    station.kill();
    station.again();
    await_device(&station, "mill", "idle");
    station.cli(["device", "home", "mill"]).exited(0);
    let offer = plan(&station, &id);
    assert_eq!((&offer["from_line"], &offer["lines_left"]), (&json!(4), &json!(6)), "{offer}");
    station.cli(["job", "resume", &id, "--yes"]).exited(0);
    let done = station.await_job(&id, "COMPLETED");
    assert!(done["analysis"]["draw_length_mm"].as_f64().unwrap() > 140.0, "{done}");
    let moves: Vec<[f64; 3]> = mill.drawing().moves.iter().map(|it| it.to).collect();
    let cut = [[60.0, 10.0, 5.0], [60.0, 30.0, 5.0], [10.0, 30.0, 5.0], [10.0, 10.0, 5.0]];
    let same = |moves: &[[f64; 3]]| {
        let pairs = moves.iter().flatten().zip(cut.iter().flatten());
        pairs.into_iter().all(|(is, wanted)| (is - wanted).abs() < 1e-6)
    };
    assert!(moves.windows(4).any(same), "{moves:?}");
}

#[test]
fn a_job_stops_where_its_file_asks_for_a_person_and_goes_on_behind_that() {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 10.0, Faults::default());
    let station = with_mill(&mill.port).start();
    let file = strokes(4).replace("G0 X0 Y3\n", "M6 T2 (MSG, insert the 2 mm cutter)\nG0 X0 Y3\n");
    let id = submit(&station, "", &file);
    let paused = station.await_job(&id, "PAUSED");
    assert!(paused["error"].as_str().unwrap().contains("insert the 2 mm cutter"), "{paused}");
    let at_rest = await_device(&station, "mill", "paused");
    assert_eq!(at_rest["current_job_id"], json!(id));
    assert_eq!(drawn(&mill, 4), [1, 1, 0, 0]);
    station.cli(["job", "resume", &id]).exited(0);
    let done = station.await_job(&id, "COMPLETED");
    assert_eq!(done["error"], Value::Null);
    assert_eq!(drawn(&mill, 4), [1, 1, 1, 1]);
    assert!(!sent_lines(&mill).iter().any(|line| line.starts_with("M6")));
}

#[test]
fn a_plotter_goes_on_with_the_stroke_that_was_under_way() {
    for driver in ["ebb", "hpgl"] {
        let directory = tempfile::tempdir().unwrap();
        let pen = Machine::of(driver, directory.path(), 20.0, Faults::default());
        // An EBB plotter comes home when it is stopped: nobody pushes its carriage here.
        let on_stop = if driver == "ebb" { json!(["HM,4000"]) } else { json!([]) };
        let mut station = with_pen(driver, &pen.port, &json!({"on_stop": on_stop}))
            .set("queue.shutdown_grace", "1s")
            .start();
        let id = submit(&station, "name=lines.svg", &many(150));
        await_lines(&station, &id, 100);
        assert_eq!(station.stop(), 0);
        let before = drawn_by(driver, &pen.drawing()).len();
        assert!((3..140).contains(&before), "{driver}: {before} strokes");
        station.again();
        assert_eq!(station.job(&id)["state"], "INTERRUPTED");
        await_device(&station, "pen", "idle");
        let lost = plan(&station, &id);
        assert_eq!(lost["confidence"], "needs_homing", "{lost}");
        let refused = confirm(&station, &id, &json!({"token": lost["token"]})).refused(409);
        assert!(refused.contains("home the machine"), "{refused}");
        station.cli(["device", "home", "pen"]).exited(0);
        let certain = plan(&station, &id);
        assert_eq!(certain["confidence"], "certain", "{certain}");
        assert!(certain["last_certain_line"].as_u64().unwrap() >= 90, "{certain}");
        station.cli(["job", "resume", &id, "--yes"]).exited(0);
        let done = await_done(&station, &id);
        assert_eq!((&done["progress_percentage"], &done["attempts"]), (&json!(100.0), &json!(1)));
        let strokes = drawn_by(driver, &pen.drawing());
        let whole = |y: f64| {
            let at = |x: f64, point: &[f64; 2]| {
                (point[0] - x).abs() < 0.03 && (point[1] - y).abs() < 0.03
            };
            let ends = |line: &&Vec<[f64; 2]>| {
                let (begin, end) = (&line[0], &line[line.len() - 1]);
                (at(10.0, begin) && at(60.0, end)) || (at(60.0, begin) && at(10.0, end))
            };
            strokes.iter().filter(ends).count()
        };
        let top = if driver == "ebb" { 218.0 } else { 180.0 };
        let times: Vec<usize> = (0..150).map(|n| whole(top - 5.0 - f64::from(n) * 0.5)).collect();
        assert!(times.iter().all(|times| *times >= 1), "{driver}: {times:?}");
        let twice = times.iter().filter(|times| **times > 1).count();
        // An HP-GL plotter is asked twenty times a second how far it is, which here is a second.
        let most = if driver == "ebb" { 2 } else { 10 };
        assert!(twice <= most, "only what was under way is drawn again: {driver}: {times:?}");
    }
}

#[test]
fn what_is_not_interrupted_has_no_plan() {
    let station = super::simulated("1").start();
    let id = submit(&station, "hold=true", &strokes(2));
    let address = format!("/api/v1/jobs/{id}/resume");
    let refused = station.local().get(&address).refused(409);
    assert!(refused.contains("HELD"), "{refused}");
    assert_eq!(station.local().get("/api/v1/jobs/nonsense/resume").status, 404);
    let wrong = confirm(&station, &id, &json!({"tokn": 1}));
    assert_eq!(wrong.status, 422);
}
