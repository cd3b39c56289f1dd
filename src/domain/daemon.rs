//! Daemons as the station shows them.

use std::fmt;

use serde::Serialize;

use super::{Condition, Health, Timestamp};

/// Where a daemon is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DaemonState {
    /// Not asked to run, or ended as asked.
    Stopped,
    /// Launched, or waiting for what it depends on.
    Starting,
    /// Started and showing life.
    Running,
    /// Down; it will be started again.
    Backoff,
    /// Asked to stop.
    Stopping,
    /// Given up after too many failures in a row; a person starts it again.
    Failed,
}

impl DaemonState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Stopped, Self::Starting, Self::Running, Self::Backoff, Self::Stopping, Self::Failed];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "STOPPED",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Backoff => "BACKOFF",
            Self::Stopping => "STOPPING",
            Self::Failed => "FAILED",
        }
    }
}

impl fmt::Display for DaemonState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What carries a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DaemonKind {
    /// An actor of the station.
    Builtin,
    /// A program of its own.
    Process,
}

/// A daemon as it is shown.
#[expect(clippy::struct_excessive_bools, reason = "each is a field that programs outside read")]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Daemon {
    /// What people call it.
    pub name: String,
    /// The same for people's eyes; its name if it has none.
    pub title: String,
    /// What carries it.
    pub kind: DaemonKind,
    /// What it is for.
    pub description: String,
    /// The group it is shown in.
    pub category: String,
    /// True if the station is unhealthy without it.
    pub critical: bool,
    /// True if it is meant to run.
    pub enabled: bool,
    /// True if it should be replaced by something newer.
    pub deprecated: bool,
    /// Where it is in its life.
    pub state: DaemonState,
    /// Its own word on how it is.
    pub health: Health,
    /// Where its PID is written, for a program.
    pub pid_file: Option<String>,
    /// Where its output goes, for a program.
    pub log_file: Option<String>,
    /// True once it has ended of its own accord, as it should.
    pub completed: bool,
    /// How it last ended.
    pub last_exit: Option<String>,
    /// Its process.
    pub pid: Option<u32>,
    /// Restarts since the station started.
    pub restarts: u64,
    /// Restarts over all runs of the station.
    pub restarts_total: u64,
    /// Failures in a row: while backing off, the number of the restart that comes next.
    pub attempt: u32,
    /// Restarts in a row before it is given up.
    pub max_restarts: u32,
    /// Why it last went down.
    pub last_error: Option<String>,
    /// The last lines it wrote before that, for a program.
    pub last_lines: Vec<String>,
    /// When it is started again, while backing off.
    pub next_restart_at: Option<Timestamp>,
    /// Since when it has been running.
    pub started_at: Option<Timestamp>,
    /// For how long it has been running.
    pub uptime_seconds: Option<f64>,
    /// What must run before it.
    pub depends_on: Vec<String>,
    /// The same in full.
    pub dependencies: Vec<Needs>,
    /// The profiles it belongs to.
    pub profiles: Vec<String>,
    /// How each of its limits is enforced, in a few words each.
    pub limits: Vec<String>,
    /// Resident memory, where it can be told apart from the station's.
    pub memory_bytes: Option<u64>,
    /// Share of one core, where it can be told apart from the station's.
    pub cpu_usage: Option<f64>,
    /// Why it is as it is.
    pub why: Why,
    /// What became of it lately, oldest first.
    pub timeline: Vec<Moment>,
}

impl Daemon {
    /// So many failures in a row, without a stable run since, are a crash loop.
    pub const CRASH_LOOP: u32 = 3;
}

/// A daemon that must be there before another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// Which.
    pub name: String,
    /// How far it must be.
    pub condition: Condition,
    /// False: it only comes first if it is there and is to run at all.
    pub required: bool,
    /// True if it is so far.
    pub met: bool,
}

/// Why a daemon is in its present state: what happened, since when, what will happen next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Why {
    /// When it came to its present state.
    pub since: Timestamp,
    /// Its present state in one sentence, then what led to it, then what led to that.
    pub causes: Vec<Cause>,
    /// What will happen next, or what a person can do, in one sentence.
    pub next: String,
}

/// One link of the chain that led to a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// When it happened.
    pub at: Option<Timestamp>,
    /// What, in one sentence.
    pub text: String,
}

/// A change of a daemon's state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// The state it came to.
    pub state: DaemonState,
    /// Why, in one sentence.
    pub reason: String,
}
