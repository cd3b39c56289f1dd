//! Numbered lines: which are acknowledged, which are under way, which are to be sent again.
//!
//! ```text
//!   kept for the machine to ask for │ under way      │ to be sent again
//!   ────────────────────────────────┴────────────────┴────────────────── lines, oldest first
//!                            acknowledged          sent
//! ```
//! The machine counts lines too and refuses what does not fit, so a line can be sent again without
//! ever being carried out twice.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, io::Write};

/// Lines that are kept after they were acknowledged.
const KEPT: usize = 64;

/// Bytes that may be under way: those of the smallest ring (128), and room for a stop.
const BYTES: usize = 100;

/// Bytes that the smallest ring holds: a question may use what is left of it.
const RING: usize = 127;

/// Bytes that a line may have: `MAX_CMD_SIZE` 96, of which one ends it.
pub(super) const LONGEST: usize = 95;

/// True if a line as it is sent moves the machine and does nothing else: `N7 G1 X1*88`.
fn is_move(line: &[u8]) -> bool {
    let code = line.iter().position(|byte| *byte == b' ').map_or(line, |at| &line[at + 1..]);
    let [b'G' | b'g', rest @ ..] = code else { return false };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_point = rest.get(digits) == Some(&b'.');
    matches!(rest[..digits], [b'0'..=b'3'] | [b'0', b'0'..=b'3']) && !is_point
}

/// What a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// The file: the number of the line in it, from 1.
    File(u64),
    /// `start_lines`, `end_lines`, `on_stop` or a preamble: which, from 0.
    Script(&'static str, usize),
    /// A person's.
    Console,
    /// M110: the count begins anew.
    Count,
    /// M115: who is it?
    Who,
    /// M105 or M155: how warm is it?
    Warmth,
    /// M105 out of turn: is it there, and has it all lines before? It has a number, since one with
    /// a byte lost may be any other command: `M05`.
    Probe,
    /// M400: all motion is to end.
    Rest,
    /// M114: where is it?
    Where,
    /// M108 or M410, which are obeyed at once.
    Urgent,
}

/// One line.
#[derive(Debug)]
struct Line {
    /// `None`: sent without a number, and never again.
    number: Option<u64>,
    tag: Tag,
    /// As it is sent, without its end.
    text: Vec<u8>,
}

impl Line {
    fn asks_warmth(&self) -> bool {
        self.text.windows(4).any(|part| part == b"M105")
    }
}

/// What comes of a request to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rewound {
    /// So many lines that counted as acknowledged do not any more, or so many more do.
    To {
        /// Lines whose acknowledgement was none.
        taken_back: usize,
        /// Lines that are acknowledged by it.
        acknowledged: usize,
    },
    /// It was never sent, or is long gone: the machine does not count as we do.
    Unknown,
}

/// Lines that were sent.
#[derive(Debug)]
pub(super) struct Window {
    lines: VecDeque<Line>,
    acknowledged: usize,
    sent: usize,
    next: u64,
    /// Lines that may be under way.
    slots: usize,
    spare: Vec<Vec<u8>>,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            lines: VecDeque::new(),
            acknowledged: 0,
            sent: 0,
            next: 1,
            slots: 1,
            spare: Vec::new(),
        }
    }
}

impl Window {
    /// The count begins anew; how many lines the machine takes is known still.
    pub(super) fn restart(&mut self) {
        *self = Self { slots: self.slots, ..Self::default() };
    }

    /// The machine has said that it takes so many lines at a time.
    pub(super) fn set_slots(&mut self, slots: usize) {
        self.slots = self.slots.max(slots.clamp(1, 16));
    }

    /// True if nothing is under way or to be sent again.
    pub(super) fn is_empty(&self) -> bool {
        self.acknowledged == self.lines.len()
    }

    /// True if something is under way.
    pub(super) fn has_under_way(&self) -> bool {
        self.acknowledged < self.sent
    }

    /// The oldest line under way: what for, and as it was sent.
    pub(super) fn front(&self) -> Option<(Tag, &[u8])> {
        let under_way = self.lines.range(self.acknowledged..self.sent);
        under_way.map(|line| (line.tag, &line.text[..])).next()
    }

    /// True if a numbered line can be sent that asks after the oldest one under way: that has a
    /// number too, and nothing is to be sent again before.
    pub(super) fn admits_probe(&self) -> bool {
        let front = self.lines.get(self.acknowledged);
        self.sent == self.lines.len() && front.is_some_and(|line| line.number.is_some())
    }

    /// True if a line of so many bytes fits into the smallest ring, whatever is under way.
    pub(super) fn fits(&self, length: usize) -> bool {
        self.under_way().1 + length < RING
    }

    /// True if a line for this is under way or to be sent.
    pub(super) fn has(&self, tag: Tag) -> bool {
        self.lines.range(self.acknowledged..).any(|line| line.tag == tag)
    }

    /// The tag of the line that was acknowledged so many before the last one.
    pub(super) fn acknowledged_tag(&self, back: usize) -> Option<Tag> {
        let index = self.acknowledged.checked_sub(back + 1)?;
        self.lines.get(index).map(|line| line.tag)
    }

    /// True if a line of so many bytes may be sent now. Nothing is sent behind a line that is no
    /// move: it may wait, and a stop (M410) throws moves away for a second only.
    pub(super) fn admits(&self, length: usize) -> bool {
        let (lines, bytes) = self.under_way();
        let behind = self.sent.checked_sub(1).and_then(|last| self.lines.get(last));
        lines == 0
            || (lines < self.slots
                && bytes + length < BYTES
                && behind.is_some_and(|line| is_move(&line.text)))
    }

