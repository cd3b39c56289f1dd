//! `/ws`: what it says, to whom, and how much one client can cost the others.

mod asking;
mod doors;
mod liveness;
mod numbers;
mod slow;
mod snapshots;

use serde_json::{Value, json};

use crate::support::{Client, WebSocket};

/// A held command job: one event of a job, and one for the audit.
fn held() -> Value {
    json!({"command": ["true"], "hold": true})
}

/// Everything that came up to now: what answers a PING comes after it.
#[track_caller]
fn up_to_now(socket: &mut WebSocket) -> Vec<Value> {
    socket.send(&json!({"type": "PING"}));
    let mut all = Vec::new();
    loop {
        let message = socket.message();
        if message["type"] == "pong" {
            return all;
        }
        all.push(message);
    }
}

/// The durable events of some channels after this number, as REST tells them.
#[track_caller]
fn events_since(client: &Client, since: u64, channels: &[&str]) -> Vec<Value> {
    let page = client.get(&format!("/api/v1/events?since={since}&limit=1000")).expect(200);
    assert_eq!(page["next_cursor"], Value::Null, "more than a page");
    let mut events = page["items"].as_array().unwrap().clone();
    events.retain(|event| channels.contains(&event["channel"].as_str().unwrap()));
    events
}

fn seq(event: &Value) -> u64 {
    event["seq"].as_u64().unwrap_or_else(|| panic!("no number: {event}"))
}

fn types(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["type"].as_str().unwrap()).collect()
}
