//! What the commands of the client say when something is not as it should be.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Station, run};

const WIDE: &str = "G21 G90\nG0 Z5\nG0 X310 Y10\nG1 Z0 F600\nG1 X315\nG0 Z5\n";
const SQUARE: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='100mm' height='100mm' \
    viewBox='0 0 100 100'><text x='5' y='5'>hi</text><rect x='10' y='10' width='20' height='20'/></svg>";

#[test]
fn a_file_that_is_not_there_is_said_to_be_none() {
    let station = Station::with().simulate("grbl").start();
    let missing = station.home().join("nofile.nc");
    let missing = missing.to_str().unwrap();
    for line in [
        &["submit", missing][..],
        &["run", "--batch", missing],
        &["schedule", "add", "--cron", "@daily", "--file", missing],
        &["check", "file", missing],
    ] {
        let said = station.cli(line).stderr;
        let expected = format!("error: {missing} cannot be read: there is no such file\n");
        assert_eq!(said, expected, "{line:?}");
    }
    let directory = station.home().to_str().unwrap().to_owned();
    let said = station.cli(["submit", &directory]).exited(1).stderr;
    assert!(said.contains("is a directory") && !said.contains("os error"), "{said}");
}

#[test]
fn what_is_no_id_of_a_job_is_said_to_be_none() {
    let station = Station::start();
    let said = station.cli(["job", "show", "zzz"]).exited(2).stderr;
    assert!(said.contains("not the id of a job: `stationd job list` shows them"), "{said}");
    station.local().get("/api/v1/jobs/zzz").refused(404);
}

#[test]
fn the_words_of_the_command_line_are_those_of_its_options() {
    let station = Station::with().simulate("grbl").set("simulator.speed", "0").start();
    let file = station.home().join("wide.nc");
    fs::write(&file, WIDE).unwrap();
    let held = station.cli(["submit", "--json", file.to_str().unwrap()]).exited(0).json();
    let id = held["id"].as_str().unwrap();
    let said = station.cli(["job", "release", id]).exited(1).stderr;
    assert!(said.contains("--force") && !said.contains("true"), "{said}");
    let long = "1e300";
    let said = station.cli(["run", "--timeout", long, "--", "true"]).exited(1).stderr;
    assert!(said.starts_with("error: --timeout: "), "{said}");
    for spelling in ["open-files=2", "open_files=2"] {
        let said = station.cli(["run", "--limit", spelling, "--", "true"]).exited(1).stderr;
        assert!(said.starts_with("error: --limit open-files: "), "{said}");
    }
    let said = station.cli(["run", "--limit", "files=2", "--", "true"]).exited(2).stderr;
    assert!(said.contains("open-files"), "{said}");
    let limits = json!({"command": ["true"], "limits": {"open-files": 100}});
    assert_eq!(station.job(&station.submit(&limits))["limits"]["open_files"], 100);
}

#[test]
fn refusals_of_the_api_name_no_types_of_the_program() {
    let station = Station::start();
    let local = station.local();
    let send = |body: &str| {
        let json = [("Content-Type", "application/json")];
        local.request("POST", "/api/v1/jobs", &json, body.as_bytes()).json()
    };
    assert_eq!(send("null")["detail"], "the body must be a JSON object");
    let refused = send(r#"{"command":["true"],"retry":5}"#);
    assert_eq!(refused["errors"][0]["pointer"], "/retry", "{refused}");
    assert!(refused.to_string().contains("expected an object"), "{refused}");
    let refused = send(r#"{"command":["true"],"depends_on":[{"jobs":1}]}"#);
    assert_eq!(refused["errors"][0]["pointer"], "/depends_on/0", "{refused}");
    assert!(!refused.to_string().contains("enum"), "{refused}");
    let refused = local.get("/api/v1/jobs?limit=many").json();
    assert_eq!(refused["errors"][0]["pointer"], "/limit", "{refused}");
    assert!(!refused.to_string().contains("deserialize"), "{refused}");
    for path in ["/api/v1/jobs/x/explode", "/api/v1/queue/explode"] {
        let refused = local.post(path, &json!({})).refused(404);
        assert_eq!(refused, format!("there is nothing at {path}"));
    }
}

#[test]
fn a_name_of_ones_own_does_not_hide_what_kind_of_file_it_is() {
    let station = Station::with().simulate("hpgl").set("simulator.speed", "0").start();
    // Its content alone could be anything.
    let plot = station.home().join("frame.plt");
    fs::write(&plot, "PU0,0;").unwrap();
    let plot = plot.to_str().unwrap();
    for name in ["For the door", "version 1.2", "frame.plt"] {
        let job = station.cli(["submit", "--json", "--name", name, plot]).exited(0).json();
        assert_eq!((&job["name"], &job["driver"]), (&json!(name), &json!("hpgl")), "{job}");
    }
    // A name that tells a kind is believed.
    station.cli(["submit", "--name", "frame.lines", plot]).exited(1);
    let path = "/api/v1/jobs?name=door&file_name=frame.plt";
    station.local().request("POST", path, &[], b"PU0,0;").expect(201);
    station.local().request("POST", "/api/v1/jobs?name=door", &[], b"PU0,0;").refused(422);
    let batch = station.home().join("batch");
    fs::write(&batch, r#"{"file": "frame.plt", "name": "door"}"#).unwrap();
    let jobs = station.cli(["run", "--json", "--batch", batch.to_str().unwrap()]).exited(0).json();
    assert_eq!((&jobs["name"], &jobs["driver"]), (&json!("door"), &json!("hpgl")), "{jobs}");
    let program = json!({"command": ["true"], "file_name": "a.nc"});
    station.local().post("/api/v1/jobs", &program).refused(422);
}

#[test]
fn a_file_is_told_which_machines_take_what_and_what_is_left_out_of_it() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        fs::write(home.path().join(name), text).unwrap();
        home.path().join(name).to_str().unwrap().to_owned()
    };
    let gcode = file("a.nc", "G21 G90\nG0 X1\n");
    let said = run(home.path(), ["check", "file", &gcode, "--driver", "hpgl"]).exited(2).stderr;
    assert!(said.contains("hpgl take SVG and HPGL, not G-code"), "{said}");
    let drawing = file("a.svg", SQUARE);
    let said = run(home.path(), ["check", "file", &drawing, "--driver", "hpgl"]).exited(0).stdout;
    assert!(said.contains("\n  note   "), "what is left out: {said}");
    let document = run(home.path(), ["check", "file", &drawing, "--driver", "hpgl", "--json"]);
    let document: Value = document.exited(0).json();
    for warning in document["warnings"].as_array().unwrap() {
        assert!(said.contains(warning.as_str().unwrap()), "{said}\n{warning}");
    }
}
