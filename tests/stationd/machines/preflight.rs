//! What is found in a file before it runs, and what follows from it.

use std::{fmt::Write as _, fs};

use serde_json::{Value, json};

use super::{
    SIM, drawing, geometry::assert_drawn, queue_has_looked, simulated, submit, with_devices,
};
use crate::support::{Builder, Station, program, run_with};

const GOOD: &str = "G21 G90\nG0 Z5\nG0 X10 Y10\nG1 Z0 F600\nG1 X20\nG0 Z5\n";
const AMBER: &str = "G0 Z5\nG0 X10 Y10\nG1 Z0 F600\nG1 X20\nG0 Z5\n";
/// Leaves the simulated machine's 300 mm on its third line.
const WIDE: &str = "G21 G90\nG0 Z5\nG0 X310 Y10\nG1 Z0 F600\nG1 X315\nG0 Z5\n";

fn verdict(job: &Value) -> (&str, &str) {
    (job["state"].as_str().unwrap(), job["analysis"]["verdict"].as_str().unwrap())
}

fn fast() -> Station {
    simulated("0").start()
}

#[test]
fn good_and_amber_files_run_and_say_what_was_found() {
    let station = fast();
    let good = station.await_job(&submit(&station, "", GOOD), "COMPLETED");
    assert_eq!(good["analysis"]["verdict"], "green");
    assert_eq!(good["analysis"]["problems"], json!([]));
    assert_eq!(good["analysis"]["pen_lifts"], 1);
    let amber = station.await_job(&submit(&station, "", AMBER), "COMPLETED");
    assert_eq!(amber["analysis"]["verdict"], "amber");
    let first = &amber["analysis"]["problems"][0];
    assert_eq!((&first["severity"], &first["line"]), (&json!("amber"), &json!(1)));
    assert_eq!((&first["code"], &first["count"]), (&json!("no-units"), &json!(1)));
    assert_eq!(amber["analysis"]["warnings"].as_array().unwrap().len(), 2);
}

#[test]
fn a_red_job_waits_until_a_person_insists() {
    let station = fast();
    let id = submit(&station, "name=wide", WIDE);
    queue_has_looked(&station);
    let held = station.job(&id);
    assert_eq!(verdict(&held), ("HELD", "red"));
    let why = held["error"].as_str().unwrap();
    assert!(
        why.contains("line 3: leaves the envelope of sim-grbl: X goes 15.000 mm beyond 300"),
        "{why}"
    );
    // Every way out but insisting is closed.
    let refused = station.act(&id, "release");
    assert_eq!(refused.status, 409);
    let problem = refused.json();
    assert_eq!(problem["report"]["verdict"], "red");
    assert_eq!(problem["report"]["problems"][0]["line"], 3);
    assert!(problem["detail"].as_str().unwrap().contains("force"), "{problem}");
    station.act(&id, "resume").refused(409);
    station.act(&id, "cancel").expect(200);
    station.act(&id, "retry").expect(200);
    let again = station.await_job(&id, "HELD");
    assert!(again["error"].as_str().unwrap().contains("beyond 300"), "{again}");
    assert_eq!(drawing(&station)["total"], 0, "nothing has moved");
    let act = |action: &str, body: Value| {
        station.tcp().post(&format!("/api/v1/jobs/{id}/{action}"), &body)
    };
    assert_eq!(act("release", json!({"forse": true})).status, 422);
    assert_eq!(act("cancel", json!({"force": true})).status, 422);
    assert_eq!(act("release", json!({"force": false})).status, 409);
    let released = act("release", json!({"force": true})).expect(200);
    assert_eq!(released["forced"], true);
    station.await_job(&id, "COMPLETED");
    assert_drawn(WIDE, &drawing(&station));
    let audit = station.local().get("/api/v1/events?channel=audit&limit=1000&since=0").expect(200);
    let insisted = |event: &&Value| event["action"] == "job.release" && event["outcome"] == "ok";
    let events = audit["items"].as_array().unwrap();
    assert_eq!(events.iter().filter(insisted).count(), 1, "{audit}");
}

