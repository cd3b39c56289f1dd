//! Command jobs: programs that the queue runs.

mod crash;
mod order;
mod output;
mod programs;
mod trees;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::{Station, eventually};

/// A program that ends once the file named by its first argument is there.
const WAIT_FOR_FILE: &str = "while [ ! -e \"$0\" ]; do sleep 0.01; done";

fn output(station: &Station, id: &str) -> String {
    station.local().get(&format!("/api/v1/jobs/{id}/log")).text()
}

/// A process that a job has written its number of into this file.
fn process(file: &Path) -> PathBuf {
    let pid = eventually("the program runs", || {
        let text = fs::read_to_string(file).ok()?;
        text.strip_suffix('\n').map(str::to_owned)
    });
    PathBuf::from("/proc").join(pid)
}

/// Its state, a letter as in `ps`; nothing if it is gone.
fn state(process: &Path) -> Option<char> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    stat.rsplit(')').next()?.trim_start().chars().next()
}

#[track_caller]
fn gone(process: &Path) {
    eventually("the program is gone", || {
        state(process).is_none_or(|state| state == 'Z').then_some(())
    });
}

#[test]
fn a_program_runs_as_it_is_without_a_shell_in_its_own_directory() {
    let station = Station::with().env("SECRET_OF_THE_STATION", "x").start();
    let arguments = ["$HOME", "a  b", "*", "; exit 3", "$(id)", "ünï"];
    let echo = ["printf", "%s\n"].into_iter().chain(arguments).collect::<Vec<_>>();
    let id = station.submit(&json!({"command": echo, "name": "six words", "labels": {"a": "b"}}));
    let job = station.await_job(&id, "COMPLETED");
    assert_eq!(output(&station, &id), arguments.map(|word| format!("{word}\n")).concat());
    assert_eq!((&job["exit_code"], &job["error"]), (&json!(0), &Value::Null));
    assert_eq!((&job["kind"], &job["name"]), (&json!("command"), &json!("six words")));
    assert_eq!((&job["command"], &job["labels"]), (&json!(echo), &json!({"a": "b"})));
    assert!(job["started_at"].is_string() && job["finished_at"].is_string(), "{job}");

    let id = station.submit(&json!({"command": ["sh", "-c", "pwd; env; ls -l /proc/self/fd"]}));
    station.await_job(&id, "COMPLETED");
    let seen = output(&station, &id);
    let directory = station.workspace().join("jobs").join(&id);
    assert_eq!(seen.lines().next(), directory.to_str());
    assert!(seen.contains(&format!("STATIOND_JOB={id}\n")), "{seen}");
    assert!(!seen.contains("SECRET_OF_THE_STATION"), "{seen}");
    assert!(!seen.contains("stationd.db") && !seen.contains("socket:"), "{seen}");
}

#[test]
fn how_a_program_ends_is_how_its_job_ends() {
    let station = Station::start();
    for (command, exit_code, reason) in [
        (json!(["sh", "-c", "echo out; echo err >&2; exit 7"]), json!(7), "exited with 7"),
        (json!(["sh", "-c", "kill -KILL $$"]), Value::Null, "killed by SIGKILL"),
        (json!(["no-such-program"]), Value::Null, "no such program"),
        (json!(["/etc/passwd"]), Value::Null, "ermission denied"),
    ] {
        let id = station.submit(&json!({"command": command}));
        let job = station.await_job(&id, "FAILED");
        assert_eq!(job["exit_code"], exit_code, "{job}");
        assert!(job["error"].as_str().unwrap().contains(reason), "{job}");
        if exit_code == 7 {
            assert_eq!(output(&station, &id), "out\nerr\n");
        }
    }
}

#[test]
fn what_makes_no_sense_is_not_taken() {
    let station = Station::start();
    let local = station.local();
    for (body, pointer) in [
        (json!({"command": []}), "/command"),
        (json!({"command": [""]}), "/command"),
        (json!({"command": "ls"}), "/command"),
        (json!({"name": "x"}), "/command"),
        (json!({"command": ["true"], "colour": "red"}), ""),
        (json!({"command": ["true"], "priority": "urgent"}), "/priority"),
        (json!({"command": ["true"], "timeout_seconds": 0}), "/timeout_seconds"),
        (json!({"command": ["true"], "max_attempts": 0}), "/max_attempts"),
        (json!({"command": ["true"], "device": "plotter"}), "/device"),
        (json!({"command": ["a\0b"]}), "/command"),
        (
            json!({"command": ["true"], "depends_on": ["0190b6b8-7b3a-7000-8000-000000000001"]}),
            "/depends_on",
        ),
    ] {
        let answer = local.post("/api/v1/jobs", &body);
        let problem = answer.json();
        answer.refused(422);
        let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().collect();
        let is = |it: &&Value| it["pointer"].as_str().unwrap().starts_with(pointer);
        assert!(pointers.iter().copied().any(|it| is(&it)), "{body}: {problem}");
    }
    local
        .request("POST", "/api/v1/jobs", &[("Content-Type", "application/json")], b"{")
        .refused(400);
    assert_eq!(local.get("/api/v1/status").expect(200)["queue_length"], 0);
}

