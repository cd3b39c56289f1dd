//! What a job sends, in which order: its preamble, the file, the device's `end_lines`; and where it
//! stops for a person.
//!
//! Drivers look at what is [next](Feed::next), send it when the machine has room, and
//! [take](Feed::take) it then.

use std::collections::VecDeque;

use super::Options;
use crate::toolpath::{self, Dialect, MAX_RAW_LINE, Splitter};

/// How a job begins, and where it stops for a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Of a job that goes on where it was interrupted: what brings the machine back there, sent
    /// instead of `start_lines`.
    pub preamble: Option<Vec<String>>,
    /// How many lines of the file are not sent again, as `Analysis::lines` counts them.
    pub skip: u64,
    /// Where the job stops for a person, in order.
    pub stops: Vec<StopPoint>,
}

/// A place in a file where a job stops until a person lets it go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopPoint {
    /// The line of the file (from 1) before which it stops.
    pub line: u64,
    /// True if that line does nothing but ask for the stop, and is not sent.
    pub instead: bool,
    /// What the person is to do.
    pub message: String,
    /// Where a layer begins: the line after it, with which the next one begins. A person may have it
    /// left out.
    pub layer_end: Option<u64>,
}

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The file: the number of the line in it, from 1.
    File(u64),
    /// `start_lines`, `end_lines`, `on_stop` or a preamble: which, from 0.
    Script(&'static str, usize),
    /// A person, or the driver itself.
    Console,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A line: see [`Feed::line`].
    Line(Origin),
    /// Everything before has to be carried out, then a person lets it go on by [`Feed::pass`].
    Stop(String),
    /// More of the file.
    Wait,
    /// A line that cannot be sent, by its number in the file, and why.
    Fail(u64, String),
    /// Nothing.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Begin(usize),
    File,
    Finish(usize),
    End,
}

/// The lines of a job on their way to the machine.
#[derive(Debug)]
pub(super) struct Feed {
    dialect: Dialect,
    file: Splitter,
    line: Vec<u8>,
    /// What is known to come next, until it is taken.
    next: Option<Next>,
    stage: Stage,
    preamble: Option<Vec<String>>,
    skip: u64,
    stops: VecDeque<StopPoint>,
    /// A person wants nothing of the layer that ends before this line.
    dropping: Option<u64>,
    /// The number of the line that was read last.
    number: u64,
    /// Lines that were passed over since the driver last asked.
    passed: u64,
}

impl Feed {
    /// Before the first line.
    pub(super) fn new(start: Start, dialect: Dialect) -> Self {
        Self {
            dialect,
            file: Splitter::of(dialect),
            line: Vec::new(),
            next: None,
            stage: Stage::Begin(0),
            preamble: start.preamble,
            skip: start.skip,
            stops: start.stops.into(),
            dropping: None,
            number: 0,
            passed: 0,
        }
    }

    /// True if more of the file should be supplied, or its end.
    pub(super) fn wants_file(&self) -> bool {
        // The longest line may wait for its end, and is not whole before that.
        !self.file.is_finished() && self.file.waiting() <= MAX_RAW_LINE
    }

    /// More of the file.
    pub(super) fn supply(&mut self, bytes: &[u8]) {
        self.file.supply(bytes);
    }

    /// There is no more of it.
    pub(super) fn finish(&mut self) {
        self.file.finish();
    }

    /// What comes next; the same until it is taken.
    pub(super) fn next(&mut self, options: &Options) -> Next {
        if let Some(next) = &self.next {
            return next.clone();
        }
        let next = self.advance(options);
        if next != Next::Wait {
            self.next = Some(next.clone());
        }
        next
    }

    /// The line that [`Next::Line`] speaks of.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// What came next has been sent.
    pub(super) fn take(&mut self) {
        if !matches!(self.next, Some(Next::Stop(_) | Next::End)) {
            self.next = None;
        }
    }

