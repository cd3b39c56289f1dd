//! What simulated firmware says: at once or late, with noise before it, or not at all.

use std::{collections::VecDeque, time::Duration};

use super::Faults;

/// The way from a machine to the computer, with its faults.
#[derive(Debug, Default)]
pub(super) struct Voice {
    random: u64,
    garbage: f64,
    delay: Duration,
    /// It says nothing any more.
    pub(super) silent: bool,
    out: Vec<u8>,
    /// What is said later, each with its time; nothing overtakes anything.
    late: VecDeque<(Duration, Vec<u8>)>,
}

impl Voice {
    pub(super) fn new(faults: &Faults) -> Self {
        Self {
            random: faults.seed ^ 0x9e37_79b9_7f4a_7c15,
            garbage: faults.garbage,
            delay: faults.delay,
            silent: faults.silent,
            ..Self::default()
        }
    }

    /// Says nothing from now on.
    pub(super) fn hush(&mut self) {
        self.silent = true;
    }

    /// What was said and has not left is lost with the power.
    pub(super) fn clear(&mut self) {
        self.out.clear();
        self.late.clear();
    }

    /// A line, with noise before it if the dice say so.
    pub(super) fn say(&mut self, line: &str, now: Duration) {
        self.say_after(line, Duration::ZERO, now);
    }

    /// A line that is held back for so long, and all that follows with it.
    pub(super) fn say_after(&mut self, line: &str, hold: Duration, now: Duration) {
        self.noise(hold, now);
        self.put(format!("{line}\n").as_bytes(), hold, now);
    }

    /// An answer, ended as it is written, with noise before it if the dice say so.
    pub(super) fn answer(&mut self, text: &str, now: Duration) {
        self.noise(Duration::ZERO, now);
        self.emit(text.as_bytes(), now);
    }

    /// Something said of its own accord.
    pub(super) fn emit(&mut self, bytes: &[u8], now: Duration) {
        self.put(bytes, Duration::ZERO, now);
    }

    fn noise(&mut self, hold: Duration, now: Duration) {
        if self.strikes(self.garbage) {
            let mut noise: Vec<u8> = (0..=self.dice() % 12)
                .map(|_| self.dice().to_le_bytes()[0])
                .filter(|byte| !b"\r\n".contains(byte))
                .collect();
            // What is as short as an answer and looks like one is for no driver to tell from it.
            if matches!(noise.len(), 1..4) && noise.iter().all(u8::is_ascii_graphic) {
                noise.push(0xff);
            }
            noise.extend_from_slice(b"\r\n");
            self.put(&noise, hold, now);
        }
    }

    fn put(&mut self, bytes: &[u8], hold: Duration, now: Duration) {
        if self.silent {
            return;
        }
        let before = self.late.back().map_or(Duration::ZERO, |(at, _)| *at);
        let at = before.max(now + self.delay + hold);
        if at <= now {
            self.out.extend_from_slice(bytes);
        } else {
            self.late.push_back((at, bytes.to_vec()));
        }
    }

    /// Says what is due by now.
    pub(super) fn advance(&mut self, now: Duration) {
        while let Some((at, _)) = self.late.front()
            && *at <= now
            && let Some((_, bytes)) = self.late.pop_front()
        {
            self.out.extend_from_slice(&bytes);
        }
    }

    /// When something is said next.
    pub(super) fn wake(&self) -> Option<Duration> {
        self.late.front().map(|(at, _)| *at)
    }

    pub(super) fn transmit(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.out);
    }

    /// True with this chance.
    pub(super) fn strikes(&mut self, chance: f64) -> bool {
        chance > 0.0
            && f64::from(u16::try_from(self.dice() & 0xffff).unwrap_or(0)) / 65536.0 < chance
    }

    fn dice(&mut self) -> u64 {
        // xorshift64: nothing here needs better.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}
