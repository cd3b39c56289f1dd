//! Who is let in, and how many.

use actix_http::ws::{Item, Message};
use serde_json::{Value, json};

use super::up_to_now;
use crate::support::{Builder, Client, Said, Station, WebSocket, eventually};

const KEY: &str = "k3y+with/odd=characters";

fn guarded() -> Builder {
    Station::with().config(&format!("websocket: {{authenticate: true, api_key: '{KEY}'}}"))
}

/// Fails unless the connection is told that it is not authorized, and closed with 1008.
#[track_caller]
fn assert_unauthorized(socket: &mut WebSocket) {
    let error = socket.message();
    assert_eq!((&error["type"], &error["error_code"]), (&json!("error"), &json!("UNAUTHORIZED")));
    assert_eq!(socket.next(), Said::Closed(Some(1008)));
}

#[test]
fn a_token_is_taken_by_every_way_and_a_wrong_one_by_none() {
    let station = guarded().start();
    let tcp = station.tcp();
    let open = |path: &str, headers: &[(&str, &str)]| WebSocket::open(&tcp, path, headers).unwrap();
    let subscribe = json!({"type": "SUBSCRIBE", "channels": ["jobs"], "ack": true});
    // "any:KEY" in base64.
    let basic = "Basic YW55OmszeSt3aXRoL29kZD1jaGFyYWN0ZXJz";
    for mut socket in [
        open("/ws?api_key=k3y%2Bwith%2Fodd%3Dcharacters", &[]),
        open("/ws", &[("Authorization", &format!("Bearer {KEY}"))]),
        open("/ws", &[("Authorization", basic)]),
    ] {
        socket.send(&subscribe);
        assert_eq!(socket.message()["type"], "subscribed");
    }
    let mut socket = open("/ws", &[]);
    socket.send(&json!({"type": "auth", "token": KEY}));
    socket.send(&subscribe);
    assert_eq!(socket.message()["type"], "subscribed", "nothing is said to the AUTH itself");

    for mut socket in [
        open("/ws?api_key=wrong", &[]),
        open("/ws?api_key=", &[]),
        open("/ws", &[("Authorization", "Bearer wrong")]),
        open("/ws", &[("Authorization", "Basic d3Jvbmc6d3Jvbmc=")]),
    ] {
        assert_unauthorized(&mut socket);
    }
    for first in [json!({"type": "AUTH", "token": "wrong"}), subscribe, json!({"type": "PING"})] {
        let mut socket = open("/ws", &[]);
        socket.send(&first);
        assert_unauthorized(&mut socket);
    }
    let log = station.log();
    assert!(log.contains("wrong token"), "refusals are written down: {log}");
    assert!(!log.contains("k3y"), "a token is never logged");
}

#[test]
fn who_shows_no_token_in_time_is_closed() {
    let station = guarded().start();
    let mut socket = WebSocket::connect(&station.tcp());
    assert_unauthorized(&mut socket);
}

/// The status of an upgrade with these headers: 101 if it is let in.
fn upgrade(client: &Client, headers: &[(&str, &str)]) -> u16 {
    match WebSocket::open(client, "/ws", headers) {
        Ok(_) => 101,
        Err(answer) => {
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
            answer.status
        }
    }
}

