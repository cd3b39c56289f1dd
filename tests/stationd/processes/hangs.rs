//! Programs that live but do not work, do not start, or do not stop.

use std::{
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Station, eventually, lives, sh};

/// A check that fails is soon known.
fn check(mut how: Value) -> Value {
    let quick = json!({"interval": "100ms", "timeout": "300ms", "failures": 3});
    how.as_object_mut().unwrap().extend(quick.as_object().unwrap().clone());
    json!({"health": how, "restart_policy": {"max_restarts": 1000}})
}

#[test]
fn one_whose_check_fails_is_degraded_and_then_restarted() {
    // Both take connections, and neither ever answers.
    let (hung, closing) = ["127.0.0.1:0"; 2].map(|any| TcpListener::bind(any).unwrap()).into();
    let url = format!("http://{}/state", hung.local_addr().unwrap());
    let address = closing.local_addr().unwrap().to_string();
    let builder = Station::with();
    let (ok, beat) = (builder.file("ok"), builder.file("beat"));
    let sleep = "exec sleep 600";
    let daemons = json!([
        sh(
            "by-command",
            "touch ok; exec sleep 600",
            &check(json!({"command": ["test", "-e", ok]}))
        ),
        sh("by-http", sleep, &check(json!({"http": url}))),
        sh("by-tcp", sleep, &check(json!({"tcp": address}))),
        sh("by-file", "touch beat; exec sleep 600", &check(json!({"file": beat, "max_age": "1s"}))),
    ]);
    let station = builder.daemons(&daemons).start();
    for well in ["by-command", "by-tcp", "by-file"] {
        station.await_daemon(well, "is healthy", |it| it["health"]["status"] == "healthy");
    }
    let before = ["by-command", "by-tcp"].map(|name| station.daemon(name));
    drop(closing);
    fs::remove_file(&ok).unwrap();
    for (name, why) in [
        ("by-command", "failed its health check 3 times: the check exited with 1"),
        ("by-http", "failed its health check 3 times: no answer within 0.3 s"),
        ("by-tcp", "failed its health check 3 times: connection refused"),
        ("by-file", "failed its health check 3 times: "),
    ] {
        let daemon = station.await_daemon(name, "is restarted", |daemon| {
            daemon["restarts"].as_u64() > Some(0) && daemon["last_error"].is_string()
        });
        assert!(daemon["last_error"].as_str().unwrap().contains(why), "{daemon}");
        eventually(&format!("{name} was degraded first"), || {
            let events = station.events_of(name);
            let is = |event: &Value| event["health"] == "degraded" && event["state"] == "RUNNING";
            let degraded = events.iter().position(is)?;
            let down = events.iter().position(|event| event["state"] == "BACKOFF")?;
            (degraded < down).then_some(())
        });
    }
    // It makes its file anew, and that heals it.
    let healed = station.await_daemon("by-command", "is healthy again", |it| {
        it["health"]["status"] == "healthy" && it["state"] == "RUNNING"
    });
    assert_ne!(healed["pid"], before[0]["pid"]);
    assert!(
        !lives(before[0]["pid"].as_u64().unwrap()) && !lives(before[1]["pid"].as_u64().unwrap())
    );
}

#[test]
fn one_that_never_becomes_ready_is_given_up_in_time_with_the_reason() {
    let nowhere = "127.0.0.1:1";
    let more = json!({"ready": {"tcp": nowhere}, "start_timeout": "300ms", "restart": "never"});
    let station = Station::with().daemons(&json!([sh("late", "exec sleep 600", &more)])).start();
    let failed = station.await_state("late", "FAILED");
    assert_eq!(failed["last_error"], "hung: it did not start in time", "{failed}");
    station.await_nothing_left("late");
    let refused = station.cli(["daemon", "start", "late"]).exited(1);
    assert!(refused.stderr.contains("late did not start within 0.3 s"), "{refused:?}");
    assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    assert_eq!(station.tcp().get("/ready").status, 200, "the others do not wait for it");
}

