//! What a job is.

use std::{collections::BTreeMap, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::{
    Analysis, JobId, JobState, Needed, Retry, Rules, Surroundings, Timestamp, surroundings,
};

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// What goes to the machine or to the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewJob {
    /// Its name for ever.
    pub id: JobId,
    /// What people call it.
    pub name: String,
    /// What was submitted.
    pub payload: Payload,
    /// What goes to the machine instead, if the file was converted for it.
    #[serde(default)]
    pub program: Option<Payload>,
    /// Higher runs first.
    pub priority: Priority,
    /// The machine it must run on, if any.
    pub device: Option<String>,
    /// The driver it must run by, if any.
    pub driver: Option<String>,
    /// What a program runs in.
    #[serde(default)]
    pub surroundings: Surroundings,
    /// Waits for a person.
    pub hold: bool,
    /// Not before then.
    pub not_before: Option<Timestamp>,
    /// Not before these have ended as needed.
    pub depends_on: Vec<Needed>,
    /// For the submitter's own use.
    pub labels: BTreeMap<String, String>,
    /// A command is killed after that many seconds.
    pub timeout_seconds: Option<f64>,
    /// How the queue is to treat it.
    pub rules: Rules,
    /// How often a failing command is tried in all.
    pub max_attempts: u32,
    /// Who asked for it.
    pub submitted_by: String,
    /// The same key again answers with the same job.
    pub idempotency_key: Option<String>,
    /// What was found in the file.
    pub analysis: Option<Analysis>,
    /// It may run although its verdict is red.
    #[serde(default)]
    pub forced: bool,
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
    /// What a program says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Progress {
    /// So many lines of so many.
    pub fn of(lines_acknowledged: u64, lines_total: u64) -> Self {
        let lines_acknowledged = lines_acknowledged.min(lines_total);
        // Rounded down: 100 is said of what is complete, and of nothing else.
        let tenths = lines_acknowledged.saturating_mul(1000).checked_div(lines_total).unwrap_or(0);
        let progress_percentage = tenths as f64 / 10.0;
        Self { lines_acknowledged, lines_total, progress_percentage, ..Self::default() }
    }

    /// What goes along with it to whoever follows the job.
    pub fn metadata(&self) -> Map<String, Value> {
        self.message.iter().map(|it| ("message".to_owned(), it.as_str().into())).collect()
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
    /// What a program runs in, for a command job.
    #[serde(flatten, serialize_with = "surroundings::shown")]
    pub surroundings: Surroundings,
    /// 0 to 100.
    pub progress_percentage: f64,
    /// What a program last said on how far it is.
    pub message: Option<String>,
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
    /// Not before these have ended as needed.
    pub depends_on: Vec<Needed>,
    /// Of the jobs of a group only so many run at a time.
    pub group: Option<String>,
    /// No other job with this key waits or runs.
    pub unique_key: Option<String>,
    /// When a failed command is tried again, where that is not as configured.
    pub retry: Option<Retry>,
    /// The schedule it comes from.
    pub schedule: Option<String>,
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
    /// A person lets it run although its verdict is red.
    pub forced: bool,
    /// Counts its changes of state and of what it asks for.
    pub version: u64,
}

#[cfg(test)]
mod tests {
    use super::Priority;

    #[test]
    fn words_and_numbers_are_priorities() {
        assert_eq!("High".parse(), Ok(Priority(10)));
        assert_eq!("-3".parse(), Ok(Priority(-3)));
        assert!("urgent".parse::<Priority>().is_err());
    }
}
