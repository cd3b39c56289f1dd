//! Orders to many programs, and many orders to one.

use std::{fs, thread};

use serde_json::{Value, json};

use crate::support::{Station, eventually, lives, sh};

const SLEEP: &str = "exec sleep 600";

#[test]
fn programs_are_ordered_about_by_category_and_all_together() {
    let media = json!({"category": "media"});
    let daemons = json!([
        sh("camera", SLEEP, &media),
        sh("sound", SLEEP, &json!({"category": "media", "depends_on": ["camera"]})),
        sh("web", SLEEP, &json!({})),
        sh("spare", SLEEP, &json!({"enabled": false})),
    ]);
    let station = Station::with().daemons(&daemons).start();
    let names = ["camera", "sound", "web"];
    let pids = names.map(|name| station.await_pid(name));
    let stopped = station.cli(["daemon", "stop", "--category", "media"]).exited(0).stdout;
    let by_term = "stopped: was killed by SIGTERM";
    assert_eq!(stopped, format!("camera: {by_term}\nsound: {by_term}\n"));
    assert!(!lives(pids[0]) && !lives(pids[1]) && lives(pids[2]));
    let listed = station.cli(["daemon", "list", "--category", "media"]).exited(0).stdout;
    assert_eq!(listed, "Daemon Status:\n  camera: STOPPED\n  sound: STOPPED\n");
    let started = station.cli(["daemon", "start", "--category", "media"]).exited(0).stdout;
    for name in ["camera", "sound"] {
        let line = format!("{name}: started (PID {})", station.await_pid(name));
        assert!(started.lines().any(|it| it == line), "{line}: {started}");
    }
    let before = names.map(|name| station.await_pid(name));
    let restarted = station.cli(["daemon", "restart", "--all"]).exited(0).stdout;
    for (name, before) in names.iter().zip(before) {
        let pid = station.await_pid(name);
        assert_ne!(pid, before, "{name}");
        let line = format!("{name}: restarted (PID {pid})");
        assert!(restarted.lines().any(|it| it == line), "{line}: {restarted}");
    }
    assert!(!restarted.contains("spare"), "what is not enabled is left alone: {restarted}");
    let again = station.cli(["daemon", "start", "web"]).exited(0).stdout;
    assert_eq!(again, format!("web: was running already (PID {})\n", station.await_pid("web")));
}

#[test]
fn a_rolling_restart_goes_on_only_from_one_that_is_well() {
    let builder = Station::with().set("supervisor.health_timeout", "1s");
    let check = json!({"interval": "100ms", "failures": 1000, "command": ["test", "!", "-e", builder.file("sick")]});
    let daemons = json!([
        sh("third", SLEEP, &json!({"depends_on": ["second"]})),
        sh("second", SLEEP, &json!({"depends_on": ["first"], "health": check})),
        sh("first", SLEEP, &json!({})),
    ]);
    let station = builder.daemons(&daemons).start();
    let names = ["first", "second", "third"];
    let pids = || names.map(|name| station.await_pid(name));
    let mut before = pids();
    let well = ["daemon", "restart", "first", "second", "third", "--rolling"];
    let rolled = station.cli(well).exited(0).stdout;
    let order: Vec<&str> = rolled.lines().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(order, names);
    let now = pids();
    assert!(before.iter().zip(&now).all(|(before, now)| before != now), "{before:?} {now:?}");
    before = now;

    fs::write(station.workspace().join("sick"), "").unwrap();
    let halted = station.cli(well).exited(1);
    assert!(halted.stdout.starts_with("first: restarted (PID "), "{halted:?}");
    assert!(halted.stderr.contains("the rolling restart stopped at \"second\""), "{halted:?}");
    assert!(halted.stderr.contains("degraded: the check exited with 1"), "{halted:?}");
    assert_eq!(halted.stderr.lines().count(), 1, "{halted:?}");
    let now = pids();
    assert!(now[0] != before[0] && now[1] != before[1], "{before:?} {now:?}");
    assert_eq!(now[2], before[2], "the third one is left alone");
}

#[test]
fn orders_to_one_are_carried_out_one_after_the_other() {
    // Whoever finds another one running says so: a directory is made by one alone.
    let script = "mkdir alone || echo twice >> twice; trap 'rmdir alone; exit 0' TERM; \
        echo up; while :; do sleep 0.02; done";
    let daemons = json!([sh("busy", script, &json!({"ready": {"log": "^up$"}}))]);
    let station = Station::with().daemons(&daemons).start();
    station.await_pid("busy");
    let client = station.tcp();
    let answers: Vec<Value> = thread::scope(|scope| {
        let order = |number: usize| {
            let verb = ["restart", "stop", "start"][number % 3];
            let client = client.clone();
            scope.spawn(move || {
                client.post(&format!("/api/v1/daemons/busy/{verb}"), &Value::Null).expect(200)
            })
        };
        let all: Vec<_> = (0..20).map(order).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for answer in &answers {
        assert!(answer["did"].as_str().is_some_and(|did| !did.is_empty()), "{answer}");
    }
    assert!(!station.workspace().join("twice").exists(), "two ran at a time");
    // However they came, one last word decides.
    station.order("busy", "start");
    let restarted = station.order("busy", "restart");
    assert!(restarted["did"].as_str().unwrap().starts_with("restarted"), "{restarted}");
    let pid = station.await_pid("busy");
    eventually("one runs, and for a moment perhaps its child that is not `sleep` yet", || {
        let mut all = station.marked();
        all.retain(|it| it.command.starts_with("sh "));
        (all.len() == 1 && u64::from(all[0].pid) == pid).then_some(())
    });
    station.order("busy", "stop");
    assert_eq!(station.marked(), []);
    assert!(!station.workspace().join("alone").exists());
}

#[test]
fn what_is_not_as_it_should_be_is_mended() {
    let daemons = json!([sh("camera", SLEEP, &json!({})), sh("other", SLEEP, &json!({}))]);
    let station = Station::with().daemons(&daemons).start();
    let before = ["camera", "other"].map(|name| station.await_pid(name));
    station.order("other", "stop");
    let all = station.cli(["reconcile"]).exited(0).stdout;
    assert!(all.ends_with(" checked, nothing to mend\n"), "who was stopped stays so: {all}");
    assert_eq!(station.daemon("other")["state"], "STOPPED");
    // Stopped by somebody who is not the station: it is seen, whether anybody asks or not.
    let pid = nix::unistd::Pid::from_raw(i32::try_from(before[0]).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    station.cli(["reconcile", "camera"]).exited(0);
    station.await_daemon("camera", "runs again", |it| {
        it["state"] == "RUNNING" && it["pid"].is_u64() && it["pid"] != before[0]
    });
}
