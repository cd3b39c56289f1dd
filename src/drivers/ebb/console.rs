//! What a person asks for without a job: single lines, home, moves by hand.

use super::{Asker, Ebb, Event, Phase, Refused, job};
use crate::{
    domain::Jog,
    toolpath::{Dialect, plan::Axes},
};

impl Ebb {
    pub(super) fn send(&mut self, line: &str) {
        match self.check_line(line) {
            Err(refused) => self.say(Event::Answered(Err(refused))),
            Ok(text) => {
                self.phase = Phase::Console { lines: Vec::new() };
                self.polls.due.clear();
                self.ask(&text, Asker::Console);
            }
        }
    }

    fn check_line(&self, line: &str) -> Result<Vec<u8>, Refused> {
        self.check_ready()?;
        if line.contains(['\n', '\r']) {
            return Err(Refused::Line("it is more than one line".to_owned()));
        }
        let mut text = Vec::new();
        Dialect::Ebb.clean(line.as_bytes(), &mut text);
        if text.is_empty() {
            return Err(Refused::Line("nothing is left of it without comments".to_owned()));
        }
        job::check(&text).map_err(Refused::Line)?;
        Ok(text)
    }

    fn check_ready(&self) -> Result<(), Refused> {
        if self.latched {
            return Err(Refused::Estop);
        }
        match &self.phase {
            Phase::Ready => Ok(()),
            Phase::Closed | Phase::Greeting { .. } | Phase::Useless(_) | Phase::Setup(_) => {
                Err(Refused::Disconnected)
            }
            Phase::Running(_) => Err(Refused::Busy("a job is on it")),
            Phase::Stopping(_) | Phase::Estop { .. } => Err(Refused::Busy("it is being stopped")),
            Phase::Console { .. } | Phase::Errand { .. } => {
                Err(Refused::Busy("another line is being answered"))
            }
        }
    }

    /// The line has been answered, by an error if there is one.
    pub(super) fn console_done(&mut self, value: Option<String>, error: Option<String>) {
        let Phase::Console { mut lines } = std::mem::replace(&mut self.phase, Phase::Ready) else {
            return;
        };
        lines.extend(value);
        self.say(Event::Answered(match error {
            None => Ok(lines),
            Some(message) => Err(Refused::Machine { message, lines }),
        }));
        // What it does now is asked at once; it may have begun to move.
        self.machine.status = None;
        self.polls.at = self.now.saturating_sub(super::POLL_IDLE);
    }

    /// Back to where the motors were switched on.
    pub(super) fn home(&mut self) {
        let home = format!("HM,{}", job::HOMING);
        let todo =
            if self.machine.motors_on { vec![self.pen_up(), home] } else { vec![self.pen_up()] };
        self.errand(todo, true);
    }

    /// After a limit switch any `EM` lets it go on.
    pub(super) fn unlock(&mut self) {
        self.errand(vec!["EM,0,0".to_owned()], true);
    }

    pub(super) fn jog(&mut self, jog: &Jog) {
        let fail = |this: &mut Self, why: &str| {
            this.say(Event::Answered(Err(Refused::Line(why.to_owned()))));
        };
        if ![jog.x, jog.y, jog.z, jog.feed].iter().all(|value| value.is_finite()) || jog.feed <= 0.0
        {
            return fail(self, "the distances and the feed must be numbers, the feed above zero");
        }
        let mut todo = Vec::new();
        if jog.z > 0.0 {
            todo.push(self.pen_up());
        } else if jog.z < 0.0 {
            todo.push(self.pen_down());
        }
        if jog.x != 0.0 || jog.y != 0.0 {
            // Only the direction of Y matters for a way.
            let down = self.axes.height.is_some();
            let plain = Axes { height: None, ..self.axes };
            let [first, second] = plain.steps([jog.x, if down { -jog.y } else { jog.y }]);
            let seconds = jog.x.hypot(jog.y) / (jog.feed.min(Jog::FASTEST) / 60.0);
            let fastest = first.unsigned_abs().max(second.unsigned_abs());
            let milliseconds = whole(seconds * 1000.0).max(fastest.div_ceil(24)).max(1);
            todo.push(format!("SM,{milliseconds},{first},{second}"));
        }
        if todo.is_empty() {
            return fail(self, "it moves nowhere");
        }
        self.errand(todo, false);
    }

    /// Ends a move by hand; the answer to it has been given.
    pub(super) fn stop_jog(&mut self) {
        if matches!(self.phase, Phase::Ready) && self.machine.motors_on {
            self.machine.status = None;
            self.ask(b"ES", Asker::Script);
        }
    }

    fn errand(&mut self, todo: Vec<String>, until_still: bool) {
        if let Err(refused) = self.check_ready() {
            return self.say(Event::Answered(Err(refused)));
        }
        self.machine.status = None;
        self.phase = Phase::Errand { todo: todo.into(), until_still };
    }

    pub(super) fn pump_errand(&mut self) {
        let idle = self.is_idle();
        let Phase::Errand { todo, until_still } = &mut self.phase else { return };
        if let Some(command) = todo.pop_front() {
            return self.ask(command.as_bytes(), Asker::Script);
        }
        if idle || !*until_still {
            self.phase = Phase::Ready;
            self.machine.status = self.machine.status.filter(|_| idle);
            self.say(Event::Answered(Ok(Vec::new())));
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that is cast saturates"
)]
fn whole(value: f64) -> u64 {
    value.ceil() as u64
}
