//! YAML text as a tree in which everything knows its line and column.
//!
//! `serde_yaml` stops at its first error and its values have no positions, so the tree is built
//! from the events of a marked parser; what plain scalars mean is what `serde_yaml` says.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use serde_yaml::Value;

/// The largest file in bytes.
pub(super) const MAX_BYTES: usize = 1 << 20;
const MAX_ALIASES: usize = 64;
const MAX_DEPTH: usize = 32;
/// Values in a file, with everything that aliases repeat.
const MAX_VALUES: usize = 100_000;
/// No number worth reading has more characters.
const LONGEST_NUMBER: usize = 64;

/// A line and a column, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl From<Marker> for Mark {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line().max(1), column: marker.col() + 1 }
    }
}

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Yaml {
    pub(super) mark: Mark,
    pub(super) content: Content,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Null, a boolean, a number or a text.
    Scalar(Value),
    List(Vec<Yaml>),
    /// In the order given; a key given twice is here twice.
    Map(Vec<(Name, Yaml)>),
}

/// A key and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) mark: Mark,
}

impl Yaml {
    /// A text that stands in no file.
    pub(super) fn text(text: &str) -> Self {
        Self::unplaced(Content::Scalar(Value::String(text.to_owned())))
    }

    /// `value` below the keys of `path`, in no file.
    pub(super) fn below<'a>(path: impl DoubleEndedIterator<Item = &'a str>, value: Self) -> Self {
        path.rev().fold(value, |value, key| {
            let name = Name { text: key.to_owned(), mark: Mark { line: 1, column: 1 } };
            Self::unplaced(Content::Map(vec![(name, value)]))
        })
    }

    /// The value of a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Content::Map(entries) = &self.content else { return None };
        entries.iter().rev().find(|(name, _)| name.text == key).map(|(_, value)| value)
    }

    fn unplaced(content: Content) -> Self {
        Self { mark: Mark { line: 1, column: 1 }, content }
    }
}

/// Why a text is no configuration.
pub(super) type Fault = (Mark, String);

/// Reads the bytes of a file; an empty one is null.
pub(super) fn read(bytes: &[u8]) -> Result<Yaml, Fault> {
    let start = Mark { line: 1, column: 1 };
    if bytes.len() > MAX_BYTES {
        return Err((
            start,
            format!("the file is larger than {MAX_BYTES} bytes, the most allowed"),
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        (after(&before), "invalid YAML: not UTF-8, the only encoding allowed".to_owned())
    })?;
    parse(text)
}

/// Reads one document.
pub(super) fn parse(text: &str) -> Result<Yaml, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let forbidden = |c: char| match c {
        '\t' | '\n' | '\r' => false,
        // A byte order mark has no business in the middle.
        c => c.is_control() || c == '\u{feff}',
    };
    if let Some(at) = text.find(forbidden) {
        return Err((after(&text[..at]), "invalid YAML: a control character".to_owned()));
    }
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            ((*error.marker()).into(), format!("invalid YAML: {}", error.info()))
        })?;
        builder.take(event, span)?;
    }
    let nothing = Yaml::unplaced(Content::Scalar(Value::Null));
    Ok(builder.root.unwrap_or(nothing))
}

/// The place right after `text`.
fn after(text: &str) -> Mark {
    let last = text.rsplit('\n').next().unwrap_or_default();
    Mark { line: text.matches('\n').count() + 1, column: last.chars().count() + 1 }
}

/// A list or map that is not closed yet.
struct Open {
    anchor: usize,
    value: Yaml,
    /// The key that waits for its value.
    key: Option<Name>,
    /// Values in it.
    weight: usize,
}

