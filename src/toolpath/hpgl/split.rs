//! Cuts a file into the instructions that go to the machine.

use super::super::split::{MAX_RAW_LINE, Next};

/// A move to more points than these is cut into several, so that each fits into the small buffer of
/// an old plotter (255 bytes in an HP 7470A).
pub const MAX_PAIRS: usize = 8;

/// Numbers of an instruction that is no move; more is no HPGL.
const MAX_NUMBERS: usize = 64;
/// Digits of a number.
const MAX_DIGITS: usize = 32;

const ESC: u8 = 0x1b;
const ETX: u8 = 0x03;

/// Cuts a file, supplied piece by piece, into instructions. A file may have no line end at all, so the
/// numbers that come with them count the instructions of the file from 1; pieces of one instruction
/// have the same.
///
/// An instruction comes as it is sent: two capital letters, numbers with commas between them, and its
/// terminator. Escape sequences are left out: they would change how the machine speaks to its driver.
/// What is no instruction comes as it stands, up to where the next one may begin.
#[derive(Debug)]
pub struct Splitter {
    buffer: Vec<u8>,
    start: usize,
    number: u64,
    finished: bool,
    state: State,
    /// What has come of an instruction.
    piece: Vec<u8>,
    numbers: usize,
    /// Bytes of the last number in `piece`.
    digits: usize,
    /// What ends a label.
    label_end: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Between,
    /// The first letter has come.
    Half(u8),
    Numbers,
    /// No instruction: up to its end or the next gap.
    Strange,
    /// Up to this byte, for the machine or for nobody.
    Text {
        end: u8,
        kept: bool,
    },
    /// `DT` and `SM` are followed by any byte.
    OneByte,
    /// Too many numbers: up to the end of the instruction.
    Skip,
    Escape,
    /// After `ESC .`: a letter.
    Device,
    /// The numbers after that letter.
    DeviceNumbers,
    /// `ESC %` and the like, up to a capital letter.
    Language,
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new()
    }
}

