//! A WebSocket client that reads frame by frame, each within the deadline.

use std::io::{BufReader, ErrorKind, Read as _, Write as _};

use actix_http::ws::{CloseReason, Codec, Frame, Message};
use actix_web::web::BytesMut;
use serde_json::{Value, json};
use tokio_util::codec::{Decoder as _, Encoder as _};

use super::http::{Answer, Client, Stream, read_answer};

/// What a station says on a WebSocket.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    Text(Value),
    Ping,
    Pong,
    /// The close code; `None` if the connection just ended.
    Closed(Option<u16>),
}

/// An open WebSocket.
pub(crate) struct WebSocket {
    stream: BufReader<Box<dyn Stream>>,
    codec: Codec,
    buffer: BytesMut,
}

impl WebSocket {
    /// Opens one; the refusal if the station does not upgrade.
    pub(crate) fn open(
        client: &Client,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, Answer> {
        let mut all = vec![
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        all.extend(headers);
        let mut stream = BufReader::new(client.connect().unwrap());
        stream.get_mut().write_all(client.head("GET", path, &all).as_bytes()).unwrap();
        let answer = read_answer(&mut stream).unwrap();
        if answer.status != 101 {
            return Err(answer);
        }
        Ok(Self { stream, codec: Codec::new().client_mode(), buffer: BytesMut::new() })
    }

    /// Opens one at `/ws`.
    #[track_caller]
    pub(crate) fn connect(client: &Client) -> Self {
        Self::open(client, "/ws", &[]).unwrap_or_else(|answer| panic!("{answer:?}"))
    }

    /// Opens one and subscribes; what the channels say from now on comes.
    #[track_caller]
    pub(crate) fn subscribed(client: &Client, channels: &[&str]) -> Self {
        let mut socket = Self::connect(client);
        socket.send(&json!({"type": "SUBSCRIBE", "channels": channels, "ack": true}));
        let ack = socket.message();
        assert_eq!(ack["type"], "subscribed", "{ack}");
        socket
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.send_frame(Message::Text(message.to_string().into()));
    }

    pub(crate) fn send_frame(&mut self, message: Message) {
        let mut bytes = BytesMut::new();
        self.codec.encode(message, &mut bytes).unwrap();
        let _ = self.stream.get_mut().write_all(&bytes); // the station may have closed it
    }

    /// Closes it in good order.
    pub(crate) fn close(&mut self, reason: Option<CloseReason>) {
        self.send_frame(Message::Close(reason));
    }

    /// The next frame.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Said {
        loop {
            match self.codec.decode(&mut self.buffer).unwrap() {
                Some(Frame::Text(text)) => {
                    return Said::Text(serde_json::from_slice(&text).unwrap());
                }
                Some(Frame::Ping(_)) => return Said::Ping,
                Some(Frame::Pong(_)) => return Said::Pong,
                Some(Frame::Close(reason)) => {
                    return Said::Closed(reason.map(|reason| reason.code.into()));
                }
                Some(other) => panic!("unexpected frame {other:?}"),
                None => {}
            }
            let mut bytes = [0; 16384];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Said::Closed(None),
                Ok(count) => self.buffer.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return Said::Closed(None);
                }
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    /// The next message, over pings.
    #[track_caller]
    pub(crate) fn message(&mut self) -> Value {
        loop {
            match self.next() {
                Said::Text(message) => return message,
                Said::Ping | Said::Pong => {}
                closed @ Said::Closed(_) => panic!("expected a message: {closed:?}"),
            }
        }
    }

    /// The next message of which this is true; what comes before it is skipped.
    #[track_caller]
    pub(crate) fn until(&mut self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let message = self.message();
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Skips everything up to the end; the close code, if one was said.
    #[track_caller]
    pub(crate) fn end(&mut self) -> Option<u16> {
        loop {
            if let Said::Closed(code) = self.next() {
                return code;
            }
        }
    }
}
