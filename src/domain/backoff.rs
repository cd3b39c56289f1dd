//! The one schedule of retries: daemons, programs, ports and brokers all come back by it.

use std::time::Duration;

use thiserror::Error;

/// Exponential delays: `base`, `base * factor`, `base * factor²`, … never longer than `max`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    base: Duration,
    factor: f64,
    max: Duration,
    jitter: f64,
}

/// A schedule that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BackoffError {
    /// Delays would shrink.
    #[error("the factor must be a number of at least 1")]
    Factor,
    /// The cap is below the first delay.
    #[error("the longest delay is shorter than the first")]
    Max,
    /// Jitter is a share of the delay.
    #[error("jitter must lie between 0 and 1")]
    Jitter,
}

impl Default for Backoff {
    /// 1, 2, 4, 8, 16 s.
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            factor: 2.0,
            max: Duration::from_secs(16),
            jitter: 0.0,
        }
    }
}

impl Backoff {
    /// A schedule; `jitter` is the share of each delay by which it may be shortened (0 to 1).
    pub fn new(
        base: Duration,
        factor: f64,
        max: Duration,
        jitter: f64,
    ) -> Result<Self, BackoffError> {
        if !factor.is_finite() || factor < 1.0 {
            return Err(BackoffError::Factor);
        }
        if max < base {
            return Err(BackoffError::Max);
        }
        if !(0.0..=1.0).contains(&jitter) {
            return Err(BackoffError::Jitter);
        }
        Ok(Self { base, factor, max, jitter })
    }

    /// Before the first retry.
    pub fn base(&self) -> Duration {
        self.base
    }

    /// By which each delay is longer than the one before.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// The longest delay.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// The share of each delay by which it may be shortened.
    pub fn jitter(&self) -> f64 {
        self.jitter
    }

    /// The delay before retry number `attempt` in a row (from 0). `chance` in 0..1 picks a place
    /// within the jitter; it is ignored without any.
    pub fn delay(&self, attempt: u32, chance: f64) -> Duration {
        let exponent = i32::try_from(attempt).unwrap_or(i32::MAX);
        let seconds = self.base.as_secs_f64() * self.factor.powi(exponent);
        let capped = seconds.min(self.max.as_secs_f64());
        Duration::try_from_secs_f64(capped * (1.0 - self.jitter * chance.clamp(0.0, 1.0)))
            .unwrap_or(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_schedule_is_1_2_4_8_16_16() {
        let delays =
            [0, 1, 2, 3, 4, 5, 1000, u32::MAX].map(|n| Backoff::default().delay(n, 0.5).as_secs());
        assert_eq!(delays, [1, 2, 4, 8, 16, 16, 16, 16]);
    }

    #[test]
    fn nonsense_is_refused() {
        let second = Duration::from_secs(1);
        assert_eq!(Backoff::new(second, f64::NAN, second, 0.0), Err(BackoffError::Factor));
        assert_eq!(Backoff::new(second, 2.0, Duration::ZERO, 0.0), Err(BackoffError::Max));
        assert_eq!(Backoff::new(second, 2.0, second, 1.5), Err(BackoffError::Jitter));
    }

    #[test]
    fn no_delay_at_all_stays_none() {
        let none = Backoff::new(Duration::ZERO, 2.0, Duration::ZERO, 0.0);
        assert_eq!(none.map(|backoff| backoff.delay(7, 0.0)), Ok(Duration::ZERO));
    }
}
