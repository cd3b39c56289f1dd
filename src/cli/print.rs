//! How things look: tables without borders, JSON, colour on a terminal alone.

use std::{
    borrow::Cow,
    env,
    fmt::{self, Write as _},
    io::{self, IsTerminal, Write},
    time::Duration,
};

use serde_json::Value;

use super::{
    args::{Format, Global},
    failure::Failure,
};

/// How standard output is to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out {
    json: bool,
    colour: bool,
}

impl Out {
    /// As the options say.
    pub(super) fn new(global: &Global) -> Self {
        let unset = |name| env::var_os(name).is_none_or(|value| value.is_empty());
        let colour = io::stdout().is_terminal()
            && unset("NO_COLOR")
            && env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { json: global.format() == Format::Json, colour }
    }

    /// True if a program reads.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// A word for a state in its colour.
    pub(super) fn coloured(self, word: &str) -> String {
        match if self.colour { hue(word) } else { None } {
            Some(hue) => format!("\x1b[{hue}m{word}\x1b[0m"),
            None => word.to_owned(),
        }
    }

    /// A table.
    pub(super) fn table(self, heads: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
        print_text(&table(heads, rows, self.colour))
    }
}

/// One line on standard output.
pub(super) fn print_line(text: impl fmt::Display) -> Result<(), Failure> {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Text as it is, which may have many lines.
pub(super) fn print_text(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// A JSON value, indented.
pub(super) fn print_json(value: &Value) -> Result<(), Failure> {
    print_line(format_args!("{value:#}"))
}

/// A JSON value on a line of its own.
pub(super) fn print_json_line(value: &Value) -> Result<(), Failure> {
    print_line(value)
}

/// A table without borders. On a terminal the words for states have colours.
fn table(heads: &[&str], rows: &[Vec<String>], colour: bool) -> String {
    let heads: Vec<String> = heads.iter().map(ToString::to_string).collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&heads]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let mut text = String::new();
    for (index, row) in [&heads].into_iter().chain(rows).enumerate() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let gap = width - cell.chars().count() + 2;
            match if index > 0 && colour { hue(cell) } else { None } {
                Some(hue) => _ = write!(line, "\x1b[{hue}m{cell}\x1b[0m{:gap$}", ""),
                None => _ = write!(line, "{cell}{:gap$}", ""),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The colour of a word for a state, as an SGR parameter (ECMA-48).
fn hue(word: &str) -> Option<u8> {
    match word {
        "COMPLETED" | "healthy" | "idle" | "green" => Some(32),
        "RUNNING" | "busy" => Some(36),
        "FAILED" | "INTERRUPTED" | "unhealthy" | "alarm" | "error" | "red" => Some(31),
        "HELD" | "PAUSED" | "BACKOFF" | "degraded" | "paused" | "amber" => Some(33),
        _ => None,
    }
}

/// Text from jobs, devices and files, made harmless: control characters, which could steer the
/// terminal, and those that turn the direction of writing are shown as escapes.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// The same for a line of output, in which tabulators may stay.
pub(super) fn visible_line(line: &str) -> Cow<'_, str> {
    if line.contains('\t') {
        Cow::Owned(line.split('\t').map(visible).collect::<Vec<_>>().join("\t"))
    } else {
        visible(line)
    }
}

/// Says something to the person, who may be reading data from standard output meanwhile.
pub(super) fn note(text: impl fmt::Display) -> Result<(), Failure> {
    writeln!(io::stderr().lock(), "{text}")?;
    Ok(())
}

/// A field of a JSON object for a cell: empty if absent or null.
pub(super) fn field(value: &Value, name: &str) -> String {
    if value[name].is_null() { String::new() } else { plain(&value[name]) }
}

/// The objects of a list, be it bare or in `items`.
pub(super) fn items(list: &Value) -> &[Value] {
    list.as_array().or_else(|| list["items"].as_array()).map_or(&[], Vec::as_slice)
}

/// Every field of an object, one `key: value` a line, nested ones indented.
pub(super) fn object(value: &Value, indent: usize) -> String {
    let mut text = String::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::Object(map) if map.is_empty() => {}
            Value::Object(_) => {
                _ = write!(text, "{:indent$}{key}:\n{}", "", object(value, indent + 2));
            }
            Value::Array(list) if list.is_empty() => {}
            Value::Array(list) if list.iter().all(|item| !item.is_object()) => {
                let words: Vec<_> = list.iter().map(plain).collect();
                _ = writeln!(text, "{:indent$}{key}: {}", "", words.join(", "));
            }
            _ => _ = writeln!(text, "{:indent$}{key}: {}", "", plain(value)),
        }
    }
    text
}

/// A JSON value without quotes; whole numbers have no decimals, however they were sent.
pub(super) fn plain(value: &Value) -> String {
    match (value.as_str(), value.as_f64()) {
        (Some(text), _) => visible(text).into_owned(),
        (None, Some(number)) if value.is_f64() => number.to_string(),
        _ => value.to_string(),
    }
}

/// A length of time from its largest unit down, `parts` units at most: `2h 15m 30s`.
pub(super) fn duration(time: Duration, parts: usize) -> String {
    let seconds = time.as_secs();
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let large = units.into_iter().skip_while(|(count, _)| *count == 0).take(parts);
    let words: Vec<_> = large
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if words.is_empty() { "0s".to_owned() } else { words.join(" ") }
}

/// A length of time given as a JSON number of seconds; empty if it is none.
pub(super) fn seconds(value: &Value, parts: usize) -> String {
    let time = value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.map(|time| duration(time, parts)).unwrap_or_default()
}

/// A JSON number of bytes as megabytes with so many decimals; none if it is no number.
pub(super) fn megabytes(bytes: &Value, decimals: usize) -> Option<String> {
    bytes.as_f64().map(|bytes| format!("{:.decimals$}", bytes / 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_drops_what_is_zero() {
        let shown = |seconds, parts| duration(Duration::from_secs(seconds), parts);
        assert_eq!(shown(8130, 4), "2h 15m 30s");
        assert_eq!(shown(5400, 2), "1h 30m");
        assert_eq!(shown(5459, 2), "1h 30m");
        assert_eq!(shown(0, 4), "0s");
        assert_eq!(shown(90_061, 4), "1d 1h 1m 1s");
    }

    #[test]
    fn nothing_in_a_name_steers_the_terminal() {
        assert_eq!(visible("ok \u{e9}"), "ok \u{e9}");
        assert_eq!(visible("\x1b[2Jgone\u{9b}\u{202e}"), "\\u{1b}[2Jgone\\u{9b}\\u{202e}");
    }

    #[test]
    fn a_table_has_no_borders_and_no_trailing_spaces() {
        let rows =
            [vec!["a".to_owned(), "RUNNING".to_owned()], vec!["longer".to_owned(), String::new()]];
        insta::assert_snapshot!(table(&["NAME", "STATE"], &rows, false), @r"
        NAME    STATE
        a       RUNNING
        longer
        ");
        assert!(table(&["NAME", "STATE"], &rows, true).contains("\x1b[36mRUNNING\x1b[0m"));
    }

    #[test]
    fn an_object_is_shown_without_what_is_empty() {
        let value = serde_json::json!({"name": "a\tb", "error": null, "labels": {}, "tags": ["x", 1.0],
                                       "analysis": {"lines": 3}});
        insta::assert_snapshot!(object(&value, 0), @r"
        analysis:
          lines: 3
        name: a\tb
        tags: x, 1
        ");
    }
}
