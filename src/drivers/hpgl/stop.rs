//! Stops: the buffer is emptied (`ESC.K`), the line under way is drawn to its end, the pen goes up
//! and into its place.

use std::time::Duration;

use super::{End, Event, Hpgl, MARGIN, Phase, Question, Refused, Why, wire};
use crate::toolpath::Dialect;

/// An emergency stop is repeated that often until the machine answers.
pub(super) const ESTOP_REPEAT: Duration = Duration::from_millis(250);

/// A machine that has not answered so long will not.
const SILENCE: Duration = Duration::from_secs(10);

/// However long the line under way and `on_stop` take.
const LONGEST: Duration = Duration::from_mins(3);

/// A stop on its way.
pub(super) struct Stop {
    why: Why,
    /// False if there was no job: only a person's line moved the machine.
    pub(super) job: bool,
    since: Duration,
    asked: bool,
}

impl Hpgl {
    /// Stops the machine safely, job or not.
    pub(super) fn stop(&mut self, why: Why) {
        let empty = self.is_empty();
        let job = match &mut self.phase {
            Phase::Running(_) => true,
            Phase::Stopping(stop) => return stop.why.heed(why),
            Phase::Console { .. } => {
                self.say(Event::Answered(Err(Refused::Busy("it is being stopped"))));
                false
            }
            Phase::Ready if !empty => false,
            _ => return,
        };
        self.note_held();
        self.forget_buffer();
        self.put(b"PU;SP0;");
        for text in self.options.on_stop.clone() {
            let mut line = Vec::new();
            Dialect::Hpgl.clean(text.as_bytes(), &mut line);
            // What does not fit into an empty buffer was never meant for a plotter.
            if !line.is_empty() && line.len() < self.machine.credit {
                line.push(b';');
                self.put(&line);
            }
        }
        self.phase = Phase::Stopping(Stop { why, job, since: self.now, asked: false });
    }

    /// Empties the machine's buffer.
    fn forget_buffer(&mut self) {
        self.out.clear();
        self.out.extend_from_slice(wire::ABORT);
        (self.asked, self.queued) = (None, None);
        self.machine.held.clear();
        self.machine.credit = self.machine.size - MARGIN;
        self.machine.status = None;
        self.polled = self.now;
    }

    pub(super) fn pump_stop(&mut self) {
        if let Phase::Stopping(stop) = &mut self.phase
            && !stop.asked
        {
            stop.asked = true;
            self.ask(Question::Position);
        }
    }

    pub(super) fn stop_stands(&mut self) {
        self.stopped(true);
    }

    pub(super) fn tick_stop(&mut self) {
        let silent = self.is_late(SILENCE.min(self.options.timeout));
        let Phase::Stopping(stop) = &self.phase else { return };
        if silent || self.now >= stop.since + LONGEST {
            self.stopped(false);
        }
    }

    fn stopped(&mut self, confirmed: bool) {
        let Phase::Stopping(stop) = std::mem::replace(&mut self.phase, Phase::Ready) else {
            return;
        };
        self.machine.status = confirmed.then_some(8);
        if stop.job {
            self.ended(stop.why.end(confirmed, true));
        }
        if !confirmed {
            self.tell_position(None);
            self.set_up(3);
        }
    }

    /// Empties the buffer at once, whatever the machine does. What it is drawing just now it draws
    /// to the end: only its own switch stops that.
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
            Phase::Console { .. } => {
                self.say(Event::Answered(Err(Refused::Estop)));
                false
            }
            Phase::Setup(_) | Phase::Ready => false,
        };
        self.lines.clear();
        self.phase = Phase::Estop { job, last: self.now };
        self.abort_and_ask();
        let text = "the line under way is drawn to its end: only the plotter's own switch stops it";
        self.say(Event::Said(text.to_owned()));
    }

    fn abort_and_ask(&mut self) {
        self.forget_buffer();
        self.put(b"PU;");
        self.ask(Question::Status);
    }

    pub(super) fn tick_estop(&mut self) {
        if let Phase::Estop { last, .. } = &mut self.phase
            && self.now >= *last + ESTOP_REPEAT
        {
            *last = self.now;
            self.abort_and_ask();
        }
    }

    pub(super) fn estop_confirmed(&mut self) {
        let Phase::Estop { job, .. } = self.phase else { return };
        self.say(Event::EstopConfirmed);
        if job {
            let reason = "emergency stop".to_owned();
            self.ended(End::Interrupted { reason, position_known: false });
        }
        self.tell_position(None);
        self.set_up(0);
    }

    pub(super) fn clear_estop(&mut self) {
        self.latched = false;
        self.stop_on_open = false;
        if let Phase::Estop { job, .. } = self.phase {
            if job {
                let reason = "emergency stop, not confirmed by the machine".to_owned();
                self.ended(End::Interrupted { reason, position_known: false });
            }
            self.tell_position(None);
            self.set_up(3);
        }
    }
}
