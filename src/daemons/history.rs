//! The last hour in figures, in memory: what the dashboard draws after a reload.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use serde::Serialize;

use crate::domain::Timestamp;

/// One look at host and process. Shares are 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// Share of all cores in use.
    pub cpu: f32,
    /// Share of the host's memory in use.
    pub memory: f32,
    /// Share of the workspace's file system in use.
    pub disk: f32,
    /// Resident memory of the station.
    pub rss_bytes: u64,
}

/// A bounded ring of samples taken at one interval.
pub struct History {
    interval: Duration,
    capacity: usize,
    ring: RwLock<(VecDeque<Sample>, Timestamp)>,
}

/// A part of the history, thinned out to so many points. Oldest first; `null` where nothing is
/// known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// Between two points.
    pub interval_seconds: f64,
    /// When the last point was taken.
    pub until: Timestamp,
    /// Share of all cores in use.
    pub cpu_usage: Vec<Option<f32>>,
    /// Share of the host's memory in use.
    pub memory_usage: Vec<Option<f32>>,
    /// Share of the workspace's file system in use.
    pub disk_usage: Vec<Option<f32>>,
    /// Resident memory of the station.
    pub rss_bytes: Vec<Option<u64>>,
}

impl History {
    /// A ring that holds `length` worth of samples taken every `interval`.
    pub fn new(interval: Duration, length: Duration) -> Arc<Self> {
        let interval = interval.max(Duration::from_millis(1));
        let capacity = usize::try_from(length.as_millis() / interval.as_millis()).unwrap_or(0);
        let ring = RwLock::new((VecDeque::new(), Timestamp::now()));
        Arc::new(Self { interval, capacity: capacity.clamp(1, 100_000), ring })
    }

    /// Adds the newest sample and forgets the oldest one if the ring is full.
    pub fn push(&self, sample: Sample, now: Timestamp) {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        if ring.0.len() == self.capacity {
            ring.0.pop_front();
        }
        ring.0.push_back(sample);
        ring.1 = now;
    }

    /// The whole ring in `points` points, each the mean of its samples.
    pub fn series(&self, points: usize) -> Series {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let points = points.clamp(1, self.capacity);
        let width = self.capacity.div_ceil(points);
        let missing = self.capacity - ring.0.len();
        let bucket = |index: usize| {
            let range = (index * width).max(missing)..((index + 1) * width).min(self.capacity);
            range.filter_map(|at| ring.0.get(at - missing)).copied().collect::<Vec<_>>()
        };
        let buckets: Vec<_> = (0..self.capacity.div_ceil(width)).map(bucket).collect();
        let mean = |of: fn(&Sample) -> f32| {
            buckets.iter().map(|samples| share(samples, of)).collect::<Vec<_>>()
        };
        Series {
            interval_seconds: self.interval.as_secs_f64() * width as f64,
            until: ring.1,
            cpu_usage: mean(|sample| sample.cpu),
            memory_usage: mean(|sample| sample.memory),
            disk_usage: mean(|sample| sample.disk),
            rss_bytes: buckets.iter().map(|all| all.last().map(|last| last.rss_bytes)).collect(),
        }
    }
}

fn share(samples: &[Sample], of: fn(&Sample) -> f32) -> Option<f32> {
    let sum: f32 = samples.iter().map(of).sum();
    (!samples.is_empty()).then(|| (sum / samples.len() as f32 * 1e4).round() / 1e4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_cpu(values: &[f32]) -> Arc<History> {
        let history = History::new(Duration::from_secs(1), Duration::from_secs(6));
        for cpu in values {
            history.push(Sample { cpu: *cpu, ..Sample::default() }, Timestamp::now());
        }
        history
    }

    #[test]
    fn a_young_history_is_empty_at_its_beginning() {
        let series = with_cpu(&[0.5, 0.7]).series(3);
        assert_eq!(series.cpu_usage, [None, None, Some(0.6)]);
        assert!((series.interval_seconds - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_full_history_forgets_the_oldest() {
        let series = with_cpu(&[9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).series(6);
        assert_eq!(series.cpu_usage, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(Some));
    }
}
