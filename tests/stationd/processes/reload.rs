//! A configuration that changes under way: exactly what is different is started, stopped or
//! restarted.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Station, daemons, eventually, lives, sh};

const SLEEP: &str = "exec sleep 600";

fn write(station: &Station, all: &Value) {
    fs::write(station.config_file(), daemons(all)).unwrap();
}

#[test]
fn exactly_what_has_changed_is_touched() {
    let plain = |name: &str| sh(name, SLEEP, &json!({}));
    let other = |name: &str, more: Value| sh(name, SLEEP, &more);
    let station = Station::with()
        .daemons(&json!([
            plain("same"),
            plain("moved"),
            other("gone", json!({})),
            other("command", json!({})),
            other("environment", json!({"environment": {"A": "1"}})),
            other("policy", json!({})),
            other("switched-off", json!({})),
            other("switched-on", json!({"enabled": false})),
            other("broken", json!({"directory": "/"})),
            plain("stopped"),
        ]))
        .start();
    let all =
        ["same", "moved", "gone", "command", "environment", "policy", "switched-off", "broken"];
    let before = all.map(|name| station.await_pid(name));
    station.await_pid("stopped");
    station.order("stopped", "stop");
    let builtins = || -> Vec<Value> {
        let all = station.all_daemons().into_iter().filter(|it| it["kind"] == "builtin");
        all.map(|it| it["started_at"].clone()).collect()
    };
    let built = builtins();
    write(
        &station,
        &json!([
            plain("moved"),
            plain("same"),
            sh("command", "exec sleep 601", &json!({})),
            other("environment", json!({"environment": {"A": "2"}})),
            other(
                "policy",
                json!({"title": "With a title", "restart_policy": {"max_restarts": 1}})
            ),
            other("switched-off", json!({"enabled": false})),
            other("switched-on", json!({"enabled": true})),
            other("broken", json!({"directory": "/tmp"})),
            other("stopped", json!({"environment": {"A": "2"}})),
            other("new", json!({"depends_on": ["same"]})),
            other("new-off", json!({"enabled": false})),
        ]),
    );
    let said = station.cli(["reload"]).exited(0).stdout;
    for name in ["new", "switched-on"] {
        station.await_pid(name);
    }
    let changed = ["command", "environment", "broken"].map(|name| {
        let place = all.iter().position(|it| *it == name).unwrap();
        station.await_daemon(name, "is another one", |it| {
            it["state"] == "RUNNING" && it["pid"].is_u64() && it["pid"] != before[place]
        })
    });
    for daemon in changed {
        assert_eq!(daemon["last_error"], Value::Null, "a reload is no failure: {daemon}");
    }
    for (place, name) in [(0, "same"), (1, "moved"), (5, "policy")] {
        assert_eq!(station.await_pid(name), before[place], "{name} goes on");
    }
    let policy = station.daemon("policy");
    assert_eq!((&policy["title"], &policy["max_restarts"]), (&json!("With a title"), &json!(1)));
    station.await_state("switched-off", "STOPPED");
    for name in ["new-off", "stopped"] {
        assert_eq!(station.daemon(name)["state"], "STOPPED", "{name}");
    }
    eventually("what is gone is gone", || {
        (station.local().get("/api/v1/daemons/gone").status == 404).then_some(())
    });
    assert!(!lives(before[2]) && !lives(before[6]));
    assert_eq!(builtins(), built, "no built-in daemon is touched");
    for line in [
        "gone: stopped, it is no longer configured",
        "command: restarted, its configuration has changed",
        "environment: restarted, its configuration has changed",
        "policy: changed, and goes on",
        "switched-off: stopped",
        "switched-on: started",
        "new: new, started",
        "new-off: new, not enabled",
    ] {
        assert!(said.lines().any(|it| it.trim() == line), "{line}: {said}");
    }
    for name in ["same", "moved"] {
        assert!(!said.contains(&format!("{name}: ")), "{name}: {said}");
    }
    // Once more is nothing.
    let again = station.cli(["reload"]).exited(0).stdout;
    assert!(!again.contains(": restarted") && !again.contains(": started"), "{again}");
    assert_eq!(again, "Configuration reloaded\n");
}

#[test]
fn a_file_with_any_mistake_changes_nothing() {
    let station = Station::with()
        .daemons(&json!([sh("one", SLEEP, &json!({})), sh("two", SLEEP, &json!({}))]))
        .start();
    let before = ["one", "two"].map(|name| station.await_pid(name));
    let place = station.config_file();
    let place = place.to_str().unwrap();
    for (yaml, wrong) in [
        (
            "daemons:\n- {name: two, command: [sleep, '1'], depends_on: [three]}\n\
             - {name: three, command: [sleep, '1'], depends_on: [two]}\n",
            vec![format!("{place}:2:"), "two -> three -> two".to_owned()],
        ),
        (
            "daemons:\n- {name: two, command: [sleep, '1'], restart: maybe}\n\
             - {name: three, command: [/no/such]}\n",
            vec![format!("{place}:2:"), format!("{place}:3:"), "/no/such".to_owned()],
        ),
        ("daemons: [", vec![format!("{place}:")]),
    ] {
        fs::write(station.config_file(), yaml).unwrap();
        let refused = station.cli(["reload"]).exited(1);
        for words in wrong {
            assert!(refused.stderr.contains(&words), "{words}: {refused:?}");
        }
        assert_eq!(["one", "two"].map(|name| station.await_pid(name)), before);
        assert_eq!(station.local().get("/api/v1/daemons/three").status, 404);
        assert_eq!(station.local().get("/ready").status, 200);
    }
    let audit = station.local().get("/api/v1/events?since=0&limit=1000&type=audit").expect(200);
    let audit = audit["items"].as_array().unwrap().iter();
    let reloads = audit.filter(|it| it["action"] == "station.reload");
    let outcomes: Vec<_> = reloads.map(|it| it["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["failed"; 3]);
}

#[test]
fn a_hangup_reloads_and_a_running_command_is_not_confused_by_it() {
    let slow = |more: Value| sh("slow", SLEEP, &more);
    let station =
        Station::with().daemons(&json!([slow(json!({"ready": {"delay": "1s"}}))])).start();
    station.await_daemon("slow", "is being started", |it| {
        it["state"] == "STARTING" && it["pid"].is_u64()
    });
    write(
        &station,
        &json!([slow(json!({"environment": {"A": "1"}})), sh("new", SLEEP, &json!({}))]),
    );
    station.signal(nix::sys::signal::Signal::SIGHUP);
    eventually("it is reloaded", || station.log().contains(" reloaded: ").then_some(()));
    station.await_pid("new");
    eventually("it is the new one, and the only one", || {
        let slow = station.await_pid("slow");
        let environment = fs::read(format!("/proc/{slow}/environ")).unwrap_or_default();
        let mine = environment.split(|byte| *byte == 0).any(|it| it == b"A=1");
        let all: Vec<_> = station.marked().into_iter().filter(|it| it.daemon == "slow").collect();
        (mine && all.len() == 1).then_some(())
    });
}
