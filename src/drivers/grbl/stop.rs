//! Safe stops: hold, wait for it, reset, wait for the banner, then the device's `on_stop` lines.
//!
//! In a hold GRBL carries nothing out, so pens and tools are put away after the reset. A reset from
//! a standstill keeps the position; one in motion loses it and locks the machine (ALARM:3).

use std::time::Duration;

use super::{End, Event, Grbl, Origin, Phase, RESET, Refused, State, Why};
use crate::toolpath::Dialect;

/// An emergency stop is repeated that often until the machine answers.
pub(super) const ESTOP_REPEAT: Duration = Duration::from_millis(250);

/// A machine that says nothing for so long after a hold will not say that it stands.
const HOLD_SILENCE: Duration = Duration::from_secs(2);
/// However slowly it comes to a stand.
const HOLD_LONGEST: Duration = Duration::from_secs(15);
/// How long a banner may take after a reset, and how often a reset is sent.
const BANNER: Duration = Duration::from_secs(3);
const RESETS: u32 = 3;

/// A stop on its way.
pub(super) struct Stop {
    why: Why,
    /// False if there was no job: only a person's line moved the machine.
    pub(super) job: bool,
    step: Step,
    /// The machine may have lost its position.
    pub(super) lost: bool,
}

enum Step {
    /// `!` has been sent; the next report may have been on its way already.
    Holding { since: Duration, stale: bool },
    /// 0x18 has been sent.
    Resetting { since: Duration, tries: u32 },
    /// This line of `on_stop` is next, or under way since then.
    Lines { next: usize, since: Duration },
    /// They are done; the motion they made is not.
    Settling { since: Duration },
}

impl Grbl {
    /// Stops the machine safely, job or not.
    pub(super) fn stop(&mut self, why: Why) {
        let job = match &mut self.phase {
            Phase::Running(_) => true,
            Phase::Stopping(stop) => return stop.why.heed(why),
            Phase::Ready | Phase::Console { .. } | Phase::Asking { .. } => {
                if !self.machine.state.is_some_and(State::moves) {
                    return;
                }
                false
            }
            _ => return,
        };
        self.begin_stop(why, job, false);
        self.out.push(b'!');
        let stale = self.polled.outstanding;
        self.step(Step::Holding { since: self.now, stale });
    }

    /// The alarm has stopped all motion already: only its buffers have to be emptied.
    pub(super) fn stop_in_alarm(&mut self, why: Why, lost: bool) {
        self.begin_stop(why, true, lost);
        self.reset_now(0);
    }

    fn begin_stop(&mut self, why: Why, job: bool, lost: bool) {
        self.note_held();
        self.out.clear();
        if matches!(self.phase, Phase::Console { .. } | Phase::Asking { .. }) {
            self.say(Event::Answered(Err(Refused::Busy("it is being stopped"))));
        }
        let step = Step::Settling { since: self.now };
        self.phase = Phase::Stopping(Stop { why, job, step, lost });
    }

    fn step(&mut self, step: Step) {
        if let Phase::Stopping(stop) = &mut self.phase {
            stop.step = step;
        }
    }

    fn reset_now(&mut self, tries: u32) {
        self.out.push(RESET);
        self.window.clear();
        self.step(Step::Resetting { since: self.now, tries });
    }

    pub(super) fn stop_report(&mut self, state: State, empty: bool) {
        let Phase::Stopping(stop) = &mut self.phase else { return };
        match &mut stop.step {
            Step::Holding { stale, .. } if *stale => *stale = false,
            Step::Holding { .. } => match state {
                State::Hold(true)
                | State::Door(true)
                | State::Idle
                | State::Check
                | State::Sleep => {
                    self.reset_now(0);
                }
                State::Alarm => {
                    stop.lost = true;
                    self.reset_now(0);
                }
                _ => {}
            },
            Step::Settling { .. } if state == State::Alarm || (state == State::Idle && empty) => {
                self.stopped(true);
            }
            _ => {}
        }
    }