#[test]
fn a_file_can_be_forced_as_it_is_submitted() {
    let station = fast();
    let id = submit(&station, "force=true&name=query", WIDE);
    assert_eq!(station.await_job(&id, "COMPLETED")["forced"], true);
    let form = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.nc\"\r\n\r\n\
                G21 G90\nG0 X310\n\r\n--x\r\ncontent-disposition: form-data; name=\"force\"\r\n\r\n\
                true\r\n--x--\r\n";
    let kind = [("content-type", "multipart/form-data; boundary=x")];
    let job = station.tcp().request("POST", "/api/v1/jobs", &kind, form.as_bytes()).expect(201);
    station.await_job(job["id"].as_str().unwrap(), "COMPLETED");
    // A wish to hold is kept all the same, and forcing outlives a restart.
    let mut station = station;
    let held = submit(&station, "force=true&hold=true", WIDE);
    assert_eq!(verdict(&station.job(&held)), ("HELD", "red"));
    assert_eq!(station.stop(), 0);
    station.again();
    assert_eq!(station.job(&held)["forced"], true);
    station.act(&held, "release").expect(200);
    station.await_job(&held, "COMPLETED");
    let refused = station
        .local()
        .post("/api/v1/jobs", &json!({"kind": "command", "command": ["true"], "force": true}));
    assert!(refused.refused(422).contains("force"));
}

#[test]
fn dangerous_commands_are_denied_as_configured() {
    let devices = json!([
        {"name": "strict", "driver": "grbl", "port": "sim:grbl", "deny": ["G28", "$H"],
            "envelope": {"x": 300, "y": 200}},
        {"name": "open", "driver": "grbl", "port": "sim:grbl", "allow": ["$="],
            "envelope": {"x": 300, "y": 200}},
    ]);
    let station = with_devices(&devices).set("simulator.speed", "0").start();
    let state =
        |query: &str, file: &str| station.job(&submit(&station, query, file))["state"].clone();
    let held = |query: &str, file: &str| state(query, file) == "HELD";
    assert!(held("device=strict", "G21 G90\n$100=80\n"));
    assert!(!held("device=open", "G21 G90\n$100=80\n"));
    assert!(held("device=open", "G21 G90\n$RST=*\n"));
    assert!(held("device=strict", "G21 G90\nG28\n"));
    assert!(!held("device=open", "G21 G90\nG28\n"));
    // Any of the two may take it; one of them may not.
    let either = submit(&station, "", "G21 G90\nG28\nG0 X1\n");
    assert_eq!(station.await_job(&either, "COMPLETED")["device"], "open");
}

#[test]
fn a_machine_never_gets_a_file_that_it_cannot_reach() {
    let station = with_devices(&json!([
        {"name": "small", "driver": "grbl", "port": "sim:grbl", "envelope": {"x": 100, "y": 100}},
        {"name": "large", "driver": "grbl", "port": "sim:grbl", "envelope": {"x": 400, "y": 400}},
    ]))
    .set("simulator.speed", "0")
    .start();
    let files = [(WIDE, Some("large")), (GOOD, None), (WIDE, Some("large")), (WIDE, Some("large"))];
    let ids = files.map(|(file, on)| (submit(&station, "", file), on));
    for (id, on) in ids {
        let job = station.await_job(&id, "COMPLETED");
        assert!(on.is_none_or(|on| job["device"] == on), "{job}");
    }
    let job = station.job(&submit(&station, "hold=true", WIDE));
    let devices = job["analysis"]["devices"].as_array().unwrap();
    let verdicts: Vec<_> = devices.iter().map(|it| (&it["device"], &it["verdict"])).collect();
    assert_eq!(verdicts, [(&json!("small"), &json!("red")), (&json!("large"), &json!("green"))]);
    let named = station.job(&submit(&station, "device=small", WIDE));
    assert_eq!(verdict(&named), ("HELD", "red"));
    let drawn = station.local().get("/api/v1/devices/small/drawing").expect(200);
    let moves = drawn["moves"].as_array().unwrap();
    assert!(moves.iter().all(|it| it[0].as_f64().unwrap() <= 100.0), "{drawn}");
}

