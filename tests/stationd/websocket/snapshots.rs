//! What a client is told when it subscribes: how things are, or what it missed.

use serde_json::{Value, json};

use super::{events_since, held, seq, types, up_to_now};
use crate::support::{Station, WebSocket, eventually};

/// A station with a machine that holds still in the middle of a job; the job's id.
fn in_the_middle() -> (Station, String) {
    let station = Station::with().simulate("grbl").set("simulator.speed", "5").start();
    let file = "G1 X50 F3000\nG1 X0\n".repeat(200);
    let job = station.tcp().request("POST", "/api/v1/jobs?name=long", &[], file.as_bytes());
    let id = job.expect(201)["id"].as_str().unwrap().to_owned();
    eventually("it is on its way", || {
        (station.job(&id)["lines_acknowledged"].as_u64() > Some(4)).then_some(())
    });
    station.act(&id, "pause").expect(200);
    (station, id)
}

#[test]
fn who_subscribes_is_told_how_things_are_and_nothing_else() {
    let (station, id) = in_the_middle();
    station.submit(&held());
    let ended = station.submit(&json!({"command": ["true"]}));
    station.await_job(&ended, "COMPLETED");
    let told = |channels: Value| {
        let mut socket = WebSocket::connect(&station.tcp());
        socket.send(&json!({"type": "SUBSCRIBE", "channels": channels}));
        let mut all = up_to_now(&mut socket);
        // Live ones may come in between; the present state comes first.
        all.retain(|it| it["type"] != "log");
        all
    };
    let jobs = told(json!(["jobs"]));
    assert_eq!(types(&jobs), ["job_state_change", "job_progress"], "the active one alone");
    let (change, progress) = (&jobs[0], &jobs[1]);
    assert_eq!((&change["job_id"], &change["to_state"]), (&json!(id), &json!("PAUSED")));
    assert!(
        change.as_object().unwrap().contains_key("from_state") && change["from_state"].is_null()
    );
    assert_eq!(change["metadata"]["snapshot"], true);
    assert_eq!((&change["job_name"], &change["device_id"]), (&json!("long"), &json!("sim-grbl")));
    assert!(change["reason"].is_string() && change["timestamp"].is_string(), "{change}");
    assert_eq!(progress["job_id"], *id);
    assert!(progress["lines_acknowledged"].as_u64() > Some(4), "{progress}");

    let devices = told(json!(["device"]));
    let device = &devices[0];
    assert_eq!(device["type"], "device_status");
    assert_eq!(
        (&device["device_id"], &device["device_type"]),
        (&json!("sim-grbl"), &json!("grbl"))
    );
    assert_eq!((&device["status"], &device["current_job_id"]), (&json!("paused"), &json!(id)));
    assert_eq!(
        (&device["firmware_version"], &device["error_message"]),
        (&json!("1.1h"), &json!(""))
    );
    assert!(device["position"]["z"].is_number() && device["error_count"].is_u64(), "{device}");

    let daemons = told(json!(["daemons"]));
    let mut names: Vec<&str> = daemons.iter().map(|it| it["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["device-manager", "heartbeat", "hooks", "job-queue", "metrics", "sync", "watchdog"]
    );
    assert!(
        daemons.iter().all(|it| it["state"] == "RUNNING" && it["last_error"] == ""),
        "{daemons:?}"
    );

    // It is measured each second.
    let measured = || Some(told(json!(["system"]))).filter(|told| told[0]["active_jobs"] == 1);
    let system = &eventually("the job is counted", measured)[0];
    assert_eq!(system["type"], "system_status");
    assert!(system["memory_usage"].as_f64().is_some_and(|it| it > 0.0 && it <= 1.0), "{system}");
    assert!(system["cpu_usage"].as_f64().is_some_and(|it| (0.0..=1.0).contains(&it)), "{system}");
    assert!(system["uptime"].is_number() && system["version"].is_string(), "{system}");
    assert!(system.get("seq").is_none());

    assert_eq!(told(json!(["logs", "audit"])), Vec::<Value>::new());
    assert_eq!(types(&told(json!([format!("job:{id}")]))), ["job_state_change", "job_progress"]);
    assert_eq!(types(&told(json!(["device:sim-grbl"])))[0], "device_status");
    assert_eq!(types(&told(json!(["daemon:sync"]))), ["daemon_status"]);
    let all = told(json!([]));
    for kind in
        ["job_state_change", "job_progress", "device_status", "daemon_status", "system_status"]
    {
        assert!(types(&all).contains(&kind), "{kind}: {all:?}");
    }
}

#[test]
fn what_was_missed_is_replayed_to_the_letter_and_live_events_follow() {
    let station = Station::start();
    let mut socket = WebSocket::subscribed(&station.tcp(), &["jobs"]);
    station.submit(&held());
    let last = seq(&socket.message());
    drop(socket);
    for _ in 0..20 {
        station.submit(&held());
    }
    let missed = events_since(&station.local(), last, &["jobs", "audit"]);
    assert_eq!(missed.len(), 20 * 2 + 1);
    let mut socket = WebSocket::connect(&station.tcp());
    let again = json!({"type": "SUBSCRIBE", "channels": ["jobs", "audit"], "since": last});
    socket.send(&again);
    let more = station.submit(&held());
    for event in &missed {
        assert_eq!(&socket.message(), event);
    }
    let live = socket.message();
    assert_eq!(live["job_id"], *more);
    assert_eq!(seq(&live), seq(missed.last().unwrap()) + 1, "no gap and no repetition");
    // Nothing was missed: nothing is said, not even the present state.
    socket.message();
    let newest = seq(&live) + 1;
    socket.send(&json!({"type": "SUBSCRIBE", "channels": ["jobs", "daemons"], "since": newest}));
    assert_eq!(up_to_now(&mut socket), Vec::<Value>::new());
}

#[test]
fn what_is_too_old_to_be_replayed_is_answered_by_lagged_and_the_present_state() {
    let mut station = Station::start();
    for _ in 0..5 {
        station.submit(&held());
    }
    assert_eq!(station.stop(), 0);
    let database = rusqlite::Connection::open(station.workspace().join("stationd.db")).unwrap();
    database.execute("DELETE FROM events WHERE seq <= 8", []).unwrap();
    drop(database);
    station.again();
    let mut socket = WebSocket::connect(&station.tcp());
    let ask = |since: u64| json!({"type": "SUBSCRIBE", "channels": ["daemons"], "since": since, "ack": true});
    socket.send(&ask(3));
    let lagged = socket.message();
    assert_eq!((&lagged["type"], &lagged["from_seq"]), (&json!("lagged"), &json!(4)));
    let ack = socket.message();
    assert_eq!(lagged["missed"].as_u64(), Some(seq(&ack) - 3));
    let mut present = up_to_now(&mut socket);
    present.retain(|it| it.get("seq").is_none()); // these happened before, the others just now
    assert_eq!(types(&present), ["daemon_status"; 7]);
    // The oldest that is still there can be replayed.
    let known = events_since(&station.local(), 8, &["daemons"]);
    socket.send(&ask(8));
    assert_eq!(socket.message()["type"], "subscribed");
    let replayed = up_to_now(&mut socket);
    let (replayed, since) = replayed.split_at(known.len().min(replayed.len()));
    assert_eq!(replayed, known);
    // A daemon may have had something to say meanwhile; then it follows, each once.
    assert_eq!(
        since,
        events_since(&station.local(), seq(&known[known.len() - 1]), &["daemons"])
            .split_at(since.len())
            .0
    );
    // A number from another database lies in the future.
    socket.send(&ask(1_000_000));
    assert_eq!(socket.message()["type"], "lagged");
}

#[test]
fn a_get_after_an_event_shows_at_least_what_it_said() {
    let station = Station::start();
    let mut socket = WebSocket::subscribed(&station.tcp(), &["jobs"]);
    for _ in 0..10 {
        let id = station.submit(&json!({"command": ["true"]}));
        let done = socket.until(|it| it["job_id"] == *id && it["to_state"] == "COMPLETED");
        assert_eq!(done["from_state"], "RUNNING");
        assert_eq!(station.job(&id)["state"], "COMPLETED");
    }
}
