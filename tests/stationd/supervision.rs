//! Daemons that misbehave: each is restarted alone, on schedule, until it is given up.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::{Builder, Station, eventually};

const DAEMONS: [&str; 7] =
    ["job-queue", "device-manager", "hooks", "heartbeat", "metrics", "sync", "watchdog"];

/// A station whose restarts are quick, so that many fit into a test.
fn quick() -> Builder {
    Station::with()
        .set("supervisor.restart.backoff_base", "20ms")
        .set("supervisor.restart.backoff_max", "40ms")
}

trait Faults {
    fn inject(&self, name: &str, fault: &str);
    /// What the events say of one daemon, oldest first, once they say that it is in this state
    /// after so many restarts: they are stored a moment after it is seen.
    fn history(&self, name: &str, state: &str, restarts: u64) -> Vec<Value>;
}

impl Faults for Station {
    #[track_caller]
    fn inject(&self, name: &str, fault: &str) {
        let path = format!("/api/v1/daemons/{name}/fault");
        let answer = self.local().post(&path, &json!({"fault": fault}));
        assert_ne!(
            answer.status, 404,
            "these tests need the feature: cargo test --features faults"
        );
        answer.expect(200);
    }

    #[track_caller]
    fn history(&self, name: &str, state: &str, restarts: u64) -> Vec<Value> {
        let path =
            format!("/api/v1/events?since=0&limit=1000&type=daemon_status&resource=daemon:{name}");
        eventually(&format!("the events say that {name} is {state}"), || {
            let events = self.local().get(&path).expect(200)["items"].as_array().unwrap().clone();
            let last = events.last()?;
            (last["state"] == state && last["restarts"] == restarts).then_some(events)
        })
    }
}

/// Everything but the daemons that `struck` may pull down with it is as it was.
#[track_caller]
fn others_untouched(station: &Station, before: &[Value], struck: &str) {
    for old in before.iter().filter(|daemon| daemon["name"] != struck) {
        let now = station.daemon(old["name"].as_str().unwrap());
        for field in ["state", "started_at", "restarts", "last_error"] {
            assert_eq!(now[field], old[field], "{field} of {} after {struck}", old["name"]);
        }
    }
}

fn all(station: &Station) -> Vec<Value> {
    station.local().get("/api/v1/daemons").expect(200)["items"].as_array().unwrap().clone()
}

#[test]
fn the_built_in_daemons_come_up_in_order_and_go_down_in_reverse() {
    let mut station = Station::start();
    let names: Vec<_> = all(&station).iter().map(|daemon| daemon["name"].clone()).collect();
    assert_eq!(names, DAEMONS);
    for daemon in all(&station) {
        assert_eq!(daemon["state"], "RUNNING", "{daemon}");
        assert_eq!(daemon["health"]["status"], "healthy", "{daemon}");
        assert_eq!((&daemon["kind"], &daemon["restarts"]), (&json!("builtin"), &json!(0)));
    }
    assert_eq!(station.daemon("job-queue")["depends_on"], json!(["device-manager"]));
    assert_eq!(station.daemon("JOB_QUEUE")["name"], "job-queue", "names match loosely");
    assert_eq!(station.stop(), 0);
    station.again();
    let path = "/api/v1/events?since=0&limit=1000&type=daemon_status";
    let events = station.local().get(path).expect(200)["items"].clone();
    let events = events.as_array().unwrap();
    let place = |name: &str, state: &str| {
        let is = |event: &Value| event["name"] == name && event["state"] == state;
        events.iter().position(is).unwrap_or_else(|| panic!("{name} {state}: {events:?}"))
    };
    assert!(place("device-manager", "RUNNING") < place("job-queue", "RUNNING"));
    assert!(place("job-queue", "STOPPED") < place("device-manager", "STOPPING"));
}

#[test]
fn whatever_happens_to_a_daemon_it_alone_is_replaced() {
    let station = quick().set("supervisor.restart.max_restarts", "100").start();
    for name in DAEMONS {
        let mut restarts = 0;
        for (fault, reason) in [
            ("panic", "injected in a handler"),
            ("panic_stopping", "injected in stopping"),
            ("panic_twice", "injected in a handler"),
            ("error", "injected error"),
        ] {
            let before = all(&station);
            station.inject(name, fault);
            restarts += 1;
            let daemon = station.await_daemon(name, "is up again", |daemon| {
                daemon["restarts"] == restarts && daemon["state"] == "RUNNING"
            });
            let error = daemon["last_error"].as_str().unwrap();
            assert!(error.contains(reason), "{fault} of {name}: {daemon}");
            others_untouched(&station, &before, name);
            assert_eq!(station.tcp().get("/health").status, 200);
        }
        // A panic while it starts is felt at the next start.
        let before = all(&station);
        station.inject(name, "panic_started");
        station.inject(name, "panic");
        let daemon = station.await_daemon(name, "is up again", |daemon| {
            daemon["restarts"] == restarts + 2 && daemon["state"] == "RUNNING"
        });
        let error = daemon["last_error"].as_str().unwrap();
        assert!(error.contains("injected in started"), "{daemon}");
        others_untouched(&station, &before, name);
    }
    // And everything does its work.
    let id = station.submit(&json!({"command": ["true"]}));
    station.await_job(&id, "COMPLETED");
}

