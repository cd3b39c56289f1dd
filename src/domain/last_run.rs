//! How the run of the station before this one ended.

use serde::Serialize;

use super::Timestamp;

/// How a run ended, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was stopped in order.
    Clean,
    /// Somebody killed it.
    Killed,
    /// It ended by a fault of its own.
    Crashed,
    /// The kernel killed it for want of memory.
    OutOfMemory,
    /// The host went down under it.
    PowerLoss,
    /// There was none before.
    First,
}

/// How the run of the station before this one ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastRun {
    /// In one word.
    pub verdict: Verdict,
    /// In one sentence.
    pub detail: String,
    /// When, as far as that is known.
    pub ended_at: Option<Timestamp>,
}
