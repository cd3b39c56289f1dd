//! The states of a job, the one table of their moves, and what a person can ask.
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

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

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
    /// Go on after a stop of the file without what comes up to the next one.
    Skip,
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
            Self::Skip => "skip",
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
            // Each skips one more.
            Self::Skip => false,
            Self::Release => matches!(state, JobState::Queued | JobState::Running),
        }
    }

    /// The state the job comes to, or why it cannot.
    pub fn target(self, state: JobState) -> Result<JobState, Denied> {
        use JobState::{Cancelled, Failed, Held, Interrupted, Paused, Queued, Running};
        let to = match (self, state) {
            (Self::Pause, Running) => Paused,
            (Self::Pause, Queued) => Held,
            (Self::Resume, Paused | Interrupted) | (Self::Skip, Paused) => Running,
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
        JobAction::Skip => "told to skip a layer",
        JobAction::Cancel => "cancelled",
        JobAction::Retry => "retried",
        JobAction::Release => "released",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_leads_only_where_the_table_allows() {
        use JobAction::{Cancel, Pause, Release, Resume, Retry, Skip};
        for state in JobState::ALL {
            for action in [Pause, Resume, Skip, Cancel, Retry, Release] {
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
}
