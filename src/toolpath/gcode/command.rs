//! One command of Marlin, which takes one a line: whatever follows the first are its parameters
//! (Marlin, gcode/parser.cpp).

use super::{NotAWord, words::number};

/// The command of a line.
#[derive(Clone, Copy, Debug)]
pub(in crate::toolpath) struct Command<'a> {
    /// G, M or T.
    pub(in crate::toolpath) letter: u8,
    /// Its number, kept in sixteen bits as Marlin keeps it.
    pub(in crate::toolpath) code: u16,
    /// What follows the point, as 2 in G38.2; 0 if nothing does.
    pub(super) sub: u16,
    /// What follows the number.
    pub(super) text: &'a [u8],
}

impl<'a> Command<'a> {
    /// None if the line begins with something else.
    pub(in crate::toolpath) fn read(line: &'a [u8]) -> Option<Self> {
        let (letter, rest) = without_number(line).split_first()?;
        let letter = letter.to_ascii_uppercase();
        let (code, rest) = digits(blanks(rest))?;
        let (sub, text) = match rest {
            [b'.', rest @ ..] => digits(rest).unwrap_or((0, rest)),
            rest => (0, rest),
        };
        matches!(letter, b'G' | b'M' | b'T').then_some(Self { letter, code, sub, text })
    }

    /// Its parameters; see [`Parameters`].
    pub(super) fn parameters(&self) -> Parameters<'a> {
        Parameters { rest: self.text }
    }

    /// The number after this letter; of several the last counts.
    pub(in crate::toolpath) fn value(&self, letter: u8) -> Option<f64> {
        let parameters = self.parameters().flatten().filter(|(known, _)| *known == letter);
        parameters.filter_map(|(_, value)| value).last()
    }

    /// Nothing follows its number.
    pub(super) fn is_bare(&self) -> bool {
        blanks(self.text).is_empty()
    }

    /// Text follows it: a message, the name of a file or of an object.
    pub(super) fn takes_text(&self) -> bool {
        let known =
            matches!(self.code, 0 | 1 | 16 | 23 | 28 | 30 | 32 | 36 | 117 | 118 | 486 | 928);
        self.letter == b'M' && (known || self.is_macro())
    }

    /// It keeps commands, with `|` between them, or carries out those that it has kept.
    pub(super) fn is_macro(&self) -> bool {
        self.letter == b'M' && matches!(self.code, 810..=819)
    }
}

/// Letters, in upper case, each with its number if it has one: `G28 X Y` names axes. Text between
/// quotation marks belongs to its letter.
#[derive(Clone, Debug)]
pub(super) struct Parameters<'a> {
    rest: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// Those of a line that has no command.
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self { rest: text }
    }
}

impl Iterator for Parameters<'_> {
    type Item = Result<(u8, Option<f64>), NotAWord>;

    fn next(&mut self) -> Option<Self::Item> {
        let (letter, rest) = blanks(self.rest).split_first()?;
        self.rest = rest;
        if *letter == b'*' {
            self.rest = &[];
            return None;
        }
        if !letter.is_ascii_alphabetic() {
            return Some(Err(NotAWord));
        }
        let rest = blanks(rest);
        let value = number(rest);
        self.rest = match (rest, value) {
            ([b'"', text @ ..], _) => after_quote(text),
            (rest, Some((_, length))) => &rest[length..],
            (rest, None) => rest,
        };
        Some(Ok((letter.to_ascii_uppercase(), value.map(|(value, _)| value))))
    }
}

/// Without the number that the line itself may have.
pub(super) fn without_number(line: &[u8]) -> &[u8] {
    let mut rest = blanks(line);
    while let [b'N' | b'n', b'0'..=b'9' | b'-', number @ ..] = rest {
        let count = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = blanks(&number[count..]);
    }
    rest
}

fn blanks(text: &[u8]) -> &[u8] {
    let count = text.iter().take_while(|byte| **byte == b' ').count();
    &text[count..]
}

fn after_quote(text: &[u8]) -> &[u8] {
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(&[], |end| &text[end + 1..])
}

/// A whole number at the start of a text, and what follows it.
fn digits(text: &[u8]) -> Option<(u16, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(count);
    let add = |sum: u16, digit: &u8| sum.wrapping_mul(10).wrapping_add(u16::from(digit - b'0'));
    (count > 0).then(|| (digits.iter().fold(0, add), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_command_with_its_parameters() {
        let read = |line: &str| {
            let command = Command::read(line.as_bytes())?;
            let parameters = command.parameters().map(|it| {
                it.map_or_else(
                    |_| "?".to_owned(),
                    |(letter, value)| match value {
                        Some(value) => format!("{}{value}", char::from(letter)),
                        None => char::from(letter).to_string(),
                    },
                )
            });
            let name = format!("{}{}.{}", char::from(command.letter), command.code, command.sub);
            Some([name].into_iter().chain(parameters).collect::<Vec<_>>().join(" "))
        };
        for (line, words) in [
            ("G1 X10Y-.5 E 3", "G1.0 X10 Y-0.5 E3"),
            (" n10 g 01 x5 *71", "G1.0 X5"),
            ("N1N2 M0502", "M502.0"),
            ("M66038", "M502.0"),
            ("G28 X Y0 W", "G28.0 X Y0 W"),
            ("G38.2 Z-5", "G38.2 Z-5"),
            ("M862.3 P \"MK3S G1 X\\\"5\" Q", "M862.3 P Q"),
            ("M115 U3.13.3", "M115.0 U3.13 ? ?"),
            ("G1 X50 M0", "G1.0 X50 M0"),
            ("G1 Xabc", "G1.0 X A B C"),
            ("T1", "T1.0"),
        ] {
            assert_eq!(read(line).as_deref(), Some(words), "{line}");
        }
        for other in ["", "N10", "X10 Y10", "Hello", "G", "M-1", "T?", "/G1 X1", "$H"] {
            assert_eq!(read(other), None, "{other}");
        }
        let twice = Command::read(b"G1 X1 X2").and_then(|it| it.value(b'X'));
        assert_eq!(twice, Some(2.0));
    }
}
