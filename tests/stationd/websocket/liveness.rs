//! Signs of life, and good-byes.

use actix_http::ws::{CloseCode, Message};
use serde_json::json;

use crate::support::{Said, Station, WebSocket};

#[test]
fn a_stopping_station_says_good_bye_to_everybody() {
    let mut station = Station::start();
    let tcp = station.tcp();
    let mut sockets = [
        WebSocket::connect(&tcp),
        WebSocket::subscribed(&tcp, &["jobs"]),
        WebSocket::subscribed(&station.local(), &[]),
        WebSocket::subscribed(&tcp, &["all", "logs", "audit"]),
    ];
    assert_eq!(station.stop(), 0);
    for socket in &mut sockets {
        assert_eq!(socket.end(), Some(1001));
    }
}

#[test]
fn a_client_that_shows_no_life_is_dropped_and_one_that_answers_is_not() {
    let station = Station::with().set("websocket.heartbeat_interval", "2s").start();
    let mut dead = WebSocket::connect(&station.tcp());
    let mut alive = WebSocket::connect(&station.tcp());
    let mut talking = WebSocket::subscribed(&station.tcp(), &["jobs"]);
    let mut pings = 0;
    for _ in 0..4 {
        assert_eq!(alive.next(), Said::Ping);
        alive.send_frame(Message::Pong("".into()));
        talking.send(&json!({"type": "PING"})); // any traffic counts
    }
    loop {
        match dead.next() {
            Said::Ping => pings += 1,
            Said::Closed(_) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!((1..=3).contains(&pings), "{pings}");
    for socket in [&mut alive, &mut talking] {
        socket.send(&json!({"type": "PING"}));
        let answered = socket.until(|message| message["type"] == "pong");
        assert!(answered["timestamp"].is_string());
    }
}

#[test]
fn a_protocol_ping_is_answered_and_a_close_is_returned() {
    let station = Station::start();
    let mut socket = WebSocket::connect(&station.tcp());
    socket.send_frame(Message::Ping("hello".into()));
    assert_eq!(socket.next(), Said::Pong);
    socket.close(Some(CloseCode::Normal.into()));
    assert_eq!(socket.next(), Said::Closed(Some(1000)));
}
