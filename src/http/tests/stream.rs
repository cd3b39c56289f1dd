//! `/ws` from outside.

use std::time::{Duration, Instant};

use actix_http::ws::{CloseCode, Item, Message};
use actix_web::web::Bytes;
use nix::sys::socket::{setsockopt, sockopt};
use serde_json::{Value, json};

use super::{Served, client::Said};
use crate::{domain::JobState, http::Token, store::jobs};

fn submit(served: &Served) -> Value {
    let body = json!({"command": ["true"], "hold": true}).to_string();
    let answer = served.submit_command(&body);
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()
}

#[test]
fn nothing_is_said_before_it_was_asked_for() {
    let served = Served::start();
    let mut ws = served.ws();
    submit(&served);
    ws.text(r#"{"type":"PING"}"#);
    assert_eq!(ws.json()["type"], "pong");
    ws.subscribe(r#"["jobs"]"#);
    let job = submit(&served);
    let event = ws.json();
    assert_eq!(event["type"], "job_state_change");
    assert_eq!(event["job_id"], job["id"]);
    assert_eq!(event["from_state"], Value::Null);
    assert_eq!(event["to_state"], "HELD");
    assert!(event["seq"].is_u64());
    ws.text(r#"{"type":"UNSUBSCRIBE"}"#);
    ws.text(r#"{"type":"PING"}"#);
    assert_eq!(ws.json()["type"], "pong");
    submit(&served);
    ws.text(r#"{"type":"PING"}"#);
    assert_eq!(ws.json()["type"], "pong", "what was unsubscribed stays away");
}

#[test]
fn the_present_state_and_what_follows_join_without_gap_or_repetition() {
    let served = Served::start();
    std::thread::scope(|scope| {
        let submitting = scope.spawn(|| (0..60).for_each(|_| drop(submit(&served))));
        let mut joins = 0;
        while !submitting.is_finished() {
            let mut ws = served.ws();
            let joined = ws.subscribe(r#"["jobs","audit"]"#)["seq"].as_u64().unwrap();
            for expected in joined + 1..=served.app.feed.newest().min(joined + 4) {
                let event = ws.json();
                assert_eq!(event["seq"].as_u64(), Some(expected), "{event}");
            }
            joins += 1;
        }
        assert!(joins > 1);
    });
}

#[test]
fn what_was_missed_is_replayed_and_what_is_unknown_is_lagged() {
    let served = Served::start();
    let ids: Vec<Value> = (0..3).map(|_| submit(&served)["id"].clone()).collect();
    let mut ws = served.ws();
    ws.text(r#"{"type":"subscribe","channels":["jobs"],"since":0}"#);
    for id in &ids {
        assert_eq!(ws.json()["job_id"], *id);
    }
    let only = ids[1].as_str().unwrap();
    ws.text(&format!(r#"{{"type":"subscribe","channels":["job:{only}"],"since":0}}"#));
    assert_eq!(ws.json()["job_id"], ids[1]);
    ws.text(r#"{"type":"subscribe","channels":["jobs"],"since":100000,"ack":true}"#);
    assert_eq!(ws.json()["type"], "lagged", "a number from another database");
    assert_eq!(ws.json()["type"], "subscribed");
}

#[test]
fn the_present_state_names_active_jobs_and_daemons() {
    let served = Served::start();
    let job = submit(&served);
    let id: crate::domain::JobId = job["id"].as_str().unwrap().parse().unwrap();
    // In one transaction, so that the queue never sees it waiting.
    let moved = served.app.store.write(move |tx| {
        jobs::transition(tx, id, JobState::Queued, jobs::Change::because("test"))?;
        jobs::transition(tx, id, JobState::Running, jobs::Change::because("test"))
    });
    moved.wait().unwrap();
    let mut ws = served.ws();
    ws.subscribe("[]");
    let active = ws.json();
    assert_eq!(active["job_id"], job["id"]);
    assert_eq!(active["from_state"], Value::Null);
    assert_eq!(active["to_state"], "RUNNING");
    assert_eq!(active["metadata"]["snapshot"], true);
    assert_eq!(active.get("seq"), None);
    let sync = loop {
        let daemon = ws.until("daemon_status");
        if daemon["name"] == "sync" {
            break daemon;
        }
    };
    assert_eq!(sync["state"], "RUNNING", "{sync}");
}

#[test]
fn nonsense_is_answered_and_the_connection_stays() {
    let served = Served::start();
    let mut ws = served.ws();
    for (text, code) in [
        ("{", "INVALID_JSON"),
        (r#"{"type":"DANCE"}"#, "UNKNOWN_MESSAGE_TYPE"),
        (r#"{"type":"SUBSCRIBE","channels":["nothing"]}"#, "SUBSCRIPTION_ERROR"),
        (r#"{"type":"UNSUBSCRIBE","channels":["nothing"]}"#, "UNSUBSCRIPTION_ERROR"),
        (r#"{"type":"AUTH"}"#, "MESSAGE_HANDLING_ERROR"),
    ] {
        ws.text(text);
        assert_eq!(ws.json()["error_code"], code, "{text}");
    }
    ws.send(Message::Binary(Bytes::from_static(b"{}")));
    assert_eq!(ws.json()["error_code"], "INVALID_JSON");
    for item in [
        Item::FirstText(Bytes::from_static(br#"{"type":"#)),
        Item::Continue(Bytes::from_static(br#""PI"#)),
        Item::Last(Bytes::from_static(br#"NG"}"#)),
    ] {
        ws.send(Message::Continuation(item));
    }
    assert_eq!(ws.json()["type"], "pong");
}

#[test]
fn too_much_is_cut_off_with_its_code() {
    let served = Served::with(|settings| settings.message_rate_limit = 5);
    let mut ws = served.ws();
    ws.text(&"x".repeat(70_000));
    assert_eq!(ws.end(), Some(CloseCode::Size));
    let mut ws = served.ws();
    ws.send(Message::Continuation(Item::FirstText(vec![b' '; 60_000].into())));
    ws.send(Message::Continuation(Item::Continue(vec![b' '; 60_000].into())));
    assert_eq!(ws.end(), Some(CloseCode::Size));
    let mut ws = served.ws();
    (0..10).for_each(|_| ws.text(r#"{"type":"PING"}"#));
    assert_eq!(ws.until("error")["error_code"], "RATE_LIMITED");
    assert_eq!(ws.end(), Some(CloseCode::Policy));
}

#[test]
fn a_token_is_asked_for_and_checked() {
    let served = Served::with(|settings| settings.policy.token = Some(Token::new("s3cret")));
    let bearer = [("authorization", "Bearer s3cret")];
    for (path, headers) in [("/ws?api_key=s3cret", &[][..]), ("/ws", &bearer[..])] {
        served.websocket(path, headers).unwrap().subscribe("[]");
    }
    let mut late = served.ws();
    late.text(r#"{"type":"AUTH","token":"s3cret"}"#);
    late.subscribe("[]");
    let wrong = r#"{"type":"AUTH","token":"guess"}"#;
    for (path, first) in [
        ("/ws?api_key=guess", None),
        ("/ws", Some(wrong)),
        ("/ws", Some(r#"{"type":"SUBSCRIBE"}"#)),
    ] {
        let mut ws = served.websocket(path, &[]).unwrap();
        if let Some(first) = first {
            ws.text(first);
        }
        assert_eq!(ws.json()["error_code"], "UNAUTHORIZED");
        assert_eq!(ws.end(), Some(CloseCode::Policy));
    }
    let begun = Instant::now();
    let mut silent = served.ws();
    assert_eq!(silent.json()["error_code"], "UNAUTHORIZED");
    assert!(begun.elapsed() >= Duration::from_secs(4));
}

#[test]
fn pages_of_others_are_turned_away_before_the_upgrade() {
    let served = Served::start();
    let page = |origin| [("origin", origin)];
    assert_eq!(served.websocket("/ws", &page("http://evil.example")).err(), Some(403));
    assert_eq!(served.websocket("/ws", &page("null")).err(), Some(403));
    assert_eq!(served.websocket("/ws", &[("host", "evil.example")]).err(), Some(421));
    assert!(served.websocket("/ws", &page("http://localhost")).is_ok());
    assert_eq!(served.get("/ws").status, 400);
}

#[test]
fn one_client_too_many_is_told_so_and_room_is_made_again() {
    let served = Served::with(|settings| settings.max_connections = 2);
    let mut first = served.ws();
    let mut second = served.ws();
    first.subscribe("[]");
    second.subscribe("[]");
    assert_eq!(served.ws().end(), Some(CloseCode::Again));
    drop(first);
    let deadline = Instant::now() + Duration::from_secs(10);
    while served.app.board.connections() > 1 {
        assert!(Instant::now() < deadline, "the closed connection still counts");
        std::thread::sleep(Duration::from_millis(5));
    }
    served.ws().subscribe("[]");
}

#[test]
fn everyone_is_told_that_the_station_stops() {
    let served = Served::start();
    let mut ws = served.ws();
    ws.subscribe("[]");
    served.app.close_sessions();
    assert_eq!(ws.end(), Some(CloseCode::Away));
    assert_eq!(served.ws().end(), Some(CloseCode::Away), "who comes later too");
}

#[test]
fn silence_is_answered_by_pings_and_then_by_the_end() {
    let served = Served::with(|settings| settings.heartbeat_interval = Duration::from_secs(2));
    let mut ws = served.ws();
    ws.subscribe(r#"["jobs"]"#);
    assert_eq!(ws.next(), Said::Ping);
    assert_eq!(ws.end(), None, "cut without a word");
}

#[test]
fn a_slow_reader_is_told_and_closed_and_slows_nobody() {
    let served = Served::with(|settings| settings.send_queue = 64);
    let mut slow = served.ws();
    setsockopt(&slow.stream, sockopt::RcvBuf, &131_072).unwrap(); // so that it is soon full
    slow.subscribe(r#"["logs"]"#);
    let mut quick = served.ws();
    quick.subscribe(r#"["logs"]"#);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for number in 0..800 {
                let message = quick.json();
                assert_eq!(message["target"], number.to_string(), "nothing is lost or reordered");
            }
        });
        // 8 MB: more than all buffers between hold; in pieces that the quick reader keeps up with.
        for number in 0..800 {
            served.log(number, 10_000);
            if number % 10 == 9 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        reader.join().unwrap();
    });
    // It begins to read late: what fitted, then the word on what did not.
    let lagged = slow.until("lagged");
    assert!(lagged["missed"].as_u64() > Some(100), "{lagged}");
    assert_eq!(lagged["from_seq"].as_u64(), Some(served.app.feed.newest() + 1));
    // From now on it reads too slowly while messages keep coming, for longer than is put up with.
    let begun = Instant::now();
    let mut last = Said::Ping;
    while begun.elapsed() < Duration::from_secs(12) && !matches!(last, Said::Closed(_)) {
        (0..100).for_each(|number| served.log(number, 10_000));
        last = slow.next();
        std::thread::sleep(Duration::from_millis(20));
    }
    let code = if let Said::Closed(code) = last { code } else { slow.end() };
    assert_eq!(code, Some(CloseCode::Again));
}
