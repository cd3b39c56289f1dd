//! Jobs that come again and again.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Station, eventually};

fn jobs_of(station: &Station, name: &str) -> Vec<Value> {
    let list = station.local().get("/api/v1/jobs?limit=1000").expect(200);
    let items = list["items"].as_array().unwrap();
    items.iter().filter(|job| job["schedule"] == name).cloned().collect()
}

#[test]
fn a_schedule_is_added_shown_run_paused_and_deleted() {
    let mut station = Station::with().set("station.timezone", "Asia/Tokyo").start();
    let add = ["schedule", "add", "--cron", "0 3 * * *", "--name", "nightly", "--label", "a=b"];
    let text = station.cli(add.iter().chain(&["--", "echo", "hi"])).exited(0).stdout;
    assert!(text.contains("nightly: due next at") && text.contains("T18:00:00.000Z"), "{text}");
    station.cli(add.iter().chain(&["--", "true"])).exited(1);
    let run = station.cli(["schedule", "run", "nightly", "--json"]).exited(0).json();
    let job = station.await_job(run["id"].as_str().unwrap(), "COMPLETED");
    assert_eq!((&job["schedule"], &job["labels"]["a"]), (&json!("nightly"), &json!("b")));
    let shown = station.cli(["schedule", "show", "nightly", "--json"]).exited(0).json();
    assert_eq!((&shown["missed"], &shown["last_job"]), (&json!("run_once"), &run["id"]));
    assert_eq!(shown["job"]["command"], json!(["echo", "hi"]));
    station.cli(["schedule", "pause", "nightly"]).exited(0);
    station.stop();
    station.again();
    let list = station.cli(["schedule", "list"]).exited(0).stdout;
    assert!(list.contains("nightly") && list.contains("paused"), "{list}");
    station.cli(["schedule", "resume", "nightly"]).exited(0);
    station.cli(["schedule", "delete", "nightly"]).exited(0);
    station.cli(["schedule", "show", "nightly"]).exited(5);
    assert_eq!(station.job(run["id"].as_str().unwrap())["state"], "COMPLETED");
    let local = station.local();
    for (body, pointer) in [
        (json!({"cron": "often", "job": {"command": ["true"]}}), "/cron"),
        (json!({"cron": "0 0 30 2 *", "job": {"command": ["true"]}}), "/cron"),
        (json!({"cron": "@daily", "job": {"command": []}}), "/command"),
        (json!({"cron": "@daily", "job": {"command": ["true"], "copies": 2}}), "/job"),
        (json!({"cron": "@daily", "name": "a/b", "job": {"command": ["true"]}}), "/name"),
        (json!({"cron": "@daily", "missed": "all", "job": {"command": ["true"]}}), "/missed"),
    ] {
        let problem = local.post("/api/v1/schedules", &body).json();
        assert_eq!(problem["status"], 422, "{body}: {problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let programs = json!({"cron": "@daily", "job": {"command": ["true"]}});
    station.tcp().post("/api/v1/schedules", &programs).refused(403);
}

#[test]
fn a_due_job_comes_by_itself_and_not_before_the_last_one_has_ended() {
    let station = Station::start();
    let go = station.home().join("go");
    let script = "while [ ! -e \"$0\" ]; do sleep 0.01; done";
    let body = json!({"name": "each second", "cron": "* * * * * *",
        "job": {"command": ["sh", "-c", script, go]}});
    station.local().post("/api/v1/schedules", &body).expect(201);
    let note = eventually("a run was skipped", || {
        let shown = station.local().get("/api/v1/schedules/each%20second").expect(200);
        shown["note"].as_str().filter(|note| note.starts_with("skipped")).map(str::to_owned)
    });
    let jobs = jobs_of(&station, "each second");
    assert_eq!(jobs.len(), 1, "{note}");
    assert!(note.contains(jobs[0]["id"].as_str().unwrap()), "{note}");
    fs::write(&go, "").unwrap();
    eventually("others came", || (jobs_of(&station, "each second").len() > 2).then_some(()));
}

#[test]
fn a_scheduled_drawing_waits_for_a_person_if_it_is_to() {
    let station = Station::with().simulate("grbl").start();
    let file = station.home().join("warm-up.gcode");
    fs::write(&file, "G21\nG90\nG1 X1 F600\n").unwrap();
    let file = file.to_str().unwrap();
    let add = ["schedule", "add", "--cron", "* * * * * *", "--file", file, "--hold", "--device"];
    station.cli(add.iter().chain(&["sim-grbl"])).exited(0);
    let job = eventually("a job came", || jobs_of(&station, "warm-up.gcode").pop());
    assert_eq!((&job["state"], &job["device"]), (&json!("HELD"), &json!("sim-grbl")));
    let id = job["id"].as_str().unwrap();
    station.act(id, "release").expect(200);
    station.await_job(id, "COMPLETED");
}

/// As after a year without the station, or a clock that jumped (F-15).
#[test]
fn what_was_missed_meanwhile_is_dealt_with_as_said() {
    let mut station = Station::start();
    for missed in ["skip", "run_once", "run_all"] {
        let body = json!({"name": missed, "cron": "0 * * * *", "missed": missed,
            "job": {"command": ["true"]}});
        station.local().post("/api/v1/schedules", &body).expect(201);
    }
    station.stop();
    let database = station.workspace().join("stationd.db");
    let minute = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).minute();
    let sql = "UPDATE schedules SET next_at = next_at - 365 * 86400000";
    let connection = rusqlite::Connection::open(database).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 3);
    drop(connection);
    station.again();
    let count = |name: &str| jobs_of(&station, name).len();
    let caught_up = || count("run_all") == 10 && count("run_once") > 0;
    eventually("missed runs are caught up", || caught_up().then_some(()));
    assert_eq!(count("run_once"), 1);
    if minute > 1 {
        assert_eq!(count("skip"), 0);
    }
}
