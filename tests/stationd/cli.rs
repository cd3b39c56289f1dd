//! The commands of the client against a real station: what they print, and their exit codes.

mod daemons;
mod messages;

use std::{
    fs::{self, File},
    path::Path,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{Station, program, run, run_with};

/// The value after `Key: ` in a text of such lines.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{key}: ")));
    line.unwrap_or_else(|| panic!("no {key} in\n{text}"))
}

#[test]
fn status_is_a_key_and_a_value_a_line() {
    let station = Station::with().simulate("grbl").start();
    station.submit(&json!({"command": ["true"], "hold": true}));
    let text = station.cli(["status"]).exited(0).stdout;
    assert_eq!(value(&text, "Status"), "Running");
    assert_eq!(value(&text, "PID"), station.pid().to_string());
    assert_eq!(value(&text, "Version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(Path::new(value(&text, "Socket")), station.workspace().join("stationd.sock"));
    for (key, expected) in
        [("Active Jobs", "0"), ("Queue Length", "1"), ("Devices", "1"), ("Daemons", "7")]
    {
        assert_eq!(value(&text, key), expected, "{key}");
    }
    assert!(value(&text, "Uptime").ends_with('s'), "{text}");
    assert!(value(&text, "Memory Usage").ends_with(" MB"), "{text}");
    assert!(value(&text, "Open File Descriptors").parse::<u32>().unwrap() > 3, "{text}");

    let shown = station.cli(["status", "--json"]).exited(0).json();
    let served = station.local().get("/api/v1/status").expect(200);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&shown), keys(&served));
    assert_eq!(
        station.cli(["-o", "json", "daemon", "status"]).exited(0).json()["pid"],
        shown["pid"]
    );
}

#[test]
fn health_and_readiness_are_verdicts() {
    let station = Station::start();
    assert_eq!(station.cli(["health", "--json"]).exited(0).json()["status"], "healthy");
    assert_eq!(station.cli(["ready", "--json"]).exited(0).json(), json!({"ready": true}));
    let metrics = station.cli(["metrics"]).exited(0).stdout;
    assert!(metrics.lines().any(|line| line.starts_with("# TYPE stationd_")), "{metrics}");
}

#[test]
fn daemons_are_listed_with_state_and_health() {
    let station = Station::start();
    station.cli(["daemon", "stop", "SYNC"]).exited(0);
    let text = station.cli(["daemon", "list"]).exited(0).stdout;
    let expected = "Daemon Status:
  job-queue: RUNNING (healthy)
  device-manager: RUNNING (healthy)
  hooks: RUNNING (healthy)
  heartbeat: RUNNING (healthy)
  metrics: RUNNING (healthy)
  sync: STOPPED
  watchdog: RUNNING (healthy)
";
    assert_eq!(text, expected);
    let wide = station.cli(["daemon", "list", "--wide"]).exited(0).stdout;
    assert!(wide.lines().any(|line| line.starts_with("[OK] job-queue - PID: ")), "{wide}");
    assert!(wide.lines().any(|line| line.starts_with("[DEAD] sync - ")), "{wide}");
    let stopped = station.cli(["daemon", "list", "--state", "stopped", "--json"]).exited(0).json();
    assert_eq!(stopped["items"].as_array().unwrap().len(), 1);
    let started = station.cli(["daemon", "start", "--all"]).exited(0).stdout;
    assert_eq!(started.lines().count(), 7, "{started}");
}

#[test]
fn without_a_station_commands_say_where_they_looked() {
    let home = tempfile::tempdir().unwrap();
    let workspace = home.path().join("nowhere");
    for command in [&["status"][..], &["daemon", "list"], &["job", "list"], &["shutdown"]] {
        let mut line = vec!["--workspace", workspace.to_str().unwrap()];
        line.extend(command);
        let gone = run(home.path(), line).exited(3);
        assert!(gone.stderr.contains("nowhere/stationd.sock"), "{gone:?}");
        assert_eq!(gone.stderr.lines().count(), 1, "{gone:?}");
        assert_eq!(gone.stdout, "");
    }
    let gone = run(home.path(), ["--url", "http://127.0.0.1:1", "status"]).exited(3);
    assert!(gone.stderr.contains("http://127.0.0.1:1"), "{gone:?}");
}

#[test]
fn a_station_is_found_by_its_socket_its_workspace_or_its_address() {
    let key = "a-key-that-nobody-guesses-0123456789";
    let config = format!("websocket: {{authenticate: true, api_key: {key}}}");
    let station = Station::with().config(&config).start();
    let home = tempfile::tempdir().unwrap();
    let by_variable = |name: &str, value: &Path| {
        run_with(program(home.path()).args(["status", "--json"]).env(name, value)).exited(0).json()
            ["pid"]
            .clone()
    };
    let socket = station.workspace().join("stationd.sock");
    assert_eq!(by_variable("STATIOND_SOCKET_PATH", &socket), station.pid());
    assert_eq!(by_variable("STATIOND_DATA_DIR", &station.workspace()), station.pid());
    let url = format!("http://{}", station.address());
    let ask = |token: &[&str]| run(home.path(), [&["--url", &url, "status"], token].concat());
    assert_eq!(value(&ask(&["--token", key]).exited(0).stdout, "PID"), station.pid().to_string());
    ask(&[]).exited(4);
    ask(&["--token", "wrong"]).exited(4);
}

