//! The audit trail: each record carries a hash over itself and the one before.

use super::{Page, StoreError};
use crate::domain::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

/// A record of the audit trail as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditRecord {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// When.
    pub timestamp: Timestamp,
    /// Who.
    pub actor: String,
    /// Where from.
    pub source: String,
    /// What.
    pub action: String,
    /// To what.
    pub resource: String,
    /// `ok`, `denied` or `failed`.
    pub outcome: String,
    /// Anything else.
    pub detail: String,
    /// SHA-256 over the hash before and this record, in hexadecimal.
    pub hash: String,
}

/// Which records.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only this actor's.
    pub actor: Option<String>,
    /// At most this many; 0 means the usual 100.
    pub limit: usize,
    /// From an earlier page.
    pub cursor: Option<String>,
}

/// What came of following the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum AuditCheck {
    /// Every record is as it was written.
    Intact {
        /// How many there are.
        records: u64,
    },
    /// This record or the place before it was changed.
    Broken {
        /// The first record that does not fit.
        seq: u64,
        /// What does not fit.
        reason: String,
    },
}

/// The records, newest first.
pub fn list(
    _connection: &Connection,
    _filter: &AuditFilter,
) -> Result<Page<AuditRecord>, StoreError> {
    todo!()
}
/// Follows the whole chain.
pub fn verify(_connection: &Connection) -> Result<AuditCheck, StoreError> {
    todo!()
}
