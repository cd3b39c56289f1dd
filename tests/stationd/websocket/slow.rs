//! Clients that do not keep up: they are told, and nobody else notices.

use std::{
    io::{BufReader, Write as _},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{held, seq, up_to_now};
use crate::support::{Client, Station, WebSocket, read_answer};

/// Every durable event, so that numbers have no gap but by a loss.
const DURABLE: [&str; 5] = ["jobs", "devices", "daemons", "system", "audit"];

/// Submits so many jobs with long names, over a few connections at once.
fn flood(client: &Client, jobs: usize) {
    const CONNECTIONS: usize = 8;
    const AT_ONCE: usize = 25;
    let mut job = held();
    job["name"] = Value::from("\u{1f58b}".repeat(120));
    let body = job.to_string();
    let length = body.len().to_string();
    let headers = [("Content-Type", "application/json"), ("Content-Length", length.as_str())];
    let request = (client.head("POST", "/api/v1/jobs", &headers) + &body).repeat(AT_ONCE);
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut stream = BufReader::new(client.connect().unwrap());
                for _ in 0..jobs / CONNECTIONS / AT_ONCE {
                    stream.get_mut().write_all(request.as_bytes()).unwrap();
                    for _ in 0..AT_ONCE {
                        read_answer(&mut stream).unwrap().expect(201);
                    }
                }
            });
        }
    });
}

/// Reads on until a message has this number; fails if one before it is missing.
#[track_caller]
fn hear_all(socket: &mut WebSocket, mut last: u64, until: u64) {
    while last < until {
        let message = socket.message();
        assert_ne!(message["type"], "lagged", "{message}");
        if message.get("seq").is_some() {
            assert_eq!(seq(&message), last + 1);
            last += 1;
        }
    }
}

fn newest(station: &Station) -> u64 {
    seq(&station.local().get("/api/v1/events?limit=1").expect(200)["items"][0])
}

#[test]
fn who_reads_late_is_told_what_is_missing_and_can_catch_up() {
    let station = Station::start();
    // A Unix socket holds little: whoever does not read it is soon behind.
    let mut slow = WebSocket::connect(&station.local());
    slow.send(&json!({"type": "SUBSCRIBE", "channels": DURABLE, "ack": true}));
    let mut last = seq(&slow.message());
    flood(&station.local(), 1600);
    let lagged = loop {
        let message = slow.message();
        if message["type"] == "lagged" {
            break message;
        }
        if message.get("seq").is_some() {
            assert_eq!(seq(&message), last + 1, "what was let through has no gap");
            last += 1;
        }
    };
    assert!(lagged["missed"].as_u64() > Some(100), "{lagged}");
    assert_eq!(lagged["from_seq"], last + 1);
    let end = newest(&station);
    slow.send(&json!({"type": "SUBSCRIBE", "channels": DURABLE, "since": last}));
    // What was on its way is heard first; the replay begins after the last number before the gap.
    slow.until(|message| message["seq"] == last + 1);
    hear_all(&mut slow, last + 1, end);
    // From now on it is a client like any other.
    let more = station.submit(&held());
    assert_eq!(slow.until(|message| message["job_id"] == *more)["to_state"], "HELD");
}

#[test]
fn who_never_reads_is_cut_and_nobody_else_loses_anything() {
    let station = Station::start();
    let tcp = station.tcp();
    let start = |socket: &mut WebSocket| {
        socket.send(&json!({"type": "SUBSCRIBE", "channels": DURABLE, "ack": true}));
        seq(&socket.message())
    };
    let mut stuck = WebSocket::connect(&tcp);
    start(&mut stuck);
    let mut good: Vec<WebSocket> = (0..3).map(|_| WebSocket::connect(&tcp)).collect();
    let begun: Vec<u64> = good.iter_mut().map(start).collect();
    let jobs = 6000;
    thread::scope(|scope| {
        for (socket, from) in good.iter_mut().zip(begun) {
            scope.spawn(move || hear_all(socket, from, from + 2 * jobs));
        }
        flood(&station.local(), usize::try_from(jobs).unwrap());
    });
    // The station goes on as if nothing were.
    let asked = Instant::now();
    station.local().get("/health").expect(200);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    // The kernel gives up on a peer that takes nothing for 20 s.
    let patience = Instant::now() + Duration::from_secs(40);
    let gone = good[0].until(|message| {
        assert!(Instant::now() < patience, "still there: {message}");
        message["type"] == "system_status" && message["connections"] == 3
    });
    let health = station.local().get("/health").expect(200);
    assert_eq!(health["status"], "healthy", "{health} {gone}");
    for socket in &mut good {
        up_to_now(socket); // still open
    }
}
