//! Safe stops, and the emergency stop.
//!
//! M108 ends a wait for heat or for a person, M410 ends all motion and throws away what is planned.
//! A board with an emergency parser acts on both as they arrive; any other does once it reads them.
//! M114 behind them is answered when that is so. Then the count of lines begins anew, and the
//! device's `on_stop` lines follow, or what makes a printer safe: heaters, fan and motors off.

use std::time::Duration;

use super::{End, Event, Marlin, Phase, Recovery, Refused, Tag, Why, job::Rest};
use crate::toolpath::Dialect;

/// What is sent if the device has no `on_stop` lines.
const SAFE: [&str; 4] = ["M104 S0", "M140 S0", "M107", "M84"];

/// What ends all motion; a line end goes before it.
const HALT: &[u8] = b"\nM108\nM410\nM114\n";

/// It is repeated that often to a machine that does not answer, and so many times.
const HALT_REPEAT: Duration = Duration::from_secs(3);
const HALTS: u32 = 5;

/// An `on_stop` line that is refused so often is sent without a number.
const REFUSALS: u32 = 5;

/// Between repetitions of the emergency stop: more would fill the buffer of a machine that reads
/// nothing just now.
pub(super) fn estop_pause(presses: u32) -> Duration {
    Duration::from_millis(if presses < 8 { 250 } else { 2000 })
}

/// A stop on its way.
pub(super) struct Stop {
    why: Why,
    /// False if there was no job: only a person's line moved the machine.
    pub(super) job: bool,
    /// The machine may have lost its position: it was stopped in motion, or its motors are off.
    lost: bool,
    step: Step,
    /// When this step began, or the machine last showed that it works on it.
    since: Duration,
    refusals: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// M410 has been sent so often.
    Halting { times: u32, last: Duration },
    /// The count of lines begins anew; this line is next then.
    Counting(usize),
    /// This line is next.
    Lines(usize),
    /// They are done; the motion they made is not.
    Resting(Rest),
}

impl Stop {
    pub(super) fn is_halting(&self) -> bool {
        matches!(self.step, Step::Halting { .. })
    }
}

impl Marlin {
    /// Stops the machine safely, job or not.
    pub(super) fn stop(&mut self, why: Why) {
        let job = match &mut self.phase {
            Phase::Running(_) => true,
            Phase::Stopping(stop) => return stop.why.heed(why),
            Phase::Ready if self.machine.restless => false,
            Phase::Console(_) => false,
            _ => return,
        };
        self.note_held();
        self.console_failed(Refused::Busy("it is being stopped"));
        let moves = self.since_rest > 0 || !job;
        self.out.clear();
        self.window.restart();
        self.recovery = Recovery::default();
        self.machine.error = None;
        self.out.extend_from_slice(HALT);
        self.phase = Phase::Stopping(Stop {
            why,
            job,
            lost: moves,
            step: Step::Halting { times: 1, last: self.now },
            since: self.now,
            refusals: 0,
        });
    }

    /// The machine no longer knows where it is.
    pub(super) fn lose_position(&mut self) {
        if let Phase::Stopping(stop) = &mut self.phase {
            stop.lost = true;
        }
    }

    fn step(&mut self, step: Step) {
        if let Phase::Stopping(stop) = &mut self.phase {
            stop.step = step;
            stop.since = self.now;
        }
    }

    /// The answer to M114: everything before it has been obeyed.
    pub(super) fn position_while_stopping(&mut self) {
        let Phase::Stopping(stop) = &mut self.phase else { return };
        match stop.step {
            Step::Halting { .. } => {
                // Acknowledgements of what was under way belong to nothing any more.
                self.recovery.listen(self.now);
                self.step(Step::Counting(0));
            }
            Step::Resting(Rest::Telling(_)) => self.step(Step::Resting(Rest::Told)),
            _ => {}
        }
    }

