//! Orders that come at an awkward moment, and many programs that fail at once.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Station, eventually, lives, sh};

const SLEEP: &str = "exec sleep 600";

#[test]
fn one_can_be_stopped_wherever_it_is_in_its_life() {
    let hour = json!({"restart_policy": {"backoff_base": "1h", "backoff_max": "1h"},
                      "ready": {"delay": "1s"}});
    let daemons = json!([
        sh("starting", SLEEP, &json!({"ready": {"log": "never written"}})),
        sh("waiting", SLEEP, &json!({"depends_on": ["starting"]})),
        sh("backing-off", "exit 1", &hour),
        sh("given-up", "exit 1", &json!({"restart": "never"})),
        sh("done", "exit 0", &json!({})),
    ]);
    let mut station = Station::with().daemons(&daemons).start();
    let pid = station.await_daemon("starting", "has a process", |it| it["pid"].is_u64());
    let pid = pid["pid"].as_u64().unwrap();
    station.await_state("backing-off", "BACKOFF");
    station.await_state("given-up", "FAILED");
    station.await_daemon("done", "has done its work", |it| it["completed"] == true);
    let did = |name: &str| {
        let stopped = station.order(name, "stop");
        (stopped["state"].clone(), stopped["did"].clone())
    };
    let down = |state: &str| (json!(state), json!("was not running"));
    assert_eq!(did("waiting"), down("STOPPED"));
    assert_eq!(did("starting"), (json!("STOPPED"), json!("stopped: was killed by SIGTERM")));
    assert_eq!(did("backing-off"), down("STOPPED"));
    assert_eq!(did("given-up"), down("FAILED"));
    assert_eq!(did("done"), down("STOPPED"));
    assert!(!lives(pid));
    for name in ["starting", "waiting", "backing-off"] {
        let daemon = station.daemon(name);
        assert_eq!(daemon["next_restart_at"], Value::Null, "{daemon}");
    }
    // Started again, each begins anew: at once, and without the failures before.
    let refused = station.local().post("/api/v1/daemons/backing-off/start", &Value::Null);
    assert!(refused.refused(409).contains("backing-off did not start"));
    let again = station.await_state("backing-off", "BACKOFF");
    assert_eq!((&again["attempt"], &again["restarts"]), (&json!(1), &json!(1)), "{again}");
    assert_eq!(station.stop(), 0);
}

#[test]
fn a_start_does_not_wait_for_the_back_off() {
    let hour = json!({"restart_policy": {"backoff_base": "1h", "backoff_max": "1h"}});
    let script = "[ -e well ] && exec sleep 600; exit 1";
    let station = Station::with().daemons(&json!([sh("one", script, &hour)])).start();
    station.await_state("one", "BACKOFF");
    fs::write(station.workspace().join("well"), "").unwrap();
    for verb in ["start", "restart"] {
        assert_eq!(station.order("one", verb)["state"], "RUNNING", "{verb}");
    }
}

#[test]
fn the_station_answers_while_a_hundred_programs_fail() {
    let more = json!({"restart_policy": {"max_restarts": 1_000_000}});
    let all: Vec<Value> =
        (0..100).map(|number| sh(&format!("loop-{number}"), "exit 1", &more)).collect();
    let mut station = Station::with()
        .daemons(&json!(all))
        .set("supervisor.restart.backoff_base", "100ms")
        .set("supervisor.restart.backoff_max", "100ms")
        .start();
    let one = || station.daemon("loop-99")["restarts"].as_u64().unwrap();
    eventually("all of them fail", || (one() > 1).then_some(()));
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let asked = Instant::now();
        station.daemon("loop-50");
        slowest = slowest.max(asked.elapsed());
    }
    // A release build on an idle machine answers within 50 ms; this is neither.
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    let health = station.tcp().get("/health").expect(200);
    assert_eq!(health["status"], "degraded", "{health}");
    assert_eq!(station.stop(), 0);
    assert_eq!(station.marked(), []);
}

