//! Plotters: what they draw is what the file shows, whatever language it is in.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use stationd::firmware::{Drawing, Faults};

use super::{
    await_device, await_done, await_lines, bench::Machine, queue_has_looked, submit, with_devices,
};
use crate::support::{Builder, Station, program, run_with};

/// A line of points on the machine, X to the right, Y up, millimetres.
pub(super) type Line = Vec<[f64; 2]>;

/// How high the bed is that an EBB plotter counts down.
const BED: f64 = 218.0;

/// A station with the plotter `pen` at this port.
pub(super) fn with_pen(driver: &str, port: &str, more: &Value) -> Builder {
    let mut device =
        json!({"name": "pen", "driver": driver, "port": port, "envelope": {"x": 300, "y": BED}});
    device.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    with_devices(&json!([device]))
}

pub(super) fn simulated_pen(driver: &str, speed: &str) -> Builder {
    with_pen(driver, &format!("sim:{driver}"), &json!({})).set("simulator.speed", speed)
}

/// The strokes that a plotter has drawn.
pub(super) fn strokes(station: &Station, driver: &str) -> Vec<Line> {
    let drawing = station.local().get("/api/v1/devices/pen/drawing").expect(200);
    let moves = drawing["moves"].as_array().unwrap();
    assert_eq!((&drawing["total"], &drawing["overflows"]), (&json!(moves.len()), &json!(0)));
    let number = |one: &Value, index: usize| one[index].as_f64().unwrap();
    let moves = moves
        .iter()
        .map(|it| ([number(it, 0), number(it, 1)], number(it, 2) <= 0.0, number(it, 3) > 0.5));
    joined(driver, moves)
}

pub(super) fn drawn(driver: &str, drawing: &Drawing) -> Vec<Line> {
    let moves = drawing.moves.iter();
    joined(driver, moves.map(|it| ([it.to[0], it.to[1]], it.to[2] <= 0.0, it.draw)))
}

/// Moves that follow each other with the pen down are a stroke.
fn joined(driver: &str, moves: impl Iterator<Item = ([f64; 2], bool, bool)>) -> Vec<Line> {
    let turned = |[x, y]: [f64; 2]| [x, if driver == "ebb" { BED - y } else { y }];
    let (mut at, mut drawing) = (turned([0.0; 2]), false);
    let mut strokes: Vec<Line> = Vec::new();
    for (to, down, draw) in moves {
        let to = turned(to);
        if draw {
            if !drawing {
                strokes.push(vec![at]);
            }
            strokes.last_mut().unwrap().push(to);
        }
        drawing = draw || (drawing && down);
        at = to;
    }
    strokes
}

fn length(line: &[[f64; 2]]) -> f64 {
    line.windows(2).map(|it| (it[1][0] - it[0][0]).hypot(it[1][1] - it[0][1])).sum()
}

fn off(point: [f64; 2], from: [f64; 2], to: [f64; 2]) -> f64 {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let along = ((point[0] - from[0]) * dx + (point[1] - from[1]) * dy) / (dx * dx + dy * dy);
    let along = if along.is_finite() { along.clamp(0.0, 1.0) } else { 0.0 };
    (from[0] + dx * along - point[0]).hypot(from[1] + dy * along - point[1])
}

/// Fails unless all that was drawn lies on these lines, and is as long as they are.
#[track_caller]
fn assert_on(strokes: &[Line], wanted: &[Line], tolerance: f64) {
    for point in strokes.iter().flatten() {
        let nearest = wanted.iter().flat_map(|line| line.windows(2));
        let nearest = nearest.map(|it| off(*point, it[0], it[1])).fold(f64::INFINITY, f64::min);
        assert!(nearest < tolerance, "{point:?} is {nearest} mm off every line");
    }
    let total = |lines: &[Line]| lines.iter().map(|line| length(line)).sum::<f64>();
    let (drew, all) = (total(strokes), total(wanted));
    assert!((drew - all).abs() < 0.005 * all, "{drew} mm are drawn of {all} mm");
}