#[derive(Default)]
struct Builder {
    root: Option<Yaml>,
    open: Vec<Open>,
    /// What aliases may name, and how many values each is.
    anchors: HashMap<usize, (Yaml, usize)>,
    aliases: usize,
    values: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let mark = Mark::from(span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value =
                    scalar(&text, style, tag.as_deref()).map_err(|message| (mark, message))?;
                self.close(anchor, Yaml { mark, content: Content::Scalar(value) }, 1, mark)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(anchor, mark, Content::List(Vec::new()), tag.as_deref())
            }
            Event::MappingStart(anchor, tag) => {
                self.open(anchor, mark, Content::Map(Vec::new()), tag.as_deref())
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { anchor, value, weight, .. }) => self.close(anchor, value, weight, mark),
                None => Ok(()),
            },
            Event::Alias(anchor) => self.alias(anchor, mark),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err((mark, "a second document begins here, one is allowed".to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn open(
        &mut self,
        anchor: usize,
        mark: Mark,
        content: Content,
        tag: Option<&Tag>,
    ) -> Result<(), Fault> {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            return Err((mark, unknown_tag(tag)));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err((mark, format!("nested too deeply, {MAX_DEPTH} levels are allowed")));
        }
        self.open.push(Open { anchor, value: Yaml { mark, content }, key: None, weight: 1 });
        Ok(())
    }

    fn alias(&mut self, anchor: usize, mark: Mark) -> Result<(), Fault> {
        self.aliases += 1;
        if self.aliases > MAX_ALIASES {
            return Err((mark, format!("too many aliases, {MAX_ALIASES} are allowed")));
        }
        let Some((value, weight)) = self.anchors.get(&anchor) else {
            return Err((mark, "an alias within what it stands for is not allowed".to_owned()));
        };
        // Weighed before it is copied: a few aliases of aliases would fill the memory.
        if self.values + weight > MAX_VALUES || depth(value) + self.open.len() > MAX_DEPTH {
            return Err((mark, "aliases repeat too much".to_owned()));
        }
        let (value, weight) = (value.clone(), *weight);
        self.values += weight - 1;
        self.close(0, value, weight, mark)
    }

    /// Puts a complete value where it belongs.
    fn close(
        &mut self,
        anchor: usize,
        value: Yaml,
        weight: usize,
        mark: Mark,
    ) -> Result<(), Fault> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err((mark, format!("too many values, {MAX_VALUES} are allowed")));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), weight));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        open.weight += weight;
        match &mut open.value.content {
            Content::List(items) => items.push(value),
            Content::Map(entries) => match open.key.take() {
                Some(key) => entries.push((key, value)),
                None => open.key = Some(key(value)?),
            },
            Content::Scalar(_) => {}
        }
        Ok(())
    }
}

fn depth(value: &Yaml) -> usize {
    match &value.content {
        Content::Scalar(_) => 0,
        Content::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Content::Map(entries) => {
            1 + entries.iter().map(|(_, value)| depth(value)).max().unwrap_or(0)
        }
    }
}

fn key(value: Yaml) -> Result<Name, Fault> {
    let mark = value.mark;
    let text = match value.content {
        Content::Scalar(Value::String(text)) => text,
        Content::Scalar(Value::Number(number)) => number.to_string(),
        Content::Scalar(Value::Bool(flag)) => flag.to_string(),
        _ => return Err((mark, "a key must be a text".to_owned())),
    };
    Ok(Name { text, mark })
}

fn unknown_tag(tag: &Tag) -> String {
    format!("the tag {}{} is not known, none are allowed", tag.handle, tag.suffix)
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => Err(unknown_tag(tag)),
        Some(tag) if tag.suffix == "str" => Ok(Value::String(text.to_owned())),
        _ if style != ScalarStyle::Plain => Ok(Value::String(text.to_owned())),
        _ => Ok(plain(text)),
    }
}

/// What a scalar without quotes means.
pub(super) fn plain(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    if text.len() > LONGEST_NUMBER || is_word(text) {
        return Value::String(text.to_owned());
    }
    if let Some(number) = simple_number(text) {
        return number.into();
    }
    // A plain scalar is a document of its own; what would be more than a scalar is a text here.
    match serde_yaml::from_str(text) {
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}

/// True for what is certainly no more than a text, which is most of a file: to ask the parser about
/// each would take most of the time.
fn is_word(text: &str) -> bool {
    let special = |byte: u8| byte.is_ascii_whitespace() || byte == b'#';
    let option = text.strip_prefix("--").unwrap_or(text);
    let begins = option.starts_with(|c: char| c.is_ascii_alphabetic()) || text.starts_with('/');
    let constant = |word: &&str| word.eq_ignore_ascii_case(text);
    begins
        && !text.bytes().any(special)
        && !["null", "true", "false", "yes", "no", "on", "off", "y", "n"].iter().any(constant)
}

/// A number that is nothing but digits.
fn simple_number(text: &str) -> Option<u64> {
    let digits = text.len() < 19 && text.bytes().all(|byte| byte.is_ascii_digit());
    let usual = digits && (text == "0" || !text.starts_with('0'));
    if usual { text.parse().ok() } else { None }
}