#[test]
fn too_many_restarts_at_a_time_are_held_back_and_that_is_told() {
    let more = json!({"restart_policy": {"max_restarts": 1_000_000}});
    let daemons = json!([sh("one", "exit 1", &more), sh("two", "exit 1", &more)]);
    let station =
        Station::with().daemons(&daemons).set("supervisor.restart.max_per_minute", "5").start();
    let held = eventually("somebody is held back", || {
        let events = station.local().get("/api/v1/events?since=0&limit=1000&type=system_alert");
        let events = events.expect(200)["items"].as_array().unwrap().clone();
        events.into_iter().find(|event| event["title"] == "Restarts are held back")
    });
    assert!(held["message"].as_str().unwrap().contains("more than 5 restarts"), "{held}");
    let restarts = |name: &str| station.daemon(name)["restarts"].as_u64().unwrap();
    assert!(restarts("one") + restarts("two") <= 7);
}

#[test]
fn the_stop_of_the_station_is_not_held_up_by_the_deaf() {
    let deaf = "trap '' TERM; echo deaf; while :; do sleep 0.05; done";
    let more = json!({"stop_timeout": "1h", "ready": {"log": "deaf"}});
    let daemons = json!([
        sh("base", deaf, &more),
        sh(
            "upper",
            deaf,
            &json!({"stop_timeout": "1h", "ready": {"log": "deaf"}, "depends_on": ["base"]})
        ),
    ]);
    let mut station = Station::with().daemons(&daemons).set("queue.shutdown_grace", "1s").start();
    station.await_pid("upper");
    let begun = Instant::now();
    assert_eq!(station.stop(), 0);
    assert!(begun.elapsed() < Duration::from_secs(18), "{:?}", begun.elapsed());
    assert_eq!(station.marked(), []);
}

#[test]
fn a_file_of_variables_is_read_at_each_start() {
    let builder = Station::with();
    fs::create_dir_all(builder.workspace()).unwrap();
    let file = builder.file("one.env");
    fs::write(&file, "WORD=first\n").unwrap();
    let more = json!({"environment_file": file, "restart": "never"});
    let daemons = json!([sh("one", "echo $WORD > word; exec sleep 600", &more)]);
    let station = builder.daemons(&daemons).start();
    assert_eq!(station.await_file("word"), "first\n");
    fs::write(&file, "WORD=second\n").unwrap();
    station.order("one", "restart");
    eventually("it finds the new word", || {
        (station.await_file("word") == "second\n").then_some(())
    });
    fs::write(&file, "no variable\n").unwrap();
    let refused = station.cli(["daemon", "restart", "one"]).exited(1);
    assert!(refused.stderr.contains("one.env: line 1: there is no ="), "{refused:?}");
}

#[test]
fn what_there_is_to_count_is_counted() {
    let hour = json!({"restart_policy": {"backoff_base": "1h", "backoff_max": "1h"}});
    let daemons = json!([
        sh("well", SLEEP, &json!({})),
        sh("backing-off", "exit 1", &hour),
        sh("given \"up\"", "exit 1", &json!({"restart": "never"})),
    ]);
    let station = Station::with().daemons(&daemons).set("metrics.interval", "100ms").start();
    station.await_pid("well");
    station.await_state("backing-off", "BACKOFF");
    station.await_daemon("well", "is measured", |it| it["memory_bytes"].is_u64());
    let text = eventually("all is counted", || {
        let text = station.tcp().get("/metrics").text();
        text.contains("{daemon=\"given \\\"up\\\"\",state=\"FAILED\"} 1").then_some(text)
    });
    for line in [
        "stationd_daemon_health{daemon=\"well\"} 1",
        "stationd_daemon_health{daemon=\"backing-off\"} 0",
        "stationd_daemon_state{daemon=\"well\",state=\"RUNNING\"} 1",
        "stationd_daemon_state{daemon=\"well\",state=\"FAILED\"} 0",
        "stationd_daemon_state{daemon=\"backing-off\",state=\"BACKOFF\"} 1",
        "stationd_daemon_failures_in_a_row{daemon=\"backing-off\"} 1",
        "stationd_daemon_failures_in_a_row{daemon=\"well\"} 0",
        "stationd_daemon_restarts_total{daemon=\"well\"} 0",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    let next = "stationd_daemon_next_restart_timestamp_seconds{daemon=";
    assert!(text.contains(&format!("{next}\"backing-off\"}} ")), "{text}");
    assert!(!text.contains(&format!("{next}\"well\"}} ")), "{text}");
    // Each family is explained once, before its samples.
    let mut families = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            families.push(rest.split(' ').next().unwrap());
        } else if !line.starts_with('#') && !line.is_empty() {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = families.last().unwrap();
            assert!(name.starts_with(family), "{line} is of {family}");
        }
    }
    let mut once = families.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), families.len());
}
