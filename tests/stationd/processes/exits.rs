//! What becomes of a program that ends, by its restart policy and by how it ended.

use serde_json::{Value, json};

use crate::support::{Station, eventually, sh};

/// How a program ends, and what is said of it.
const ENDS: [(&str, &str, &str); 3] = [
    ("zero", "exit 0", "exited with 0"),
    ("three", "exit 3", "exited with 3"),
    ("signal", "kill -SEGV $$", "was killed by SIGSEGV"),
];

const MAX_RESTARTS: u64 = 2;

/// What is expected of a program under `policy` that always ends so: is it given up in the end,
/// and after how many restarts. The reference that the station is held against.
fn model(policy: &str, end: &str) -> (bool, u64) {
    let failed = end != "zero" || policy == "always";
    let restarts = if failed && policy != "never" { MAX_RESTARTS } else { 0 };
    (failed, restarts)
}

/// The states of a program on its way to its last one.
fn path(failed: bool, restarts: u64) -> Vec<&'static str> {
    let mut states = vec!["STARTING", "RUNNING"];
    for _ in 0..restarts {
        states.extend(["BACKOFF", "STARTING", "RUNNING"]);
    }
    states.push(if failed { "FAILED" } else { "STOPPED" });
    states
}

#[test]
fn each_end_has_its_consequence_under_each_policy() {
    let mut all = Vec::new();
    for policy in ["always", "on-failure", "never"] {
        for (end, script, _) in ENDS {
            let script = format!("echo the last word of $STATIOND_DAEMON; {script}");
            let more = json!({"restart": policy, "restart_policy": {"max_restarts": MAX_RESTARTS}});
            all.push(sh(&format!("{policy}-{end}"), &script, &more));
        }
    }
    let station = Station::with().daemons(&json!(all)).start();
    for policy in ["always", "on-failure", "never"] {
        for (end, _, how) in ENDS {
            let name = format!("{policy}-{end}");
            let (failed, restarts) = model(policy, end);
            let last = if failed { "FAILED" } else { "STOPPED" };
            let daemon = station.await_daemon(&name, "has ended for good", |daemon| {
                daemon["state"] == last && (failed || daemon["completed"] == true)
            });
            assert_eq!(daemon["restarts"], restarts, "{daemon}");
            assert_eq!(daemon["completed"], !failed, "{daemon}");
            assert_eq!(daemon["max_restarts"], MAX_RESTARTS, "{daemon}");
            let (exit, error) = (&daemon["last_exit"], &daemon["last_error"]);
            assert!(exit.as_str().unwrap().ends_with(how), "{daemon}");
            if failed {
                assert!(error.as_str().unwrap().ends_with(how), "{daemon}");
                let words = format!("the last word of {name}");
                assert_eq!(daemon["last_lines"], json!([words]), "{daemon}");
                assert_eq!(daemon["attempt"], restarts + 1, "{daemon}");
            } else {
                assert_eq!((error, &daemon["attempt"]), (&Value::Null, &json!(0)), "{daemon}");
            }
            for field in ["pid", "next_restart_at", "started_at", "uptime_seconds"] {
                assert_eq!(daemon[field], Value::Null, "{field}: {daemon}");
            }
            let states = |told: &Value| -> Vec<Value> {
                let all = told.as_array().unwrap().iter().map(|it| it["state"].clone());
                let mut all: Vec<Value> = all.collect();
                all.dedup(); // it may wait a moment before it is launched, or change its health
                all
            };
            let wanted = json!(path(failed, restarts)).as_array().unwrap().clone();
            let told = |list: &Value| {
                let states = states(list);
                states.ends_with(&wanted).then_some(()).ok_or(states)
            };
            told(&daemon["timeline"]).unwrap_or_else(|states| panic!("{name}: {states:?}"));
            eventually(&format!("the events tell the same of {name}"), || {
                let mut events = station.events_of(&name);
                events.retain(|event| event["type"] == "daemon_status");
                told(&json!(events)).ok()
            });
        }
    }
}

#[test]
fn who_waits_for_a_restart_says_when_and_why() {
    let more = json!({"restart_policy": {"backoff_base": "1h", "backoff_max": "1h"}});
    let script = "echo first; echo 'no camera is plugged in'; exit 3";
    let station = Station::with().daemons(&json!([sh("camera", script, &more)])).start();
    let daemon = station.await_state("camera", "BACKOFF");
    let at: jiff::Timestamp = daemon["next_restart_at"].as_str().unwrap().parse().unwrap();
    let wait = at.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((3500..=3600).contains(&wait), "{wait}: {daemon}");
    assert_eq!((&daemon["attempt"], &daemon["max_restarts"]), (&json!(1), &json!(5)));
    assert_eq!(daemon["last_lines"], json!(["first", "no camera is plugged in"]));
    let why = station.cli(["daemon", "why", "camera"]).exited(0).stdout;
    for words in [
        "camera: BACKOFF since ",
        "it went down and waits for restart 1 of 5",
        "its last run ended: failed: exited with 3",
        "the last that it wrote was: no camera is plugged in",
        "Next: it is started again at ",
        "(attempt 1 of 5)",
    ] {
        assert!(why.contains(words), "{words}: {why}");
    }
    let list = station.cli(["daemon", "list", "--wide"]).exited(0).stdout;
    let dead = "[DEAD] camera - BACKOFF: failed: exited with 3\n";
    assert!(list.contains(dead), "{list}");
    let list = station.cli(["daemon", "list"]).exited(0).stdout;
    assert!(list.contains("  camera: BACKOFF (failed: exited with 3)\n"), "{list}");
}

