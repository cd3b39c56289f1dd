//! The WebSocket of a station, as a stream of messages.

use std::pin::Pin;

use awc::{
    error::WsProtocolError,
    ws::{Frame, Message},
};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use serde_json::{Value, json};

use super::{client::Client, failure::Failure};

/// A connection that has subscribed.
pub(super) struct Live {
    sink: Pin<Box<dyn Sink<Message, Error = WsProtocolError>>>,
    frames: Pin<Box<dyn Stream<Item = Result<Frame, WsProtocolError>>>>,
}

impl Live {
    /// Connects and subscribes. When this returns, nothing that happens later is missed, so what
    /// is read by a request after it is never too old.
    pub(super) async fn subscribe(client: &Client, channels: &[String]) -> Result<Self, Failure> {
        let (_, socket) =
            client.websocket().connect().await.map_err(|error| client.refused(error))?;
        let (sink, frames) = socket.split();
        let mut live = Self { sink: Box::pin(sink), frames: Box::pin(frames) };
        let subscribe = json!({"type": "SUBSCRIBE", "channels": channels, "ack": true});
        let text = subscribe.to_string();
        live.sink.send(Message::Text(text.into())).await.map_err(|error| lost(&error))?;
        loop {
            match live.next().await? {
                Some(message) if message["type"] == "subscribed" => return Ok(live),
                Some(message) if message["type"] == "error" => {
                    let reason = message["error_message"].as_str().unwrap_or_default();
                    return Err(Failure::Failed(format!(
                        "the station does not subscribe: {reason}"
                    )));
                }
                Some(_) => {}
                None => return Err(lost("closed by the station")),
            }
        }
    }

    /// The next message; none once the station has closed the connection.
    pub(super) async fn next(&mut self) -> Result<Option<Value>, Failure> {
        while let Some(frame) = self.frames.next().await {
            match frame.map_err(|error| lost(&error))? {
                Frame::Text(text) => {
                    return serde_json::from_slice(&text).map(Some).map_err(|error| lost(&error));
                }
                Frame::Ping(payload) => {
                    self.sink.send(Message::Pong(payload)).await.map_err(|error| lost(&error))?;
                }
                Frame::Close(_) => return Ok(None),
                Frame::Pong(_) | Frame::Binary(_) | Frame::Continuation(_) => {}
            }
        }
        Ok(None)
    }
}

fn lost(reason: impl std::fmt::Display) -> Failure {
    Failure::NotRunning(format!("the live connection is lost: {reason}"))
}
