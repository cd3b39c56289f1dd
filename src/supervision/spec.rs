//! What is decided about a daemon beforehand.

use std::{collections::HashMap, time::Duration};

use crate::domain::{Backoff, DaemonKind, Dependency, Node, OnDependencyRestart, RestartMode};

/// A daemon as the supervisor is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// What people call it; compared by [`same_name`](crate::domain::same_name).
    pub name: String,
    /// The same for people's eyes.
    pub title: String,
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
    /// What must be there before it is launched.
    pub depends_on: Vec<Dependency>,
    /// What it does when one of those has gone down and is back.
    pub on_dependency_restart: OnDependencyRestart,
    /// The profiles it belongs to.
    pub profiles: Vec<String>,
    /// It is left to itself, not stopped, when all the others are stopped for good.
    pub survives: bool,
    /// Where its PID is written, for a program.
    pub pid_file: Option<String>,
    /// Where its output goes, for a program.
    pub log_file: Option<String>,
    /// When it is restarted and when it counts as stuck.
    pub policy: Policy,
    /// Everything else that makes it what it is: a running daemon is restarted when this changes.
    pub substance: String,
}

impl Spec {
    /// A built-in daemon that depends on nothing.
    pub fn new(name: impl Into<String>, policy: Policy) -> Self {
        let name = name.into();
        Self {
            title: name.clone(),
            name,
            kind: DaemonKind::Builtin,
            description: String::new(),
            category: "core".to_owned(),
            critical: false,
            enabled: true,
            depends_on: Vec::new(),
            on_dependency_restart: OnDependencyRestart::Keep,
            profiles: Vec::new(),
            survives: false,
            pid_file: None,
            log_file: None,
            policy,
            substance: String::new(),
        }
    }

    /// As far as the others are concerned.
    pub fn node(&self) -> Node<'_> {
        Node {
            name: &self.name,
            enabled: self.enabled,
            restart: self.policy.restart,
            depends_on: &self.depends_on,
        }
    }
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

/// What holds for all daemons together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Restarts in a minute over all daemons; what is more waits. 0 is no limit.
    pub restarts_per_minute: u32,
    /// How often what is meant to run is compared with what does.
    pub reconcile_interval: Duration,
    /// How many differences are mended at a time.
    pub max_concurrent: usize,
    /// Restarts in earlier runs, by daemon.
    pub restarts_before: HashMap<String, u64>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            restarts_per_minute: 600,
            reconcile_interval: Duration::from_secs(5),
            max_concurrent: 5,
            restarts_before: HashMap::new(),
        }
    }
}

impl Policy {
    /// How often the daemon's event loop shows that it turns: often enough that one late beat is
    /// no silence, seldom enough to cost nothing.
    pub(super) fn beat(&self) -> Duration {
        (self.silence_limit / 4).clamp(Duration::from_millis(1), Duration::from_secs(5))
    }
}