#[test]
fn a_program_is_run_and_watched_to_its_end() {
    let station = Station::start();
    let done = station.cli(["run", "--name", "hello", "--watch", "--", "echo", "--json"]).exited(0);
    assert!(done.stdout.contains("COMPLETED") || done.stderr.contains("COMPLETED"), "{done:?}");
    station.cli(["run", "--watch", "--", "false"]).exited(1);
    let job = station.cli(["run", "--json", "--", "echo", "out"]).exited(0).json();
    let id = job["id"].as_str().unwrap();
    station.await_job(id, "COMPLETED");
    assert_eq!(station.cli(["job", "logs", id]).exited(0).stdout, "out\n");
    station.cli(["job", "watch", id]).exited(0);
    let shown = station.cli(["job", "show", id, "--json"]).exited(0).json();
    assert_eq!(shown["state"], "COMPLETED");
    let listed = station.cli(["job", "list", "--state", "completed", "--json"]).exited(0).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    let list = station.cli(["job", "list"]).exited(0).stdout;
    assert!(list.contains("hello") && list.contains("FAILED"), "{list}");
    station.cli(["job", "retry", id]).exited(1);
    station.cli(["job", "delete", id]).exited(0);
    station.cli(["job", "show", id]).exited(5);
}

#[test]
fn files_are_submitted_held_and_released() {
    let station = Station::with().simulate("grbl").set("simulator.speed", "0").start();
    let file = station.home().join("square.gcode");
    let text = "G21\nG90\nG1 X10 F1000\nG1 Y10\nG1 X0\nG1 Y0\n";
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let job = station.cli(["submit", "--hold", "--json", file]).exited(0).json();
    let id = job["id"].as_str().unwrap();
    assert_eq!((&job["state"], &job["name"]), (&json!("HELD"), &json!("square.gcode")));
    let held = station.cli(["job", "list", "--state", "held"]).exited(0).stdout;
    assert!(held.contains("square.gcode"), "{held}");
    station.cli(["job", "release", id]).exited(0);
    station.await_job(id, "COMPLETED");
    station.cli(["submit", "--watch", file]).exited(0);
    station.cli(["submit", station.home().join("gone.gcode").to_str().unwrap()]).exited(1);
    station.cli(["submit", "--device", "nobody", file]).exited(1);
    let served = station.local().get(&format!("/api/v1/jobs/{id}/file")).text();
    assert_eq!(served, text);
}

#[test]
fn the_heartbeat_is_judged_without_the_station() {
    let mut station = Station::start();
    let judged = station.cli(["daemon-status"]).exited(0);
    assert!(judged.stdout.starts_with("✅ Daemon Status: HEALTHY\nMessage: Last heartbeat "));
    assert_eq!(value(&judged.stdout, "PID"), station.pid().to_string());
    let nagios = station.cli(["check", "health", "--nagios"]).exited(0).stdout;
    assert!(nagios.starts_with("OK - Last heartbeat ") && nagios.contains("| heartbeat_age="));
    station.kill();
    station.cli(["daemon-status"]).exited(0);
    let file = station.workspace().join("stationd.heartbeat");
    let past = std::time::SystemTime::now() - Duration::from_secs(100);
    age(&file, past);
    let old = station.cli(["daemon-status"]).exited(1);
    assert!(old.stdout.contains("UNHEALTHY"), "{old:?}");
    let nagios = station.cli(["check", "health", "--nagios"]).exited(1).stdout;
    assert!(nagios.starts_with("WARNING - "), "{nagios}");
    fs::write(&file, "{").unwrap();
    station.cli(["daemon-status"]).exited(2);
    fs::remove_file(&file).unwrap();
    station.cli(["daemon-status"]).exited(1);
    let nagios = station.cli(["check", "health", "--nagios"]).exited(2).stdout;
    assert!(nagios.starts_with("CRITICAL - No heartbeat file found"), "{nagios}");
}

/// Makes a heartbeat say that it was written then.
fn age(file: &Path, time: std::time::SystemTime) {
    let mut beat: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let since = time.duration_since(std::time::UNIX_EPOCH).unwrap();
    let local = jiff::Timestamp::try_from(time).unwrap().to_zoned(jiff::tz::TimeZone::system());
    beat["unix_time"] = json!(since.as_secs_f64());
    beat["timestamp"] = json!(local.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string());
    fs::write(file, beat.to_string()).unwrap();
    File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
}

#[test]
fn events_are_shown_one_a_line() {
    let station = Station::start();
    let id = station.submit(&json!({"command": ["true"]}));
    station.await_job(&id, "COMPLETED");
    let resource = format!("job:{id}");
    let text = station.cli(["events", "--resource", &resource, "--json"]).exited(0).stdout;
    let states: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["type"] == "job_state_change")
        .map(|event| event["to_state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["QUEUED", "RUNNING", "COMPLETED"]);
}

#[test]
fn usage_is_explained_and_output_may_be_cut_short() {
    let home = tempfile::tempdir().unwrap();
    let usage = run(home.path(), ["frobnicate"]).exited(2);
    assert!(usage.stderr.contains("frobnicate") && usage.stdout.is_empty(), "{usage:?}");
    let bind = run(home.path(), ["-h", "0.0.0.0"]).exited(2);
    assert!(bind.stderr.contains("-H 0.0.0.0"), "{bind:?}");
    let help = run(home.path(), ["--help"]).exited(0);
    assert!(help.stdout.contains("Usage: stationd") && help.stderr.is_empty(), "{help:?}");
    assert!(!help.stdout.contains('\u{1b}'), "no colour where there is no terminal");
    let version = run(home.path(), ["--version"]).exited(0);
    assert_eq!(version.stdout, format!("stationd {}\n", env!("CARGO_PKG_VERSION")));
    let cut = format!("'{}' --help | head -n 1", env!("CARGO_BIN_EXE_stationd"));
    let cut = run_with(std::process::Command::new("sh").args(["-c", &cut])).exited(0);
    assert_eq!(cut.stderr, "");
}
