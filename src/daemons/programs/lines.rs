//! Bytes become lines: cut to a length that is bearable, the last few kept, and no more of them
//! published than anybody can read.

use std::{
    collections::VecDeque,
    mem,
    time::{Duration, Instant},
};

/// What of a line is told; the log file has all of it.
const LONGEST: usize = 4096;
/// How many lines are kept to be asked for.
const KEPT: usize = 10;
/// How many are published in each [`WINDOW`].
const PUBLISHED: u32 = 200;
/// See [`PUBLISHED`].
pub(in crate::daemons) const WINDOW: Duration = Duration::from_secs(1);

/// Puts lines together from pieces.
#[derive(Debug, Default)]
pub(in crate::daemons) struct Lines {
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    last: VecDeque<String>,
}

impl Lines {
    /// Takes the next piece, and calls `each` with every line that is complete now.
    pub(in crate::daemons) fn take(&mut self, mut bytes: &[u8], mut each: impl FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            bytes = &rest[1..];
            if self.begun.is_empty() {
                self.complete(line, &mut each);
            } else {
                self.begin(line);
                let line = mem::take(&mut self.begun);
                self.complete(&line, &mut each);
            }
        }
        self.begin(bytes);
    }

    /// No more is coming: what has been begun is the last line.
    pub(in crate::daemons) fn end(&mut self, mut each: impl FnMut(&str)) {
        let line = mem::take(&mut self.begun);
        if !line.is_empty() {
            self.complete(&line, &mut each);
        }
    }

    /// The last lines, oldest first.
    pub(in crate::daemons) fn last(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }

    fn begin(&mut self, bytes: &[u8]) {
        let room = LONGEST.saturating_sub(self.begun.len());
        self.begun.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn complete(&mut self, line: &[u8], each: &mut impl FnMut(&str)) {
        let line = &line[..line.len().min(LONGEST)];
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        each(&line);
        let oldest = if self.last.len() < KEPT { None } else { self.last.pop_front() };
        let mut kept = oldest.unwrap_or_default();
        kept.clear();
        kept.push_str(&line);
        self.last.push_back(kept);
    }
}

/// How many lines may still be published.
#[derive(Debug)]
pub(in crate::daemons) struct Rate {
    since: Instant,
    published: u32,
    left_out: u64,
}

impl Rate {
    pub(in crate::daemons) fn new(now: Instant) -> Self {
        Self { since: now, published: 0, left_out: 0 }
    }

    /// True if one more line may be published now; else it counts as left out.
    pub(in crate::daemons) fn admit(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= WINDOW && self.left_out == 0 {
            *self = Self::new(now);
        }
        let admitted = self.published < PUBLISHED && self.left_out == 0;
        if admitted {
            self.published += 1;
        } else {
            self.left_out += 1;
        }
        admitted
    }

    /// How many lines have been left out, once it is time to say so.
    pub(in crate::daemons) fn left_out(&mut self, now: Instant) -> Option<u64> {
        let is_over = now.saturating_duration_since(self.since) >= WINDOW;
        (is_over && self.left_out > 0).then(|| {
            let left_out = self.left_out;
            *self = Self::new(now);
            left_out
        })
    }

    /// How many have been left out, and not been told.
    pub(in crate::daemons) fn rest(&mut self) -> Option<u64> {
        Some(mem::take(&mut self.left_out)).filter(|count| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.take(piece, |line| found.push(line.to_owned()));
        }
        lines.end(|line| found.push(line.to_owned()));
        found
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        let text = b"one\ntwo\r\n\nthr\xffee\nlast";
        let whole = lines_of(&[text]);
        assert_eq!(whole, ["one", "two", "", "thr\u{fffd}ee", "last"]);
        let bytes: Vec<_> = text.chunks(1).collect();
        assert_eq!(lines_of(&bytes), whole);
    }

    #[test]
    fn a_line_is_cut_and_only_the_last_ones_are_kept() {
        let long = vec![b'x'; LONGEST * 3];
        let found = lines_of(&[&long, &long, b"\nnext\n"]);
        assert_eq!((found[0].len(), found[1].as_str()), (LONGEST, "next"));
        let mut lines = Lines::default();
        for number in 0..25 {
            lines.take(format!("{number}\n").as_bytes(), |_| {});
        }
        assert_eq!(lines.last(), (15..25).map(|it| it.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        let admitted = (0..1000).filter(|_| rate.admit(start)).count();
        assert_eq!(admitted, 200);
        assert_eq!(rate.left_out(start), None);
        assert_eq!(rate.left_out(start + WINDOW), Some(800));
        assert_eq!(rate.left_out(start + WINDOW * 2), None);
        assert!(rate.admit(start + WINDOW * 2));
    }
}
