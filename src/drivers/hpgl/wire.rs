//! What a plotter says, and what it is asked.

use std::ops::RangeInclusive;

/// What a buffer holds at least and at most: what does not is no answer about it.
const LEAST: u32 = 64;
const LARGEST: u32 = 1 << 20;

/// Longer lines are no answers; what is beyond is thrown away.
const LONGEST: usize = 256;

/// Ends an answer once [`SET_TERMINATOR`] has been sent; a plotter that has started anew is back at
/// a carriage return, and is found out by that.
const TERMINATOR: u8 = b'\n';

/// `ESC.M`: answers end with a line feed.
pub(super) const SET_TERMINATOR: &[u8] = b"\x1b.M;;;10:";
/// `ESC.K`: forgets what is in the buffer.
pub(super) const ABORT: &[u8] = b"\x1b.K";

/// A question. Those of device control are answered at once, the others when they have come through
/// the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// `ESC.B`: how many bytes are free.
    Free,
    /// `ESC.O`: what it is doing.
    Status,
    /// `ESC.E`: what went wrong on the wire.
    WireError,
    /// `ESC.L`: how large the buffer is.
    Length,
    /// `OI`: who it is.
    Identity,
    /// `OE`: what it did not understand.
    Error,
    /// `OA`: where it is; everything before is done then.
    Position,
    /// Something that a person asks.
    Other,
}

impl Question {
    pub(super) fn text(self) -> &'static [u8] {
        match self {
            Self::Free => b"\x1b.B",
            Self::Status => b"\x1b.O",
            Self::WireError => b"\x1b.E",
            Self::Length => b"\x1b.L",
            Self::Identity => b"OI;",
            Self::Error => b"OE;",
            Self::Position => b"OA;",
            Self::Other => b"",
        }
    }

    /// True if it goes through the buffer.
    pub(super) fn is_queued(self) -> bool {
        matches!(self, Self::Identity | Self::Error | Self::Position | Self::Other)
    }

    /// Whether a line can be its answer.
    pub(super) fn fits(self, line: &str) -> bool {
        match self {
            Self::Free => number(line, 0..=LARGEST),
            Self::Length => number(line, LEAST..=LARGEST),
            Self::Status | Self::WireError | Self::Error => number(line, 0..=255),
            Self::Position => point(line).is_some(),
            // One without a letter is the answer to something else.
            Self::Identity => {
                line.len() >= 2
                    && line.contains(|c: char| c.is_ascii_alphabetic())
                    && line.chars().all(|c| c.is_ascii_alphanumeric() || "- ,".contains(c))
            }
            Self::Other => true,
        }
    }
}

fn number(line: &str, range: RangeInclusive<u32>) -> bool {
    line.parse().is_ok_and(|number| range.contains(&number))
}

/// `x,y,pen` in plotter units.
pub(super) fn point(line: &str) -> Option<([f64; 2], bool)> {
    let number = |text: &str| text.trim().parse().ok().filter(|value: &f64| value.is_finite());
    let mut numbers = line.split(',').map(number);
    let (x, y) = (numbers.next()??, numbers.next()??);
    let down = numbers.next()?? > 0.0;
    numbers.next().is_none().then_some(([x, y], down))
}

/// Cuts what comes over the wire into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Calls `each` with every line that can be read, and whether it ends as it has been told to.
    pub(super) fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&str, bool)) {
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => {
                    if let Ok(text) = str::from_utf8(&self.line)
                        && !text.is_empty()
                        && !text.chars().any(char::is_control)
                    {
                        each(text, *byte == TERMINATOR);
                    }
                    self.line.clear();
                }
                // Told to wait or to go on: the port has seen to that.
                0x11 | 0x13 => {}
                _ if self.line.len() >= LONGEST => {}
                byte => self.line.push(*byte),
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.line.clear();
    }
}

/// What an error of the language means (`OE`).
pub(super) fn error(number: u32) -> &'static str {
    match number {
        1 => "an instruction that it does not know",
        2 => "a wrong number of parameters",
        3 => "a parameter out of range",
        5 => "an unknown character set",
        6 => "a position out of range",
        _ => "an error that the manual does not know",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_tell_how_they_end() {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for piece in [&b"10"[..], b"24\r8\n\x13", b"\xff\n", b"\x117475A\n"] {
            lines.feed(piece, |line, told| seen.push((line.to_owned(), told)));
        }
        let expected = [("1024", false), ("8", true), ("7475A", true)];
        assert_eq!(seen, expected.map(|(line, told)| (line.to_owned(), told)));
    }

    #[test]
    fn answers_look_like_what_was_asked() {
        assert!(Question::Free.fits("1024") && !Question::Free.fits("1,2,0"));
        assert!(Question::Length.fits("1024") && !Question::Length.fits("0"));
        assert!(Question::Status.fits("24") && !Question::Status.fits("1016"));
        assert!(Question::Identity.fits("7475A") && !Question::Identity.fits("!"));
        assert!(!Question::Identity.fits("1024"));
        assert_eq!(point("400,-20,1"), Some(([400.0, -20.0], true)));
        for noise in ["400,20", "nan,20,1", "400,inf,0", "400,-1e999,0"] {
            assert_eq!(point(noise), None, "{noise}");
        }
    }
}