#[test]
fn not_everybody_may_run_programs() {
    let station = Station::start();
    let job = json!({"command": ["true"]});
    let refused = station.tcp().post("/api/v1/jobs", &job).refused(403);
    assert!(refused.contains("admin"), "{refused}");
    let key = "a-key-that-nobody-guesses-0123456789";
    let config = format!("websocket: {{authenticate: true, api_key: {key}}}");
    let station = Station::with().config(&config).start();
    station.tcp().post("/api/v1/jobs", &job).refused(401);
    station.tcp().with_token("wrong").post("/api/v1/jobs", &job).refused(401);
    station.tcp().with_token(key).post("/api/v1/jobs", &job).expect(201);
    station.submit(&job);
}

#[test]
fn a_paused_program_stands_still_and_goes_on() {
    let station = Station::start();
    let pid = station.home().join("pid");
    let script = "echo $$ > \"$0\"; while :; do :; done";
    let id = station.submit(&json!({"command": ["sh", "-c", script, pid]}));
    let program = process(&pid);
    assert_eq!(station.act(&id, "pause").expect(200)["state"], "PAUSED");
    eventually("it is stopped", || (state(&program) == Some('T')).then_some(()));
    assert_eq!(station.act(&id, "pause").expect(200)["state"], "PAUSED", "a done thing is done");
    assert_eq!(station.act(&id, "resume").expect(200)["state"], "RUNNING");
    eventually("it runs", || (state(&program) == Some('R')).then_some(()));
    station.act(&id, "pause").expect(200);
    let job = station.act(&id, "cancel").expect(200);
    assert_eq!(job["state"], "CANCELLED", "also out of a pause");
    let asked = ["PAUSED", "RUNNING", "PAUSED", "CANCELLED"].map(|it| format!("{it} by me"));
    assert_eq!(station.moves_of(&id)[1..], asked, "who asked is noted");
    assert_eq!(station.act(&id, "cancel").expect(200)["state"], "CANCELLED");
    gone(&program);
}

#[test]
fn a_cancelled_program_goes_with_all_it_has_started() {
    let station = Station::start();
    let pids = ["parent", "child", "grandchild"].map(|name| station.home().join(name));
    let script = "echo $$ > \"$0\"
        sh -c 'echo $$ > \"$0\"; sh -c \"echo \\$\\$ > \\$0; exec sleep 600\" \"$1\" & wait' \"$1\" \"$2\" &
        trap '' TERM; wait; wait; sleep 600";
    let [parent, child, grandchild] = &pids;
    let id = station.submit(&json!({"command": ["sh", "-c", script, parent, child, grandchild]}));
    let programs = pids.each_ref().map(|file| process(file));
    assert_eq!(station.act(&id, "cancel").expect(200)["state"], "CANCELLED");
    for program in &programs {
        gone(program);
    }
}

#[test]
fn a_program_that_takes_too_long_is_ended() {
    let station = Station::start();
    let id = station.submit(&json!({"command": ["sleep", "600"], "timeout_seconds": 0.2}));
    let job = station.await_job(&id, "FAILED");
    assert!(job["error"].as_str().unwrap().contains("longer than its limit of "), "{job}");
    let station = Station::with().set("queue.command_timeout", "200ms").start();
    let id = station.submit(&json!({"command": ["sleep", "600"]}));
    station.await_job(&id, "FAILED");
}

#[test]
fn what_the_state_forbids_is_refused_with_the_reason() {
    let station = Station::start();
    let done = station.submit(&json!({"command": ["true"]}));
    station.await_job(&done, "COMPLETED");
    for action in ["pause", "resume", "cancel", "retry", "release"] {
        let reason = station.act(&done, action).refused(409);
        assert!(reason.contains("COMPLETED"), "{action}: {reason}");
    }
    let held = station.submit(&json!({"command": ["true"], "hold": true}));
    for action in ["pause", "retry"] {
        assert!(station.act(&held, action).refused(409).contains("HELD"), "{action}");
    }
    let path = format!("/api/v1/jobs/{held}");
    assert!(station.local().delete(&path).refused(409).contains("HELD"));
    let unknown = "0190b6b8-7b3a-7000-8000-000000000001";
    for action in ["pause", "resume", "cancel", "retry", "release"] {
        station.act(unknown, action).refused(404);
    }
    station.local().get(&format!("/api/v1/jobs/{unknown}")).refused(404);
    station.local().get("/api/v1/jobs/17").refused(404);
    station.cli(["job", "show", unknown]).exited(5);
    station.cli(["job", "pause", &done]).exited(1);
}

#[test]
fn a_job_may_be_tried_again_and_deleted() {
    let station = Station::start();
    let flag = station.home().join("flag");
    let id = station.submit(&json!({"command": ["test", "-e", flag]}));
    station.await_job(&id, "FAILED");
    fs::write(&flag, "").unwrap();
    assert_eq!(station.act(&id, "retry").expect(200)["state"], "QUEUED");
    let job = station.await_job(&id, "COMPLETED");
    assert_eq!((&job["attempts"], &job["error"]), (&json!(2), &Value::Null), "{job}");
    let path = format!("/api/v1/jobs/{id}");
    let directory = station.workspace().join("jobs").join(&id);
    assert!(directory.exists());
    assert!(station.local().delete(&path).status < 300);
    station.local().get(&path).refused(404);
    assert!(!directory.exists(), "its output goes with it");
}
