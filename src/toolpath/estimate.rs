//! How long is left, by the line the machine has acknowledged.

use serde::{Deserialize, Serialize};

/// More entries than that are thinned out.
const MOST: usize = 4096;

/// When each line is done: a table of at most a few thousand entries, however long the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Lines from one entry to the next.
    stride: u64,
    /// Seconds from the beginning to the end of line `stride * i`.
    done: Vec<f64>,
    lines: u64,
    total: f64,
}

impl Default for Estimate {
    fn default() -> Self {
        Self { stride: 1, done: vec![0.0], lines: 0, total: 0.0 }
    }
}

impl Estimate {
    /// Seconds in all.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// Seconds that are left once that many lines have been acknowledged.
    pub fn remaining(&self, lines_acknowledged: u64) -> f64 {
        let index = lines_acknowledged / self.stride;
        let at = |index: u64| usize::try_from(index).ok().and_then(|index| self.done.get(index));
        let Some(before) = at(index) else { return 0.0 };
        let (first, last) = (index * self.stride, ((index + 1) * self.stride).min(self.lines));
        let after = at(index + 1).unwrap_or(&self.total);
        let done = if last > first {
            let share = ratio(lines_acknowledged.min(last) - first, last - first);
            before + (after - before) * share
        } else {
            *after
        };
        (self.total - done).max(0.0)
    }

    /// Work on the next line takes that much longer.
    pub(super) fn add(&mut self, seconds: f64) {
        self.total += seconds;
    }

    /// The next line is done.
    pub(super) fn line(&mut self) {
        self.lines += 1;
        if self.lines.is_multiple_of(self.stride) {
            self.done.push(self.total);
        }
        if self.done.len() > MOST {
            let mut index = 0_usize;
            self.done.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.stride *= 2;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of a file needs no more digits")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Estimate;

    #[test]
    fn a_long_file_keeps_a_short_table() {
        let mut estimate = Estimate::default();
        for _ in 0..1_000_000 {
            estimate.add(0.5);
            estimate.line();
        }
        assert!(estimate.done.len() <= super::MOST);
        assert!((estimate.total() - 500_000.0).abs() < 1e-6);
        assert!((estimate.remaining(250_000) - 375_000.0).abs() < 1.0);
        assert!(estimate.remaining(1_000_000) < 1e-6);
    }

    proptest! {
        /// Less is left the more is done; all at the beginning, nothing at the end.
        #[test]
        fn less_and_less_is_left(seconds in proptest::collection::vec(0.0_f64..10.0, 0..100)) {
            let mut estimate = Estimate::default();
            for seconds in &seconds {
                estimate.add(*seconds);
                estimate.line();
            }
            let left: Vec<f64> =
                (0..=seconds.len() as u64).map(|line| estimate.remaining(line)).collect();
            prop_assert!((left[0] - estimate.total()).abs() < 1e-9);
            prop_assert!(left[seconds.len()] < 1e-9);
            prop_assert!(left.windows(2).all(|pair| pair[0] >= pair[1] - 1e-9));
            prop_assert!(estimate.remaining(u64::MAX) < 1e-9);
        }
    }
}
