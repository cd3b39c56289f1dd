//! One command at a time: what is sent next, and the questions that are asked again and again.

use std::time::Duration;

use super::{Asked, Asker, Ebb, Event, PEN_UP_MM, Phase, Status, wire};
use crate::{domain::Position, toolpath::ebb::Interpreter};

/// Between questions while something goes on.
const POLL_BUSY: Duration = Duration::from_millis(200);
/// While an end or a standstill is awaited.
const POLL_WAITING: Duration = Duration::from_millis(50);
/// While nothing goes on.
pub(super) const POLL_IDLE: Duration = Duration::from_secs(1);
/// Supply and restarts are asked about that often.
const POLL_SLOW: Duration = Duration::from_secs(2);

impl Ebb {
    /// Sends a command and waits for its answer.
    pub(super) fn ask(&mut self, text: &[u8], origin: Asker) {
        let line = Interpreter::new(self.axes).line(text);
        let seconds = line.dwell_seconds + line.segment.map_or(0.0, |segment| segment.seconds);
        let takes = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
        self.machine.busy_until = self.machine.busy_until.max(self.now) + takes;
        let wait = self.machine.busy_until.saturating_sub(self.now);
        self.out.extend_from_slice(text);
        self.out.push(b'\r');
        self.asked.push_back(Asked {
            origin,
            name: wire::name_of(text),
            text: text.to_vec(),
            part: None,
            since: self.now,
            patience: self.options.timeout.saturating_add(wait),
        });
    }

    pub(super) fn forget_position(&mut self) {
        self.machine.steps = None;
        self.machine.motors_on = false;
        self.tell_position();
    }

    /// Tells where the pen is, if that has changed.
    pub(super) fn tell_position(&mut self) {
        let up = self.machine.status.map(Status::pen_up).or(self.position_shown.1);
        let known = self.machine.steps.filter(|_| self.machine.motors_on);
        let position = known.map(|steps| {
            let [x, y] = self.axes.point(steps);
            Position { x, y, z: if up == Some(false) { 0.0 } else { PEN_UP_MM } }
        });
        if self.position_shown != (position, up) {
            self.position_shown = (position, up);
            self.say(Event::Position(position, up));
        }
    }

    pub(super) fn poll_interval(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Closed
            | Phase::Greeting { .. }
            | Phase::Useless(_)
            | Phase::Setup(_)
            | Phase::Console { .. }
            | Phase::Estop { .. } => None,
            Phase::Ready if self.machine.status.is_none_or(Status::busy) => Some(POLL_BUSY),
            Phase::Ready => Some(POLL_IDLE),
            Phase::Errand { .. } | Phase::Stopping(_) => Some(POLL_WAITING),
            Phase::Running(job) if job.is_waiting() => Some(POLL_WAITING),
            Phase::Running(_) => Some(POLL_BUSY),
        }
    }

    /// The next question of the round, if it is time for one.
    pub(super) fn poll(&mut self) -> Option<&'static str> {
        let interval = self.poll_interval()?;
        if self.polls.due.is_empty() && self.now >= self.polls.at + interval {
            self.polls.at = self.now;
            self.polls.due.extend(["QG", "QS"]);
            if self.now >= self.polls.slow + POLL_SLOW {
                self.polls.slow = self.now;
                self.polls.due.extend(["QC", "QL"]);
            }
        }
        self.polls.due.pop_front()
    }

    /// Sends what comes next, once what was sent has been answered.
    pub(super) fn pump(&mut self) {
        if !self.asked.is_empty() {
            return;
        }
        if let Some(question) = self.poll() {
            return self.ask(question.as_bytes(), Asker::Poll);
        }
        match &mut self.phase {
            Phase::Setup(_) => self.pump_setup(),
            Phase::Errand { .. } => self.pump_errand(),
            Phase::Running(_) => self.pump_job(),
            Phase::Stopping(_) => self.pump_stop(),
            _ => {}
        }
    }

    /// True once the machine has said that it has nothing to do, after all that was sent.
    pub(super) fn is_idle(&self) -> bool {
        self.asked.is_empty() && self.machine.status.is_some_and(|status| !status.busy())
    }
}
