//! Figures: Prometheus text, the last hour, and the heartbeat file with its verdicts.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{Station, eventually};

#[test]
fn the_text_passes_promtool_and_has_every_name_that_is_promised() {
    let station = Station::with().simulate("grbl").set("simulator.speed", "0").start();
    let (ran, failed) = (
        station.submit(&json!({"command": ["true"]})),
        station.submit(&json!({"command": ["false"]})),
    );
    station.await_job(&ran, "COMPLETED");
    station.await_job(&failed, "FAILED");
    let counted = || {
        let text = station.tcp().get("/metrics").text();
        let both = text.contains("\nstationd_job_duration_seconds_count 2\n");
        // The machine may still be asked how it is.
        (both && text.contains("\nstationd_devices{status=\"idle\"} 1\n")).then_some(text)
    };
    let text = eventually("both jobs are counted and the machine is idle", counted);
    for line in [
        "stationd_daemon_health{daemon=\"job-queue\"} 1",
        "stationd_daemon_health{daemon=\"sync\"} 1",
        "stationd_daemon_restarts_total{daemon=\"heartbeat\"} 0",
        "stationd_daemon_state{daemon=\"sync\",state=\"RUNNING\"} 1",
        "stationd_daemon_state{daemon=\"sync\",state=\"STOPPED\"} 0",
        "stationd_daemon_state{daemon=\"sync\",state=\"FAILED\"} 0",
        "stationd_daemon_failures_in_a_row{daemon=\"metrics\"} 0",
        "stationd_jobs{state=\"COMPLETED\"} 1",
        "stationd_jobs{state=\"FAILED\"} 1",
        "stationd_jobs{state=\"QUEUED\"} 0",
        "stationd_devices{status=\"idle\"} 1",
        "stationd_devices{status=\"alarm\"} 0",
        "stationd_job_errors_total 1",
        "stationd_job_duration_seconds_bucket{le=\"+Inf\"} 2",
        "stationd_websocket_connections 0",
        &format!("stationd_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    let types: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    for (name, kind) in [
        ("stationd_daemon_uptime_seconds", "gauge"),
        ("stationd_daemon_restarts_total", "counter"),
        ("stationd_job_duration_seconds", "histogram"),
        ("process_resident_memory_bytes", "gauge"),
        ("process_open_fds", "gauge"),
    ] {
        assert_eq!(types.get(name), Some(&kind), "{name}");
    }
    let Ok(mut promtool) = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        eprintln!("not checked by promtool: it is not installed");
        return;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    assert!(said.status.success() && said.stderr.is_empty(), "{said:?}");
    assert_eq!(station.cli(["metrics"]).exited(0).stdout.lines().count(), text.lines().count());
}

#[test]
fn the_last_hour_is_there_in_as_many_points_as_asked_for() {
    let station =
        Station::with().set("metrics.interval", "100ms").set("metrics.history", "20s").start();
    let history = |points: u32| {
        station.tcp().get(&format!("/api/v1/metrics/history?points={points}")).expect(200)
    };
    let known = eventually("some samples are taken", || {
        let history = history(20);
        let known = history["cpu_usage"].as_array().unwrap().iter().filter(|it| it.is_number());
        (known.count() >= 2).then_some(history)
    });
    assert_eq!(known["interval_seconds"], 1.0);
    assert!(known["until"].is_string());
    for name in ["cpu_usage", "memory_usage", "disk_usage", "rss_bytes"] {
        let series = known[name].as_array().unwrap();
        assert_eq!(series.len(), 20, "{name}");
        assert!(series[0].is_null() && series[19].is_number(), "{name}: {series:?}");
    }
    assert!(known["memory_usage"][19].as_f64().is_some_and(|it| it > 0.0 && it < 1.0), "{known}");
    assert!(known["rss_bytes"][19].as_u64() > Some(1_000_000), "{known}");
    assert_eq!(history(5)["cpu_usage"].as_array().unwrap().len(), 5);
}

fn beat(station: &Station) -> Value {
    let text = fs::read_to_string(station.workspace().join("stationd.heartbeat")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_heartbeat_file_says_what_checkers_read() {
    let station =
        Station::with().set("heartbeat.interval", "1s").set("heartbeat.mode", "0604").start();
    let first = beat(&station);
    let mut keys: Vec<&String> = first.as_object().unwrap().keys().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["pid", "timestamp", "unix_time", "uptime_seconds"]);
    assert_eq!(first["pid"], station.pid());
    let local: jiff::civil::DateTime = first["timestamp"].as_str().unwrap().parse().unwrap();
    assert_eq!(first["timestamp"].as_str().unwrap().len(), "2024-01-15T10:30:45.123456".len());
    let since = jiff::Zoned::now().datetime().duration_since(local).as_secs_f64();
    assert!((-1.0..20.0).contains(&since), "local time without a zone: {since}");
    let file = station.workspace().join("stationd.heartbeat");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o604);
    eventually("it beats on", || {
        let next = beat(&station);
        (next["unix_time"].as_f64() > first["unix_time"].as_f64()
            && next["uptime_seconds"].as_f64() > first["uptime_seconds"].as_f64())
        .then_some(())
    });
}

#[test]
fn the_file_alone_tells_whether_the_station_lives() {
    let mut station = Station::start();
    let healthy = station.cli(["daemon-status"]).exited(0).stdout;
    let lines: Vec<&str> = healthy.lines().collect();
    assert_eq!(lines[0], "✅ Daemon Status: HEALTHY");
    assert!(
        lines[1].starts_with("Message: Last heartbeat ") && lines[1].ends_with("s ago"),
        "{healthy}"
    );
    assert_eq!(lines[2], format!("PID: {}", station.pid()));
    assert!(lines[3].starts_with("Uptime: "), "{healthy}");
    let nagios = station.cli(["check", "health", "--nagios"]).exited(0).stdout;
    assert!(
        nagios.starts_with("OK - Last heartbeat ") && nagios.contains("| heartbeat_age="),
        "{nagios}"
    );
    station.kill();
    let file = station.workspace().join("stationd.heartbeat");
    station.cli(["daemon-status"]).exited(0); // it cannot know yet
    let mut old: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    old["unix_time"] = json!(old["unix_time"].as_f64().unwrap() - 90.0);
    fs::write(&file, old.to_string()).unwrap();
    let late = station.cli(["daemon-status"]).exited(1).stdout;
    assert!(late.starts_with("❌ Daemon Status: UNHEALTHY\nMessage: Last heartbeat 9"), "{late}");
    assert!(
        station.cli(["check", "health", "--nagios"]).exited(1).stdout.starts_with("WARNING - ")
    );
    fs::write(&file, "{").unwrap();
    assert!(station.cli(["daemon-status"]).exited(2).stdout.contains("ERROR"));
    assert!(
        station.cli(["check", "health", "--nagios"]).exited(3).stdout.starts_with("UNKNOWN - ")
    );
    fs::remove_file(&file).unwrap();
    assert!(station.cli(["daemon-status"]).exited(1).stdout.contains("No heartbeat file found"));
    let nagios = station.cli(["check", "health", "--nagios"]).exited(2).stdout;
    assert_eq!(nagios, "CRITICAL - No heartbeat file found\n");
}
