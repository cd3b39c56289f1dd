//! Programs that need others: who waits for whom, how far, and what a restart takes along.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Station, eventually, sh};

const SLEEP: &str = "exec sleep 600";

fn started_at(daemon: &Value) -> jiff::Timestamp {
    daemon["started_at"].as_str().unwrap_or_else(|| panic!("{daemon}")).parse().unwrap()
}

#[test]
fn each_waits_until_what_it_needs_is_as_far_as_it_must_be() {
    let builder = Station::with();
    let quick = json!({"interval": "100ms", "failures": 1000, "command": ["test", "-e", builder.file("well")]});
    let daemons = json!([
        // Given in the wrong order, on purpose.
        sh(
            "last",
            SLEEP,
            &json!({"depends_on": [
                {"name": "server", "condition": "healthy"},
                {"name": "prepare", "condition": "completed"},
                "at-once",
            ]})
        ),
        sh("after-start", SLEEP, &json!({"depends_on": ["server"]})),
        sh("server", SLEEP, &json!({"health": quick, "depends_on": ["at-once"]})),
        sh("prepare", "while [ ! -e go ]; do sleep 0.02; done", &json!({})),
        sh("at-once", SLEEP, &json!({})),
    ]);
    let station = builder.daemons(&daemons).start();
    station.await_state("after-start", "RUNNING");
    let server = station.await_daemon("server", "is not well", |it| {
        it["state"] == "RUNNING" && it["health"]["status"] == "degraded"
    });
    let last = station.daemon("last");
    assert_eq!((&last["state"], &last["pid"]), (&json!("STARTING"), &Value::Null));
    let waiting = "waiting for server to be healthy, prepare to be completed";
    assert_eq!(last["health"]["message"], waiting, "{last}");
    let met = |daemon: &Value| {
        let all = daemon["dependencies"].as_array().unwrap().iter();
        all.map(|it| (it["name"].clone(), it["met"] == true)).collect::<Vec<_>>()
    };
    let wanted = [(json!("server"), false), (json!("prepare"), false), (json!("at-once"), true)];
    assert_eq!(met(&last), wanted);
    let why = station.cli(["daemon", "why", "last"]).exited(0).stdout;
    for words in ["it waits for server to be healthy", "server: it runs and is degraded"] {
        assert!(why.contains(words), "{words}: {why}");
    }
    let tree = station.cli(["daemon", "list", "--tree"]).exited(0).stdout;
    assert!(tree.contains(&format!("last: STARTING ({waiting})")), "{tree}");

    fs::write(station.workspace().join("well"), "").unwrap();
    station.await_daemon("last", "waits for one only", |it| {
        it["health"]["message"] == "waiting for prepare to be completed"
    });
    fs::write(station.workspace().join("go"), "").unwrap();
    let last = station.await_state("last", "RUNNING");
    assert!(met(&last).iter().all(|(_, met)| *met), "{last}");
    assert!(started_at(&last) > started_at(&server));
    assert_eq!(station.daemon("prepare")["completed"], true);
}

#[test]
fn what_is_not_required_only_comes_first() {
    let soft = |name: &str| json!({"depends_on": [{"name": name, "required": false}]});
    let daemons = json!([
        sh("after-broken", SLEEP, &soft("broken")),
        sh("after-off", SLEEP, &soft("off")),
        sh("after-nobody", SLEEP, &soft("nobody")),
        sh("after-slow", SLEEP, &soft("slow")),
        sh("hard", SLEEP, &json!({"depends_on": ["broken"]})),
        sh("broken", "exit 1", &json!({"restart": "never", "ready": {"delay": "1s"}})),
        sh("off", SLEEP, &json!({"enabled": false})),
        sh("slow", SLEEP, &json!({"ready": {"delay": "300ms"}})),
    ]);
    let mut station = Station::with().daemons(&daemons).start();
    let slow = station.await_state("slow", "RUNNING");
    let after = station.await_state("after-slow", "RUNNING");
    assert!(started_at(&after) >= started_at(&slow), "{after}");
    for name in ["after-broken", "after-off", "after-nobody"] {
        station.await_state(name, "RUNNING");
    }
    assert_eq!(station.daemon("off")["state"], "STOPPED");
    assert_eq!(station.daemon("hard")["state"], "STARTING");
    let refused = station.cli(["daemon", "start", "hard"]).exited(1);
    assert!(
        refused.stderr.contains("broken did not start: failed: exited with 1 before it was ready"),
        "{refused:?}"
    );
    assert_eq!(station.stop(), 0);
}

#[test]
fn a_start_brings_up_what_is_needed_and_the_end_goes_the_other_way() {
    let daemons = json!([
        sh("web", SLEEP, &json!({"depends_on": ["api"], "enabled": false})),
        sh("api", SLEEP, &json!({"depends_on": ["base"], "enabled": false})),
        sh("base", SLEEP, &json!({"enabled": false})),
    ]);
    // Whoever is needed by nobody but a disabled one may be disabled too.
    let mut station = Station::with().daemons(&daemons).start();
    for name in ["web", "api", "base"] {
        assert_eq!(station.daemon(name)["state"], "STOPPED", "{name}");
    }
    station.cli(["daemon", "start", "web"]).exited(0);
    let [web, api, base] = ["web", "api", "base"].map(|name| station.daemon(name));
    assert!(started_at(&base) <= started_at(&api) && started_at(&api) <= started_at(&web));
    assert_eq!(station.stop(), 0);
    station.again();
    let place = |name: &str, state: &str| {
        let events = station.events_of(name);
        let event = events.iter().find(|event| event["state"] == state);
        event.unwrap_or_else(|| panic!("{name} {state}: {events:?}"))["seq"].as_u64().unwrap()
    };
    assert!(place("web", "STOPPED") < place("api", "STOPPING"));
    assert!(place("api", "STOPPED") < place("base", "STOPPING"));
}

#[test]
fn a_restart_takes_along_who_asked_for_that() {
    let daemons = json!([
        sh("base", SLEEP, &json!({})),
        sh("along", SLEEP, &json!({"depends_on": ["base"], "on_dependency_restart": "restart"})),
        sh("further", SLEEP, &json!({"depends_on": ["along"], "on_dependency_restart": "restart"})),
        sh("keeps", SLEEP, &json!({"depends_on": ["base"]})),
        sh("apart", SLEEP, &json!({"on_dependency_restart": "restart"})),
    ]);
    let station = Station::with().daemons(&daemons).start();
    let names = ["base", "along", "further", "keeps", "apart"];
    let mut before = names.map(|name| station.await_pid(name));
    for round in 0..2 {
        if round == 0 {
            station.order("base", "restart");
        } else {
            let pid = nix::unistd::Pid::from_raw(i32::try_from(before[0]).unwrap());
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
        }
        let now = eventually("three of them are other ones", || {
            let now = names.map(|name| station.daemon(name)["pid"].as_u64());
            let is_new = |at: usize| now[at].is_some() && now[at] != Some(before[at]);
            (0..3).all(is_new).then_some(())?;
            Some(names.map(|name| station.await_pid(name)))
        });
        assert_eq!(now[3..], before[3..], "round {round}");
        before = now;
    }
}
