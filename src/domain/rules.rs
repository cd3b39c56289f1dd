//! What a job says about how the queue is to treat it, beyond its turn.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Backoff, BackoffError};

/// What becomes of a submission whose unique key another job has that has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IfTaken {
    /// It is refused.
    #[default]
    Refuse,
    /// Nothing: the other job stands for both.
    Ignore,
    /// The other job is cancelled, if it still waits; else the new one is refused.
    Replace,
}

impl IfTaken {
    /// The policy of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "refuse" => Some(Self::Refuse),
            "ignore" => Some(Self::Ignore),
            "replace" => Some(Self::Replace),
            _ => None,
        }
    }
}

/// When a failed command is tried again; what it leaves out is as configured. Times in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Before the first new try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<f64>,
    /// By which each delay is longer than the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// The longest delay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The share of each delay by which it may be shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<f64>,
}

/// A year; no job waits longer.
const LONGEST: f64 = 366.0 * 86_400.0;

impl Retry {
    /// The delays it makes of the configured ones.
    pub fn over(self, usual: Backoff) -> Result<Backoff, BackoffError> {
        let seconds = |seconds: Option<f64>, usual: Duration| match seconds {
            None => Ok(usual),
            Some(seconds) if seconds <= LONGEST => {
                Duration::try_from_secs_f64(seconds).map_err(|_| BackoffError::Max)
            }
            Some(_) => Err(BackoffError::Max),
        };
        let base = seconds(self.base, usual.base())?;
        // A first delay beyond the usual cap lifts the cap, unless that was given too.
        let max = match self.max {
            None => usual.max().max(base),
            given => seconds(given, base)?,
        };
        let factor = self.factor.unwrap_or(usual.factor());
        Backoff::new(base, factor, max, self.jitter.unwrap_or(usual.jitter()))
    }
}

/// How the queue is to treat a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Of the jobs of a group only so many run at a time.
    pub group: Option<String>,
    /// No other job with this key waits or runs.
    pub unique_key: Option<String>,
    /// What becomes of this one if another has the key.
    pub if_taken: IfTaken,
    /// When it is tried again.
    pub retry: Option<Retry>,
    /// The schedule it comes from.
    pub schedule: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_retry_leaves_out_is_as_usual() {
        let usual = Backoff::default();
        assert_eq!(Retry::default().over(usual), Ok(usual));
        let slow = Retry { base: Some(60.0), ..Retry::default() }.over(usual).unwrap();
        assert_eq!([0, 1].map(|n| slow.delay(n, 0.0).as_secs()), [60, 60]);
        let quick = Retry { base: Some(0.1), max: Some(0.3), ..Retry::default() };
        let delays = [0, 1, 2].map(|n| quick.over(usual).unwrap().delay(n, 0.0).as_millis());
        assert_eq!(delays, [100, 200, 300]);
    }

    #[test]
    fn a_retry_that_makes_no_sense_is_refused() {
        for retry in [
            Retry { base: Some(-1.0), ..Retry::default() },
            Retry { base: Some(f64::NAN), ..Retry::default() },
            Retry { base: Some(1e12), ..Retry::default() },
            Retry { base: Some(5.0), max: Some(1.0), ..Retry::default() },
            Retry { factor: Some(0.5), ..Retry::default() },
            Retry { jitter: Some(2.0), ..Retry::default() },
        ] {
            assert!(retry.over(Backoff::default()).is_err(), "{retry:?}");
        }
    }
}
