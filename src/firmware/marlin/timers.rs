//! What it says without being asked, and when.

use std::time::Duration;

use super::{Marlin, Wait, heaters};

/// Between reports while a heater is waited for.
pub(super) const HEATING_REPORT: Duration = Duration::from_secs(1);

/// When it speaks without being asked.
#[derive(Debug, Default)]
pub(super) struct Timers {
    pub(super) busy: Option<Duration>,
    pub(super) heating: Option<Duration>,
    pub(super) idle: Option<Duration>,
    pub(super) report: Option<Duration>,
    pub(super) report_every: Duration,
}

impl Marlin {
    pub(super) fn speaks_at(&self) -> Option<Duration> {
        let timers = &self.timers;
        [timers.busy, timers.heating, timers.idle, timers.report].into_iter().flatten().min()
    }

    /// Says what is due.
    pub(super) fn speak(&mut self) {
        let due = |at: Option<Duration>| at.is_some_and(|at| at <= self.now);
        let timers = &self.timers;
        let (busy, heating) = (due(timers.busy), due(timers.heating));
        let (idle, report) = (due(timers.idle), due(timers.report));
        if busy {
            self.timers.busy = self.dialect.busy_every.map(|every| self.now + every);
            let user = matches!(self.wait, Some(Wait::User));
            self.say(if user { "echo:busy: paused for user" } else { "echo:busy: processing" });
        }
        if heating {
            self.timers.heating = Some(self.now + HEATING_REPORT);
            let report = heaters::report(&self.tool, &self.bed);
            self.say(&format!(" {report} W:?"));
        }
        if idle {
            self.rest();
            self.say("wait");
        }
        if report {
            self.timers.report = Some(self.now + self.timers.report_every);
            let report = heaters::report(&self.tool, &self.bed);
            self.say(&format!(" {report}"));
        }
    }
}
