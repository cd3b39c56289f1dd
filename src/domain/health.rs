//! The health protocol of daemons.

use std::fmt;

use serde::Serialize;
use serde_json::Map;

use super::Timestamp;

/// How well a daemon does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// All of it works.
    Healthy,
    /// It works, with something wrong that a person may want to know.
    Degraded,
    /// It does not do its work.
    Unhealthy,
    /// Not asked yet, or not running.
    Unknown,
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
            Self::Unknown => "unknown",
        })
    }
}

/// A daemon's own word on how it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Health {
    /// False only when unhealthy.
    pub healthy: bool,
    /// In one word.
    pub status: HealthStatus,
    /// In one sentence.
    pub message: String,
    /// In figures, for programs.
    pub details: Map<String, serde_json::Value>,
    /// When it said so.
    pub checked_at: Option<Timestamp>,
}

impl Health {
    fn new(status: HealthStatus, message: impl Into<String>) -> Self {
        Self {
            healthy: status != HealthStatus::Unhealthy,
            status,
            message: message.into(),
            details: Map::new(),
            checked_at: None,
        }
    }

    /// All is well.
    pub fn healthy() -> Self {
        Self::new(HealthStatus::Healthy, "ok")
    }

    /// Works, but `message`.
    pub fn degraded(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Degraded, message)
    }

    /// Does not work: `message`.
    pub fn unhealthy(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Unhealthy, message)
    }

    /// Nothing is known: `message` says why.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Unknown, message)
    }

    /// The same with one more figure.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }
}