/// Fails unless these lines were drawn from corner to corner, once, and nothing else.
#[track_caller]
pub(super) fn assert_drawn(strokes: &[Line], wanted: &[Line], tolerance: f64) {
    assert_on(strokes, wanted, tolerance);
    for corner in wanted.iter().flatten() {
        let drawn = strokes.iter().flatten();
        let nearest = drawn
            .map(|point| (point[0] - corner[0]).hypot(point[1] - corner[1]))
            .fold(f64::INFINITY, f64::min);
        assert!(nearest < tolerance, "nothing is drawn at {corner:?}, but {nearest} mm off");
    }
}

/// A square, an angle that is moved by 100 mm, and a line beside; the sheet is 100 mm high.
const SHEET: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='200mm' height='100mm' \
    viewBox='0 0 200 100' fill='none' stroke='#000'><rect x='10' y='10' width='40' height='20'/>\
    <g transform='translate(100 0)'><path d='M10 90 L30 50 L50 90'/></g><path d='M60 5V95'/></svg>";

/// The same by hand, above the lower edge of a sheet whose upper edge is that high.
fn sheet(top: f64) -> Vec<Line> {
    let up = |line: &[[f64; 2]]| line.iter().map(|[x, y]| [*x, top - y]).collect();
    vec![
        up(&[[10.0, 10.0], [50.0, 10.0], [50.0, 30.0], [10.0, 30.0], [10.0, 10.0]]),
        up(&[[110.0, 90.0], [130.0, 50.0], [150.0, 90.0]]),
        up(&[[60.0, 5.0], [60.0, 95.0]]),
    ]
}

#[test]
fn an_svg_is_drawn_by_each_plotter_as_it_looks() {
    // An EBB plotter has its sheet at the upper edge of its bed, an HP-GL plotter at its origin.
    for (driver, top, tolerance) in [("ebb", BED, 0.02), ("hpgl", 100.0, 0.03)] {
        let station = simulated_pen(driver, "0").start();
        let id = submit(&station, "name=sheet.svg", SHEET);
        let job = station.await_job(&id, "COMPLETED");
        assert_eq!((&job["device"], &job["driver"]), (&json!("pen"), &json!(driver)));
        assert_drawn(&strokes(&station, driver), &sheet(top), tolerance);
        assert_eq!(job["lines_acknowledged"], job["lines_total"]);

        let analysis = &job["analysis"];
        assert_eq!(analysis["verdict"], "green", "{analysis}");
        assert_eq!((&analysis["pen_lifts"], &analysis["stops"]), (&json!(3), &json!([])));
        let number = |value: &Value| value.as_f64().unwrap();
        assert!((number(&analysis["draw_length_mm"]) - 299.4).abs() < 0.5, "{analysis}");
        assert!(number(&analysis["travel_length_mm"]) > 100.0, "{analysis}");
        assert!(number(&analysis["estimated_seconds"]) > 1.0, "{analysis}");
        let picture = station.local().get(&format!("/api/v1/jobs/{id}/toolpath")).expect(200);
        assert_eq!(picture["lines_total"], job["lines_total"]);
        let points: Vec<f64> = picture["points"].as_array().unwrap().iter().map(number).collect();
        let shown: Vec<Line> = picture["draw"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, draw)| **draw == 1)
            .map(|(i, _)| points[2 * i - 2..2 * i + 2].chunks(2).map(|it| [it[0], it[1]]).collect())
            .collect();
        assert_drawn(&shown, &sheet(top), tolerance);
        let origin = if driver == "ebb" { [0.0, BED] } else { [0.0; 2] };
        assert_eq!(points[..2], origin, "it begins where the machine does");
    }
}