impl Splitter {
    /// At the beginning of a file.
    pub fn new() -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            number: 0,
            finished: false,
            state: State::Between,
            piece: Vec::new(),
            numbers: 0,
            digits: 0,
            label_end: ETX,
        }
    }

    /// More of the file.
    pub fn supply(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// There is no more.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// How many supplied bytes wait to be cut.
    pub fn waiting(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Puts the next instruction for the machine into `line`.
    pub fn next_line(&mut self, line: &mut Vec<u8>) -> Next {
        while let Some(byte) = self.buffer.get(self.start).copied() {
            let (taken, next) = self.step(byte);
            self.start += usize::from(taken);
            if let Some(next) = next {
                return self.hand_over(next, line);
            }
        }
        if !self.finished {
            return Next::More;
        }
        match std::mem::replace(&mut self.state, State::Between) {
            State::Half(first) => {
                self.strange(first);
                self.state = State::Between;
                self.piece.push(b';');
                self.hand_over(Next::Line(self.number), line)
            }
            State::Numbers | State::OneByte | State::Strange => {
                self.piece.push(b';');
                self.hand_over(Next::Line(self.number), line)
            }
            State::Text { end, kept: true } => {
                self.piece.push(sent(end));
                self.hand_over(Next::Line(self.number), line)
            }
            _ => Next::End,
        }
    }

    fn hand_over(&mut self, next: Next, line: &mut Vec<u8>) -> Next {
        line.clear();
        if matches!(next, Next::Line(_)) {
            line.extend_from_slice(&self.piece);
        }
        // What follows may be a further piece of the same move.
        self.piece.truncate(2);
        (self.numbers, self.digits) = (0, 0);
        next
    }

    /// Takes a byte, or leaves it; an instruction may be whole then.
    fn step(&mut self, byte: u8) -> (bool, Option<Next>) {
        match self.state {
            State::Between if byte == ESC => self.state = State::Escape,
            State::Between if byte.is_ascii_alphabetic() => {
                self.state = State::Half(byte.to_ascii_uppercase());
            }
            State::Half(first) if byte.is_ascii_alphabetic() => {
                self.begin([first, byte.to_ascii_uppercase()]);
            }
            State::Half(first) => {
                self.strange(first);
                return (false, None);
            }
            State::Between if !is_gap(byte) => self.strange(byte),
            State::Strange => return self.strange_byte(byte),
            State::Numbers => return self.number_byte(byte),
            State::Text { end, kept } => return (true, self.text_byte(byte, end, kept)),
            State::OneByte => {
                self.state = State::Between;
                if byte == b';' {
                    // Without one, it is back to the usual.
                    self.label_end = ETX;
                } else {
                    if self.piece == b"DT" {
                        self.label_end = byte;
                    }
                    self.piece.extend(Some(byte).filter(|byte| *byte != ESC && byte.is_ascii()));
                }
                self.piece.push(b';');
                return (true, Some(Next::Line(self.number)));
            }
            State::Skip if byte == ESC || byte == b';' || byte.is_ascii_alphabetic() => {
                self.state = State::Between;
                return (byte == b';', None);
            }
            State::Escape => {
                self.state = match byte {
                    b'.' => State::Device,
                    b'%' | b'&' | b'*' | b'(' | b')' => State::Language,
                    _ => State::Between,
                };
            }
            State::Device => self.state = State::DeviceNumbers,
            State::DeviceNumbers => {
                let goes_on = byte.is_ascii_digit() || matches!(byte, b';' | b' ' | b'+' | b'-');
                if !goes_on {
                    self.state = State::Between;
                    return (byte == b':', None);
                }
            }
            State::Language if byte.is_ascii_uppercase() || byte == b'@' => {
                self.state = State::Between;
            }
            State::Language if byte == ESC => self.state = State::Escape,
            State::Between | State::Skip | State::Language => {}
        }
        (true, None)
    }

    fn begin(&mut self, name: [u8; 2]) {
        self.piece.clear();
        self.piece.extend_from_slice(&name);
        (self.numbers, self.digits) = (0, 0);
        self.number += 1;
        self.state = match &name {
            b"LB" | b"BL" | b"WD" => State::Text { end: self.label_end, kept: true },
            b"PE" => State::Text { end: b';', kept: true },
            b"CO" => State::Text { end: b';', kept: false },
            b"DT" | b"SM" => State::OneByte,
            _ => State::Numbers,
        };
    }

    /// Something begins that is no instruction.
    fn strange(&mut self, first: u8) {
        self.piece.clear();
        self.piece.push(printable(first));
        self.number += 1;
        self.state = State::Strange;
    }

    fn strange_byte(&mut self, byte: u8) -> (bool, Option<Next>) {
        if matches!(byte, b';' | b' ') || byte.is_ascii_control() {
            self.state = State::Between;
            self.piece.push(b';');
            return (byte != ESC, Some(Next::Line(self.number)));
        }
        self.piece.push(printable(byte));
        if self.piece.len() > MAX_RAW_LINE {
            self.state = State::Skip;
            return (true, Some(Next::TooLong(self.number)));
        }
        (true, None)
    }

    /// A byte of a text. A plotter acts on an escape sequence wherever it stands: without its first
    /// byte it is none.
    fn keep(&mut self, byte: u8) {
        if byte != ESC {
            self.piece.push(byte);
        }
    }

    fn text_byte(&mut self, byte: u8, end: u8, kept: bool) -> Option<Next> {
        if byte == end {
            self.state = State::Between;
            self.piece.push(sent(end));
            return kept.then_some(Next::Line(self.number));
        }
        if kept {
            self.keep(byte);
            if self.piece.len() > MAX_RAW_LINE {
                self.state = State::Text { end, kept: false };
                return Some(Next::TooLong(self.number));
            }
        }
        None
    }

    fn number_byte(&mut self, byte: u8) -> (bool, Option<Next>) {
        match byte {
            b'0'..=b'9' | b'.' | b'+' | b'-' => {
                let begins = self.digits == 0 || matches!(byte, b'+' | b'-');
                if begins && self.is_move() && self.numbers == 2 * MAX_PAIRS {
                    self.piece.push(b';');
                    return (false, Some(Next::Line(self.number)));
                }
                if begins {
                    if self.numbers > 0 {
                        self.piece.push(b',');
                    }
                    self.numbers += 1;
                    self.digits = 0;
                }
                self.digits += 1;
                self.piece.push(byte);
                if self.digits > MAX_DIGITS || self.numbers > MAX_NUMBERS {
                    self.state = State::Skip;
                    return (true, Some(Next::TooLong(self.number)));
                }
                (true, None)
            }
            b';' => {
                self.state = State::Between;
                self.piece.push(b';');
                (true, Some(Next::Line(self.number)))
            }
            ESC | b'a'..=b'z' | b'A'..=b'Z' => {
                self.state = State::Between;
                self.piece.push(b';');
                (false, Some(Next::Line(self.number)))
            }
            byte if is_gap(byte) => {
                self.digits = 0;
                (true, None)
            }
            _ => {
                self.state = State::Between;
                self.piece.push(b';');
                (false, Some(Next::Line(self.number)))
            }
        }
    }

    fn is_move(&self) -> bool {
        matches!(self.piece.get(..2), Some(b"PU" | b"PD" | b"PA" | b"PR"))
    }
}

/// What stands between instructions and between numbers and means nothing.
fn is_gap(byte: u8) -> bool {
    byte.is_ascii_control() || matches!(byte, b' ' | b',' | b';')
}

/// A byte that no plotter takes for a part of its own language is not sent.
fn printable(byte: u8) -> u8 {
    if byte.is_ascii_graphic() { byte } else { b'?' }
}

/// The end of a text as it is sent: a plotter to which no other end is told takes [`ETX`].
fn sent(end: u8) -> u8 {
    if end == ESC || !end.is_ascii() { ETX } else { end }
}

#[cfg(test)]
mod tests;