    fn under_way(&self) -> (usize, usize) {
        let under_way = self.lines.range(self.acknowledged..self.sent);
        under_way.fold((0, 0), |(lines, bytes), line| (lines + 1, bytes + line.text.len() + 1))
    }

    /// How long a line will be with its number and its checksum.
    pub(super) fn length(&self, text: &[u8]) -> usize {
        let digits = usize::try_from(self.next.checked_ilog10().unwrap_or(0)).unwrap_or(19) + 1;
        text.len() + digits + "N ".len() + "*255".len()
    }

    /// An M110 that gives the count the value that it has anyway.
    pub(super) fn count_line(&self) -> Vec<u8> {
        format!("M110 N{}", self.next).into_bytes()
    }

    /// Gives a line its number and sends it.
    pub(super) fn send(&mut self, text: &[u8], tag: Tag, out: &mut Vec<u8>) {
        let mut line = self.spare.pop().unwrap_or_default();
        line.clear();
        // Writing to memory does not fail.
        let _ = write!(line, "N{} ", self.next);
        line.extend_from_slice(text);
        let sum = line.iter().fold(0, |sum, byte| sum ^ byte);
        let _ = write!(line, "*{sum}");
        let number = Some(self.next);
        self.next += 1;
        self.put(Line { number, tag, text: line }, out);
    }

    /// Sends a line without a number, after a line end that ends what was left half-sent.
    pub(super) fn send_bare(&mut self, text: &[u8], tag: Tag, out: &mut Vec<u8>) {
        out.push(b'\n');
        self.put(Line { number: None, tag, text: text.to_vec() }, out);
    }

    /// Lets the machine begin its count anew, after [`Window::restart`]. This may be sent at any
    /// time, whatever the machine has counted before.
    pub(super) fn send_count(&mut self, out: &mut Vec<u8>) {
        out.push(b'\n');
        let text = b"N0 M110 N0*125".to_vec();
        self.put(Line { number: Some(0), tag: Tag::Count, text }, out);
    }

    fn put(&mut self, line: Line, out: &mut Vec<u8>) {
        out.extend_from_slice(&line.text);
        out.push(b'\n');
        // What is to be sent again stays behind what is sent now: it is never both.
        self.lines.insert(self.sent, line);
        self.sent += 1;
    }

    /// Sends what was asked for again, as much as the machine takes; true if something is left.
    pub(super) fn send_again(&mut self, out: &mut Vec<u8>) -> bool {
        while let Some(line) = self.lines.get(self.sent) {
            if !self.admits(line.text.len()) {
                return true;
            }
            out.extend_from_slice(&line.text);
            out.push(b'\n');
            self.sent += 1;
        }
        false
    }

    /// The machine has acknowledged a line, this one if it says so; returns how many are
    /// acknowledged by that.
    pub(super) fn acknowledge(&mut self, number: Option<u64>) -> usize {
        let under_way = self.sent - self.acknowledged;
        let count = match number {
            _ if under_way == 0 => 0,
            None => 1,
            Some(number) => {
                let mut lines = self.lines.range(self.acknowledged..self.sent);
                lines.position(|line| line.number == Some(number)).map_or(0, |index| index + 1)
            }
        };
        self.acknowledged += count;
        self.forget_old();
        count
    }

    /// The machine has answered M105; returns how many lines are acknowledged by that. `None`: it
    /// has answered it before others that were sent earlier, so they or their answers are lost.
    pub(super) fn acknowledge_warmth(&mut self) -> Option<usize> {
        let mut lines = self.lines.range(self.acknowledged..self.sent);
        match lines.position(Line::asks_warmth) {
            // Late: it was asked for when something else was waited for.
            None => Some(0),
            Some(0) => Some(self.acknowledge(None)),
            Some(_) => None,
        }
    }

    /// True if an answer to M105 is waited for.
    pub(super) fn awaits_warmth(&self) -> bool {
        self.lines.range(self.acknowledged..self.sent).any(Line::asks_warmth)
    }

    /// Everything under way is to be sent again; the machine will refuse what it has.
    pub(super) fn rewind(&mut self) {
        self.sent = self.acknowledged;
        self.drop_bare();
    }

    /// The machine wants the lines from this number on.
    pub(super) fn rewind_to(&mut self, number: u64) -> Rewound {
        let found = self.lines.iter().position(|line| line.number == Some(number));
        let Some(index) = found.or((number == self.next).then_some(self.lines.len())) else {
            return Rewound::Unknown;
        };
        let taken_back = self.acknowledged.saturating_sub(index);
        let acknowledged = index.saturating_sub(self.acknowledged);
        self.sent = index;
        self.acknowledged = index;
        self.drop_bare();
        Rewound::To { taken_back, acknowledged }
    }

    /// Tags from the first line that is not acknowledged on.
    pub(super) fn pending_tags(&self) -> impl Iterator<Item = Tag> {
        self.lines.range(self.acknowledged..).map(|line| line.tag)
    }

    fn drop_bare(&mut self) {
        while let Some(at) = self.lines.range(self.sent..).position(|line| line.number.is_none()) {
            self.lines.remove(self.sent + at);
        }
    }

    fn forget_old(&mut self) {
        while self.acknowledged > KEPT {
            if let Some(line) = self.lines.pop_front() {
                self.spare.push(line.text);
                self.spare.truncate(4);
            }
            self.acknowledged -= 1;
            self.sent -= 1;
        }
    }

    /// Lines of the file that are not acknowledged, and their bytes.
    pub(super) fn of_file(&self) -> (u64, u64) {
        let lines = self.lines.range(self.acknowledged..);
        lines
            .filter(|line| matches!(line.tag, Tag::File(_)))
            .fold((0, 0), |(lines, bytes), line| (lines + 1, bytes + line.text.len() as u64 + 1))
    }
}