#[test]
fn g_code_is_drawn_by_an_ebb_where_it_says() {
    let station = simulated_pen("ebb", "0").start();
    let text = "G21 G90\nG0 Z5\nG0 X20 Y30\nG1 Z0 F600\nG1 X60\nG1 Y80\nG2 X20 Y80 I-20 J0\n\
        G0 Z5\nG0 X200 Y10\nG1 Z0\nG1 X210 Y20\nG0 Z5\n";
    let id = submit(&station, "name=part.nc", text);
    let job = station.await_job(&id, "COMPLETED");
    assert_eq!((&job["device"], &job["driver"]), (&json!("pen"), &json!("ebb")));
    // The arc goes down and around: below Y 80.
    let arc = (0..=64).map(|step| {
        let angle = std::f64::consts::PI * f64::from(step) / 64.0;
        [40.0 + 20.0 * angle.cos(), 80.0 - 20.0 * angle.sin()]
    });
    let mut first: Line = vec![[20.0, 30.0], [60.0, 30.0]];
    first.extend(arc);
    let found = strokes(&station, "ebb");
    assert_on(&found, &[first, vec![[200.0, 10.0], [210.0, 20.0]]], 0.06);
    let ends =
        found.iter().map(|line| [line[0], line[line.len() - 1]].map(|at| at.map(f64::round)));
    let wanted = [[[20.0, 30.0], [20.0, 80.0]], [[200.0, 10.0], [210.0, 20.0]]];
    assert_eq!(ends.collect::<Vec<_>>(), wanted, "in the order of the file");
    let file = station.local().request("GET", &format!("/api/v1/jobs/{id}/file"), &[], b"");
    assert_eq!(file.text(), text);

    let beyond = submit(&station, "name=wide.nc", "G21 G90\nG0 X310 Y5\nG1 X320 F600\n");
    let held = station.job(&beyond);
    assert_eq!((&held["state"], &held["analysis"]["verdict"]), (&json!("HELD"), &json!("red")));
    let why = held["error"].as_str().unwrap();
    assert!(why.contains("leaves the envelope of pen: X goes 20.000 mm beyond 300"), "{why}");
}

#[test]
fn broken_hpgl_is_red_whoever_draws_it() {
    for driver in ["hpgl", "ebb"] {
        let station = simulated_pen(driver, "0").start();
        let red = |file: &str| {
            let held = station.job(&submit(&station, "name=a.plt", file));
            assert_eq!(held["state"], "HELD", "{held}");
            assert_eq!(held["analysis"]["verdict"], "red", "{held}");
            held["error"].as_str().unwrap().to_owned()
        };
        let why = red("IN;SP1;PU0,0;PDabc;PD400,400;PU;");
        assert!(why.contains("line 6: text that is not HPGL: \"C\""), "{driver}: {why}");
        let why = red("IN;SP1;PU0,0;PD400,400,800;PU;");
        assert!(why.contains("line 4: PD has one coordinate"), "{driver}: {why}");
    }
}

#[test]
fn a_plotter_draws_what_is_in_its_own_language_as_it_is() {
    let hpgl = "IN;SP1;PU400,400;PD1200,400,1200,1200;PU;SP0;";
    let line = |file: &str, driver: &str, query: &str, wanted: &[Line]| {
        let station = simulated_pen(driver, "0").start();
        let id = submit(&station, query, file);
        let job = station.await_job(&id, "COMPLETED");
        assert_eq!(job["analysis"]["verdict"], "green", "{job}");
        assert_eq!(job["analysis"].get("layers"), None, "it was not converted");
        assert_drawn(&strokes(&station, driver), wanted, 0.03);
    };
    line(hpgl, "hpgl", "", &[vec![[10.0, 10.0], [30.0, 10.0], [30.0, 30.0]]]);
    let ebb = "# 20 mm to the right, 10 mm down\nSP,1,100\nSM,500,800,800\nSP,0,100\n\
        SM,1000,1600,1600\nSM,500,800,-800\nSP,1,100\nHM,4000\n";
    let wanted: &[Line] = &[vec![[10.0, BED], [30.0, BED], [30.0, BED - 10.0]]];
    line(ebb, "ebb", "name=mine.ebb", wanted);
    line(ebb, "ebb", "", wanted);
}

