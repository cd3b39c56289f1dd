//! How a record of the log is written: one line, whatever the message contains.

use std::{fmt, fmt::Write as _, io, process};

use log::{
    Record,
    kv::{self, Key, Value, VisitSource},
};
use serde_json::{Map, json};

use crate::domain::Timestamp;

/// A longer message is cut: thousands of them must fit into memory while a disk is slow.
const LONGEST_MESSAGE_BYTES: usize = 16 * 1024;

/// How a record is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `TIME - TARGET - LEVEL - MESSAGE`, the fields after the message as `key=value`.
    #[default]
    Text,
    /// An object with `time`, `level`, `msg`, `target` and the fields, flat.
    Json,
    /// Text with places to fill in.
    Template(Template),
}

impl LogFormat {
    /// What `logging.format` says: `text`, `json`, or a template.
    pub fn parse(text: &str) -> Self {
        match text {
            "text" => Self::Text,
            "json" => Self::Json,
            template => Self::Template(Template::parse(template)),
        }
    }

    /// Writes `record` and a newline.
    pub(super) fn write(
        &self,
        out: &mut impl io::Write,
        time: Timestamp,
        record: &Record<'_>,
    ) -> io::Result<()> {
        match self {
            Self::Json => {
                serde_json::to_writer(&mut *out, &object(time, record))?;
                writeln!(out)
            }
            Self::Text => {
                let (target, level) = (record.target(), record.level());
                writeln!(out, "{time} - {target} - {level} - {}", sentence(record))
            }
            Self::Template(template) => writeln!(out, "{}", template.fill(time, record)),
        }
    }
}

/// A line with places like `%(asctime)s` or `%(levelname)-8s`; unknown ones stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// A place, and the width to pad it to: on the left of the text, or on its right if negative.
    Place(Place, isize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Time,
    Target,
    Level,
    Message,
    Pid,
}

impl Template {
    fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("%(") {
            let (before, place) = rest.split_at(start);
            if let Some((piece, length)) = Self::place(place) {
                pieces.push(Piece::Literal(before.to_owned()));
                pieces.push(piece);
                rest = &place[length..];
            } else {
                pieces.push(Piece::Literal(format!("{before}%(")));
                rest = &place[2..];
            }
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        Self(pieces)
    }

    /// The place that `text` begins with, and its length there.
    fn place(text: &str) -> Option<(Piece, usize)> {
        let (name, rest) = text.strip_prefix("%(")?.split_once(')')?;
        let place = match name {
            "asctime" => Place::Time,
            "name" => Place::Target,
            "levelname" => Place::Level,
            "message" => Place::Message,
            "process" => Place::Pid,
            _ => return None,
        };
        let end = rest.find(['s', 'd'])?;
        let width = if end == 0 { 0 } else { rest[..end].parse().ok()? };
        Some((Piece::Place(place, width), text.len() - rest.len() + end + 1))
    }

    fn fill(&self, time: Timestamp, record: &Record<'_>) -> String {
        let mut line = String::new();
        for piece in &self.0 {
            let (place, width) = match piece {
                Piece::Literal(text) => {
                    line.push_str(text);
                    continue;
                }
                Piece::Place(place, width) => (place, *width),
            };
            let text = match place {
                Place::Time => time.to_string(),
                Place::Target => record.target().to_owned(),
                Place::Level => record.level().to_string(),
                Place::Message => sentence(record),
                Place::Pid => process::id().to_string(),
            };
            let padding = " ".repeat(width.unsigned_abs().min(256).saturating_sub(text.len()));
            let (left, right) = if width < 0 { ("", &*padding) } else { (&*padding, "") };
            let _ = write!(line, "{left}{text}{right}"); // A String takes everything.
        }
        line
    }
}

/// The message alone, cut to a length that many can be kept of.
pub(super) fn message(record: &Record<'_>) -> String {
    let mut message = Cut(String::new());
    // An error is a cut, or a value that refuses to be written: what there is must do.
    let _ = write!(message, "{}", record.args());
    message.0
}

/// A text that takes no more than [`LONGEST_MESSAGE_BYTES`].
struct Cut(String);

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LONGEST_MESSAGE_BYTES - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room.saturating_sub('…'.len_utf8()))]);
        Err(fmt::Error)
    }
}

/// Message and fields as one line: what would break the line or move the cursor is escaped.
fn sentence(record: &Record<'_>) -> String {
    let mut raw = message(record);
    for (key, value) in fields(record) {
        let _ = match value {
            serde_json::Value::String(text) => write!(raw, " {key}={text}"),
            value => write!(raw, " {key}={value}"),
        };
    }
    if !raw.contains(|char: char| char.is_control() && char != '\t') {
        return raw;
    }
    raw.chars().fold(String::with_capacity(raw.len() + 8), |mut line, char| {
        if char.is_control() && char != '\t' {
            line.extend(char.escape_default());
        } else {
            line.push(char);
        }
        line
    })
}

fn object(time: Timestamp, record: &Record<'_>) -> Map<String, serde_json::Value> {
    let mut object = Map::new();
    object.insert("time".to_owned(), json!(time));
    object.insert("level".to_owned(), json!(record.level().as_str()));
    object.insert("msg".to_owned(), json!(message(record)));
    object.insert("target".to_owned(), json!(record.target()));
    for (key, value) in fields(record) {
        let key = if object.contains_key(&key) { format!("_{key}") } else { key };
        object.insert(key, value);
    }
    object
}

fn fields(record: &Record<'_>) -> Vec<(String, serde_json::Value)> {
    struct Fields(Vec<(String, serde_json::Value)>);
    impl<'kvs> VisitSource<'kvs> for Fields {
        fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
            let value = serde_json::to_value(&value).unwrap_or_else(|_| json!(value.to_string()));
            self.0.push((key.to_string(), value));
            Ok(())
        }
    }
    let mut fields = Fields(Vec::new());
    // The visitor never fails.
    let _ = record.key_values().visit(&mut fields);
    fields.0
}
