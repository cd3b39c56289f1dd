//! What people are shown of a machine.

use super::{DeviceStatus, Grbl, Phase, SILENCE, status::State};

impl Grbl {
    /// What is shown to people, and why.
    pub(super) fn status(&self) -> (DeviceStatus, Option<String>) {
        let because = |text: &str| Some(text.to_owned());
        match &self.phase {
            Phase::Closed => return (DeviceStatus::Disconnected, None),
            Phase::Estop { .. } => {
                return (DeviceStatus::Alarm, because("emergency stop, not confirmed yet"));
            }
            Phase::Greeting { resets: 3.., .. } => {
                return (DeviceStatus::Error, because("the machine does not answer"));
            }
            _ if self.latched => return (DeviceStatus::Alarm, because("emergency stop")),
            Phase::Meeting { answered: true, .. } => {
                return (DeviceStatus::Connecting, because("it finishes what it was given before"));
            }
            Phase::Greeting { .. } | Phase::Meeting { .. } | Phase::Identifying { .. } => {
                return (DeviceStatus::Connecting, None);
            }
            Phase::Running(job) if job.pause.is_held() => return (DeviceStatus::Paused, None),
            Phase::Running(_) | Phase::Stopping(_) | Phase::Console { .. } => {
                return (DeviceStatus::Busy, None);
            }
            Phase::Ready | Phase::Asking { .. } => {}
        }
        if self.polled.outstanding && self.now.saturating_sub(self.machine.heard) > SILENCE {
            return (DeviceStatus::Error, because("the machine does not answer"));
        }
        match self.machine.state {
            Some(State::Alarm) => {
                let locked = "the machine is locked: unlock it or send it home";
                let alarm = self.machine.alarm.clone();
                (DeviceStatus::Alarm, alarm.or_else(|| because(locked)))
            }
            Some(State::Sleep) => (DeviceStatus::Error, because("the machine sleeps: reset it")),
            Some(State::Hold(_)) => (DeviceStatus::Paused, because("the machine holds")),
            Some(State::Door(_)) => (DeviceStatus::Paused, because("the safety door is open")),
            Some(State::Run | State::Jog | State::Home) => (DeviceStatus::Busy, None),
            Some(State::Idle | State::Check) => (DeviceStatus::Idle, None),
            // It may be locked, for all that is known.
            None => (DeviceStatus::Connecting, None),
        }
    }
}