    pub(super) fn stop_banner(&mut self) {
        let Phase::Stopping(stop) = &mut self.phase else { return };
        let asked = matches!(stop.step, Step::Resetting { .. });
        stop.lost |= !asked;
        self.window.clear();
        if stop.lost {
            // Nothing moves a machine that does not know where it is.
            self.step(Step::Settling { since: self.now });
        } else {
            self.next_stop_line(0);
        }
    }

    fn next_stop_line(&mut self, mut next: usize) {
        while let Some(text) = self.options.on_stop.get(next) {
            let mut line = Vec::new();
            Dialect::Gcode.clean(text.as_bytes(), &mut line);
            if !line.is_empty() && super::job::check_length(&line, self.window.size()).is_ok() {
                self.send_line(&line, Origin::Script("on_stop", next));
                return self.step(Step::Lines { next, since: self.now });
            }
            next += 1;
        }
        self.step(Step::Settling { since: self.now });
    }

    /// One of the `on_stop` lines has been answered. One that is refused keeps no other from being
    /// sent.
    pub(super) fn stop_line_done(&mut self, error: Option<String>) {
        let Phase::Stopping(Stop { step: Step::Lines { next, .. }, .. }) = &self.phase else {
            return;
        };
        let next = *next;
        self.window.acknowledged();
        if let Some(message) = error {
            self.say(Event::Fault(format!("on_stop {}: {message}", next + 1)));
        }
        self.next_stop_line(next + 1);
    }

    pub(super) fn tick_stop(&mut self) {
        let Phase::Stopping(stop) = &mut self.phase else { return };
        let silent = |since: Duration, limit: Duration| {
            self.now >= since + limit && self.now >= self.machine.reported + limit
        };
        match stop.step {
            Step::Holding { since, .. } => {
                if silent(since, HOLD_SILENCE) || self.now >= since + HOLD_LONGEST {
                    stop.lost = true;
                    self.reset_now(0);
                }
            }
            Step::Resetting { since, tries } if self.now >= since + BANNER => {
                if tries + 1 < RESETS {
                    self.reset_now(tries + 1);
                } else {
                    self.stopped(false);
                }
            }
            Step::Lines { since, .. } | Step::Settling { since } => {
                // A long move of `on_stop` is fine as long as it shows.
                let limit = self.options.timeout;
                let moves = self.machine.state.is_some_and(State::moves);
                if silent(since, limit) || (self.now >= since + limit && !moves) {
                    self.stopped(false);
                }
            }
            Step::Resetting { .. } => {}
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
            self.greet_again();
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
            Phase::Console { .. } | Phase::Asking { .. } => {
                self.say(Event::Answered(Err(Refused::Estop)));
                false
            }
            Phase::Greeting { .. }
            | Phase::Meeting { .. }
            | Phase::Identifying { .. }
            | Phase::Ready => false,
        };
        self.window.clear();
        self.out.clear();
        self.phase = Phase::Estop { job, last: self.now };
        self.out.extend_from_slice(&[b'!', RESET]);
    }

    pub(super) fn tick_estop(&mut self) {
        if let Phase::Estop { last, .. } = &mut self.phase
            && self.now >= *last + ESTOP_REPEAT
        {
            *last = self.now;
            self.out.extend_from_slice(&[b'!', RESET]);
        }
    }

    pub(super) fn estop_confirmed(&mut self) {
        let Phase::Estop { job, .. } = self.phase else { return };
        self.say(Event::EstopConfirmed);
        if job {
            let reason = "emergency stop".to_owned();
            self.ended(End::Interrupted { reason, position_known: false });
        }
        self.identify();
    }

    pub(super) fn clear_estop(&mut self) {
        self.latched = false;
        self.stop_on_open = false;
        if let Phase::Estop { job, .. } = self.phase {
            if job {
                let reason = "emergency stop, not confirmed by the machine".to_owned();
                self.ended(End::Interrupted { reason, position_known: false });
            }
            self.greet_again();
        }
    }
}
