//! How much a client may say.

use std::time::Instant;

/// A bucket of tokens: `per_second` are added each second, up to as many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    per_second: f32,
    tokens: f32,
    filled_at: Instant,
}

impl Rate {
    /// Full.
    pub(super) fn new(per_second: u16, now: Instant) -> Self {
        let per_second = f32::from(per_second);
        Self { per_second, tokens: per_second, filled_at: now }
    }

    /// Takes one token; false if there is none.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled_at).as_secs_f32();
        self.filled_at = now;
        self.tokens = (self.tokens + passed * self.per_second).min(self.per_second);
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_served_and_then_the_rate_holds() {
        let start = Instant::now();
        let mut rate = Rate::new(10, start);
        assert!((0..10).all(|_| rate.take(start)));
        assert!(!rate.take(start));
        let later = start + Duration::from_millis(250);
        assert!(rate.take(later) && rate.take(later) && !rate.take(later));
        let much_later = start + Duration::from_mins(1);
        assert_eq!((0..100).filter(|_| rate.take(much_later)).count(), 10);
    }
}
