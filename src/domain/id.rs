//! Identifiers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// Names one job for ever. A `UUIDv7` (RFC 9562), so ids sort by the time of submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// A fresh id, greater than any this process made before.
    #[expect(clippy::new_without_default, reason = "every id is different: not a default value")]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// The sixteen bytes as they are stored.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id whose sixteen bytes these are.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

/// Text that is not the id of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this is not the id of a job: `stationd job list` shows them")]
pub struct NotJobId;

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = NotJobId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self).map_err(|_| NotJobId)
    }
}