#[test]
fn the_command_line_says_held_and_what_to_do() {
    let station = fast();
    let file = station.home().join("wide.nc");
    fs::write(&file, WIDE).unwrap();
    let submitted = station.cli(["submit", file.to_str().unwrap()]).exited(0);
    assert!(submitted.stdout.contains("HELD"), "{}", submitted.stdout);
    assert!(
        submitted.stdout.contains("Verdict: red\n  red    line 3: leaves"),
        "{}",
        submitted.stdout
    );
    assert!(submitted.stderr.contains("job release") && submitted.stderr.contains("--force"));
    let id = submitted.stdout.split_whitespace().next().unwrap();
    let refused = station.cli(["job", "release", id]).exited(1);
    assert!(refused.stderr.contains("its verdict is red"), "{}", refused.stderr);
    let shown = station.cli(["job", "show", id]).exited(0).stdout;
    for part in ["Verdict: red", "Bounds: X 0.000 to 315.000", "lifts", "Time: about"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let released = station.cli(["job", "release", "--force", id]).exited(0);
    assert!(released.stdout.contains("QUEUED") || released.stdout.contains("RUNNING"));
    station.await_job(id, "COMPLETED");
    let forced = station.cli(["submit", "--force", "--watch", file.to_str().unwrap()]).exited(0);
    assert!(forced.stdout.contains("QUEUED"), "{}", forced.stdout);
    fs::write(&file, GOOD).unwrap();
    let good = station.cli(["submit", file.to_str().unwrap()]).exited(0);
    assert!(good.stdout.contains("Verdict: green") && good.stderr.is_empty(), "{}", good.stderr);
}

#[test]
fn a_file_is_checked_without_a_station() {
    let bench: Builder = Station::with().config(
        &json!({"devices": [{"name": "plotter", "driver": "grbl", "port": "/dev/none",
            "envelope": {"x": 100, "y": 100}}]})
        .to_string(),
    );
    let file = bench.home().join("part.nc");
    let check = |more: &[&str]| {
        let mut command = program(bench.home());
        command.args(["check", "file", file.to_str().unwrap()]).args(more);
        run_with(&mut command)
    };
    fs::write(&file, WIDE).unwrap();
    let amber = check(&["--driver", "grbl"]).exited(0);
    assert!(amber.stdout.contains("Verdict: amber") && amber.stdout.contains("no envelope"));
    check(&["--envelope", "400x218x50"]).exited(0);
    let red = check(&["--envelope", "300x218", "-o", "json"]).exited(1);
    let report: Value = red.json();
    assert_eq!((&report["verdict"], &report["driver"]), (&json!("red"), &json!("grbl")));
    assert_eq!(report["problems"][0]["line"], 3);
    let config = bench.config_file();
    let config = config.to_str().unwrap();
    let named = check(&["--device", "plotter", "--config", config]).exited(1);
    assert!(named.stdout.contains("the envelope of plotter: X goes 215.000 mm beyond 100"));
    check(&["--device", "nobody", "--config", config]).exited(5);
    for wrong in [&["--envelope", "300"][..], &["--driver", "laser"], &["--driver", "hpgl"]] {
        check(wrong).exited(2);
    }
    fs::write(&file, "; nothing\n").unwrap();
    check(&[]).exited(1);
    fs::remove_file(&file).unwrap();
    check(&[]).exited(2);
}

#[test]
fn a_file_may_end_its_lines_with_a_carriage_return() {
    let station = fast();
    let text = "; by hand\nG21 G90\nG0 Z5\nG0 X10 Y10\nG1 Z0 F600\nG1 X20 Y20\nG1 X30 Y10\n";
    for end in ["\r", "\r\n"] {
        let id = submit(&station, "name=old.nc", &text.replace('\n', end));
        let job = station.await_job(&id, "COMPLETED");
        assert_eq!(
            (&job["analysis"]["verdict"], &job["analysis"]["lines"]),
            (&json!("green"), &json!(6))
        );
    }
    assert_drawn(&format!("{text}{text}"), &drawing(&station));
    let wide = submit(&station, "", &WIDE.replace('\n', "\r"));
    let held = station.await_job(&wide, "HELD");
    assert!(held["error"].as_str().unwrap().contains(": line 3: "), "{held}");
}

#[test]
fn a_denied_command_is_denied_with_blanks_in_it_too() {
    let station = fast();
    for command in ["$ RST=*", "$1 00=250", "/$R ST=*", "$ SLP"] {
        let id = submit(&station, "name=bad.nc", &format!("G21 G90\n{command}\nG0 X1\n"));
        let held = station.await_job(&id, "HELD");
        assert!(held["error"].as_str().unwrap().contains(": line 2: "), "{command}: {held}");
    }
}

#[test]
fn a_stop_on_a_line_with_a_move_is_one_where_the_machine_makes_it_one() {
    let station = with_devices(&json!([
        {"name": "mill", "driver": "grbl", "port": "sim:grbl"},
        {"name": "printer", "driver": "marlin", "port": "sim:marlin"}]))
    .set("simulator.speed", "0")
    .start();
    let file = "G21\nG90\nG1 X50 F6000 M0\nG1 X60\n";
    let id = submit(&station, "device=mill", file);
    let stopped = station.await_job(&id, "PAUSED");
    assert_eq!(stopped["analysis"]["stops"][0]["line"], 3);
    station.act(&id, "resume").expect(200);
    station.await_job(&id, "COMPLETED");
    let printed = station.await_job(&submit(&station, "device=printer", file), "COMPLETED");
    assert_eq!(printed["analysis"]["stops"], json!([]));
    let problems = printed["analysis"]["problems"].as_array().unwrap();
    let second = problems.iter().find(|it| it["code"] == "second-command").unwrap();
    assert_eq!(second["line"], 3);
}

#[test]
fn what_a_slicer_writes_is_no_nonsense_and_no_motion() {
    let station = with_devices(&json!([{"name": "printer", "driver": "marlin",
        "port": "sim:marlin", "envelope": {"x": 250, "y": 210, "z": 200}}]))
    .set("simulator.speed", "0")
    .start();
    let file = "M73 P0 R10\nM201 X1000 Y1000 Z200 E5000\nM203 X200 Y200 Z12 E120\n\
        M205 X8.00 Y8.00 Z0.40 E4.50\nM862.3 P \"MK3S\" ; model\nM115 U3.13.3\nG21\nG90\nM82\n\
        G28 W\nG29 A\nG92 E0.0\nM117 Printing x900 y900\nG0 X10 Y10 Z0.2 F3000\nG1 X50 E2 F1200\n\
        M204 P1250 X900\nG1 Y60 E4\nM107\nG28 X Y\nM84 X Y E\n";
    let job = station.await_job(&submit(&station, "device=printer", file), "COMPLETED");
    let analysis = &job["analysis"];
    assert_eq!(analysis["verdict"], "amber", "{analysis}");
    let codes = analysis["problems"].as_array().unwrap().iter().map(|it| &it["code"]);
    assert!(codes.eq([&json!("home")]), "{analysis}");
    assert_eq!(analysis["max"], json!([50.0, 60.0, 0.2]));
}

#[test]
fn a_large_file_is_checked_in_constant_memory() {
    let station = fast();
    let mut text = String::from("G21 G90 F600\nG0 Z5\n");
    // Most of it comments: what counts is how much passes, and a debug build is slow.
    let comment = "-".repeat(300);
    for line in 0..100_000_u32 {
        let (x, y) = (line % 290, line % 200);
        let _ = writeln!(text, "G1 X{x}.{:03} Y{y}.500 ; {comment}", line % 1000);
    }
    assert!(text.len() > 30_000_000);
    let peak = || {
        let status = fs::read_to_string(format!("/proc/{}/status", station.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    };
    // A small one first: what every check needs is there then.
    submit(&station, "hold=true", &text[..200_000]);
    let before = peak();
    let id = submit(&station, "hold=true&name=large.nc", &text);
    let grown = peak() - before;
    assert!(grown < 8_000_000, "{grown} bytes more for {} bytes", text.len());
    let analysis = station.job(&id)["analysis"].clone();
    assert_eq!(analysis["lines"], 100_002);
    assert_eq!(analysis["verdict"], "green", "{analysis}");
    assert!(station.local().get(&format!("/api/v1/devices/{SIM}")).expect(200)["status"] == "idle");
}