#[test]
fn a_crash_loop_is_told_and_the_end_of_it_lasts_until_somebody_starts_it() {
    let script = "echo in despair; [ -e well ] && exec sleep 600; exit 3";
    let mut station = Station::with().daemons(&json!([sh("loop", script, &json!({}))])).start();
    let failed = station.await_state("loop", "FAILED");
    assert_eq!((&failed["restarts"], &failed["restarts_total"]), (&json!(5), &json!(5)));
    assert_eq!((&failed["attempt"], &failed["max_restarts"]), (&json!(6), &json!(5)));
    let crash = station.await_alert("loop", "is in a crash loop");
    assert_eq!((&crash["severity"], &crash["source"]), (&json!("warning"), &json!("supervisor")));
    let message = crash["message"].as_str().unwrap();
    assert!(message.contains("3 failures in a row") && message.contains("in despair"), "{crash}");
    let given_up = station.await_alert("loop", "was given up");
    assert_eq!(given_up["level"], "error");
    assert!(crash["seq"].as_u64() < given_up["seq"].as_u64());
    assert_eq!(station.tcp().get("/health").expect(200)["status"], "degraded");

    // Nobody but a person brings it back, even if it would do well now.
    std::fs::write(station.workspace().join("well"), "").unwrap();
    for args in [&["reconcile"][..], &["reconcile", "loop"], &["reload"]] {
        station.cli(args).exited(0);
        assert_eq!(station.daemon("loop")["state"], "FAILED", "{args:?}");
    }
    let started = station.cli(["daemon", "start", "loop"]).exited(0).stdout;
    assert!(started.starts_with("loop: started (PID "), "{started}");
    let up = station.daemon("loop");
    assert_eq!((&up["restarts"], &up["restarts_total"]), (&json!(6), &json!(6)));
    assert_eq!(up["attempt"], 0, "the start forgives: {up}");
    eventually("it is well again", || {
        (station.tcp().get("/health").expect(200)["status"] == "healthy").then_some(())
    });

    // `restarts` is of this run of the station, the total is of all.
    let counted = |station: &Station| {
        let up = station.await_state("loop", "RUNNING");
        (up["restarts"].as_u64().unwrap(), up["restarts_total"].as_u64().unwrap())
    };
    assert_eq!(station.stop(), 0);
    station.again();
    assert_eq!(counted(&station), (0, 6));
    station.order("loop", "restart");
    eventually("it is written down", || {
        let mut events = station.events_of("loop");
        events.retain(|event| event["type"] == "daemon_status");
        let last = events.pop()?;
        (last["restarts"] == 1 && last["state"] == "RUNNING").then_some(())
    });
    station.kill();
    station.again();
    assert_eq!(counted(&station), (0, 7));
}

#[test]
fn a_critical_program_that_is_given_up_makes_the_station_unhealthy() {
    let more = json!({"critical": true, "restart": "never"});
    let daemons = json!([sh("heart", "exit 1", &more)]);
    let station = Station::with().daemons(&daemons).start();
    station.await_state("heart", "FAILED");
    let health = station.tcp().get("/health").expect(503);
    assert_eq!(health["status"], "unhealthy");
    assert!(health["checks"]["daemons"].as_str().unwrap().contains("heart"), "{health}");
    assert_eq!(station.await_alert("heart", "was given up")["severity"], "critical");
}

#[test]
fn a_minute_of_running_forgives_and_other_codes_may_be_well() {
    let quick = json!({"restart_policy": {"max_restarts": 1, "stable_after": "50ms"}});
    let well = json!({"exit_codes": [0, 3], "restart": "on-failure"});
    let daemons = json!([
        // It lives longer than it must to be forgiven.
        sh("patient", "sleep 0.2; exit 1", &quick),
        sh("three", "exit 3", &well),
    ]);
    let station = Station::with().daemons(&daemons).start();
    station.await_daemon("patient", "is never given up", |it| it["restarts"].as_u64() >= Some(4));
    let three = station.await_daemon("three", "has done its work", |it| it["completed"] == true);
    assert_eq!((&three["state"], &three["last_error"]), (&json!("STOPPED"), &Value::Null));
}
