//! A program goes with everything that it has started, wherever that has hidden.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Station, eventually, lives, sh};

/// A session of its own, forked twice, out of the program's group, with a child that is deaf.
const ESCAPE: &str = "(setsid sh -c 'trap \"\" TERM HUP; sleep 601 & while :; do sleep 0.05; done' &); \
    (trap '' HUP; sleep 602 &) &";

/// How many processes a program with [`ESCAPE`] is at least: it, the deaf one, and two that sleep.
const MANY: usize = 4;

#[test]
fn nothing_is_left_of_one_that_forks_twice() {
    let more = json!({"stop_timeout": "500ms"});
    let script = format!("{ESCAPE} exec sleep 600");
    let daemons = json!([sh("hydra", &script, &more), sh("calm", "exec sleep 600", &json!({}))]);
    let station = Station::with().daemons(&daemons).start();
    let calm = station.await_pid("calm");
    let grown = || {
        eventually("all its processes run", || {
            let mut all = station.marked();
            all.retain(|process| process.daemon == "hydra");
            (all.len() >= MANY).then_some(all)
        })
    };
    for verb in ["stop", "restart"] {
        let before = grown();
        station.order("hydra", verb);
        let left = before.iter().filter(|process| lives(process.pid.into()));
        assert_eq!(left.count(), 0, "when {verb} is answered, all are gone: {before:?}");
        if verb == "stop" {
            station.order("hydra", "start");
        }
    }
    // And when it is killed by somebody else, before another one runs.
    let before = grown();
    let pid = station.await_pid("hydra");
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap()),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
    station.await_daemon("hydra", "is another one", |it| {
        it["state"] == "RUNNING" && it["pid"].is_u64() && it["pid"] != pid
    });
    assert!(!before.iter().any(|process| lives(process.pid.into())), "{before:?}");
    assert_eq!(station.daemon("hydra")["last_error"], "failed: was killed by SIGKILL");
    assert_eq!(station.await_pid("calm"), calm, "the others are not touched");
}

#[test]
fn one_that_ends_well_leaves_nothing_either() {
    let script = format!("{ESCAPE} sleep 0.2; exit 0");
    let more = json!({"stop_timeout": "300ms"});
    let mut station = Station::with().daemons(&json!([sh("short", &script, &more)])).start();
    station.await_daemon("short", "has done its work", |it| it["completed"] == true);
    station.await_nothing_left("short");
    assert_eq!(station.stop(), 0);
}

#[test]
fn an_emergency_stop_ends_everything_at_once() {
    let deaf = format!("trap '' TERM; {ESCAPE} echo deaf; while :; do sleep 0.05; done");
    let more = json!({"stop_timeout": "1h", "ready": {"log": "deaf"}});
    let names: Vec<String> = (0..5).map(|number| format!("deaf-{number}")).collect();
    let all: Vec<_> = names.iter().map(|name| sh(name, &deaf, &more)).collect();
    let mut station = Station::with().daemons(&json!(all)).start();
    for name in &names {
        station.await_pid(name);
    }
    let begun = Instant::now();
    let stopped = station.cli(["daemon", "stop", "--all", "--force"]).exited(0).stdout;
    assert!(begun.elapsed() < Duration::from_secs(18), "{:?}", begun.elapsed());
    assert_eq!(station.marked(), []);
    for daemon in station.all_daemons() {
        assert_eq!(daemon["state"], "STOPPED", "{daemon}");
        let line = format!("{}: stopped", daemon["name"].as_str().unwrap());
        assert!(stopped.contains(&line), "{line}: {stopped}");
    }
    assert_eq!(station.stop(), 0);
}
