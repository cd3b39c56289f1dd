//! How the run before this one ended, and a station that starts itself anew when it is worn out.

use std::{fs, os::unix::net::UnixDatagram};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{Builder, Station, eventually};

fn last_run(station: &Station) -> Value {
    station.tcp().get("/api/v1/status").expect(200)["last_run"].clone()
}

/// The verdict, after checking that the command line says the same.
#[track_caller]
fn verdict(station: &Station) -> String {
    let last = last_run(station);
    let verdict = last["verdict"].as_str().unwrap().to_owned();
    let said = station.cli(["status"]).exited(0).stdout;
    let line = said.lines().find(|line| line.starts_with("Last Run: "));
    if matches!(verdict.as_str(), "clean" | "first") {
        assert_eq!(line, None, "{said}");
    } else {
        let detail = last["detail"].as_str().unwrap();
        let expected = format!("Last Run: {} - {detail}", verdict.replace('_', " "));
        assert_eq!(line, Some(expected.as_str()), "{said}");
    }
    let json = station.cli(["status", "--json"]).exited(0).json();
    assert_eq!(json["last_run"], last);
    verdict
}

#[test]
fn each_end_of_a_run_is_told_at_the_next_start() {
    let mut station = Station::start();
    assert_eq!(verdict(&station), "first");
    assert_eq!(last_run(&station)["ended_at"], Value::Null);

    assert_eq!(station.stop(), 0);
    station.again();
    assert_eq!(verdict(&station), "clean");
    assert!(last_run(&station)["ended_at"].is_string());

    let killed = station.pid();
    station.kill();
    station.again();
    assert_eq!(verdict(&station), "killed");
    let detail = last_run(&station)["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(&killed.to_string()), "{detail}");

    station.signal(Signal::SIGABRT);
    let status = eventually("it crashes", || station.has_ended());
    assert_eq!(status.code(), None, "{status}");
    station.again();
    assert_eq!(verdict(&station), "crashed");
    let detail = last_run(&station)["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("SIGABRT"), "{detail}");

    // A word that an earlier crash has left is not taken for a later one.
    station.kill();
    station.again();
    assert_eq!(verdict(&station), "killed");

    station.kill();
    let file = station.workspace().join(".run.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    record["boot_id"] = json!("00000000-0000-0000-0000-000000000000");
    fs::write(&file, record.to_string()).unwrap();
    station.again();
    assert_eq!(verdict(&station), "power_loss");

    // A record that cannot be read is as good as none, and is no reason not to start.
    station.kill();
    fs::write(&file, "{").unwrap();
    station.again();
    assert_eq!(verdict(&station), "first");
    // A restart on request is a clean end too.
    station.cli(["restart"]).exited(0);
    assert_eq!(verdict(&station), "clean");
}

#[test]
fn a_start_that_fails_is_a_run_too() {
    let mut station = Station::start();
    assert_eq!(station.stop(), 0);
    let database = station.workspace().join("stationd.db");
    let whole = fs::read(&database).unwrap();
    fs::write(&database, "no database at all, whatever it says").unwrap();
    station.builder().run().exited(65);
    fs::write(&database, whole).unwrap();
    station.again();
    assert_eq!(verdict(&station), "crashed");
    let detail = last_run(&station)["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("it ended by itself: "), "{detail}");
}

fn quick() -> Builder {
    Station::with()
        .set("supervisor.health_interval", "100ms")
        .set("supervisor.health_timeout", "500ms")
        .set("supervisor.restart.backoff_base", "20ms")
        .set("supervisor.restart.backoff_max", "40ms")
        .set("queue.shutdown_grace", "1s")
}

/// Has a daemon stand still for ever; the thread that it held is never given back.
#[track_caller]
fn hang(station: &Station, name: &str) {
    let path = format!("/api/v1/daemons/{name}/fault");
    let answer = station.local().post(&path, &json!({"fault": "hang"}));
    assert_ne!(answer.status, 404, "this test needs the feature: cargo test --features faults");
    answer.expect(200);
}

#[test]
fn a_station_with_three_threads_that_stand_still_starts_itself_anew() {
    let station = quick().start();
    let (pid, queued) = (station.pid(), json!({"command": ["true"], "hold": true}));
    let id = station.submit(&queued);
    for name in ["sync", "metrics"] {
        hang(&station, name);
        station.await_daemon(name, "is replaced", |it| {
            it["restarts"] == 1 && it["state"] == "RUNNING"
        });
        assert_eq!(station.await_alert(name, "stood still")["severity"], "error");
    }
    assert!(!station.log().contains("starts anew"), "two are bearable");
    hang(&station, "sync");
    eventually("it is ready for the second time", || {
        (station.log().matches(" is ready: ").count() == 2).then_some(())
    });
    assert!(station.log().contains("3 threads stand still, the last one that of sync"));
    let status = station.tcp().get("/api/v1/status").expect(200);
    assert_eq!(status["pid"], pid, "it is the same process");
    assert_eq!(station.daemon("sync")["restarts"], 0, "of this run");
    assert_eq!(station.job(&id)["state"], "HELD", "the queue is kept");
    assert_eq!(verdict(&station), "clean");
}

#[test]
fn under_an_init_system_that_is_left_to_it() {
    let listener = tempfile::tempdir().unwrap();
    let path = listener.path().join("notify");
    let _socket = UnixDatagram::bind(&path).unwrap();
    let by_notify = quick().env("NOTIFY_SOCKET", &path);
    let by_systemd = quick().env("INVOCATION_ID", "00000000000000000000000000000001");
    for builder in [by_notify, by_systemd] {
        let mut station = builder.start();
        for (round, name) in ["sync", "metrics", "sync"].into_iter().enumerate() {
            let before = station.daemon(name)["restarts"].as_u64().unwrap();
            hang(&station, name);
            if round < 2 {
                station.await_daemon(name, "is replaced", |it| {
                    it["restarts"].as_u64() > Some(before) && it["state"] == "RUNNING"
                });
            }
        }
        assert_eq!(station.exit_code(), 70);
        assert_eq!(station.log().matches(" is ready: ").count(), 1);
    }
}
