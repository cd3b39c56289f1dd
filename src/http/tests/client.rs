//! A client of few words: HTTP/1.1 and WebSocket over any stream.

use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    time::Duration,
};

use actix_http::ws::{CloseCode, Codec, Frame, Message};
use actix_web::web::BytesMut;
use serde_json::Value;
use tokio_util::codec::{Decoder as _, Encoder as _};

use super::Served;

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

fn ask(mut stream: impl Read + Write, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = format!("{line} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        request += "host: localhost\r\n";
    }
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.extend(["content-length: ", &body.len().to_string(), "\r\n\r\n"]);
    stream.write_all(request.as_bytes()).unwrap();
    let _ = stream.write_all(body); // it may be refused before it is read
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes); // as above: a reset after the answer
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

impl Served {
    pub(super) fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    pub(super) fn request(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        ask(self.tcp(), line, headers, body)
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.request(&format!("GET {path}"), &[], b"")
    }

    pub(super) fn post(&self, path: &str, body: &str) -> Answer {
        let headers = [("content-type", "application/json")];
        self.request(&format!("POST {path}"), &headers, body.as_bytes())
    }

    /// Over the Unix socket, as the station's own user.
    pub(super) fn local(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        ask(UnixStream::connect(&self.socket).unwrap(), line, headers, body)
    }

    pub(super) fn submit_command(&self, body: &str) -> Answer {
        let headers = [("content-type", "application/json")];
        self.local("POST /api/v1/jobs", &headers, body.as_bytes())
    }

    pub(super) fn websocket(&self, path: &str, headers: &[(&str, &str)]) -> Result<Ws, u16> {
        let mut stream = self.tcp();
        let mut request = format!(
            "GET {path} HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        if !headers.iter().any(|(name, _)| *name == "host") {
            request += "host: localhost\r\n";
        }
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        stream.write_all(format!("{request}\r\n").as_bytes()).unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        match head.split(' ').nth(1).unwrap().parse().unwrap() {
            101 => Ok(Ws { stream, codec: Codec::new().client_mode(), buffer: BytesMut::new() }),
            status => Err(status),
        }
    }

    pub(super) fn ws(&self) -> Ws {
        self.websocket("/ws", &[]).unwrap()
    }
}

/// What a WebSocket says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Text(Value),
    Ping,
    Closed(Option<CloseCode>),
}

pub(super) struct Ws {
    pub(super) stream: TcpStream,
    codec: Codec,
    buffer: BytesMut,
}

impl Ws {
    pub(super) fn send(&mut self, message: Message) {
        let mut bytes = BytesMut::new();
        self.codec.encode(message, &mut bytes).unwrap();
        let _ = self.stream.write_all(&bytes); // the peer may have closed
    }

    pub(super) fn text(&mut self, text: &str) {
        self.send(Message::Text(text.to_owned().into()));
    }

    pub(super) fn next(&mut self) -> Said {
        loop {
            match self.codec.decode(&mut self.buffer).unwrap() {
                Some(Frame::Text(text)) => {
                    return Said::Text(serde_json::from_slice(&text).unwrap());
                }
                Some(Frame::Ping(_)) => return Said::Ping,
                Some(Frame::Close(reason)) => {
                    return Said::Closed(reason.map(|reason| reason.code));
                }
                Some(other) => panic!("unexpected {other:?}"),
                None => {}
            }
            let mut bytes = [0; 16384];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Said::Closed(None),
                Ok(count) => self.buffer.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                    return Said::Closed(None);
                }
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    pub(super) fn json(&mut self) -> Value {
        match self.next() {
            Said::Text(value) => value,
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// The first message that has this type.
    pub(super) fn until(&mut self, kind: &str) -> Value {
        loop {
            let message = self.json();
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// Skips everything up to the end.
    pub(super) fn end(&mut self) -> Option<CloseCode> {
        loop {
            if let Said::Closed(code) = self.next() {
                return code;
            }
        }
    }

    /// Subscribes and reads the acknowledgement.
    pub(super) fn subscribe(&mut self, channels: &str) -> Value {
        self.text(&format!(r#"{{"type":"SUBSCRIBE","channels":{channels},"ack":true}}"#));
        let ack = self.json();
        assert_eq!(ack["type"], "subscribed", "{ack}");
        ack
    }
}
