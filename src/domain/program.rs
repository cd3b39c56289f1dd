//! What a process daemon is: a program, and when it counts as up, well and stopped.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// When a daemon that has ended is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartMode {
    /// However it ended; stopping of its own accord counts as a failure too.
    Always,
    /// Only if it panicked, failed or hung.
    OnFailure,
    /// Not at all: its first failure is final.
    Never,
}

/// What a daemon does when one that it depends on has gone down and is back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDependencyRestart {
    /// Nothing.
    #[default]
    Keep,
    /// It is restarted too.
    Restart,
}

/// Another daemon that must be there first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// Which, by [`same_name`](super::same_name).
    pub name: String,
    /// How far it must be.
    pub condition: Condition,
    /// False: it only comes first if it is there and is to run at all.
    pub required: bool,
}

impl Dependency {
    /// One that must have been started.
    pub fn on(name: impl Into<String>) -> Self {
        Self { name: name.into(), condition: Condition::Started, required: true }
    }
}

/// How far a dependency must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// RUNNING.
    #[default]
    Started,
    /// RUNNING, and healthy by its own word.
    Healthy,
    /// It has ended of its own accord, as it should.
    Completed,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Started => "started",
            Self::Healthy => "healthy",
            Self::Completed => "completed",
        })
    }
}

/// When a program that was started counts as up.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Readiness {
    /// At once.
    #[default]
    Spawned,
    /// Once it has run for so long.
    Delay(Duration),
    /// Once it has written a line that this regular expression matches.
    Log(String),
    /// Once this check succeeds, tried several times a second.
    Probe(Probe),
    /// Once it has said `READY=1` on the socket in `NOTIFY_SOCKET` (`sd_notify(3)`).
    Notify,
}

/// A way to ask a program from outside whether it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A TCP connection to `HOST:PORT` is accepted.
    Tcp(String),
    /// A GET of this `http://` URL is answered with a status from 200 to 399.
    Http(String),
    /// This program, run in the daemon's environment, exits with 0.
    Command(Vec<String>),
    /// This file was written less than `max_age` ago.
    File {
        /// Which; absolute.
        path: PathBuf,
        /// How old it may be.
        max_age: Duration,
    },
}

/// How a running program is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// What is asked.
    pub probe: Probe,
    /// Between two questions.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Failures in a row after which it is restarted.
    pub failures: u32,
}

/// What a program may use; none is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Cores, as 0.5 or 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Descriptors open at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
    /// Processes and threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
}

/// How a program's output is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputRules {
    /// Bytes after which a new file is begun.
    pub max_size: u64,
    /// Old files kept.
    pub backup_count: usize,
    /// Old files are compressed.
    pub compress: bool,
}

/// A program to keep running.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// The program, found in `PATH` if it has no `/`, and its arguments. Never a shell.
    pub command: Vec<String>,
    /// Where it works; the workspace if none.
    pub directory: Option<PathBuf>,
    /// Variables besides the few it inherits.
    pub environment: BTreeMap<String, String>,
    /// A file of `KEY=VALUE` lines, read at each start; what `environment` says wins.
    pub environment_file: Option<PathBuf>,
    /// The user it becomes; the station's if none.
    pub user: Option<String>,
    /// The group it becomes; the user's if none.
    pub group: Option<String>,
    /// The mask of its file modes; the station's if none.
    pub umask: Option<u32>,
    /// Its scheduling priority, -20 to 19; the station's if none.
    pub nice: Option<i32>,
    /// The signal that asks it to stop, as `TERM`.
    pub stop_signal: String,
    /// How long it may take to stop; then it is killed.
    pub stop_timeout: Duration,
    /// Exit codes that are no failure.
    pub exit_codes: Vec<i32>,
    /// It and its children can never gain privileges (`PR_SET_NO_NEW_PRIVS`).
    pub no_new_privileges: bool,
    /// It outlives the station, whose next start finds it again.
    pub detach: bool,
    /// What it may use.
    pub limits: Limits,
    /// How its output is kept.
    pub log: OutputRules,
    /// When it counts as up.
    pub ready: Readiness,
    /// How it is watched.
    pub health: Option<HealthCheck>,
    /// It must say `WATCHDOG=1` on its notify socket at least so often, or it is restarted.
    pub watchdog: Option<Duration>,
}
