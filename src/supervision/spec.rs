//! What is decided about a daemon beforehand.

use std::time::Duration;

use crate::domain::{Backoff, DaemonKind};

/// A daemon as the supervisor is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// What people call it; compared by [`same_name`](crate::domain::same_name).
    pub name: String,
    /// What carries it.
    pub kind: DaemonKind,
    /// What it is for, in one sentence.
    pub description: String,
    /// The group it is shown in.
    pub category: String,
    /// True if the station is unhealthy without it.
    pub critical: bool,
    /// True if it is to run from the start.
    pub enabled: bool,
    /// What must run before it is launched.
    pub depends_on: Vec<String>,
    /// The profiles it belongs to.
    pub profiles: Vec<String>,
    /// When it is restarted and when it counts as stuck.
    pub policy: Policy,
}

/// When a daemon that has ended is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartMode {
    /// However it ended; stopping of its own accord counts as a failure too.
    Always,
    /// Only if it panicked, failed or hung.
    OnFailure,
    /// Not at all: its first failure is final.
    Never,
}

/// Everything that decides what happens to a daemon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// When to restart.
    pub restart: RestartMode,
    /// How long to wait first.
    pub backoff: Backoff,
    /// Restarts in a row; the failure after the last of them is final.
    pub max_restarts: u32,
    /// Running well for this long forgives earlier failures.
    pub stable_after: Duration,
    /// From launch until the daemon's event loop turns for the first time.
    pub start_timeout: Duration,
    /// From being asked to stop until nothing of it is left; then it is abandoned.
    pub stop_timeout: Duration,
    /// How long its event loop may stand still; must exceed its longest blocking call.
    pub silence_limit: Duration,
    /// How often it is asked how it is.
    pub health_interval: Duration,
    /// How long it may take to say so; must exceed its longest blocking call.
    pub health_timeout: Duration,
}

impl Default for Policy {
    /// Restarts after 1, 2, 4, 8 and 16 s; a minute of running well forgives.
    fn default() -> Self {
        Self {
            restart: RestartMode::Always,
            backoff: Backoff::default(),
            max_restarts: 5,
            stable_after: Duration::from_mins(1),
            start_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(30),
            silence_limit: Duration::from_secs(15),
            health_interval: Duration::from_secs(30),
            health_timeout: Duration::from_secs(5),
        }
    }
}

impl Policy {
    /// How often the daemon's event loop shows that it turns: often enough that one late beat is
    /// no silence, seldom enough to cost nothing.
    pub(super) fn beat(&self) -> Duration {
        (self.silence_limit / 8).clamp(Duration::from_millis(1), Duration::from_secs(1))
    }
}
