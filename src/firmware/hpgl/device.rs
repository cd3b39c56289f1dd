//! Device-control sequences: `ESC .` and a letter. They never enter the buffer and act at once.

use super::Hpgl;

/// RS-232 errors (`ESC.E`).
pub(super) const OVERFLOW: u8 = 16;
const UNKNOWN: u8 = 11;
const RANGE: u8 = 13;

/// The interface.
#[derive(Debug)]
pub(super) struct Device {
    state: State,
    letter: u8,
    numbers: Vec<Option<u32>>,
    /// What ends an answer (`ESC.M`).
    pub(super) terminator: u8,
    pub(super) error: u8,
    /// `ESC.L` is answered once the buffer is empty.
    pub(super) asks_length: bool,
    /// XOFF is sent when fewer bytes are free (`ESC.I`).
    threshold: usize,
    xon: Option<u8>,
    xoff: Option<u8>,
    held: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Graphics,
    Escape,
    Letter,
    /// Parameters, up to a colon.
    Numbers,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            state: State::Graphics,
            letter: 0,
            numbers: Vec::new(),
            terminator: b'\r',
            error: 0,
            asks_length: false,
            threshold: 80,
            xon: None,
            xoff: None,
            held: false,
        }
    }
}

impl Device {
    /// The byte that tells the host to stop or to go on, if it is time for one.
    pub(super) fn pace(&mut self, free: usize, waiting: usize) -> Option<u8> {
        let (xon, xoff) = (self.xon?, self.xoff?);
        if !self.held && free <= self.threshold {
            self.held = true;
            return Some(xoff);
        }
        if self.held && waiting < self.threshold {
            self.held = false;
            return Some(xon);
        }
        None
    }

    fn number(&self, index: usize) -> Option<u32> {
        self.numbers.get(index).copied().flatten()
    }

    fn character(&self, index: usize) -> Option<u8> {
        self.number(index).and_then(|value| u8::try_from(value).ok()).filter(|value| *value > 0)
    }
}

impl Hpgl {
    /// True if the byte is part of a device-control sequence.
    pub(super) fn control(&mut self, byte: u8) -> bool {
        match (self.device.state, byte) {
            (State::Graphics, 0x1b) => self.device.state = State::Escape,
            (State::Graphics, _) => return false,
            (State::Escape, b'.') => self.device.state = State::Letter,
            (State::Escape, _) => {
                self.device.state = State::Graphics;
                self.device.error = UNKNOWN;
            }
            (State::Letter, b'@' | b'H' | b'I' | b'M' | b'N') => {
                self.device.letter = byte;
                self.device.numbers = vec![None];
                self.device.state = State::Numbers;
            }
            (State::Letter, letter) => {
                self.device.state = State::Graphics;
                self.act(letter);
            }
            (State::Numbers, b':') => {
                self.device.state = State::Graphics;
                self.set();
            }
            (State::Numbers, b';') => self.device.numbers.push(None),
            (State::Numbers, b'0'..=b'9') => {
                if let Some(last) = self.device.numbers.last_mut() {
                    let digit = u32::from(byte - b'0');
                    let value = last.unwrap_or(0).saturating_mul(10).saturating_add(digit);
                    *last = Some(value.min(65_535));
                }
            }
            (State::Numbers, b' ') => {}
            (State::Numbers, _) => {
                self.device.state = State::Graphics;
                self.device.error = RANGE;
            }
        }
        true
    }

    fn act(&mut self, letter: u8) {
        match letter {
            b'B' => {
                let free = self.size - self.buffer.len();
                self.reply(&free.to_string());
            }
            b'O' => {
                let empty = if self.buffer.is_empty() { 8 } else { 0 };
                let viewing = if self.viewing { 16 } else { 0 };
                self.reply(&(empty + viewing).to_string());
            }
            b'E' => {
                let error = std::mem::take(&mut self.device.error);
                self.reply(&error.to_string());
            }
            b'L' => self.device.asks_length = true,
            b'K' => {
                // What is being drawn is drawn to its end.
                self.buffer.clear();
                self.graphics.abort();
                self.pace();
            }
            b'R' => {
                let error = self.device.error;
                self.device = super::Device { error, ..super::Device::default() };
            }
            b'(' | b')' | b'Y' | b'Z' | b'J' => {}
            _ => self.device.error = UNKNOWN,
        }
    }

    fn set(&mut self) {
        match self.device.letter {
            b'M' => self.device.terminator = self.device.character(3).unwrap_or(b'\r'),
            b'I' => {
                let threshold = self.device.number(0).unwrap_or(80);
                self.device.threshold = usize::try_from(threshold).unwrap_or(80);
                // Without an enquiry character the third parameter is XON.
                self.device.xon = match self.device.number(1) {
                    None | Some(0) => self.device.character(2),
                    Some(_) => None,
                };
            }
            b'N' => self.device.xoff = self.device.character(1),
            // The hardwire handshake needs lines that a pseudo-terminal does not have.
            _ => {}
        }
    }
}
