//! How the station says that it is.

use serde_json::{Value, json};

use crate::support::{Station, eventually};

fn keys(document: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn health_is_told_part_by_part() {
    let station = Station::with().simulate("grbl").start();
    eventually("the machine is there", || {
        let devices = station.local().get("/api/v1/devices/sim-grbl").expect(200);
        (devices["status"] == "idle").then_some(())
    });
    let answer = station.tcp().get("/health");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let health = answer.expect(200);
    assert_eq!(
        keys(&health),
        ["checks", "heartbeat_age_seconds", "pid", "status", "uptime_seconds", "version"]
    );
    assert_eq!(
        health["checks"],
        json!({"database": "ok", "queue": "ok", "devices": "ok",
        "daemons": "ok", "disk": "ok", "plugins": "ok"})
    );
    assert_eq!((&health["status"], &health["pid"]), (&json!("healthy"), &json!(station.pid())));
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert!(health["uptime_seconds"].as_f64().is_some_and(|it| it > 0.0 && it < 60.0), "{health}");
    assert!(health["heartbeat_age_seconds"].as_f64().is_some_and(|it| it < 60.0), "{health}");
    assert_eq!(station.tcp().get("/ready").expect(200), json!({"ready": true}));
}

#[test]
fn a_stopped_daemon_degrades_and_names_itself() {
    let station = Station::start();
    let act = |action: &str| {
        let path = format!("/api/v1/daemons/metrics/{action}");
        station.tcp().post(&path, &Value::Null).expect(200)
    };
    let status = || station.tcp().get("/health").expect(200);
    assert_eq!(act("stop")["state"], "STOPPED");
    let health = status();
    assert_eq!(health["status"], "degraded");
    assert!(health["checks"]["daemons"].as_str().unwrap().contains("metrics"), "{health}");
    assert_eq!(station.tcp().get("/ready").expect(200), json!({"ready": true}));
    assert_eq!(act("start")["state"], "RUNNING");
    eventually("it is well again", || (status()["status"] == "healthy").then_some(()));
}

#[test]
fn the_status_counts_everything() {
    let station = Station::with().simulate("grbl").set("simulator.speed", "0").start();
    station.submit(&json!({"command": ["true"], "hold": true}));
    let id = station.submit(&json!({"command": ["false"]}));
    station.await_job(&id, "FAILED");
    let status = station.tcp().get("/api/v1/status").expect(200);
    for (name, value) in [
        ("status", json!("running")),
        ("ready", json!(true)),
        ("health", json!("healthy")),
        ("pid", json!(station.pid())),
        ("queue_length", json!(1)),
        ("active_jobs", json!(0)),
        ("devices", json!(1)),
        ("daemons", json!(7)),
        ("daemons_running", json!(7)),
    ] {
        assert_eq!(status[name], value, "{name}: {status}");
    }
    assert_eq!((&status["jobs"]["HELD"], &status["jobs"]["FAILED"]), (&json!(1), &json!(1)));
    assert!(
        status["memory_usage_bytes"].is_u64() && status["open_file_descriptors"].is_u64(),
        "{status}"
    );
    assert_eq!(status["socket"], station.workspace().join("stationd.sock").to_str().unwrap());
    // The same for people.
    let said = station.cli(["status"]).exited(0).stdout;
    for line in [
        "Status: Running",
        "Queue Length: 1",
        "Active Jobs: 0",
        "Memory Usage: ",
        "Open File Descriptors: ",
        &format!("PID: {}", station.pid()),
    ] {
        assert!(said.lines().any(|it| it.starts_with(line)), "{line}: {said}");
    }
}

#[test]
fn a_daemon_is_described_in_full() {
    let station = Station::start();
    let daemon = station.tcp().get("/api/v1/daemons/Job_Queue").expect(200);
    assert_eq!(
        keys(&daemon),
        [
            "attempt",
            "category",
            "completed",
            "cpu_usage",
            "critical",
            "dependencies",
            "depends_on",
            "deprecated",
            "description",
            "enabled",
            "health",
            "kind",
            "last_error",
            "last_exit",
            "last_lines",
            "limits",
            "log_file",
            "max_restarts",
            "memory_bytes",
            "name",
            "next_restart_at",
            "pid",
            "pid_file",
            "profiles",
            "restarts",
            "restarts_total",
            "started_at",
            "state",
            "timeline",
            "title",
            "uptime_seconds",
            "why",
        ]
    );
    assert_eq!(keys(&daemon["health"]), ["checked_at", "details", "healthy", "message", "status"]);
    assert_eq!((&daemon["kind"], &daemon["state"]), (&json!("builtin"), &json!("RUNNING")));
    assert_eq!(daemon["depends_on"], json!(["device-manager"]));
    let list = station.tcp().get("/api/v1/daemons").expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 7);
}
