//! What clients send, to a real server on a database of its own: every request is answered, whatever
//! it says, and never as if the station were at fault; one that is refused hears why. Every message
//! of a WebSocket client is answered in JSON, or its connection is closed.
#![no_main]

#[expect(dead_code, reason = "the benches use more of it")]
#[path = "../../benches/support/mod.rs"]
mod support;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{LazyLock, mpsc},
    thread,
    time::Duration,
};

use actix::System;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Where what is made up stands in a request.
enum Place {
    /// It is all of it.
    Whole,
    Query(&'static str),
    Json(&'static str, &'static str),
    Form(&'static str),
    Message,
}

use Place::{Form, Json, Message, Query, Whole};

const PLACES: [Place; 16] = [
    Json("POST", "/jobs"),
    Json("POST", "/jobs/batch"),
    Json("POST", "/schedules"),
    Json("POST", "/queue/pause"),
    Json("PATCH", "/jobs/00000000000000000000000000"),
    Json("POST", "/devices/nobody/jog"),
    Json("POST", "/daemons/restart"),
    Json("POST", "/hooks/test"),
    Query("/jobs"),
    Query("/events"),
    Query("/metrics/history"),
    Query("/daemons"),
    Query("/hooks/runs"),
    Form("/jobs"),
    Message,
    Whole,
];

static STATION: LazyLock<SocketAddr> = LazyLock::new(|| {
    let (sender, address) = mpsc::channel();
    thread::spawn(move || {
        let directory = stationd_fuzz::directory();
        System::new().block_on(async {
            let app = support::app(&directory);
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            stationd::http::server(vec![listener], None, &app).unwrap().await.unwrap();
        });
    });
    address.recv().unwrap()
});

/// Sends it on a connection of its own, and reads until the answer `is_whole` or the connection is
/// closed, which a server does late.
fn ask(request: &[u8], is_whole: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(*STATION).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let (mut answer, mut sent) = (Vec::new(), stream.try_clone().unwrap());
    // Some are answered before they have ended, and the rest is not read.
    let _ = sent.write_all(request);
    let mut piece = [0; 4096];
    while !is_whole(&answer) {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => answer.extend(&piece[..read]),
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(request)),
        }
    }
    answer
}

/// The head of an answer, and where its body begins.
fn head_of(answer: &[u8]) -> Option<(String, usize)> {
    let at = answer.windows(4).position(|it| it == b"\r\n\r\n")?;
    Some((String::from_utf8_lossy(&answer[..at]).to_ascii_lowercase(), at + 4))
}

fn has_its_body(answer: &[u8]) -> bool {
    let Some((head, at)) = head_of(answer) else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    length.is_some_and(|length: usize| answer.len() >= at + length)
}

fn head(method: &str, address: &str, rest: &str) -> Vec<u8> {
    format!(
        "{method} {address} HTTP/1.1\r\nhost: localhost:{}\r\nauthorization: Bearer {}\r\n{rest}\r\n",
        STATION.port(),
        support::TOKEN
    )
    .into_bytes()
}

fn with_body(method: &str, path: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let fields = format!("content-type: {kind}\r\ncontent-length: {length}\r\n");
    [head(method, &format!("/api/v1{path}"), &fields), body.to_vec()].concat()
}

/// Letters that an address may have, and all others by their numbers.
fn in_address(bytes: &[u8]) -> String {
    let letter = |byte: &u8| match byte {
        b'%' | b'&' | b'=' | b'+' | b'.' | b'-' => char::from(*byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    bytes.iter().map(letter).collect()
}

/// A refused request hears why, field by field where it is about fields.
fn is_told_why(answer: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    let status: u16 = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or_default();
    // Its daemons do not run, and who needs one is told so.
    assert!((200..500).contains(&status) || status == 503, "{answer}");
    if status < 400 || body.is_empty() {
        return;
    }
    let problem: Value =
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{answer}");
    assert!(status != 422 || problem["errors"].is_array(), "{answer}");
}

/// Whole frames of these kinds.
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

/// A text frame (RFC 6455, 5.2) with a mask of zeros, and one that closes.
fn frames(text: &[u8]) -> Vec<u8> {
    let mut frames = vec![TEXT, 0x80 | 126];
    frames.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    frames.extend([0; 4]);
    frames.extend(&text[..text.len().min(usize::from(u16::MAX))]);
    frames.extend([CLOSE, 0x80, 0, 0, 0, 0]);
    frames
}

/// The frames of a server, of which none is masked: what kind, and what is in it.
fn frames_of(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while let [kind, length, ..] = *bytes {
        let (from, length) = match length {
            126 if bytes.len() < 4 => break,
            126 => (4, usize::from(bytes[2]) << 8 | usize::from(bytes[3])),
            short => (2, usize::from(short)),
        };
        let Some(payload) = bytes.get(from..from + length) else { break };
        frames.push((kind, payload));
        bytes = &bytes[from + length..];
    }
    frames
}

fn message(text: &[u8]) {
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let is_closed = |answer: &[u8]| {
        let from = head_of(answer).map_or(answer.len(), |(_, from)| from);
        frames_of(&answer[from..]).iter().any(|(kind, _)| *kind == CLOSE)
    };
    let answer = ask(&[head("GET", "/ws", upgrade), frames(text)].concat(), is_closed);
    let (head, from) = head_of(&answer).expect("an answer");
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(is_closed(&answer), "{:?}", String::from_utf8_lossy(&answer));
    for (kind, payload) in frames_of(&answer[from..]) {
        if kind == TEXT {
            let said: Value = serde_json::from_slice(payload).expect("JSON");
            assert!(said["type"].is_string(), "{said}");
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((place, input)) = input.split_first() else { return };
    let request = match &PLACES[usize::from(*place) % PLACES.len()] {
        Message => return message(input),
        Json(method, path) => with_body(method, path, "application/json", input),
        Form(path) => with_body("POST", path, "multipart/form-data; boundary=-", input),
        Query(path) => {
            let address = format!("/api/v1{path}?{}", in_address(input));
            head("GET", &address, "")
        }
        Whole => {
            let answer = ask(&[input, b"\r\n\r\n"].concat(), has_its_body);
            let answer = String::from_utf8_lossy(&answer);
            return assert!(!answer.starts_with("HTTP/1.1 500"), "{answer}");
        }
    };
    is_told_why(&String::from_utf8_lossy(&ask(&request, has_its_body)));
});