    /// Does what is next, once nothing is under way.
    pub(super) fn go_on_stopping(&mut self) {
        loop {
            let Phase::Stopping(stop) = &self.phase else { return };
            if !self.window.is_empty() {
                return;
            }
            let bare = stop.refusals >= REFUSALS;
            match stop.step {
                Step::Halting { .. } => return,
                Step::Counting(next) => {
                    self.window.restart();
                    self.machine.moved = self.now;
                    self.window.send_count(&mut self.out);
                    self.step(Step::Lines(next));
                }
                Step::Lines(next) => {
                    let Some(line) = self.stop_line(next) else {
                        self.step(Step::Resting(Rest::Asked));
                        continue;
                    };
                    self.step(Step::Lines(next + 1));
                    if line.is_empty() || self.window.length(&line) > super::window::LONGEST {
                        continue;
                    }
                    let tag = Tag::Script("on_stop", next);
                    if bare {
                        self.machine.moved = self.now;
                        self.send_bare(&line, tag);
                    } else {
                        self.send_line(&line, tag);
                    }
                }
                Step::Resting(Rest::Told) => return self.stopped(true),
                Step::Resting(rest) if bare => {
                    let (line, next): (&[u8], _) = match rest {
                        Rest::Asked => (b"M400", Rest::Waiting),
                        _ => (b"M114", Rest::Telling(1)),
                    };
                    self.machine.moved = self.now;
                    self.send_bare(line, Tag::Rest);
                    self.step(Step::Resting(next));
                }
                Step::Resting(rest) => match self.next_rest(rest) {
                    Some(rest) => self.step(Step::Resting(rest)),
                    None => return,
                },
            }
        }
    }

    /// A line of `on_stop`, cleaned; `None`: there is none any more.
    fn stop_line(&mut self, next: usize) -> Option<Vec<u8>> {
        let own = self.options.on_stop.is_empty();
        let text = if own { SAFE.get(next).copied() } else { None };
        let text = text.or_else(|| self.options.on_stop.get(next).map(String::as_str))?;
        let mut line = Vec::new();
        Dialect::Marlin.clean(text.as_bytes(), &mut line);
        if line == b"M84" || line == b"M18" {
            self.lose_position();
        }
        Some(line)
    }

    /// A numbered line was refused; `lost`: the machine does not count as we do.
    pub(super) fn refused_while_stopping(&mut self, lost: bool) {
        let Phase::Stopping(stop) = &mut self.phase else { return };
        stop.refusals += 1;
        if stop.refusals != REFUSALS && !lost {
            return;
        }
        // Where it was: what was carried out is not carried out again.
        let pending = self.window.pending_tags().find_map(|tag| match tag {
            Tag::Script(_, line) => Some(line),
            _ => None,
        });
        let next = match stop.step {
            Step::Halting { .. } => 0,
            Step::Counting(next) | Step::Lines(next) => pending.unwrap_or(next),
            Step::Resting(_) => pending.unwrap_or(usize::MAX),
        };
        // It may understand nothing that has a number.
        stop.step =
            if stop.refusals >= REFUSALS { Step::Lines(next) } else { Step::Counting(next) };
        self.window.restart();
    }

    /// It works on something: what it waits for has to be ended again.
    pub(super) fn busy_while_halting(&mut self) {
        let Phase::Stopping(stop) = &mut self.phase else { return };
        stop.since = self.now;
        if let Step::Halting { times, .. } = &mut stop.step
            && *times < HALTS
        {
            *times += 1;
            self.out.extend_from_slice(b"\nM108\n");
        }
    }

    pub(super) fn stop_watch_at(&self) -> Option<Duration> {
        let Phase::Stopping(stop) = &self.phase else { return None };
        let end = stop.since + self.options.timeout;
        match stop.step {
            Step::Halting { times, last } if times < HALTS => Some(end.min(last + HALT_REPEAT)),
            _ => Some(end),
        }
    }

