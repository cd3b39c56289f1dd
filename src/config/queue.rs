//! The job queue.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use crate::domain::Backoff;

/// The job queue.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Command jobs that run at a time.
    pub max_concurrent_commands: usize,
    /// How long a command job may run if it does not say.
    pub command_timeout: Option<Duration>,
    /// Bytes kept of what a command job writes: the beginning and the end.
    pub max_output: u64,
    /// How long running jobs may take to end when the station stops.
    pub shutdown_grace: Duration,
    /// Finished jobs are removed after this.
    pub retention: Duration,
    /// Bytes of the largest job file that is taken.
    pub max_file_size: u64,
    /// Bytes of all job files together.
    pub max_storage: u64,
    /// Command jobs of each group that run at a time; of a group that is not named, as many as of
    /// all.
    pub groups: BTreeMap<String, usize>,
    /// When failed commands are tried again.
    pub retry: Retry,
}

/// The delays before a failed command is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// The first.
    base: Duration,
    /// By which each is longer than the one before.
    factor: f64,
    /// The longest.
    max: Duration,
    /// The share by which each may be shortened at random.
    jitter: f64,
}

impl Retry {
    /// The schedule that they make.
    pub fn backoff(self) -> Backoff {
        let Self { base, factor, max, jitter } = self;
        Backoff::new(base, factor, max, jitter).unwrap_or_default()
    }
}
