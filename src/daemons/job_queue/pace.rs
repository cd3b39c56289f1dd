//! How many jobs to claim ahead.
//!
//! A commit takes longer than a short program. While programs end faster than that, so many more
//! are claimed as will have ended when the next claim is durable; else none is, so that a job which
//! is RUNNING runs.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// About what a claim takes, with room for a slow disk.
const CLAIM: Duration = Duration::from_millis(20);
/// A program that runs longer is waited for.
const SHORT: Duration = Duration::from_millis(10);
/// As many at most.
const MOST: usize = 64;
/// From that many on they follow each other briskly.
const BRISK: usize = 8;

/// The short programs that have just ended.
#[derive(Debug, Default)]
pub(super) struct Pace(VecDeque<Instant>);

impl Pace {
    /// One has ended.
    pub(super) fn note(&mut self, ran: Duration, now: Instant) {
        if ran > SHORT {
            self.0.clear();
        } else {
            if self.0.len() == MOST {
                self.0.pop_front();
            }
            self.0.push_back(now);
        }
    }

    /// How many to claim ahead.
    pub(super) fn ahead(&mut self, now: Instant) -> usize {
        while self.0.front().is_some_and(|at| now.saturating_duration_since(*at) > CLAIM) {
            self.0.pop_front();
        }
        self.0.len()
    }

    /// Whether so many are claimed ahead that none waits if the next claim is a little later.
    pub(super) fn is_brisk(&mut self, now: Instant) -> bool {
        self.ahead(now) >= BRISK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_programs_that_follow_each_other_are_claimed_ahead() {
        let (begun, mut pace) = (Instant::now(), Pace::default());
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        let run = Duration::from_millis;
        assert_eq!(pace.ahead(at(0)), 0);
        for now in 0..10 {
            pace.note(run(1), at(now));
        }
        assert_eq!(pace.ahead(at(10)), 10);
        assert!(pace.is_brisk(at(10)));
        assert_eq!(pace.ahead(at(25)), 5);
        assert!(!pace.is_brisk(at(25)));
        pace.note(run(50), at(26));
        assert_eq!(pace.ahead(at(26)), 0);
        for _ in 0..1000 {
            pace.note(run(1), at(30));
        }
        assert_eq!(pace.ahead(at(30)), MOST);
    }
}
