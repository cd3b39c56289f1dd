//! How many restarts there may be in a minute, over all daemons: a storm of failures must not
//! keep the host from everything else. A bucket of tokens, on a clock from outside.

use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_mins(1);

/// Hands out restarts.
#[derive(Clone, Debug)]
pub(super) struct Throttle {
    /// None is no limit.
    per_minute: Option<f64>,
    /// Restarts that may follow at once.
    tokens: f64,
    counted: Instant,
}

impl Throttle {
    /// A full bucket; 0 a minute is no limit.
    pub(super) fn new(per_minute: u32, now: Instant) -> Self {
        let per_minute = (per_minute > 0).then_some(f64::from(per_minute));
        Self { per_minute, tokens: per_minute.unwrap_or(0.0), counted: now }
    }

    /// Takes a restart, or says when there will be one to take.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let Some(per_minute) = self.per_minute else { return Ok(()) };
        let gained = now.saturating_duration_since(self.counted).as_secs_f64() / 60.0 * per_minute;
        self.tokens = (self.tokens + gained).min(per_minute);
        self.counted = self.counted.max(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        // Rounded up, so that the token is there by then.
        let missing = MINUTE.mul_f64((1.0 - self.tokens) / per_minute);
        Err(now + missing + Duration::from_millis(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_worth_follows_at_once_then_one_at_a_time() {
        let start = Instant::now();
        let mut throttle = Throttle::new(60, start);
        assert!((0..60).all(|_| throttle.take(start).is_ok()));
        let next = throttle.take(start).unwrap_err();
        let wait = next - start;
        assert!(wait > Duration::from_secs(1) && wait < Duration::from_millis(1010), "{wait:?}");
        assert_eq!(throttle.take(next), Ok(()));
        assert!(throttle.take(next).is_err());
        assert!((0..60).all(|_| throttle.take(next + MINUTE).is_ok()), "no more is saved up");
        assert!(throttle.take(next + MINUTE).is_err());
    }

    #[test]
    fn none_is_no_limit() {
        let now = Instant::now();
        let mut throttle = Throttle::new(0, now);
        assert!((0..100_000).all(|_| throttle.take(now).is_ok()));
    }
}