#[test]
fn pages_of_other_sites_and_requests_for_other_hosts_are_turned_away_before_the_upgrade() {
    let station = Station::with()
        .config("websocket: {allowed_origins: ['https://panel.example:8443']}")
        .start();
    let (tcp, port) = (station.tcp(), station.address().port());
    let host = format!("127.0.0.1:{port}");
    let (own, named) = (format!("http://{host}"), format!("http://localhost:{port}"));
    for (origin, status) in [
        (own.as_str(), 101),
        ("https://panel.example:8443", 101),
        ("HTTPS://PANEL.EXAMPLE:8443", 101),
        (&named, 403), // another name than the one in Host
        ("null", 403),
        ("", 403),
        ("https://evil.example", 403),
        ("https://panel.example", 403),
        ("http://panel.example:8443", 403),
        ("https://panel.example:8443.evil.example", 403),
        (&format!("{own}.evil.example"), 403),
        (&format!("http://{host}@evil.example"), 403),
        (&format!("http://evil.example/{host}"), 403),
        ("http://127.0.0.1:1", 403),
        ("http://127.0.0.1", 403),
        ("file://", 403),
    ] {
        assert_eq!(upgrade(&tcp, &[("Origin", origin)]), status, "Origin: {origin}");
    }
    assert_eq!(upgrade(&tcp, &[]), 101, "no browser");
    assert_eq!(upgrade(&tcp, &[("Sec-Fetch-Site", "cross-site")]), 403);
    assert_eq!(upgrade(&tcp, &[("Sec-Fetch-Site", "same-site")]), 403);
    assert_eq!(upgrade(&tcp, &[("Sec-Fetch-Site", "same-origin"), ("Origin", &own)]), 101);
    for (host, status) in [
        (format!("localhost:{port}"), 101),
        (format!("[::1]:{port}"), 101),
        ("panel.example:8443".to_owned(), 101),
        ("panel.example".to_owned(), 101),
        ("evil.example".to_owned(), 421),
        (format!("localhost.evil.example:{port}"), 421),
        (format!("127.0.0.1.evil.example:{port}"), 421),
        ("192.0.2.1".to_owned(), 421),
        (String::new(), 421),
    ] {
        assert_eq!(upgrade(&tcp, &[("Host", &host)]), status, "Host: {host}");
    }
}

#[test]
fn one_too_many_is_let_in_only_to_be_told() {
    let station = Station::with().set("websocket.max_connections", "2").start();
    let tcp = station.tcp();
    let mut inside = [WebSocket::connect(&tcp), WebSocket::connect(&tcp)];
    let mut third = WebSocket::connect(&tcp);
    assert_eq!(third.next(), Said::Closed(Some(1013)));
    inside[0].close(None);
    assert!(matches!(inside[0].next(), Said::Closed(_)));
    eventually("a place is free", || {
        let mut socket = WebSocket::connect(&tcp);
        socket.send(&json!({"type": "PING"}));
        matches!(socket.next(), Said::Text(_)).then_some(())
    });
    assert_eq!(up_to_now(&mut inside[1]), Vec::<Value>::new(), "who was there is left alone");
}

#[test]
fn a_message_that_is_too_long_ends_the_connection() {
    let station = Station::start();
    let text = |length: usize| Message::Text("x".repeat(length).into());
    let mut socket = WebSocket::connect(&station.tcp());
    socket.send_frame(text(64 * 1024));
    assert_eq!(socket.message()["error_code"], "INVALID_JSON", "that much is read");
    socket.send_frame(text(64 * 1024 + 1));
    assert_eq!(socket.next(), Said::Closed(Some(1009)));
    let mut socket = WebSocket::connect(&station.tcp());
    socket.send_frame(text(10 * 1024 * 1024));
    assert_eq!(socket.next(), Said::Closed(Some(1009)));
    let mut socket = WebSocket::connect(&station.tcp());
    let piece = || "x".repeat(30_000).into();
    socket.send_frame(Message::Continuation(Item::FirstText(piece())));
    socket.send_frame(Message::Continuation(Item::Continue(piece())));
    socket.send_frame(Message::Continuation(Item::Continue(piece())));
    assert_eq!(socket.next(), Said::Closed(Some(1009)));
}

#[test]
fn who_says_too_much_is_closed() {
    let station = Station::with().set("websocket.message_rate_limit", "20").start();
    let mut socket = WebSocket::connect(&station.tcp());
    for _ in 0..200 {
        socket.send(&json!({"type": "PING"}));
    }
    let mut pongs = 0;
    let last = loop {
        let message = socket.message();
        if message["type"] != "pong" {
            break message;
        }
        pongs += 1;
    };
    assert!((20..100).contains(&pongs), "{pongs}");
    assert_eq!(last["error_code"], "RATE_LIMITED");
    assert_eq!(socket.next(), Said::Closed(Some(1008)));
}
