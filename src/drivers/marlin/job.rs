//! A file on its way: numbered, sent, counted, held still.

use super::{End, Event, Feed, Halt, Marlin, Origin, Phase, Start, Tag, Why, window::LONGEST};
use crate::{drivers::feed::Next, toolpath::Dialect};

/// A job on the machine.
pub(super) struct Job {
    pub(super) feed: Feed,
    pub(super) pause: Pause,
    /// The machine waits for its heaters.
    pub(super) is_warming: bool,
    /// How often lines were asked for again, and how often the last one in a row.
    resends: u64,
    repeated: (u64, u32),
}

/// Whether the job is held still.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pause {
    No,
    /// Nothing more of the file is sent; what was sent is carried out first.
    Settling(Settling),
    Held,
    /// Everything before a stop of the file is done; a person is waited for.
    AtStop,
    /// The machine itself waits for a person (M0).
    Machine,
}

/// On the way to a standstill: M400 makes the machine wait for it, and M114 is answered by a line
/// that no stray `ok` can be taken for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settling {
    what: Settle,
    rest: Rest,
    /// Going on has been asked for meanwhile.
    resume: bool,
}

/// What for.
#[derive(Clone, Debug, PartialEq)]
enum Settle {
    Pause(Halt),
    Stop,
    End,
}

/// How far a standstill is away.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Rest {
    #[default]
    Asked,
    /// M400 has been sent.
    Waiting,
    /// M114 has been sent, so often.
    Telling(u32),
    /// It was answered.
    Told,
}

/// M114 is acknowledged so often by a machine that tells nothing before that is believed: a stray
/// `ok` may have been taken for its acknowledgement.
const TELLINGS: u32 = 4;

impl Pause {
    /// True while nothing moves until a person says so.
    pub(super) fn is_held(&self) -> bool {
        matches!(self, Self::Held | Self::AtStop | Self::Machine)
    }

    fn settle(what: Settle) -> Self {
        Self::Settling(Settling { what, rest: Rest::Asked, resume: false })
    }
}

impl Job {
    fn new(start: Start) -> Self {
        let feed = Feed::new(start, Dialect::Marlin);
        Self { feed, pause: Pause::No, is_warming: false, resends: 0, repeated: (0, 0) }
    }

    /// A position was told.
    pub(super) fn hear_position(&mut self) {
        if let Pause::Settling(settling) = &mut self.pause
            && matches!(settling.rest, Rest::Telling(_))
        {
            settling.rest = Rest::Told;
        }
    }

    /// Counts a request to send again; how many there were, once they are too many to be chance.
    pub(super) fn count_resend(&mut self, number: u64) -> (u64, u32) {
        self.resends += 1;
        let (before, times) = self.repeated;
        self.repeated = (number, if before == number { times + 1 } else { 1 });
        (self.resends, self.repeated.1)
    }
}

/// Refuses what Marlin would cut off.
pub(super) fn check_length(length: usize) -> Result<(), String> {
    if length > LONGEST {
        return Err(format!(
            "the line has {length} characters with its number, the machine takes at most {LONGEST}"
        ));
    }
    Ok(())
}

/// A line without a number and a checksum of its own; M110 is made to change nothing.
fn bare(line: &[u8]) -> &[u8] {
    let [b'N' | b'n', digits @ ..] = line else { return line };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return line;
    }
    let code = &digits[count..];
    let end = code.iter().rposition(|byte| *byte == b'*').unwrap_or(code.len());
    code[..end].trim_ascii()
}