#[test]
fn hpgl_is_drawn_by_an_ebb_too() {
    let station = simulated_pen("ebb", "0").start();
    let id = submit(&station, "", "IN;SP1;PU400,400;PD1200,400,1200,1200;PU;SP0;");
    station.await_job(&id, "COMPLETED");
    let found = strokes(&station, "ebb");
    assert_eq!(found.len(), 1);
    assert!((length(&found[0]) - 40.0).abs() < 0.05, "{found:?}");
}

#[test]
fn what_a_machine_cannot_draw_is_refused_with_the_reason() {
    let station = with_devices(&json!([
        {"name": "mill", "driver": "grbl", "port": "sim:grbl"},
        {"name": "pen", "driver": "ebb", "port": "sim:ebb"},
        {"name": "old", "driver": "hpgl", "port": "sim:hpgl"}]))
    .start();
    let refused = |query: &str, text: &str| {
        let path = format!("/api/v1/jobs?{query}");
        station.local().request("POST", &path, &[], text.as_bytes()).refused(422)
    };
    let ebb = "SP,1,100\nSM,500,800,800\n";
    let hint = refused("device=mill", ebb);
    assert!(hint.contains("device \"mill\" (grbl) does not take ebb files"), "{hint}");
    let hint = refused("device=old", "G21 G90\nG0 X1\n");
    assert!(hint.contains("device \"old\" (hpgl) does not take gcode files"), "{hint}");
    let hint = refused("", SHEET);
    assert!(hint.contains("several machines take svg files, name one: mill, pen, old"), "{hint}");
    let hint = refused("device=pen", "G21 G90\nG0 X1 Y1\n");
    assert!(hint.contains("no line that a pen could follow"), "{hint}");
    let hint = refused("device=pen&name=a.txt", "hello\n");
    assert!(hint.contains("EBB commands (.ebb)"), "{hint}");
    // A line that is no command is found before it is sent.
    let id = submit(&station, "name=a.ebb", "SP,1,100\nG0 X1\n");
    let held = station.job(&id);
    assert_eq!((&held["state"], &held["device"]), (&json!("HELD"), &Value::Null));
    let why = held["error"].as_str().unwrap();
    assert!(why.contains("line 2: a command that an EBB does not know"), "{why}");
}

#[test]
fn drawings_are_checked_for_plotters_without_a_station() {
    let home = tempfile::tempdir().unwrap();
    let check = |name: &str, text: &str, more: &[&str]| {
        let file = home.path().join(name);
        fs::write(&file, text).unwrap();
        let mut command = program(home.path());
        command.args(["check", "file", file.to_str().unwrap()]).args(more);
        run_with(&mut command)
    };
    let hpgl = "IN;SP1;PU400,400;PD1200,400,1200,1200;PU;SP0;";
    let gcode = "G21 G90\nG0 X10 Y10\nG1 X20 F600\n";
    let ebb = "SP,0,100\nSM,500,800,800\nSP,1,100\n";
    for (name, text, driver) in [
        ("a.svg", SHEET, "ebb"),
        ("a.svg", SHEET, "hpgl"),
        ("a.plt", hpgl, "ebb"),
        ("a.plt", hpgl, "hpgl"),
        ("a.nc", gcode, "ebb"),
        ("a.ebb", ebb, "ebb"),
    ] {
        let found =
            check(name, text, &["--driver", driver, "--envelope", "300x218", "--json"]).exited(0);
        let found = found.json();
        assert_eq!((&found["driver"], &found["verdict"]), (&json!(driver), &json!("green")));
        assert!(found["draw_length_mm"].as_f64() > Some(5.0), "{found}");
        assert!(found["estimated_seconds"].as_f64() > Some(0.3), "{found}");
        check(name, text, &["--driver", driver, "--envelope", "5x5"]).exited(1);
    }
    let two = SHEET.replace("<path d='M60", "<path stroke='red' d='M60");
    let said = check("b.svg", &two, &["--driver", "ebb"]).exited(0);
    assert!(said.stdout.contains("layer 2 of 2: #ff0000: change the pen"), "{said:?}");
    let said = check("a.ebb", ebb, &["--driver", "hpgl"]).exited(2);
    assert!(said.stderr.contains("driver hpgl take SVG and HPGL, not EBB commands"), "{said:?}");
}

