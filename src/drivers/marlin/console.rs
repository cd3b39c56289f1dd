//! Single lines of a person, and moves by hand.

use std::{collections::VecDeque, fmt::Write, time::Duration};

use super::{Event, Marlin, Phase, Refused, Tag};
use crate::{domain::Jog, toolpath::Dialect};

/// Lines of an answer that are kept.
const MOST_LINES: usize = 1000;

/// Lines that are being answered.
pub(super) struct Console {
    /// Those that follow the one under way.
    next: VecDeque<String>,
    /// What the machine has said.
    lines: Vec<String>,
    error: Option<String>,
    /// Once they are done the machine stands, and has said where.
    stands: bool,
}

impl Console {
    pub(super) fn hear(&mut self, text: &str) {
        if self.lines.len() < MOST_LINES {
            self.lines.push(text.to_owned());
        }
    }

    pub(super) fn fail(&mut self, message: &str) {
        self.error.get_or_insert_with(|| message.to_owned());
    }
}

impl Marlin {
    pub(super) fn send(&mut self, line: &str) {
        self.ask_machine(line.lines().map(str::to_owned).collect(), line);
    }

    /// Some firmware acknowledges before it has arrived. Where it is then is asked at once: whoever
    /// waits for it wants to go on.
    pub(super) fn home(&mut self) {
        self.ask_machine(["G28", "M400", "M114"].map(str::to_owned).into(), "G28");
        if let Phase::Console(console) = &mut self.phase {
            console.stands = true;
        }
    }

    /// Relative, and absolute again: what every file begins with anyway.
    pub(super) fn jog(&mut self, jog: &Jog) {
        let mut line = "G0".to_owned();
        for (axis, distance) in [('X', jog.x), ('Y', jog.y), ('Z', jog.z)] {
            if distance != 0.0 {
                let _ = write!(line, " {axis}{distance:.3}");
            }
        }
        let _ = write!(line, " F{:.0}", jog.feed);
        self.ask_machine(vec!["G21".to_owned(), "G91".to_owned(), line, "G90".to_owned()], "G0");
    }

    pub(super) fn stop_jog(&mut self) {
        if matches!(self.phase, Phase::Ready | Phase::Console(_)) {
            if let Phase::Console(console) = &mut self.phase {
                // G90 is due whatever becomes of the move.
                console.next.retain(|line| line == "G90");
            }
            self.send_bare(b"M410", Tag::Urgent);
        }
    }

    pub(super) fn unlock(&mut self) {
        let refused = match &self.phase {
            Phase::Halted(reason) => {
                format!("{reason}: only a reset, or switching it off and on, helps")
            }
            _ => "this firmware locks nothing".to_owned(),
        };
        self.say(Event::Answered(Err(Refused::Line(refused))));
    }

    fn ask_machine(&mut self, lines: Vec<String>, what: &str) {
        if let Err(refused) = self.check(&lines, what) {
            return self.say(Event::Answered(Err(refused)));
        }
        let mut next = VecDeque::new();
        for line in lines {
            let mut text = Vec::new();
            Dialect::Marlin.clean(line.as_bytes(), &mut text);
            next.push_back(String::from_utf8_lossy(&text).into_owned());
        }
        self.phase =
            Phase::Console(Console { next, lines: Vec::new(), error: None, stands: false });
        self.next_console_line();
    }

    fn check(&self, lines: &[String], what: &str) -> Result<(), Refused> {
        if self.latched {
            return Err(Refused::Estop);
        }
        match &self.phase {
            Phase::Ready => {}
            Phase::Closed | Phase::Greeting { .. } | Phase::Identifying { .. } => {
                return Err(Refused::Disconnected);
            }
            Phase::Halted(_) => return Err(Refused::Busy("it has halted")),
            Phase::Running(_) => return Err(Refused::Busy("a job is on it")),
            Phase::Stopping(_) | Phase::Estop { .. } => {
                return Err(Refused::Busy("it is being stopped"));
            }
            Phase::Console(_) => return Err(Refused::Busy("another line is being answered")),
        }
        if what.contains(['\n', '\r']) {
            return Err(Refused::Line("it is more than one line".to_owned()));
        }
        for line in lines {
            let mut text = Vec::new();
            Dialect::Marlin.clean(line.as_bytes(), &mut text);
            if text.to_ascii_uppercase().windows(4).any(|part| part == b"M110") {
                let why = "the station numbers the lines itself";
                return Err(Refused::Line(why.to_owned()));
            }
            super::job::check_length(self.window.length(&text)).map_err(Refused::Line)?;
        }
        let blank =
            |line: &String| line.split(';').next().is_none_or(|code| code.trim().is_empty());
        if lines.iter().all(blank) {
            return Err(Refused::Line("nothing is left of it without comments".to_owned()));
        }
        Ok(())
    }

    fn next_console_line(&mut self) {
        let Phase::Console(console) = &mut self.phase else { return };
        let Some(line) = console.next.pop_front() else { return };
        let urgent = ["M112", "M108", "M410"].iter().any(|word| line.starts_with(word));
        if urgent {
            self.send_bare(line.as_bytes(), Tag::Console);
        } else {
            self.send_line(line.as_bytes(), Tag::Console);
        }
    }

    /// A person's line has been acknowledged.
    pub(super) fn console_done(&mut self) {
        let Phase::Console(console) = &mut self.phase else { return };
        if console.error.is_none() && !console.next.is_empty() {
            return self.next_console_line();
        }
        let Phase::Console(console) = std::mem::replace(&mut self.phase, Phase::Ready) else {
            return;
        };
        let Console { lines, error, stands, .. } = console;
        // Others may have begun to move; where to is asked soon.
        self.machine.restless = !stands || error.is_some();
        self.machine.count = None;
        self.machine.asked = self.now;
        self.say(Event::Answered(match error {
            None => Ok(lines),
            Some(message) => Err(Refused::Machine { message, lines }),
        }));
    }

    pub(super) fn console_failed(&mut self, refused: Refused) {
        if matches!(self.phase, Phase::Console(_)) {
            self.phase = Phase::Ready;
            self.say(Event::Answered(Err(refused)));
        }
    }

    pub(super) fn console_late(&mut self, patience: Duration) {
        self.console_failed(Refused::Timeout(patience));
        // Whether it ever read the line is unknown: the count of lines begins anew.
        self.greet_again();
    }
}