    pub(super) fn tick_stop(&mut self) {
        let (now, timeout) = (self.now, self.options.timeout);
        let Phase::Stopping(stop) = &mut self.phase else { return };
        if self.machine.moved > stop.since {
            stop.since = self.machine.moved;
        }
        if now >= stop.since + timeout {
            return self.stopped(false);
        }
        if let Step::Halting { times, last } = &mut stop.step
            && *times < HALTS
            && now >= *last + HALT_REPEAT
        {
            *times += 1;
            *last = now;
            self.out.extend_from_slice(HALT);
        }
    }

    fn stopped(&mut self, confirmed: bool) {
        let Phase::Stopping(stop) = std::mem::replace(&mut self.phase, Phase::Ready) else {
            return;
        };
        self.since_rest = 0;
        self.machine.asked = self.now;
        if stop.job {
            self.ended(stop.why.end(confirmed, !stop.lost));
        }
        self.machine.restless = false;
        if !confirmed {
            self.greet_again();
        }
    }

    /// It has started anew: nothing moves, and nothing is hot for long.
    pub(super) fn reset_while_stopping(&mut self) {
        self.lose_position();
        self.stopped(true);
    }

    /// The job is over, for what happened to the machine.
    pub(super) fn job_lost(&mut self, reason: String) {
        self.note_held();
        self.say(Event::Fault(reason.clone()));
        self.ended(End::Interrupted { reason, position_known: false });
    }

    /// The machine has switched itself off.
    pub(super) fn halted(&mut self) {
        let reason = match &self.machine.last_error {
            Some(error) => format!("the machine has halted: {error}"),
            None => "the machine has halted".to_owned(),
        };
        match &self.phase {
            Phase::Closed | Phase::Halted(_) => return,
            Phase::Estop { .. } => return self.estop_confirmed(),
            Phase::Running(_) | Phase::Stopping(Stop { job: true, .. }) => {
                self.job_lost(reason.clone());
            }
            Phase::Console(_) => {
                let message = reason.clone();
                self.console_failed(Refused::Machine { message, lines: Vec::new() });
            }
            _ => self.say(Event::Fault(reason.clone())),
        }
        self.halt(reason);
    }

    fn halt(&mut self, reason: String) {
        self.window.restart();
        self.recovery = Recovery::default();
        self.out.clear();
        self.forget_position();
        self.machine.restless = false;
        self.phase = Phase::Halted(reason);
    }

    /// Stops the machine at once, whatever it does.
    pub(super) fn estop(&mut self) {
        self.latched = true;
        let job = match &self.phase {
            Phase::Closed => {
                self.stop_on_open = true;
                return;
            }
            Phase::Halted(_) => return self.say(Event::EstopConfirmed),
            Phase::Estop { job, .. } => *job,
            Phase::Stopping(stop) => stop.job,
            Phase::Running(_) => {
                self.note_held();
                true
            }
            Phase::Console(_) => {
                self.console_failed(Refused::Estop);
                false
            }
            Phase::Greeting { .. } | Phase::Identifying { .. } | Phase::Ready => false,
        };
        self.window.restart();
        self.recovery = Recovery::default();
        self.machine.error = None;
        self.out.clear();
        self.phase = Phase::Estop { job, presses: 1, last: self.now };
        self.out.extend_from_slice(b"\nM112\n");
    }

    pub(super) fn tick_estop(&mut self) {
        if let Phase::Estop { presses, last, .. } = &mut self.phase
            && self.now >= *last + estop_pause(*presses)
        {
            *last = self.now;
            *presses = presses.saturating_add(1);
            self.out.extend_from_slice(b"\nM112\n");
        }
    }

    pub(super) fn estop_confirmed(&mut self) {
        let Phase::Estop { job, .. } = self.phase else { return };
        self.say(Event::EstopConfirmed);
        let reason = "emergency stop".to_owned();
        if job {
            self.ended(End::Interrupted { reason: reason.clone(), position_known: false });
        }
        self.halt(reason);
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