#[test]
fn a_daemon_that_hangs_is_replaced_and_nothing_waits_for_it() {
    let mut station = None;
    for (n, name) in DAEMONS.into_iter().enumerate() {
        if n % 2 == 0 {
            // After the third thread that stands still the station starts anew: two are enough.
            station = Some(
                quick()
                    .set("supervisor.health_interval", "100ms")
                    .set("supervisor.health_timeout", "300ms")
                    .start(),
            );
        }
        let station = station.as_ref().unwrap();
        let before = all(station);
        station.inject(name, "hang");
        assert_eq!(station.tcp().get("/health").status, 200, "nobody waits for {name}");
        let daemon = station.await_daemon(name, "is replaced", |daemon| {
            daemon["restarts"] == 1 && daemon["state"] == "RUNNING"
        });
        let error = daemon["last_error"].as_str().unwrap();
        assert!(error.contains("hung"), "{daemon}");
        others_untouched(station, &before, name);
        let id = station.submit(&json!({"command": ["true"]}));
        station.await_job(&id, "COMPLETED");
    }
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap_or_else(|| panic!("no time: {value}")).parse().unwrap()
}

/// Each restart was announced for `delays` after the failure that was injected at `struck`, and
/// came then; a busy machine may be late, but never early.
#[track_caller]
fn on_schedule(history: &[Value], struck: &[Timestamp], delays: &[i64]) {
    let backoffs: Vec<_> =
        (0..history.len()).filter(|&at| history[at]["state"] == "BACKOFF").collect();
    assert_eq!(backoffs.len(), delays.len(), "{history:?}");
    for ((&at, struck), least) in backoffs.iter().zip(struck).zip(delays) {
        let promised = time(&history[at]["next_restart_at"]);
        let delay = promised.as_millisecond() - struck.as_millisecond();
        assert!((*least..least + 900).contains(&delay), "{delay} ms instead of {least}");
        let next = &history[at + 1];
        assert_eq!(next["state"], "STARTING", "{history:?}");
        assert!(time(&next["timestamp"]) >= promised, "{next} before {promised}");
    }
}

#[test]
fn restarts_come_after_1_2_4_8_16_steps_and_the_sixth_failure_is_the_last() {
    let base = 60;
    let station = Station::with()
        .set("supervisor.restart.backoff_base", &format!("{base}ms"))
        .set("supervisor.restart.backoff_max", &format!("{}ms", 16 * base))
        .start();
    let before = all(&station);
    let mut struck = Vec::new();
    for failure in 1..=6 {
        station.await_daemon("sync", "is up", |daemon| {
            daemon["restarts"] == failure - 1 && daemon["state"] == "RUNNING"
        });
        struck.push(Timestamp::now());
        station.inject("sync", "panic");
    }
    let failed = station.await_daemon("sync", "is given up", |it| it["state"] == "FAILED");
    assert!(failed["last_error"].as_str().unwrap().contains("injected"), "{failed}");
    assert_eq!(failed["restarts"], 5);
    assert_eq!(failed["next_restart_at"], Value::Null);
    others_untouched(&station, &before, "sync");
    let health = station.tcp().get("/health");
    assert_eq!(health.status, 200, "sync is not critical");
    assert_eq!(health.json()["status"], "degraded");

    let history = station.history("sync", "FAILED", 5);
    on_schedule(&history, &struck, &[1, 2, 4, 8, 16].map(|factor| factor * base));

    let started = station.cli(["daemon", "start", "sync"]).exited(0);
    assert!(started.stdout.starts_with("sync: started"), "{started:?}");
    assert_eq!(station.tcp().get("/health").expect(200)["status"], "healthy");
    station.inject("sync", "panic");
    station.await_daemon("sync", "is forgiven", |it| it["restarts"] == 6);
}

#[test]
fn by_default_the_first_restarts_come_after_one_and_two_seconds() {
    let station = Station::start();
    let mut struck = vec![Timestamp::now()];
    station.inject("heartbeat", "panic");
    station.await_daemon("heartbeat", "is up again", |daemon| {
        daemon["restarts"] == 1 && daemon["state"] == "RUNNING"
    });
    struck.push(Timestamp::now());
    station.inject("heartbeat", "error");
    station.await_daemon("heartbeat", "waits", |daemon| daemon["state"] == "BACKOFF");
    assert_eq!(station.tcp().get("/health").status, 200);
    let shown = station.cli(["daemon", "show", "heartbeat"]).exited(0);
    assert!(shown.stdout.contains("BACKOFF"), "{shown:?}");
    station.await_daemon("heartbeat", "is up again", |it| it["restarts"] == 2);
    on_schedule(&station.history("heartbeat", "RUNNING", 2), &struck, &[1000, 2000]);
}