impl Marlin {
    pub(super) fn start(&mut self, start: Start) {
        let refusal = match &self.phase {
            _ if self.latched => Some("the emergency stop has not been cleared"),
            Phase::Ready => None,
            Phase::Running(_) => Some("another job is on the machine"),
            Phase::Closed | Phase::Greeting { .. } | Phase::Identifying { .. } => {
                Some("the machine is not connected")
            }
            Phase::Halted(_) => Some("the machine has halted"),
            _ => Some("the machine is busy"),
        };
        // A job that is running keeps its own facts: they are not this one's.
        if let Some(reason) = refusal {
            let reason = format!("nothing was sent: {reason}");
            return self.ended(End::Interrupted { reason, position_known: true });
        }
        self.checkpoint = super::Checkpoint::after(start.skip);
        self.since_rest = 0;
        self.machine.error = None;
        self.machine.last_error = None;
        self.phase = Phase::Running(Box::new(Job::new(start)));
        // It tells where it is once it stands.
        self.forget_position();
    }

    /// Sends as many lines as the machine has room for.
    pub(super) fn fill(&mut self) {
        loop {
            let Phase::Running(job) = &mut self.phase else { return };
            match &mut job.pause {
                Pause::No => {}
                Pause::Settling(settling) => {
                    let rest = settling.rest;
                    if let Some(rest) = self.next_rest(rest)
                        && let Phase::Running(job) = &mut self.phase
                        && let Pause::Settling(settling) = &mut job.pause
                    {
                        settling.rest = rest;
                        if rest == Rest::Told {
                            continue;
                        }
                    } else if rest == Rest::Told && self.window.is_empty() {
                        self.settled();
                        continue;
                    }
                    return;
                }
                Pause::Held | Pause::AtStop | Pause::Machine => return,
            }
            let warmth_due = !self.machine.reports
                && self.now >= self.machine.asked + super::ASK_WARMTH
                && self.window.admits(12);
            if warmth_due {
                self.machine.asked = self.now;
                self.send_line(b"M105", Tag::Warmth);
                continue;
            }
            let next = job.feed.next(&self.options);
            if let Some((lines, number)) = job.feed.passed() {
                self.checkpoint.pass(lines, number);
            }
            let origin = match next {
                Next::Line(origin) => origin,
                Next::Wait => return,
                Next::Stop(_) => {
                    job.pause = Pause::settle(Settle::Stop);
                    continue;
                }
                Next::End => {
                    job.pause = Pause::settle(Settle::End);
                    continue;
                }
                Next::Fail(line, message) => {
                    return self.cannot_send(Why::Failed { line: Some(line), message });
                }
            };
            let text = bare(job.feed.line());
            let length = self.window.length(text);
            if let Err(message) = check_length(length) {
                return self.cannot_send(match origin {
                    Origin::File(line) => Why::Failed { line: Some(line), message },
                    Origin::Script(name, index) => {
                        let message = format!("{name} {}: {message}", index + 1);
                        Why::Failed { line: None, message }
                    }
                    Origin::Console => Why::Failed { line: None, message },
                });
            }
            if !self.window.admits(length) {
                return;
            }
            if !self.window.has_under_way() {
                self.machine.moved = self.now;
            }
            let tag = match origin {
                Origin::File(number) => Tag::File(number),
                Origin::Script(name, index) => Tag::Script(name, index),
                Origin::Console => Tag::Console,
            };
            if text.starts_with(b"M110") {
                // It gives the count the value that it has anyway.
                let same = self.window.count_line();
                self.window.send(&same, tag, &mut self.out);
            } else {
                self.window.send(text, tag, &mut self.out);
            }
            job.feed.take();
            if let Origin::File(number) = origin {
                self.checkpoint.lines_sent += 1;
                self.checkpoint.sent_line = number;
            }
        }
    }

    /// Sends what is next on the way to a standstill, if the machine has room; returns how far it
    /// is then.
    pub(super) fn next_rest(&mut self, rest: Rest) -> Option<Rest> {
        if !self.window.is_empty() {
            return None;
        }
        match rest {
            Rest::Asked => {
                self.send_line(b"M400", Tag::Rest);
                Some(Rest::Waiting)
            }
            Rest::Waiting => {
                self.send_line(b"M114", Tag::Where);
                Some(Rest::Telling(1))
            }
            Rest::Telling(TELLINGS..) => Some(Rest::Told),
            Rest::Telling(times) => {
                self.send_line(b"M114", Tag::Where);
                Some(Rest::Telling(times + 1))
            }
            Rest::Told => None,
        }
    }