/// So many strokes of 50 mm, a file that keeps a plotter busy for a while.
pub(super) fn many(count: u32) -> String {
    let line = |n: u32| format!("<path d='M10 {}H60'/>", f64::from(n) * 0.5 + 5.0);
    let body: String = (0..count).map(line).collect();
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='200mm' height='180mm' \
         viewBox='0 0 200 180' fill='none' stroke='#000'>{body}</svg>"
    )
}

#[test]
fn an_unplugged_plotter_interrupts_its_job_which_is_drawn_again_from_its_beginning() {
    for driver in ["ebb", "hpgl"] {
        let directory = tempfile::tempdir().unwrap();
        let pen = Machine::of(driver, directory.path(), 30.0, Faults::default());
        let station = with_pen(driver, &pen.port, &json!({})).start();
        let id = submit(&station, "", &many(200));
        await_lines(&station, &id, 40);
        pen.plug(false);
        let job = station.await_job(&id, "INTERRUPTED");
        assert!(job["lines_acknowledged"].as_u64() >= Some(40), "{job}");
        pen.plug(true);
        await_device(&station, "pen", "idle");
        queue_has_looked(&station);
        let heard = String::from_utf8(pen.heard()).unwrap();
        let moves = ["SM,", "LM,", "XM,", "PD"].iter().any(|it| heard.contains(it));
        assert!(!moves, "nothing is drawn by itself: {heard}");
        assert_eq!(station.job(&id)["state"], "INTERRUPTED");
        let before = drawn(driver, &pen.drawing()).len();
        assert!(before < 200, "{driver}: {before}");
        station.act(&id, "retry").expect(200);
        let job = await_done(&station, &id);
        assert_eq!(job["attempts"], 2);
        let after = drawn(driver, &pen.drawing()).len();
        assert!(after - before >= 200, "{driver}: {before} and then {after}");
    }
}

#[test]
fn a_cancel_in_a_stroke_lifts_the_pen_and_frees_the_motors() {
    for (driver, end) in [("ebb", "EM,0,0\r"), ("hpgl", "PU;SP0;")] {
        let directory = tempfile::tempdir().unwrap();
        let pen = Machine::of(driver, directory.path(), 1.0, Faults::default());
        let station = with_pen(driver, &pen.port, &json!({})).start();
        let id = submit(&station, "", &many(200));
        // The first stroke has begun.
        await_lines(&station, &id, if driver == "ebb" { 7 } else { 4 });
        let cancelled = station.act(&id, "cancel").expect(200);
        assert_eq!(cancelled["state"], "CANCELLED");
        let drawing = pen.drawing();
        let last = drawing.moves.back().unwrap();
        assert!(last.to[2] > 0.0, "{driver}: the pen is up: {last:?}");
        await_device(&station, "pen", "idle");
        let heard = String::from_utf8_lossy(&pen.heard()).into_owned();
        let stop = if driver == "ebb" { "ES\r" } else { "\u{1b}.K" };
        let stopped = heard.rfind(stop).expect("it is stopped");
        let after = &heard[stopped..];
        assert!(after.contains(end), "{driver}: {after:?}");
        assert!(!after.contains("LM,") && !after.contains("PD"), "{driver}: {after:?}");
        assert!(drawn(driver, &drawing).len() < 100, "{driver}");
    }
}

#[test]
fn a_station_that_is_stopped_leaves_the_pen_up() {
    let directory = tempfile::tempdir().unwrap();
    let pen = Machine::of("ebb", directory.path(), 1.0, Faults::default());
    let mut station =
        with_pen("ebb", &pen.port, &json!({})).set("queue.shutdown_grace", "1s").start();
    let id = submit(&station, "", &many(200));
    await_lines(&station, &id, 7);
    station.signal(Signal::SIGTERM);
    assert_eq!(station.exit_code(), 0);
    assert!(pen.drawing().moves.back().unwrap().to[2] > 0.0);
    station.again();
    assert_eq!(station.job(&id)["state"], "INTERRUPTED");
}
