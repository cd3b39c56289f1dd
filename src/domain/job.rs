//! Jobs and the one table of their states.
//!
//! ```text
//!            release            claim                 end of file
//!   HELD ───────────> QUEUED ─────────> RUNNING <──> PAUSED ──────> COMPLETED
//!                       ^                  │            │           FAILED
//!                       │ retry            └─────┬──────┘           CANCELLED
//!                       │                        v station, link or machine failed
//!                       └─────────────────── INTERRUPTED ──resume──> RUNNING
//! ```
//! RUNNING is durable before the first byte leaves; a device job never starts again by itself.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{JobId, Timestamp};

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JobState {
    /// Waits for a person to release it.
    Held,
    /// Waits for its turn.
    Queued,
    /// On the machine, or its program runs.
    Running,
    /// On the machine, held still.
    Paused,
    /// Done.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended by a person.
    Cancelled,
    /// The station, the link or the machine failed while it ran; a person decides.
    Interrupted,
}

impl JobState {
    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 8] = [
        Self::Held,
        Self::Queued,
        Self::Running,
        Self::Paused,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Interrupted => "INTERRUPTED",
        }
    }

    /// True while a machine or a process works on the job.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }

    /// True once nothing more happens unless a person retries it.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// True if the table of the contract has this move.
    pub fn may_become(self, to: Self) -> bool {
        use JobState::{Cancelled, Completed, Failed, Held, Interrupted, Paused, Queued, Running};
        match self {
            Held => matches!(to, Queued | Cancelled),
            Queued => matches!(to, Running | Held | Cancelled | Failed),
            Running => matches!(to, Paused | Completed | Failed | Cancelled | Interrupted),
            Paused => matches!(to, Running | Completed | Failed | Cancelled | Interrupted),
            Interrupted => matches!(to, Running | Queued | Cancelled),
            Failed | Cancelled => matches!(to, Queued),
            Completed => false,
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is not a job state.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{0}\" is not a job state")]
pub struct NotAState(String);

impl FromStr for JobState {
    type Err = NotAState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let same = |state: &Self| state.as_str().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(same).ok_or_else(|| NotAState(text.to_owned()))
    }
}

/// What a person can ask of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobAction {
    /// Hold still at once; go on later.
    Pause,
    /// Go on.
    Resume,
    /// End it and make the machine safe.
    Cancel,
    /// Start over, from the beginning.
    Retry,
    /// Let a held job go.
    Release,
}

impl JobAction {
    /// As it stands in addresses and in the audit trail.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Release => "release",
        }
    }

    /// True if a job in this state is already what the action would make of it.
    pub fn is_done(self, state: JobState) -> bool {
        match self {
            Self::Pause => state == JobState::Paused,
            Self::Resume => state == JobState::Running,
            Self::Cancel => state == JobState::Cancelled,
            Self::Retry => state == JobState::Queued,
            Self::Release => matches!(state, JobState::Queued | JobState::Running),
        }
    }

    /// The state the job comes to, or why it cannot.
    pub fn target(self, state: JobState) -> Result<JobState, Denied> {
        use JobState::{Cancelled, Failed, Held, Interrupted, Paused, Queued, Running};
        let to = match (self, state) {
            (Self::Pause, Running) => Paused,
            (Self::Pause, Queued) => Held,
            (Self::Resume, Paused | Interrupted) => Running,
            (Self::Release | Self::Resume, Held)
            | (Self::Retry, Failed | Cancelled | Interrupted) => Queued,
            (Self::Cancel, Held | Queued | Running | Paused | Interrupted) => Cancelled,
            _ => return Err(Denied { action: self, state }),
        };
        Ok(to)
    }
}

impl fmt::Display for JobAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The job's state forbids the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a {state} job cannot be {}", past(*action))]
pub struct Denied {
    /// What was asked.
    pub action: JobAction,
    /// What the job is.
    pub state: JobState,
}

fn past(action: JobAction) -> &'static str {
    match action {
        JobAction::Pause => "paused",
        JobAction::Resume => "resumed",
        JobAction::Cancel => "cancelled",
        JobAction::Retry => "retried",
        JobAction::Release => "released",
    }
}

/// What a job is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// A file for a machine.
    Device,
    /// A program to run.
    Command,
}

impl JobKind {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Command => "command",
        }
    }
}

/// How urgent a job is; higher runs first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Priority(pub i32);

/// Not a number and not one of the words for a priority.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{0}\" is not a priority: use a number, or low, normal, high or critical")]
pub struct NotAPriority(String);

impl FromStr for Priority {
    type Err = NotAPriority;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "low" => Ok(Self(-10)),
            "normal" => Ok(Self(0)),
            "high" => Ok(Self(10)),
            "critical" => Ok(Self(100)),
            number => number.parse().map(Self).map_err(|_| NotAPriority(text.to_owned())),
        }
    }
}

/// What is known of a file before it runs. Lengths are millimetres.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Lines that go to the machine.
    pub lines: u64,
    /// Smallest corner of all motion; absent without motion.
    pub min: Option<[f64; 3]>,
    /// Largest corner of all motion.
    pub max: Option<[f64; 3]>,
    /// Length of working moves.
    pub draw_length_mm: f64,
    /// Length of rapid moves.
    pub travel_length_mm: f64,
    /// How long the motion takes by feed and distance.
    pub estimated_seconds: f64,
    /// What a person should know, each with the line it was seen on.
    pub warnings: Vec<String>,
}

