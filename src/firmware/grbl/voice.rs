//! What it says, and how that goes wrong when it is asked to.

use super::Grbl;

impl Grbl {
    pub(super) fn answer_ok(&mut self) {
        if self.faults.drop_ok == Some(self.lines) {
            return;
        }
        self.answer("ok\r\n");
        if self.faults.double_ok == Some(self.lines) {
            self.answer("ok\r\n");
        }
    }

    pub(super) fn answer_error(&mut self, number: u8) {
        self.answer(&format!("error:{number}\r\n"));
    }

    pub(super) fn answer(&mut self, text: &str) {
        if self.faults.garbage > 0.0 && self.chance() < self.faults.garbage {
            let noise: Vec<u8> = (0..=self.dice() % 12)
                .map(|_| self.dice().to_le_bytes()[0])
                .filter(|byte| !b"\r\n".contains(byte))
                .collect();
            self.emit(&noise);
            self.say("\r\n");
        }
        self.say(text);
    }

    pub(super) fn say(&mut self, text: &str) {
        self.emit(text.as_bytes());
    }

    fn emit(&mut self, bytes: &[u8]) {
        if self.silent {
        } else if self.faults.delay.is_zero() {
            self.out.extend_from_slice(bytes);
        } else {
            self.late.push_back((self.now + self.faults.delay, bytes.to_vec()));
        }
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

    pub(super) fn say_late(&mut self) {
        while let Some((at, _)) = self.late.front()
            && *at <= self.now
            && let Some((_, bytes)) = self.late.pop_front()
        {
            self.out.extend_from_slice(&bytes);
        }
    }
}
