//! Safe stops, and the emergency stop, by the lines that are configured for them.

use std::time::Duration;

use super::{End, Event, Flight, Line, Origin, Phase, Refused, Why, job::clean};

/// A wire on which nothing was said for so long is at rest, and at the latest after so long.
const QUIET: Duration = Duration::from_millis(200);
const QUIET_LONGEST: Duration = Duration::from_secs(2);

/// The emergency stop is sent so often to a machine that says nothing.
const PRESSES: u32 = 20;

/// When the emergency stop is sent again.
pub(super) fn estop_at(presses: u32, last: Duration) -> Option<Duration> {
    let pause = if presses < 8 { 250 } else { 2000 };
    (presses < PRESSES).then_some(last + Duration::from_millis(pause))
}

/// A stop on its way.
pub(super) struct Stop {
    why: Why,
    /// False if there was no job: only a person's line moved the machine.
    pub(super) job: bool,
    /// The machine may have lost its position: it was halted.
    lost: bool,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// The wire comes to rest: the halt lines have been sent, or the line under way is waited for.
    Resting { since: Duration },
    /// This line of `on_stop` is next.
    Lines(usize),
}

impl Stop {
    /// When the wire is at rest, if nothing more is heard.
    pub(super) fn rest_at(&self, heard: Duration) -> Option<Duration> {
        let Step::Resting { since } = self.step else { return None };
        Some((heard.max(since) + QUIET).min(since + QUIET_LONGEST))
    }
}

impl Line {
    /// Stops the machine safely, job or not.
    pub(super) fn stop(&mut self, why: Why) {
        let job = match &mut self.phase {
            Phase::Running(_) => true,
            Phase::Stopping(stop) => return stop.why.heed(why),
            Phase::Console { .. } => false,
            _ => return,
        };
        self.note_held();
        let flight = self.flight.take();
        self.console_done(Some(Refused::Busy("it is being stopped")));
        let halts = !self.options.plotter.line.halt.is_empty();
        if halts {
            self.out.clear();
            self.put_at_once(&self.options.plotter.line.halt.clone());
        } else {
            // It is carried out whatever is sent: what comes next waits for it.
            self.flight = flight.map(|flight| Flight {
                origin: Origin::Script("stop", 0),
                since: self.now,
                ..flight
            });
        }
        let step = Step::Resting { since: self.now };
        self.phase = Phase::Stopping(Stop { why, job, lost: halts, step });
    }

    /// Sends lines whatever is under way; nobody waits for what is said to them.
    fn put_at_once(&mut self, lines: &[String]) {
        let eol = self.options.plotter.line.eol;
        for line in lines {
            self.out.extend_from_slice(&clean(line));
            self.out.extend_from_slice(eol);
        }
    }

    /// The machine no longer knows where it is.
    pub(super) fn lose_position(&mut self) {
        if let Phase::Stopping(stop) = &mut self.phase {
            stop.lost = true;
        }
    }

    /// Does what is next, once nothing is under way.
    pub(super) fn go_on_stopping(&mut self) {
        loop {
            let Phase::Stopping(stop) = &mut self.phase else { return };
            if self.flight.is_some() {
                return;
            }
            let next = match stop.step {
                Step::Resting { .. } => {
                    if stop.rest_at(self.heard).is_some_and(|at| self.now < at) {
                        return;
                    }
                    stop.step = Step::Lines(0);
                    continue;
                }
                Step::Lines(next) => next,
            };
            stop.step = Step::Lines(next + 1);
            let Some(text) = self.options.on_stop.get(next).map(|text| clean(text)) else {
                return self.stopped(true);
            };
            if !text.is_empty() {
                self.send_line(&text, Origin::Script("on_stop", next));
            }
        }
    }

    pub(super) fn stopped(&mut self, confirmed: bool) {
        if !matches!(self.phase, Phase::Stopping(_)) {
            return;
        }
        let Phase::Stopping(stop) = std::mem::replace(&mut self.phase, Phase::Ready) else {
            return;
        };
        if stop.job {
            self.ended(stop.why.end(confirmed, !stop.lost));
        }
    }

    /// Stops the machine at once, whatever it does, as far as it can be told to.
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
                self.console_done(Some(Refused::Estop));
                false
            }
            Phase::Settling { .. } | Phase::Ready => false,
        };
        self.out.clear();
        self.press();
        self.phase = Phase::Estop { job, presses: 1, last: self.now };
    }

    fn press(&mut self) {
        let line = &self.options.plotter.line;
        let lines = if line.estop.is_empty() { &line.halt } else { &line.estop };
        self.put_at_once(&lines.clone());
    }

    pub(super) fn tick_estop(&mut self) {
        if let Phase::Estop { presses, last, .. } = &mut self.phase
            && estop_at(*presses, *last).is_some_and(|at| self.now >= at)
        {
            *last = self.now;
            *presses += 1;
            self.press();
        }
    }

    /// The machine has said something to it.
    pub(super) fn estop_confirmed(&mut self) {
        let Phase::Estop { job, .. } = self.phase else { return };
        self.flight = None;
        self.phase = Phase::Ready;
        self.say(Event::EstopConfirmed);
        if job {
            let reason = "emergency stop".to_owned();
            self.ended(End::Interrupted { reason, position_known: false });
        }
    }

    pub(super) fn clear_estop(&mut self) {
        self.latched = false;
        self.stop_on_open = false;
        if let Phase::Estop { job, .. } = self.phase {
            self.flight = None;
            self.phase = Phase::Ready;
            if job {
                let reason = "emergency stop, not confirmed by the machine".to_owned();
                self.ended(End::Interrupted { reason, position_known: false });
            }
        }
    }
}