#[test]
fn a_minute_without_failure_forgives() {
    let station = quick()
        .set("supervisor.restart.max_restarts", "1")
        .set("supervisor.restart.stable_after", "200ms")
        .start();
    for failure in 1..=4 {
        let up = station.await_daemon("metrics", "is up", |daemon| {
            daemon["restarts"] == failure - 1 && daemon["state"] == "RUNNING"
        });
        let stable = Duration::from_millis(200).as_secs_f64();
        station.await_daemon("metrics", "is stable", |daemon| {
            daemon["started_at"] == up["started_at"]
                && daemon["uptime_seconds"].as_f64().unwrap() > stable
        });
        station.inject("metrics", "error");
    }
    station.await_daemon("metrics", "is up after all", |it| {
        it["restarts"] == 4 && it["state"] == "RUNNING"
    });
    // A moment less does not forgive: this is the second failure in a row.
    station.inject("metrics", "error");
    station.await_daemon("metrics", "is given up", |it| it["state"] == "FAILED");
}

#[test]
fn each_daemon_stops_and_starts_when_told_to() {
    let station = quick().start();
    for name in DAEMONS.iter().copied().filter(|name| *name != "device-manager") {
        let before = all(&station);
        assert_eq!(station.order(name, "stop")["state"], "STOPPED");
        assert_eq!(station.order(name, "stop")["state"], "STOPPED", "a done thing is done");
        others_untouched(&station, &before, name);
        assert_eq!(station.tcp().get("/ready").status, 200);
        let started = station.order(name, "start");
        assert_eq!(started["state"], "RUNNING");
        let again = station.order(name, "restart");
        assert_eq!(again["state"], "RUNNING");
        assert_ne!(again["started_at"], started["started_at"]);
        assert_eq!(again["last_error"], Value::Null, "a stop is no failure: {again}");
        others_untouched(&station, &before, name);
    }
    // What depends on it goes on, and finds it again.
    assert_eq!(station.order("device-manager", "restart")["state"], "RUNNING");
    let id = station.submit(&json!({"command": ["true"]}));
    station.await_job(&id, "COMPLETED");
    let unknown = station.local().post("/api/v1/daemons/job-que/stop", &Value::Null).refused(404);
    assert!(unknown.contains("job-queue"), "the nearest name is told: {unknown}");
    let unknown = station.cli(["daemon", "restart", "job-que"]).exited(5);
    assert!(unknown.stderr.contains("job-queue"), "{unknown:?}");
}

#[test]
fn while_the_queue_is_down_jobs_are_taken_and_wait() {
    let station = quick().start();
    station.order("job-queue", "stop");
    let health = station.tcp().get("/health");
    assert_ne!(health.json()["status"], "healthy");
    let id = station.submit(&json!({"command": ["true"]}));
    assert_eq!(station.job(&id)["state"], "QUEUED");
    station.act(&id, "cancel").refused(503);
    station.order("job-queue", "start");
    station.await_job(&id, "COMPLETED");
}

#[test]
fn a_queue_that_panics_leaves_no_program_behind_and_runs_the_job_again() {
    let station = quick().start();
    let started = station.home().join("started");
    let script = "echo $$ >> \"$0\"; exec sleep 600";
    let id = station.submit(&json!({"command": ["sh", "-c", script, started]}));
    let starts = || {
        let text = std::fs::read_to_string(&started).unwrap_or_default();
        text.lines().map(|pid| format!("/proc/{pid}")).collect::<Vec<_>>()
    };
    eventually("the program runs", || (starts().len() == 1).then_some(()));
    station.inject("job-queue", "panic");
    eventually("the program runs again", || (starts().len() == 2).then_some(()));
    let [first, second] = &starts()[..] else { panic!("{:?}", starts()) };
    eventually("the first one is gone", || (!std::fs::exists(first).unwrap()).then_some(()));
    assert!(std::fs::exists(second).unwrap());
    assert_eq!(station.job(&id)["attempts"], 2);
}

#[test]
fn only_the_daemons_asked_for_run_with_what_they_need() {
    let station = Station::with().arg("--daemons").arg("JOB_QUEUE").start();
    for daemon in all(&station) {
        let name = daemon["name"].as_str().unwrap();
        let wanted = matches!(name, "job-queue" | "device-manager");
        assert_eq!(daemon["state"], if wanted { "RUNNING" } else { "STOPPED" }, "{name}");
        assert_eq!(daemon["enabled"], wanted, "{name}");
    }
    assert_eq!(station.order("sync", "start")["state"], "RUNNING", "by hand it may run");
    let refused = Station::with().arg("--daemons").arg("job-que").run().exited(78);
    assert!(refused.stderr.contains("job-que"), "{refused:?}");
}