#[test]
fn one_that_ignores_sigterm_is_killed_in_the_end_and_by_force_at_once() {
    let deaf = "trap '' TERM; echo deaf; while :; do sleep 0.02; done";
    let deaf = |name: &str, timeout: &str| {
        sh(name, deaf, &json!({"stop_timeout": timeout, "ready": {"log": "deaf"}}))
    };
    let daemons = json!([deaf("short", "300ms"), deaf("long", "1h")]);
    let mut station = Station::with().daemons(&daemons).start();
    let pids = ["short", "long"].map(|name| station.await_pid(name));
    let stopped = station.cli(["daemon", "stop", "short"]).exited(0).stdout;
    assert_eq!(stopped, "short: stopped: was killed: it did not stop within 0.3 s\n");
    let begun = Instant::now();
    let stopped = station.cli(["daemon", "stop", "long", "--force"]).exited(0).stdout;
    assert!(stopped.starts_with("long: stopped: was killed"), "{stopped}");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert!(!pids.into_iter().any(lives));
    for name in ["short", "long"] {
        let daemon = station.daemon(name);
        assert_eq!((&daemon["state"], &daemon["pid"]), (&json!("STOPPED"), &Value::Null));
        assert!(daemon["last_exit"].as_str().unwrap().contains("killed"), "{daemon}");
        assert_eq!(daemon["last_error"], Value::Null, "a stop is no failure: {daemon}");
        station.await_nothing_left(name);
    }
    // Nor does the station wait for ever.
    station.order("short", "start");
    assert_eq!(station.stop(), 0);
    assert_eq!(station.marked(), []);
}

#[test]
fn a_stop_is_by_the_signal_that_was_asked_for() {
    let script = "trap 'echo by interrupt; exit 0' INT; echo up; while :; do sleep 0.02; done";
    let more = json!({"stop_signal": "INT", "ready": {"log": "^up$"}});
    let station = Station::with().daemons(&json!([sh("polite", script, &more)])).start();
    station.await_pid("polite");
    let stopped = station.order("polite", "stop");
    assert_eq!(stopped["did"], "stopped: exited with 0", "{stopped}");
    let log = fs::read_to_string(station.workspace().join("logs/polite.log")).unwrap();
    assert_eq!(log, "up\nby interrupt\n");
}

#[test]
fn what_cannot_be_started_says_so_clearly() {
    let builder = Station::with();
    let program = builder.home().join("vanishing");
    let directory = builder.home().join("place");
    fs::write(&program, "#!/bin/sh\nexec sleep 600\n").unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(&directory).unwrap();
    let once = json!({"restart": "never", "directory": directory});
    let daemons = json!([
        {"name": "vanishing", "command": [program], "restart": "never"},
        sh("homeless", "exec sleep 600", &once),
        {"name": "scriptless", "command": [builder.home().join("bare")], "restart": "never"},
    ]);
    fs::write(builder.home().join("bare"), "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(builder.home().join("bare"), Permissions::from_mode(0o755)).unwrap();
    let station = builder.daemons(&daemons).start();
    for name in ["vanishing", "homeless"] {
        station.await_pid(name);
        station.order(name, "stop");
    }
    fs::remove_file(&program).unwrap();
    fs::remove_dir(&directory).unwrap();
    for (name, why) in [
        ("vanishing", "no such program"),
        ("homeless", "there is no directory "),
        ("scriptless", "the interpreter named in its first line does not exist"),
    ] {
        let refused = station.cli(["daemon", "start", name]).exited(1);
        assert!(refused.stderr.contains(why), "{refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
        let daemon = station.daemon(name);
        assert_eq!(daemon["state"], "FAILED", "{daemon}");
        assert!(daemon["last_error"].as_str().unwrap().contains(why), "{daemon}");
        assert!(station.cli(["daemon", "why", name]).exited(0).stdout.contains(why));
    }
}
