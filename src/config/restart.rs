//! When daemons are started again, for all of them and for one.

use std::time::Duration;

use serde::Deserialize;

use crate::domain::Backoff;

/// Restarts after failures.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "RestartKeys")]
pub struct Restart {
    /// Failures in a row that are answered by a restart; the next one is final.
    pub max_restarts: u32,
    /// The delays before restarts.
    pub backoff: Backoff,
    /// So long a run forgives the failures before it.
    pub stable_after: Duration,
    /// Restarts of all daemons together in a minute; 0 is no limit.
    pub max_per_minute: u32,
    /// What `backoff` is made of.
    schedule: Schedule,
}

impl Restart {
    /// This one, but for what `own` says.
    #[must_use]
    pub(super) fn with(&self, own: &RestartPolicy) -> Self {
        let schedule = self.schedule.with(own);
        Self {
            max_restarts: own.max_restarts.unwrap_or(self.max_restarts),
            stable_after: own.stable_after.unwrap_or(self.stable_after),
            backoff: schedule.backoff().unwrap_or(self.backoff),
            max_per_minute: self.max_per_minute,
            schedule,
        }
    }

    /// False if the longest delay is shorter than the first.
    pub(super) fn grows(&self) -> bool {
        self.schedule.base <= self.schedule.max
    }
}

/// In what a daemon's restarts differ from those of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestartPolicy {
    /// Failures in a row that are answered by a restart.
    pub max_restarts: Option<u32>,
    /// The first delay.
    pub backoff_base: Option<Duration>,
    /// By what each delay is longer than the one before.
    pub backoff_factor: Option<f64>,
    /// The longest delay.
    pub backoff_max: Option<Duration>,
    /// The share by which delays are shortened at random.
    pub jitter: Option<f64>,
    /// So long a run forgives the failures before it.
    pub stable_after: Option<Duration>,
}

/// The keys of a [`Backoff`], which does not give them back.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Schedule {
    base: Duration,
    factor: f64,
    max: Duration,
    jitter: f64,
}

impl Schedule {
    /// None if it makes no sense. A longest delay below the first is the first: that it was given
    /// so is said elsewhere.
    fn backoff(self) -> Option<Backoff> {
        Backoff::new(self.base, self.factor, self.max.max(self.base), self.jitter).ok()
    }

    /// This one with what `own` says.
    fn with(self, own: &RestartPolicy) -> Self {
        Self {
            base: own.backoff_base.unwrap_or(self.base),
            factor: own.backoff_factor.unwrap_or(self.factor),
            max: own.backoff_max.unwrap_or(self.max),
            jitter: own.jitter.unwrap_or(self.jitter),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RestartKeys {
    max_restarts: u32,
    backoff_base: Duration,
    backoff_factor: f64,
    backoff_max: Duration,
    jitter: f64,
    stable_after: Duration,
    max_per_minute: u32,
}

impl TryFrom<RestartKeys> for Restart {
    type Error = &'static str;

    fn try_from(keys: RestartKeys) -> Result<Self, Self::Error> {
        let RestartKeys { max_restarts, stable_after, max_per_minute, .. } = keys;
        let schedule = Schedule {
            base: keys.backoff_base,
            factor: keys.backoff_factor,
            max: keys.backoff_max,
            jitter: keys.jitter,
        };
        let backoff = schedule.backoff().ok_or("makes no sense")?;
        Ok(Self { max_restarts, backoff, stable_after, max_per_minute, schedule })
    }
}
