//! Stops: what is under way is given up at once (`ES`), the pen goes up, then the device's `on_stop`
//! lines, then the motors are switched off: they would grow hot.
//!
//! The steps that were made are known after that, but not where the carriage is once the motors are
//! off: only at the origin, where an `on_stop` of `HM,4000` brings it, that makes no difference.

use std::{collections::VecDeque, time::Duration};

use super::{Asker, Ebb, End, Event, Phase, Refused, Why, job};
use crate::toolpath::Dialect;

/// An emergency stop is repeated that often until the machine answers.
pub(super) const ESTOP_REPEAT: Duration = Duration::from_millis(250);

/// A machine that has not answered so long will not: its parser is not blocked for that time.
const SILENCE: Duration = Duration::from_secs(10);

/// However long the `on_stop` lines take.
const LONGEST: Duration = Duration::from_mins(2);

/// Twice: the first one may end a command of which only a part was sent.
const ESTOP: &[u8] = b"ES\rES\rEM,0,0\rSP,1\r";

/// A stop on its way.
pub(super) struct Stop {
    why: Why,
    /// False if there was no job: only a person's line moved the machine.
    pub(super) job: bool,
    since: Duration,
    todo: VecDeque<String>,
    step: Step,
    /// The machine may have lost its position.
    lost: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// Commands, one after the other, then standstill.
    Lines,
    /// The motors are being switched off.
    Off,
}

impl Stop {
    pub(super) fn deadline(&self) -> Duration {
        self.since + LONGEST
    }
}

impl Ebb {
    /// Stops the machine safely, job or not.
    pub(super) fn stop(&mut self, why: Why) {
        let job = match &mut self.phase {
            Phase::Running(_) => true,
            Phase::Stopping(stop) => return stop.why.heed(why),
            Phase::Console { .. } | Phase::Errand { .. } => {
                self.say(Event::Answered(Err(Refused::Busy("it is being stopped"))));
                false
            }
            Phase::Ready if self.machine.motors_on => false,
            _ => return,
        };
        self.note_held();
        let mut todo = VecDeque::from([self.pen_up()]);
        for text in &self.options.on_stop {
            let mut line = Vec::new();
            Dialect::Ebb.clean(text.as_bytes(), &mut line);
            if !line.is_empty() && job::check(&line).is_ok() {
                todo.push_back(String::from_utf8_lossy(&line).into_owned());
            }
        }
        let (since, step) = (self.now, Step::Lines);
        self.phase = Phase::Stopping(Stop { why, job, since, todo, step, lost: false });
        // Behind what was asked before, whose answers come first.
        self.polls.due.clear();
        self.machine.status = None;
        self.machine.busy_until = self.now;
        self.ask(b"ES", Asker::Stop);
    }

    /// Where the carriage is can no longer be trusted.
    pub(super) fn stop_lost(&mut self) {
        if let Phase::Stopping(stop) = &mut self.phase {
            stop.lost = true;
        }
    }

    pub(super) fn pump_stop(&mut self) {
        let idle = self.is_idle();
        let Phase::Stopping(stop) = &mut self.phase else { return };
        if let Some(command) = stop.todo.pop_front() {
            return self.ask(command.as_bytes(), Asker::Stop);
        }
        if !idle {
            return;
        }
        match stop.step {
            Step::Lines => {
                stop.step = Step::Off;
                stop.lost |= self.machine.steps != Some([0; 2]);
                self.ask(b"EM,0,0", Asker::Stop);
            }
            Step::Off => self.stopped(true),
        }
    }

    pub(super) fn tick_stop(&mut self) {
        let late = self.asked.front().is_some_and(|asked| self.now >= asked.since + SILENCE);
        let Phase::Stopping(stop) = &self.phase else { return };
        if late || self.now >= stop.since + LONGEST {
            self.stopped(false);
        }
    }

    fn stopped(&mut self, confirmed: bool) {
        let Phase::Stopping(stop) = std::mem::replace(&mut self.phase, Phase::Ready) else {
            return;
        };
        self.since_idle = 0;
        if stop.job {
            self.ended(stop.why.end(confirmed, !stop.lost));
        }
        if !confirmed {
            self.forget_position();
            self.greet(2);
        }
    }

    /// Stops the machine at once, whatever it does.
    pub(super) fn estop(&mut self) {
        self.latched = true;
        let job = match &self.phase {
            Phase::Closed => {
                self.stop_on_open = true;
                return;
            }
            Phase::Estop { job, .. } => *job,
            Phase::Stopping(stop) => stop.job,
            Phase::Running(_) => {
                self.note_held();
                true
            }
            Phase::Console { .. } | Phase::Errand { .. } => {
                self.say(Event::Answered(Err(Refused::Estop)));
                false
            }
            Phase::Greeting { .. } | Phase::Useless(_) | Phase::Setup(_) | Phase::Ready => false,
        };
        self.asked.clear();
        self.out.clear();
        self.lines.clear();
        self.phase = Phase::Estop { job, last: self.now };
        self.out.extend_from_slice(ESTOP);
    }

    pub(super) fn tick_estop(&mut self) {
        if let Phase::Estop { last, .. } = &mut self.phase
            && self.now >= *last + ESTOP_REPEAT
        {
            *last = self.now;
            self.out.extend_from_slice(ESTOP);
        }
    }

    pub(super) fn estop_confirmed(&mut self) {
        let Phase::Estop { job, .. } = self.phase else { return };
        self.say(Event::EstopConfirmed);
        if job {
            let reason = "emergency stop".to_owned();
            self.ended(End::Interrupted { reason, position_known: false });
        }
        self.forget_position();
        self.greet(0);
    }

    pub(super) fn clear_estop(&mut self) {
        self.latched = false;
        self.stop_on_open = false;
        if let Phase::Estop { job, .. } = self.phase {
            if job {
                let reason = "emergency stop, not confirmed by the machine".to_owned();
                self.ended(End::Interrupted { reason, position_known: false });
            }
            self.forget_position();
            self.greet(2);
        }
    }
}
