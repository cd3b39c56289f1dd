//! What a machine says: at once or late, with noise before it, or not at all.

use std::{collections::VecDeque, time::Duration};

use super::Faults;

/// A machine's transmitter and what is wrong with it.
#[derive(Debug)]
pub(super) struct Voice {
    out: Vec<u8>,
    /// What is said later, each with its time.
    late: VecDeque<(Duration, Vec<u8>)>,
    random: u64,
    garbage: f64,
    delay: Duration,
    silent: bool,
}

impl Voice {
    pub(super) fn new(faults: &Faults) -> Self {
        Self {
            out: Vec::new(),
            late: VecDeque::new(),
            random: faults.seed ^ 0x9e37_79b9_7f4a_7c15,
            garbage: faults.garbage,
            delay: faults.delay,
            silent: faults.silent,
        }
    }

    /// Says nothing from now on.
    pub(super) fn hush(&mut self) {
        self.silent = true;
    }

    /// Forgets what it has not said yet.
    pub(super) fn clear(&mut self) {
        self.out.clear();
        self.late.clear();
    }

    /// An answer, after a line of noise if it is time for one.
    pub(super) fn answer(&mut self, text: &str, now: Duration) {
        if self.garbage > 0.0 && self.chance() < self.garbage {
            let mut noise: Vec<u8> = (0..=self.dice() % 12)
                .map(|_| self.dice().to_le_bytes()[0])
                .filter(|byte| !b"\r\n".contains(byte))
                .collect();
            noise.extend_from_slice(b"\r\n");
            self.emit(&noise, now);
        }
        self.emit(text.as_bytes(), now);
    }

    /// Something said of its own accord.
    pub(super) fn emit(&mut self, bytes: &[u8], now: Duration) {
        if self.silent {
        } else if self.delay.is_zero() {
            self.out.extend_from_slice(bytes);
        } else {
            self.late.push_back((now + self.delay, bytes.to_vec()));
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

    /// When it says something next.
    pub(super) fn wake(&self) -> Option<Duration> {
        self.late.front().map(|(at, _)| *at)
    }

    pub(super) fn transmit(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.out);
    }

    fn dice(&mut self) -> u64 {
        // xorshift64: nothing here needs better.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn chance(&mut self) -> f64 {
        f64::from(u16::try_from(self.dice() & 0xffff).unwrap_or(0)) / 65536.0
    }
}
