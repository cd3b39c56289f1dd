//! Single lines of a person.

use std::{fmt::Write, time::Duration};

use super::{Event, Grbl, Origin, Phase, Refused, State};
use crate::{domain::Jog, toolpath::Dialect};

/// Ends a jog at once, and nothing else (gnea/grbl, jogging.md).
const JOG_CANCEL: u8 = 0x85;

/// The way home is long, and GRBL says nothing on it.
const HOMING: Duration = Duration::from_mins(5);

impl Grbl {
    pub(super) fn send(&mut self, line: &str) {
        match self.check(line) {
            Err(refused) => self.say(Event::Answered(Err(refused))),
            Ok(text) if text == b"?" => {
                self.out.push(b'?');
                self.polled.at = self.now;
                self.polled.outstanding = true;
                self.phase = Phase::Asking { since: self.now };
            }
            Ok(text) => {
                self.send_line(&text, Origin::Console);
                self.phase = Phase::Console { lines: Vec::new(), since: self.now };
            }
        }
    }

    /// A jog is a line that can be called off, and leaves the modes of the machine as they were.
    pub(super) fn jog(&mut self, jog: &Jog) {
        let mut line = "$J=G91G21".to_owned();
        for (axis, distance) in [('X', jog.x), ('Y', jog.y), ('Z', jog.z)] {
            if distance != 0.0 {
                _ = write!(line, "{axis}{distance:.3}");
            }
        }
        _ = write!(line, "F{:.0}", jog.feed);
        self.send(&line);
    }

    /// The machine ignores this byte unless it jogs.
    pub(super) fn stop_jog(&mut self) {
        if !matches!(self.phase, Phase::Closed | Phase::Running(_)) {
            self.out.push(JOG_CANCEL);
        }
    }

    fn check(&self, line: &str) -> Result<Vec<u8>, Refused> {
        if self.latched {
            return Err(Refused::Estop);
        }
        match &self.phase {
            Phase::Ready => {}
            Phase::Closed
            | Phase::Greeting { .. }
            | Phase::Meeting { .. }
            | Phase::Identifying { .. } => {
                return Err(Refused::Disconnected);
            }
            Phase::Running(_) => return Err(Refused::Busy("a job is on it")),
            Phase::Stopping(_) | Phase::Estop { .. } => {
                return Err(Refused::Busy("it is being stopped"));
            }
            Phase::Console { .. } | Phase::Asking { .. } => {
                return Err(Refused::Busy("another line is being answered"));
            }
        }
        if line.trim() == "?" {
            return Ok(b"?".to_vec());
        }
        if line.contains(['\n', '\r']) {
            return Err(Refused::Line("it is more than one line".to_owned()));
        }
        let mut text = Vec::new();
        Dialect::Gcode.clean(line.as_bytes(), &mut text);
        if text.is_empty() {
            return Err(Refused::Line("nothing is left of it without comments".to_owned()));
        }
        super::job::check_length(&text, self.window.size()).map_err(Refused::Line)?;
        Ok(text)
    }

    /// The line has been answered, by an error if there is one.
    pub(super) fn console_done(&mut self, error: Option<String>) {
        let line = self.window.oldest().map(|(_, text)| text.to_owned()).unwrap_or_default();
        self.window.acknowledged();
        let Phase::Console { lines, .. } = std::mem::replace(&mut self.phase, Phase::Ready) else {
            return;
        };
        let done = error.is_none();
        self.say(Event::Answered(match error {
            None => Ok(lines),
            Some(message) => Err(Refused::Machine { message, lines }),
        }));
        // What it does now is asked soon; it may have begun to move.
        self.machine.state = match self.machine.state {
            Some(State::Alarm) if done && ends_alarm(&line) => Some(State::Idle),
            Some(State::Alarm) => Some(State::Alarm),
            Some(State::Idle | State::Home) if is_carried_out(&line) => Some(State::Idle),
            _ => Some(State::Run),
        };
    }

    pub(super) fn tick_console(&mut self) {
        let (since, long) = match &self.phase {
            Phase::Console { since, .. } => {
                let homes = self.window.oldest().is_some_and(|(_, text)| text.starts_with(b"$H"));
                (*since, homes)
            }
            Phase::Asking { since } => (*since, false),
            _ => return,
        };
        let patience = if long { HOMING.max(self.options.timeout) } else { self.options.timeout };
        let moves = self.machine.state.is_some_and(State::moves)
            && self.now.saturating_sub(self.machine.reported) < super::SILENCE;
        if self.now >= since + patience && !moves {
            self.say(Event::Answered(Err(Refused::Timeout(patience))));
            // Whether it ever read the line is unknown: a reset makes sure that it does not later.
            self.greet_again();
        }
    }
}

/// True of a command that is acknowledged once it is done, the way home too (gnea/grbl,
/// commands.md); all but a jog.
fn is_carried_out(text: &[u8]) -> bool {
    text.starts_with(b"$") && !text.starts_with(b"$J")
}

/// True of the way home and of unlocking.
fn ends_alarm(text: &[u8]) -> bool {
    matches!(text, b"$H" | b"$X")
}
