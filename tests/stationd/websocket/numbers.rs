//! Events have one number each, the same for everybody.

use std::thread;

use serde_json::{Value, json};

use super::{events_since, held, seq, up_to_now};
use crate::support::{Station, WebSocket};

const EVERYTHING: [&str; 6] = ["jobs", "devices", "daemons", "system", "logs", "audit"];

#[test]
fn subscribers_hear_every_event_once_in_order_and_as_it_is_stored() {
    let station = Station::with().simulate("grbl").set("simulator.speed", "0").start();
    let mut socket = WebSocket::connect(&station.tcp());
    socket.send(&json!({"type": "SUBSCRIBE", "channels": EVERYTHING, "ack": true}));
    let from = seq(&socket.message());
    thread::scope(|scope| {
        for _ in 0..4 {
            let station = &station;
            scope.spawn(move || {
                for _ in 0..5 {
                    station.submit(&held());
                    station.submit(&json!({"command": ["true"]}));
                }
            });
        }
        let file = "G1 X5 F6000\n".repeat(50);
        station.tcp().request("POST", "/api/v1/jobs", &[], file.as_bytes()).expect(201);
        station.local().post("/api/v1/daemons/sync/restart", &Value::Null).expect(200);
    });
    let jobs = || station.local().get("/api/v1/status").expect(200)["jobs"]["COMPLETED"].clone();
    crate::support::eventually("all have run", || (jobs() == 21).then_some(()));
    let mut heard: Vec<Value> = up_to_now(&mut socket);
    heard.retain(|message| message.get("seq").is_some());
    let mut stored = events_since(&station.local(), from, &EVERYTHING);
    // The last ones may have come between the two questions.
    stored.truncate(heard.len());
    assert!(heard.len() > 100, "{}", heard.len());
    for (index, event) in heard.iter().enumerate() {
        assert_eq!(seq(event), from + 1 + index as u64);
    }
    assert_eq!(heard, stored);
}

#[test]
fn a_number_is_never_used_twice_over_restarts() {
    let mut station = Station::start();
    station.submit(&held());
    let last = |station: &Station| events_since(&station.local(), 0, &EVERYTHING).last().map(seq);
    let before = last(&station);
    station.kill();
    station.again();
    let mut socket = WebSocket::subscribed(&station.tcp(), &["jobs"]);
    station.submit(&held());
    let event = socket.message();
    assert!(Some(seq(&event)) > before, "{event}");
    let all = events_since(&station.local(), 0, &EVERYTHING);
    assert_eq!(all.iter().map(seq).collect::<Vec<_>>(), (1..=all.len() as u64).collect::<Vec<_>>());
}
