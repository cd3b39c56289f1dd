//! What a client may ask, and what it is told if it asks nonsense.

use actix_http::ws::{Item, Message};
use serde_json::{Value, json};

use super::{held, up_to_now};
use crate::support::{Said, Station, WebSocket};

#[test]
fn nothing_is_said_before_somebody_subscribes() {
    let station = Station::start();
    let mut socket = WebSocket::connect(&station.tcp());
    station.submit(&held());
    assert_eq!(up_to_now(&mut socket), Vec::<Value>::new());
    socket.send(&json!({"type": "UNSUBSCRIBE", "channels": ["jobs"]}));
    station.submit(&held());
    assert_eq!(up_to_now(&mut socket), Vec::<Value>::new());
}

#[test]
fn an_acknowledgement_comes_only_if_it_is_asked_for() {
    let station = Station::start();
    let mut socket = WebSocket::connect(&station.tcp());
    socket.send(&json!({"type": "SUBSCRIBE", "channels": ["jobs"]}));
    assert_eq!(up_to_now(&mut socket), Vec::<Value>::new());
    socket.send(&json!({"type": "SUBSCRIBE", "channels": ["jobs", "device"], "ack": true}));
    let ack = socket.message();
    assert_eq!(ack["type"], "subscribed");
    assert_eq!(ack["channels"], json!(["jobs", "devices"]));
    assert!(ack["timestamp"].is_string());
    let newest = station.local().get("/api/v1/events?limit=1").expect(200);
    assert_eq!(ack["seq"], newest["items"][0]["seq"]);
}

#[test]
fn types_are_matched_without_regard_to_case() {
    let station = Station::start();
    let mut socket = WebSocket::connect(&station.tcp());
    for (subscribe, ping) in [("subscribe", "ping"), ("SUBSCRIBE", "PING"), ("Subscribe", "pInG")] {
        let extra = json!({"type": subscribe, "channels": ["JOBS"], "ack": true, "unknown": [1]});
        socket.send(&extra);
        assert_eq!(socket.message()["channels"], json!(["jobs"]));
        socket.send(&json!({"type": ping}));
        let pong = socket.message();
        assert_eq!(pong["type"], "pong");
        assert!(pong["timestamp"].is_string());
    }
}

