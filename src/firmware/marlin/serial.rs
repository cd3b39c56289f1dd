//! From bytes to lines in the queue: numbers, checksums, requests to send again.

use super::Marlin;

/// Characters a line may have (`MAX_CMD_SIZE` 96, of which one ends it).
const LINE_USABLE: usize = 95;

/// The emergency parser looks no further into a line.
const EMERGENCY_USABLE: usize = 24;

impl Marlin {
    /// One byte from the wire.
    pub(super) fn take(&mut self, byte: u8) {
        if self.voice.strikes(self.faults.lose_byte) || self.dead {
            return;
        }
        if self.dialect.emergency_parser {
            self.emergency(byte);
        }
        if self.rx.len() + 1 < self.dialect.rx {
            self.rx.push_back(byte);
        } else {
            self.planner.drawing.overflows += 1;
        }
    }

    fn emergency(&mut self, byte: u8) {
        if !matches!(byte, b'\n' | b'\r') {
            if self.emergency.len() < EMERGENCY_USABLE {
                self.emergency.push(byte);
            }
            return;
        }
        let line = std::mem::take(&mut self.emergency);
        let mut rest = line.trim_ascii_start();
        if let [b'N', tail @ ..] = rest {
            let digits = tail.iter().take_while(|b| matches!(b, b'0'..=b'9' | b'-')).count();
            rest = tail[digits..].trim_ascii_start();
        }
        self.act_at_once(&String::from_utf8_lossy(rest));
    }

    /// M108, M112 and M410 do not wait their turn.
    fn act_at_once(&mut self, command: &str) {
        if command.starts_with("M112") {
            self.kill();
        } else if command.starts_with("M108") {
            self.release();
        } else if command.starts_with("M410") {
            self.quick_stop();
        }
    }

    /// Reads from the ring while there is room in the queue.
    pub(super) fn read_serial(&mut self) {
        while self.queue.len() < self.dialect.slots
            && !self.dead
            && let Some(byte) = self.rx.pop_front()
        {
            match byte {
                b'\n' | b'\r' => {
                    self.comment = false;
                    let line = std::mem::take(&mut self.line);
                    let text = String::from_utf8_lossy(&line);
                    let text = text.trim_start_matches(' ');
                    if !text.is_empty() {
                        self.end_of_line(text);
                    }
                }
                _ if self.comment => {}
                b';' => self.comment = true,
                byte => {
                    self.line.push(byte);
                    self.comment = self.line.len() >= LINE_USABLE;
                }
            }
        }
    }

    fn end_of_line(&mut self, text: &str) {
        if let Some(numbered) = text.strip_prefix('N') {
            let resets = text.contains("M110");
            let inner = if resets { numbered.rsplit_once('N').map(|(_, rest)| rest) } else { None };
            let number = leading_integer(inner.unwrap_or(numbered));
            if number != self.last_number + 1 && !resets {
                return self.refuse("Line Number is not Last Line Number+1");
            }
            let Some((body, checksum)) = text.rsplit_once('*') else {
                return self.refuse("No Checksum with line number");
            };
            let sum = body.bytes().fold(0, |sum, byte| sum ^ byte);
            let storm = self.faults.storm_at_line.is_some_and(|line| self.lines + 1 >= line);
            if leading_integer(checksum) != i64::from(sum) || storm {
                return self.refuse("checksum mismatch");
            }
            self.last_number = number;
        } else if !self.dialect.emergency_parser {
            // Without the parser they are looked for when a line is read.
            self.act_at_once(text);
        }
        if !self.dead {
            self.queue.push_back(text.to_owned());
        }
    }

    fn refuse(&mut self, why: &str) {
        let last = self.last_number;
        self.say(&format!("Error:{why}, Last Line: {last}"));
        self.rx.clear();
        self.line.clear();
        self.say(&format!("Resend: {}", last + 1));
        for _ in 0..self.dialect.oks_after_resend {
            self.say("ok");
        }
    }

    /// The line on its way is done.
    pub(super) fn answer_ok(&mut self) {
        let answer = match self.reply.take() {
            Some(reply) => reply,
            None if self.dialect.advanced_ok => {
                let line = self.queue.front().map_or("", String::as_str);
                let number = line.strip_prefix('N').map(leading_integer);
                let number = number.map_or(String::new(), |number| format!(" N{number}"));
                let room = self.dialect.slots - self.queue.len();
                format!("ok{number} P{} B{room}", self.planner.free())
            }
            None => "ok".to_owned(),
        };
        if self.faults.drop_ok == Some(self.lines) {
            return;
        }
        match self.faults.late_ok {
            Some((line, hold)) if line == self.lines => {
                self.voice.say_after(&answer, hold, self.now);
            }
            _ => self.say(&answer),
        }
        if self.faults.double_ok == Some(self.lines) {
            self.say(&answer);
        }
    }
}

/// The number that a text begins with; 0 if it begins with none.
fn leading_integer(text: &str) -> i64 {
    let text = text.trim_start();
    let end = text
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || (*at == 0 && *c == '-')))
        .map_or(text.len(), |(at, _)| at);
    text[..end].parse().unwrap_or(0)
}