    fn settled(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        let Pause::Settling(settling) = std::mem::replace(&mut job.pause, Pause::Held) else {
            return;
        };
        self.since_rest = 0;
        self.machine.asked = self.now;
        match settling.what {
            Settle::Pause(reason) => {
                self.say(Event::Paused(reason));
                if settling.resume {
                    self.resume();
                }
            }
            Settle::Stop => {
                job.pause = Pause::AtStop;
                if let Next::Stop(message) = job.feed.next(&self.options) {
                    self.say(Event::Paused(Halt::Stop(message)));
                }
            }
            Settle::End => {
                self.phase = Phase::Ready;
                self.ended(End::Completed);
            }
        }
    }

    fn cannot_send(&mut self, why: Why) {
        self.say(Event::Fault(why.to_string()));
        self.stop(why);
    }

    /// The machine has reported an error on the line that it works on.
    pub(super) fn line_failed(&mut self, message: &str) {
        let tag = self.window.front().map(|(tag, _)| tag);
        let why = match tag {
            Some(Tag::File(line)) => Why::Failed { line: Some(line), message: message.to_owned() },
            Some(Tag::Script(name, index)) => {
                Why::Failed { line: None, message: format!("{name} {}: {message}", index + 1) }
            }
            _ => Why::Failed { line: None, message: message.to_owned() },
        };
        match &self.phase {
            Phase::Running(_) => self.cannot_send(why),
            Phase::Stopping(_) => self.say(Event::Fault(why.to_string())),
            _ => self.chat(message),
        }
    }

    pub(super) fn count_acknowledged(&mut self, number: u64) {
        self.checkpoint.lines_acknowledged += 1;
        self.checkpoint.acknowledged_line = number;
        self.since_rest += 1;
    }

    /// Notes what the machine may have held when the job was torn from it.
    pub(super) fn note_held(&mut self) {
        if matches!(self.phase, Phase::Running(_)) {
            self.checkpoint = super::Driver::checkpoint(self);
        }
    }

    pub(super) fn pause(&mut self, reason: Halt) {
        let Phase::Running(job) = &mut self.phase else { return };
        match &mut job.pause {
            Pause::No => job.pause = Pause::settle(Settle::Pause(reason)),
            Pause::Settling(settling) => {
                settling.resume = false;
                if settling.what == Settle::End {
                    settling.what = Settle::Pause(reason);
                }
            }
            Pause::Held | Pause::AtStop | Pause::Machine => {}
        }
    }

    pub(super) fn resume(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        match &mut job.pause {
            Pause::Settling(settling) => {
                settling.resume = matches!(settling.what, Settle::Pause(_));
            }
            Pause::Held => self.go_on(),
            Pause::AtStop => {
                job.feed.pass();
                self.go_on();
            }
            // What comes of it is its acknowledgement.
            Pause::Machine => self.send_bare(b"M108", Tag::Urgent),
            Pause::No => {}
        }
    }

    /// Leaves out the layer that begins at the stop that the job is at.
    pub(super) fn skip_layer(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        if job.pause == Pause::AtStop && job.feed.drop_layer() {
            self.go_on();
        }
    }

    fn go_on(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        job.pause = Pause::No;
        self.say(Event::Resumed);
        self.forget_position();
    }
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn lines_lose_numbers_and_checksums_of_their_own() {
        for (line, code) in [
            ("G1 X1", "G1 X1"),
            ("N10 G1 X1*55", "G1 X1"),
            ("n3G28", "G28"),
            ("M117 5*3 N2", "M117 5*3 N2"),
            ("Nothing", "Nothing"),
        ] {
            assert_eq!(bare(line.as_bytes()), code.as_bytes());
        }
    }
}