/// What goes to the machine or to the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A file small enough to lie in the database.
    Inline(Vec<u8>),
    /// A file in `files/`, by the SHA-256 of its content in hexadecimal.
    Stored {
        /// Names the file.
        sha256: String,
        /// Its length in bytes.
        size: u64,
    },
    /// A program and its arguments; never a shell line.
    Command(Vec<String>),
}

impl Payload {
    /// What kind of job it makes.
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Inline(_) | Self::Stored { .. } => JobKind::Device,
            Self::Command(_) => JobKind::Command,
        }
    }
}

/// A job as it is submitted, checked.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Its name for ever.
    pub id: JobId,
    /// What people call it.
    pub name: String,
    /// What runs.
    pub payload: Payload,
    /// Higher runs first.
    pub priority: Priority,
    /// The machine it must run on, if any.
    pub device: Option<String>,
    /// The driver it must run by, if any.
    pub driver: Option<String>,
    /// Waits for a person.
    pub hold: bool,
    /// Not before then.
    pub not_before: Option<Timestamp>,
    /// Not before these are completed.
    pub depends_on: Vec<JobId>,
    /// For the submitter's own use.
    pub labels: BTreeMap<String, String>,
    /// A command is killed after that many seconds.
    pub timeout_seconds: Option<f64>,
    /// How often a failing command is tried in all.
    pub max_attempts: u32,
    /// Who asked for it.
    pub submitted_by: String,
    /// The same key again answers with the same job.
    pub idempotency_key: Option<String>,
    /// What was found in the file.
    pub analysis: Option<Analysis>,
}

/// How far a running job is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Progress {
    /// Lines the machine has acknowledged.
    pub lines_acknowledged: u64,
    /// Lines in all.
    pub lines_total: u64,
    /// 0 to 100.
    pub progress_percentage: f64,
    /// Until the end, if it can be told.
    pub eta_seconds: Option<f64>,
}

impl Progress {
    /// So many lines of so many.
    pub fn of(lines_acknowledged: u64, lines_total: u64) -> Self {
        let lines_acknowledged = lines_acknowledged.min(lines_total);
        // Rounded down: 100 is said of what is complete, and of nothing else.
        let tenths = lines_acknowledged.saturating_mul(1000).checked_div(lines_total).unwrap_or(0);
        let progress_percentage = tenths as f64 / 10.0;
        Self { lines_acknowledged, lines_total, progress_percentage, eta_seconds: None }
    }

    /// The share that is done, 0 to 1.
    pub fn share(&self) -> f64 {
        if self.lines_total == 0 {
            return 0.0;
        }
        self.lines_acknowledged as f64 / self.lines_total as f64
    }
}

/// A job as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Job {
    /// Its name for ever.
    pub id: JobId,
    /// What people call it.
    pub name: String,
    /// What it is made of.
    pub kind: JobKind,
    /// Where it is in its life.
    pub state: JobState,
    /// Higher runs first.
    pub priority: Priority,
    /// The machine it runs on or must run on.
    pub device: Option<String>,
    /// The driver it runs by or must run by.
    pub driver: Option<String>,
    /// The program and its arguments, for a command job.
    pub command: Option<Vec<String>>,
    /// 0 to 100.
    pub progress_percentage: f64,
    /// Lines of the file that go to the machine.
    pub lines_total: Option<u64>,
    /// How many of them the machine has acknowledged.
    pub lines_acknowledged: u64,
    /// Until the end, if it can be told.
    pub eta_seconds: Option<f64>,
    /// How often it has been started.
    pub attempts: u32,
    /// How often it may be started by itself (command jobs).
    pub max_attempts: u32,
    /// Not before then.
    pub not_before: Option<Timestamp>,
    /// Not before these are completed.
    pub depends_on: Vec<JobId>,
    /// For the submitter's own use.
    pub labels: BTreeMap<String, String>,
    /// A command is killed after that many seconds.
    pub timeout_seconds: Option<f64>,
    /// Who asked for it.
    pub submitted_by: String,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it last began to run.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What the program returned.
    pub exit_code: Option<i32>,
    /// Why it is where it is, if that needs saying.
    pub error: Option<String>,
    /// What was found in the file.
    pub analysis: Option<Analysis>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_leads_only_where_the_table_allows() {
        use JobAction::{Cancel, Pause, Release, Resume, Retry};
        for state in JobState::ALL {
            for action in [Pause, Resume, Cancel, Retry, Release] {
                if let Ok(to) = action.target(state) {
                    assert!(state.may_become(to), "{action} takes {state} to {to}");
                }
            }
        }
    }

    #[test]
    fn nothing_leaves_completed() {
        assert!(JobState::ALL.iter().all(|to| !JobState::Completed.may_become(*to)));
    }

    #[test]
    fn words_and_numbers_are_priorities() {
        assert_eq!("High".parse(), Ok(Priority(10)));
        assert_eq!("-3".parse(), Ok(Priority(-3)));
        assert!("urgent".parse::<Priority>().is_err());
    }
}
