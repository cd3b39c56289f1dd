//! Single lines of a person.

use super::{Event, Line, Origin, Phase, Refused, job::clean};

/// Lines of an answer that are kept.
const MOST_LINES: usize = 1000;

impl Line {
    pub(super) fn send(&mut self, line: &str) {
        if let Err(refused) = self.check(line) {
            return self.say(Event::Answered(Err(refused)));
        }
        self.phase = Phase::Console { said: Vec::new() };
        self.send_line(&clean(line), Origin::Console);
    }

    fn check(&self, line: &str) -> Result<(), Refused> {
        if self.latched {
            return Err(Refused::Estop);
        }
        match &self.phase {
            Phase::Ready => {}
            Phase::Closed | Phase::Settling { .. } => return Err(Refused::Disconnected),
            Phase::Running(_) => return Err(Refused::Busy("a job is on it")),
            Phase::Stopping(_) | Phase::Estop { .. } => {
                return Err(Refused::Busy("it is being stopped"));
            }
            Phase::Console { .. } => return Err(Refused::Busy("another line is being answered")),
        }
        if line.contains(['\n', '\r']) {
            return Err(Refused::Line("it is more than one line".to_owned()));
        }
        if clean(line).is_empty() {
            return Err(Refused::Line("nothing is left of it".to_owned()));
        }
        Ok(())
    }

    /// The machine has said something to a person's line.
    pub(super) fn console_hear(&mut self, text: &str) {
        if let Phase::Console { said } = &mut self.phase
            && said.len() < MOST_LINES
        {
            said.push(text.to_owned());
        }
    }

    /// A person's line is done with.
    pub(super) fn console_done(&mut self, failed: Option<Refused>) {
        if !matches!(self.phase, Phase::Console { .. }) {
            return;
        }
        self.flight = None;
        let Phase::Console { said } = std::mem::replace(&mut self.phase, Phase::Ready) else {
            return;
        };
        self.say(Event::Answered(match failed {
            None => Ok(said),
            Some(Refused::Machine { message, .. }) => {
                Err(Refused::Machine { message, lines: said })
            }
            Some(refused) => Err(refused),
        }));
    }
}
