//! What clients and the server say to each other beside events.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::Timestamp;

/// A message from a client. Fields nobody knows are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Hear these, and nothing else.
    Subscribe {
        /// Names as the client wrote them.
        channels: Vec<String>,
        /// Replays what came after this number.
        since: Option<u64>,
        /// Asks for an acknowledgement.
        ack: bool,
    },
    /// Hear these no longer.
    Unsubscribe {
        /// Names as the client wrote them.
        channels: Vec<String>,
    },
    /// Asks for a sign of life.
    Ping,
    /// Shows a token.
    Auth {
        /// The token.
        token: String,
    },
}

/// What went wrong, in a word that programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Code {
    /// Not a JSON object in a text frame.
    InvalidJson,
    /// A `type` nobody knows, or none.
    UnknownMessageType,
    /// The channels of a SUBSCRIBE make no sense.
    SubscriptionError,
    /// The channels of an UNSUBSCRIBE make no sense.
    UnsubscriptionError,
    /// It was understood and could not be done.
    MessageHandlingError,
    /// No valid token was shown.
    Unauthorized,
    /// Too many messages.
    RateLimited,
}

/// Why a message was not understood.
pub(super) type Refusal = (Code, String);

impl Request {
    /// Understands a text message.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let object = match serde_json::from_str(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err((Code::InvalidJson, "a message is a JSON object".to_owned())),
            Err(error) => return Err((Code::InvalidJson, error.to_string())),
        };
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind.to_ascii_uppercase().as_str() {
            "SUBSCRIBE" => {
                let refuse = |text: String| (Code::SubscriptionError, text);
                Ok(Self::Subscribe {
                    channels: names(&object).map_err(refuse)?,
                    since: since(&object).map_err(refuse)?,
                    ack: object.get("ack") == Some(&Value::Bool(true)),
                })
            }
            "UNSUBSCRIBE" => {
                let channels = names(&object).map_err(|text| (Code::UnsubscriptionError, text))?;
                Ok(Self::Unsubscribe { channels })
            }
            "PING" => Ok(Self::Ping),
            "AUTH" => match object.get("token") {
                Some(Value::String(token)) => Ok(Self::Auth { token: token.clone() }),
                _ => Err((Code::MessageHandlingError, "AUTH needs a token".to_owned())),
            },
            "" => Err((Code::UnknownMessageType, "a message needs a type".to_owned())),
            _ => Err((
                Code::UnknownMessageType,
                "the types are SUBSCRIBE, UNSUBSCRIBE, PING and AUTH".to_owned(),
            )),
        }
    }
}

fn names(object: &Map<String, Value>) -> Result<Vec<String>, String> {
    let wrong = || "channels is a list of names".to_owned();
    match object.get("channels") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

fn since(object: &Map<String, Value>) -> Result<Option<u64>, String> {
    match object.get("since") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().ok_or("since is the number of an event")?;
            Ok(Some(number))
        }
    }
}

/// A message of the server about the connection itself.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Reply<'a> {
    Pong,
    Subscribed { channels: &'a [String], seq: u64 },
    Lagged { missed: u64, from_seq: u64 },
    Error { error_code: Code, error_message: &'a str, details: Map<String, Value> },
}

#[derive(Serialize)]
struct Stamped<'a> {
    timestamp: Timestamp,
    #[serde(flatten)]
    reply: Reply<'a>,
}

fn write(reply: Reply<'_>) -> String {
    serde_json::to_string(&Stamped { timestamp: Timestamp::now(), reply }).unwrap_or_default()
}

/// The answer to PING.
pub(super) fn pong() -> String {
    write(Reply::Pong)
}

/// The acknowledgement of a SUBSCRIBE: everything after `seq` follows.
pub(super) fn subscribed(channels: &[String], seq: u64) -> String {
    write(Reply::Subscribed { channels, seq })
}

/// Messages were lost: `missed` of them, no durable event before `from_seq` among them.
pub(super) fn lagged(missed: u64, from_seq: u64) -> String {
    write(Reply::Lagged { missed, from_seq })
}

/// Something could not be done.
pub(super) fn error(code: Code, message: &str) -> String {
    write(Reply::Error { error_code: code, error_message: message, details: Map::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_understood_whatever_their_case_and_extras() {
        let subscribe =
            r#"{"type":"subScribe","channels":["jobs"],"since":7,"ack":true,"extra":{}}"#;
        assert_eq!(
            Request::parse(subscribe),
            Ok(Request::Subscribe { channels: vec!["jobs".to_owned()], since: Some(7), ack: true })
        );
        assert_eq!(Request::parse(r#"{"type":"ping"}"#), Ok(Request::Ping));
        assert_eq!(
            Request::parse(r#"{"type":"UNSUBSCRIBE"}"#),
            Ok(Request::Unsubscribe { channels: Vec::new() })
        );
    }

    #[test]
    fn nonsense_is_answered_with_its_code() {
        let code = |text| Request::parse(text).map_err(|(code, _)| code);
        assert_eq!(code("{"), Err(Code::InvalidJson));
        assert_eq!(code("[1]"), Err(Code::InvalidJson));
        assert_eq!(code("{}"), Err(Code::UnknownMessageType));
        assert_eq!(code(r#"{"type":"DANCE"}"#), Err(Code::UnknownMessageType));
        assert_eq!(code(r#"{"type":7}"#), Err(Code::UnknownMessageType));
        for text in [
            r#"{"type":"SUBSCRIBE","channels":"jobs"}"#,
            r#"{"type":"SUBSCRIBE","channels":[1]}"#,
            r#"{"type":"SUBSCRIBE","since":-1}"#,
        ] {
            assert_eq!(code(text), Err(Code::SubscriptionError), "{text}");
        }
        assert_eq!(code(r#"{"type":"UNSUBSCRIBE","channels":1}"#), Err(Code::UnsubscriptionError));
        assert_eq!(code(r#"{"type":"AUTH"}"#), Err(Code::MessageHandlingError));
        let deep = "[".repeat(60_000);
        assert_eq!(code(&deep), Err(Code::InvalidJson));
    }

    #[test]
    fn replies_have_their_type_and_time() {
        let error: Value =
            serde_json::from_str(&error(Code::RateLimited, "slow down")).unwrap_or_default();
        assert_eq!(error["type"], "error");
        assert_eq!(error["error_code"], "RATE_LIMITED");
        assert!(error["timestamp"].is_string());
        assert!(pong().contains(r#""type":"pong""#));
    }
}
