//! Commands and their parameters, and what is wrong with them (evil-mad/EggBot, docs/ebb.html,
//! "Returned Errors").

use std::fmt::Write;

/// Why a command is not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    RateTooHigh(u8),
    TooLong,
    Missing,
    NeedComma(char),
    Invalid,
    Extra,
    Unknown(String),
    /// What a fault says.
    Other(u8),
}

impl Wrong {
    pub(super) fn text(&self) -> String {
        match self {
            Self::RateTooHigh(axis) => format!("!0 Err: <axis{axis}> step rate too high"),
            Self::TooLong => "!3 Err: RX Buffer overrun".to_owned(),
            Self::Missing => "!4 Err: Missing parameter(s)".to_owned(),
            Self::NeedComma(found) => format!("!5 Err: Need comma next, found: '{found}'"),
            Self::Invalid => "!6 Err: Invalid parameter value".to_owned(),
            Self::Extra => "!7 Err: Extra parameter".to_owned(),
            Self::Unknown(name) => {
                let mut text = format!("!8 Err: Unknown command '{name}:");
                for byte in name.bytes() {
                    let _ = write!(text, "{byte:02X}");
                }
                text + "'"
            }
            Self::Other(number) => format!("!{number} Err: as asked for"),
        }
    }
}

/// The parameters of a command, one after the other.
pub(super) struct Parameters<'a> {
    rest: &'a str,
}

impl<'a> Parameters<'a> {
    pub(super) fn new(rest: &'a str) -> Self {
        Self { rest }
    }

    /// The text of the next one, if there is one.
    fn next(&mut self) -> Result<Option<&'a str>, Wrong> {
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let Some(rest) = self.rest.strip_prefix(',') else { return Err(Wrong::NeedComma(first)) };
        let end = rest.find(',').unwrap_or(rest.len());
        self.rest = &rest[end..];
        Ok(Some(&rest[..end]))
    }

    pub(super) fn optional(&mut self, from: i64, to: i64) -> Result<Option<i64>, Wrong> {
        let Some(text) = self.next()? else { return Ok(None) };
        let digits = text.strip_prefix('-').unwrap_or(text);
        if let Some(other) = digits.chars().find(|digit| !digit.is_ascii_digit()) {
            return Err(if digits.starts_with(other) {
                Wrong::Invalid
            } else {
                Wrong::NeedComma(other)
            });
        }
        match text.parse() {
            Ok(value) if (from..=to).contains(&value) => Ok(Some(value)),
            _ => Err(Wrong::Invalid),
        }
    }

    pub(super) fn number(&mut self, from: i64, to: i64) -> Result<i64, Wrong> {
        self.optional(from, to)?.ok_or(Wrong::Missing)
    }

    /// The rest as it is, without its comma.
    pub(super) fn text(&mut self) -> Result<&'a str, Wrong> {
        self.next().map(Option::unwrap_or_default)
    }

    pub(super) fn end(&self) -> Result<(), Wrong> {
        if self.rest.is_empty() { Ok(()) } else { Err(Wrong::Extra) }
    }
}

/// Cuts a command into its name of one or two letters and the rest.
pub(super) fn name(line: &str) -> (&str, &str) {
    let end = line.char_indices().nth(2).map_or(line.len(), |(end, _)| end);
    let end = line.find(',').map_or(end, |comma| comma.min(end));
    line.split_at(end)
}