    /// True while it waits for a person to let it go on.
    pub(super) fn is_at_stop(&self) -> bool {
        matches!(self.next, Some(Next::Stop(_)))
    }

    /// Goes on after a stop.
    pub(super) fn pass(&mut self) {
        if self.is_at_stop() {
            let instead = self.stops.front().is_some_and(|stop| stop.instead);
            self.drop_stops(self.number);
            // The line behind the stop has been read already.
            self.next = (!instead).then_some(Next::Line(Origin::File(self.number)));
            self.passed += u64::from(instead);
        }
    }

    /// Goes on after a stop where a layer begins with what comes after that layer; false if it is at no
    /// such stop: there is nothing to leave out.
    pub(super) fn drop_layer(&mut self) -> bool {
        let end = self.stops.front().and_then(|stop| stop.layer_end);
        if !self.is_at_stop() || end.is_none() {
            return false;
        }
        self.drop_stops(self.number);
        self.passed += 1;
        self.next = None;
        self.dropping = end;
        true
    }

    /// How many lines of the file were passed over since this was last asked, and the number of
    /// the last that was read.
    pub(super) fn passed(&mut self) -> Option<(u64, u64)> {
        let passed = std::mem::take(&mut self.passed);
        (passed > 0).then_some((passed, self.number))
    }

    /// True once everything has been taken.
    pub(super) fn is_over(&self) -> bool {
        self.next == Some(Next::End)
    }

    fn advance(&mut self, options: &Options) -> Next {
        loop {
            let next = match self.stage {
                Stage::Begin(index) => {
                    self.stage = Stage::Begin(index + 1);
                    let (name, lines) = match &self.preamble {
                        Some(preamble) => ("resume", preamble),
                        None => ("start_lines", &options.start_lines),
                    };
                    let Some(text) = lines.get(index) else {
                        self.stage = Stage::File;
                        continue;
                    };
                    self.dialect.clean(text.as_bytes(), &mut self.line);
                    Next::Line(Origin::Script(name, index))
                }
                Stage::File => match self.file_line() {
                    Some(next) => return next,
                    None => continue,
                },
                Stage::Finish(index) => {
                    let Some(text) = options.end_lines.get(index) else {
                        self.stage = Stage::End;
                        continue;
                    };
                    self.stage = Stage::Finish(index + 1);
                    self.dialect.clean(text.as_bytes(), &mut self.line);
                    Next::Line(Origin::Script("end_lines", index))
                }
                Stage::End => return Next::End,
            };
            if !self.line.is_empty() {
                return next;
            }
        }
    }

    /// What the file has next; nothing if that was passed over, or was its end.
    fn file_line(&mut self) -> Option<Next> {
        match self.file.next_line(&mut self.line) {
            toolpath::Next::Line(number) => {
                self.number = number;
                if self.skip > 0 {
                    self.skip -= 1;
                    self.drop_stops(number);
                    return None;
                }
                self.dropping = self.dropping.filter(|end| number < *end);
                if self.dropping.is_some() {
                    self.passed += 1;
                    self.drop_stops(number);
                    return None;
                }
                let due = self.stops.front().is_some_and(|stop| stop.line <= number);
                if due {
                    let message = self.stops.front().map(|stop| stop.message.clone());
                    return Some(Next::Stop(message.unwrap_or_default()));
                }
                Some(Next::Line(Origin::File(number)))
            }
            toolpath::Next::TooLong(number)
                if self.skip > 0 || self.dropping.is_some_and(|end| number < end) =>
            {
                None
            }
            toolpath::Next::TooLong(number) => {
                Some(Next::Fail(number, "the line is longer than 4096 bytes".to_owned()))
            }
            toolpath::Next::More => Some(Next::Wait),
            toolpath::Next::End => {
                self.stage = Stage::Finish(0);
                None
            }
        }
    }

    /// One is stopped at a place once.
    fn drop_stops(&mut self, number: u64) {
        while self.stops.front().is_some_and(|stop| stop.line <= number) {
            self.stops.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
