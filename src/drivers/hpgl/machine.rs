//! What is known of the machine, and what is shown of it.

use std::{collections::VecDeque, time::Duration};

use super::{Hpgl, Origin, POLL_BUSY, POLL_IDLE, Phase, Question, SMALLEST, Setup};
use crate::domain::DeviceStatus;

#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) question: Question,
    pub(super) since: Duration,
    /// Bytes that had gone into the buffer.
    pub(super) sent: u64,
    /// How often it has been asked before in vain.
    pub(super) tries: u32,
}

/// What is known of the machine.
#[derive(Debug)]
pub(super) struct Machine {
    /// Bytes its buffer holds.
    pub(super) size: usize,
    /// How many may be sent until it is asked again.
    pub(super) credit: usize,
    /// Bytes that went into the buffer since it was opened.
    pub(super) sent: u64,
    /// Lines that may be in the buffer, and how many bytes were sent at the end of each.
    pub(super) held: VecDeque<(Origin, u64)>,
    /// `ESC.O`.
    pub(super) status: Option<u32>,
    /// When that was asked.
    pub(super) status_at: Duration,
    /// Since when it has had nothing left to read.
    pub(super) empty_since: Option<Duration>,
    /// It has moved by a person's word, and has not been asked where to.
    pub(super) strayed: bool,
    /// More than half of the buffer was free: it is worth asking again at once.
    pub(super) roomy: bool,
    pub(super) heard: Duration,
    /// An answer has ended as those of a plotter do that has just started.
    pub(super) suspicious: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            size: SMALLEST,
            credit: 0,
            sent: 0,
            held: VecDeque::new(),
            status: None,
            status_at: Duration::ZERO,
            empty_since: None,
            strayed: false,
            roomy: false,
            heard: Duration::ZERO,
            suspicious: false,
        }
    }
}

impl Hpgl {
    /// True if the panel of the plotter holds it.
    pub(super) fn is_suspended(&self) -> bool {
        self.machine.status.is_some_and(|status| status & 0x30 != 0)
    }

    /// True if it has nothing left to read.
    pub(super) fn is_empty(&self) -> bool {
        self.machine.status.is_some_and(|status| status & 8 != 0)
    }

    pub(super) fn poll_interval(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Closed | Phase::Setup(_) | Phase::Console { .. } | Phase::Estop { .. } => None,
            Phase::Ready if self.is_empty() => Some(POLL_IDLE),
            Phase::Ready | Phase::Stopping(_) => Some(POLL_BUSY * 4),
            Phase::Running(job) if job.is_held() => Some(POLL_IDLE / 2),
            Phase::Running(_) => Some(POLL_BUSY),
        }
    }

    /// The question that must be answered before another one is asked: a number would do for both.
    pub(super) fn awaited(&self) -> Option<Asked> {
        self.asked.or(self.queued.filter(|asked| asked.question == Question::Error))
    }

    pub(super) fn poll(&mut self) {
        if self.awaited().is_none()
            && let Some(interval) = self.poll_interval()
            && self.now >= self.polled + interval
        {
            let job = matches!(&self.phase, Phase::Running(job) if !job.is_held());
            // The room tells more, but not whether somebody holds it at its panel.
            let lately = self.now < self.machine.status_at + Duration::from_secs(1);
            self.ask(if job && lately { Question::Free } else { Question::Status });
        }
    }

    /// What is shown to people, and why.
    pub(super) fn status(&self) -> (DeviceStatus, Option<String>) {
        let because = |text: &str| Some(text.to_owned());
        match &self.phase {
            Phase::Closed => return (DeviceStatus::Disconnected, None),
            Phase::Estop { .. } => {
                return (DeviceStatus::Alarm, because("emergency stop, not confirmed yet"));
            }
            Phase::Setup(Setup { tries: 3.., .. }) => {
                return (DeviceStatus::Error, because("the machine does not answer"));
            }
            _ if self.latched => return (DeviceStatus::Alarm, because("emergency stop")),
            Phase::Setup(_) => return (DeviceStatus::Connecting, None),
            Phase::Running(job) if job.is_held() => return (DeviceStatus::Paused, None),
            Phase::Running(_) | Phase::Stopping(_) | Phase::Console { .. } | Phase::Ready => {}
        }
        if self.machine.status.is_some_and(|status| status & 32 != 0) {
            return (DeviceStatus::Paused, because("no paper is loaded"));
        }
        if self.is_suspended() {
            return (DeviceStatus::Paused, because("it is held at its panel (VIEW)"));
        }
        match &self.phase {
            Phase::Ready if self.is_empty() => (DeviceStatus::Idle, None),
            _ => (DeviceStatus::Busy, None),
        }
    }
}
