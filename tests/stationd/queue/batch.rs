//! Many jobs in one submission.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Answer, Station};

fn batch(station: &Station, jobs: &Value, key: Option<&str>) -> Answer {
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(key.map(|key| ("Idempotency-Key", key)));
    let body = json!({"jobs": jobs}).to_string();
    station.local().request("POST", "/api/v1/jobs/batch", &headers, body.as_bytes())
}

fn ids(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().unwrap();
    items.iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_batch_is_there_as_a_whole_or_not_at_all_and_once_by_its_key() {
    let station = Station::start();
    let jobs = json!([
        {"ref": "a", "command": ["true"], "name": "a"},
        {"ref": "b", "command": ["false"], "depends_on": ["a"]},
        {"command": ["true"], "depends_on": ["a", {"job": "b", "on": "failed"}]},
    ]);
    let answer = batch(&station, &jobs, Some("key")).expect(201);
    let first = ids(&answer);
    station.await_job(&first[2], "COMPLETED");
    assert_eq!(station.job(&first[1])["depends_on"], json!([first[0]]));
    let again = batch(&station, &jobs, Some("key"));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(ids(&again.expect(201)), first);
    batch(&station, &json!([{"command": ["true"]}]), Some("key")).refused(422);
    let local = station.local().with_header("Idempotency-Key", "key");
    local.post("/api/v1/jobs", &json!({"command": ["true"]})).refused(422);

    let count = || {
        let list = station.local().get("/api/v1/jobs?limit=1000").expect(200);
        list["items"].as_array().unwrap().len()
    };
    assert_eq!(count(), 3);
    let unknown = "0190b6b8-7b3a-7000-8000-000000000001";
    for (bad, pointer) in [
        (json!([{"command": ["true"]}, {"command": []}]), "/jobs/1/command"),
        (
            json!([{"command": ["true"]}, {"command": ["true"], "depends_on": ["later"]}]),
            "/jobs/1/depends_on/0",
        ),
        (json!([{"command": ["true"], "depends_on": [unknown]}]), "/jobs/0/depends_on/0"),
        (
            json!([{"ref": "x", "command": ["true"]}, {"ref": "x", "command": ["true"]}]),
            "/jobs/1/ref",
        ),
        (json!([{"command": ["true"], "colour": 1}]), "/jobs/0/colour"),
        (
            json!([{"command": ["true"], "copies": 999}, {"command": ["true"], "copies": 2}]),
            "/jobs",
        ),
        (json!([]), "/jobs"),
    ] {
        let problem = batch(&station, &bad, None).json();
        assert_eq!(problem["status"], 422, "{bad}: {problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let taken = json!([{"command": ["true"], "hold": true},
        {"command": ["true"], "unique_key": "k", "hold": true},
        {"command": ["true"], "unique_key": "k"}]);
    batch(&station, &taken, None).refused(409);
    assert_eq!(count(), 3, "nothing of a refused batch stays");
    let many: Vec<_> = (0..1000).map(|_| json!({"command": ["true"], "hold": true})).collect();
    assert_eq!(ids(&batch(&station, &json!(many), None).expect(201)).len(), 1000);
}

#[test]
fn a_batch_comes_from_a_file_with_programs_and_drawings() {
    let station = Station::with().simulate("grbl").start();
    let directory = station.home().join("batch");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("a.gcode"), "G21\nG90\nG1 X1 F600\n").unwrap();
    let lines = "# what comes first\n\n{\"ref\": \"a\", \"file\": \"a.gcode\"}\n\
        {\"command\": [\"true\"], \"depends_on\": [\"a\"]}\n";
    let file = directory.join("jobs.ndjson");
    fs::write(&file, lines).unwrap();
    let ran = station.cli(["run", "--batch", file.to_str().unwrap(), "--watch"]).exited(0);
    assert!(ran.stdout.contains("a.gcode: QUEUED"), "{}", ran.stdout);
    fs::write(&file, "{\"command\": [\"true\"]}\n{\"command\": }\n").unwrap();
    let refused = station.cli(["run", "--batch", file.to_str().unwrap()]).exited(1).stderr;
    assert!(refused.contains("jobs.ndjson:2:"), "{refused}");
    station.cli(["run", "--batch", "x", "--", "true"]).exited(2);
}

#[test]
fn copies_are_jobs_of_their_own() {
    let station = Station::with().simulate("grbl").start();
    let file = station.home().join("badge.gcode");
    fs::write(&file, "G21\nG90\nG1 X1 F600\n").unwrap();
    let line = ["submit", file.to_str().unwrap(), "--copies", "3", "--hold", "--key", "k"];
    let text = station.cli(line).exited(0).stdout;
    for number in 1..=3 {
        assert!(text.contains(&format!("badge.gcode ({number}/3): HELD")), "{text}");
    }
    assert_eq!(station.cli(line).exited(0).stdout, text, "the same key gives the same jobs");
    let programs = station.submit_all(&json!({"command": ["true"], "copies": 2}));
    for id in &programs {
        station.await_job(id, "COMPLETED");
    }
    station.local().post("/api/v1/jobs", &json!({"command": ["true"], "copies": 0})).refused(422);
}

#[test]
fn a_job_of_a_program_and_of_a_file_is_neither() {
    let station = Station::with().simulate("grbl").start();
    let both = json!([{"command": ["true"], "content": "G21\n", "file_name": "a.gcode"}]);
    let refused = batch(&station, &both, None).refused(422);
    assert!(refused.contains("not both"), "{refused}");
}
