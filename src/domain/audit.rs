//! Who changed what.

use std::fmt;

use serde::Serialize;

/// Whoever asks for something, as told by their credentials and never by what they claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `uid:1000`, a token's name, `loopback`, or `station` for the program itself.
    pub name: String,
    /// Where from: `socket`, an address, or `station`.
    pub source: String,
}

impl Actor {
    /// The program itself.
    pub fn station() -> Self {
        Self { name: "station".to_owned(), source: "station".to_owned() }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Ok,
    /// It was not allowed.
    Denied,
    /// It was tried and failed.
    Failed,
}

impl Outcome {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// One line of the audit trail, before it is numbered and chained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who.
    pub actor: Actor,
    /// What, as `job.cancel` or `daemon.restart`.
    pub action: String,
    /// To what, as `job:ID`.
    pub resource: String,
    /// With what result.
    pub outcome: Outcome,
    /// Anything else a reader needs; never a secret.
    pub detail: String,
}