#[test]
fn nonsense_is_answered_and_the_connection_stays() {
    let station = Station::start();
    let mut socket = WebSocket::subscribed(&station.tcp(), &["jobs"]);
    let text = |text: &str| Message::Text(text.to_owned().into());
    for (message, code) in [
        (text("{"), "INVALID_JSON"),
        (text("[1,2]"), "INVALID_JSON"),
        (text(""), "INVALID_JSON"),
        (text(&"[".repeat(60_000)), "INVALID_JSON"),
        (Message::Binary(vec![0, 159, 146, 150].into()), "INVALID_JSON"),
        (text("{}"), "UNKNOWN_MESSAGE_TYPE"),
        (text(r#"{"type":"DANCE"}"#), "UNKNOWN_MESSAGE_TYPE"),
        (text(r#"{"type":7}"#), "UNKNOWN_MESSAGE_TYPE"),
        (text(r#"{"type":"SUBSCRIBE","channels":["dance"]}"#), "SUBSCRIPTION_ERROR"),
        (text(r#"{"type":"SUBSCRIBE","channels":"jobs"}"#), "SUBSCRIPTION_ERROR"),
        (text(r#"{"type":"SUBSCRIBE","since":-1}"#), "SUBSCRIPTION_ERROR"),
        (text(r#"{"type":"SUBSCRIBE","since":"yesterday"}"#), "SUBSCRIPTION_ERROR"),
        (text(r#"{"type":"UNSUBSCRIBE","channels":["dance"]}"#), "UNSUBSCRIPTION_ERROR"),
        (text(r#"{"type":"AUTH"}"#), "MESSAGE_HANDLING_ERROR"),
    ] {
        socket.send_frame(message);
        let error = socket.message();
        assert_eq!((&error["type"], &error["error_code"]), (&json!("error"), &json!(code)));
        assert!(error["error_message"].is_string() && error["details"].is_object(), "{error}");
        assert!(error["timestamp"].is_string(), "{error}");
    }
    // What was subscribed before is still heard.
    let id = station.submit(&held());
    assert_eq!(socket.message()["job_id"], *id);
}

#[test]
fn a_message_may_come_in_pieces() {
    let station = Station::start();
    let mut socket = WebSocket::connect(&station.tcp());
    let pieces = [
        Item::FirstText(r#"{"type":"SUBS"#.into()),
        Item::Continue(r#"CRIBE","channels":["jobs"],"#.into()),
        Item::Last(r#""ack":true}"#.into()),
    ];
    for piece in pieces {
        socket.send_frame(Message::Continuation(piece));
        socket.send_frame(Message::Ping("between".into()));
    }
    assert_eq!([socket.next(), socket.next()], [Said::Pong, Said::Pong]);
    let Said::Text(ack) = socket.next() else { panic!("no acknowledgement") };
    assert_eq!(ack["channels"], json!(["jobs"]));
    assert_eq!(socket.next(), Said::Pong);
}

#[test]
fn what_is_unsubscribed_is_no_longer_heard() {
    let station = Station::start();
    let mut socket = WebSocket::subscribed(&station.tcp(), &["jobs", "audit"]);
    socket.send(&json!({"type": "UNSUBSCRIBE", "channels": ["jobs"]}));
    up_to_now(&mut socket);
    station.submit(&held());
    assert_eq!(socket.message()["type"], "audit");
    // An empty set takes all away.
    socket.send(&json!({"type": "UNSUBSCRIBE"}));
    station.submit(&held());
    assert_eq!(up_to_now(&mut socket), Vec::<Value>::new());
}

#[test]
fn a_new_set_replaces_the_old_one() {
    let station = Station::start();
    let mut socket = WebSocket::subscribed(&station.tcp(), &["jobs"]);
    socket.send(&json!({"type": "SUBSCRIBE", "channels": ["audit"]}));
    up_to_now(&mut socket);
    station.submit(&held());
    assert_eq!(socket.message()["type"], "audit");
    assert_eq!(up_to_now(&mut socket), Vec::<Value>::new());
}

#[test]
fn a_single_job_is_followed_alone() {
    let station = Station::start();
    let (mine, other) = (station.submit(&held()), station.submit(&held()));
    let mut socket = WebSocket::subscribed(&station.tcp(), &[&format!("job:{mine}")]);
    for id in [&other, &mine] {
        station.act(id, "release").expect(200);
        station.await_job(id, "COMPLETED");
    }
    let heard = up_to_now(&mut socket);
    let states: Vec<&Value> = heard.iter().map(|message| &message["to_state"]).collect();
    assert!(
        heard.iter().filter(|it| it["type"] == "job_state_change").all(|it| it["job_id"] == *mine)
    );
    assert_eq!(
        states.into_iter().filter(|it| !it.is_null()).collect::<Vec<_>>(),
        ["QUEUED", "RUNNING", "COMPLETED"]
    );
}

#[test]
fn the_log_and_the_audit_have_to_be_asked_for_by_name() {
    let station = Station::start();
    let mut all = WebSocket::subscribed(&station.tcp(), &[]);
    let mut logs = WebSocket::subscribed(&station.tcp(), &["logs"]);
    station.local().post("/api/v1/daemons/sync/restart", &Value::Null).expect(200);
    let line = logs.until(|message| message["message"].as_str().unwrap().contains("sync"));
    assert_eq!(line["type"], "log");
    assert!(line["level"] == "INFO" && line["target"].is_string(), "{line}");
    for message in up_to_now(&mut all) {
        assert!(message["type"] != "log" && message["type"] != "audit", "{message}");
    }
}
