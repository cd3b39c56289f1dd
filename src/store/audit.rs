//! The audit trail: each record carries a hash over itself and the one before, so that a record
//! cannot be changed, removed from the middle or put in without breaking the chain.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    Page, StoreError,
    page::{self, Limit},
};
use crate::domain::{AuditEntry, Timestamp};

type Hash = [u8; 32];

const COLUMNS: &str = "seq, at, actor, source, action, resource, outcome, detail, hash";

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
    /// At most this many; 0 means the usual 100, the most is 1000.
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

/// What is hashed, in this order of fields: the record's canonical form.
#[derive(Serialize)]
struct Canonical<'a> {
    seq: u64,
    timestamp: i64,
    actor: &'a str,
    source: &'a str,
    action: &'a str,
    resource: &'a str,
    outcome: &'a str,
    detail: &'a str,
}

/// The end of the chain.
#[derive(Clone, Copy, Default)]
pub(super) struct Head {
    seq: u64,
    hash: Hash,
}

impl Head {
    pub(super) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let sql = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
        let newest = connection
            .query_row(sql, [], |row| Ok(Self { seq: row.get(0)?, hash: row.get(1)? }))
            .optional()?;
        Ok(newest.unwrap_or_default())
    }
}

impl Canonical<'_> {
    fn hash(&self, before: &Hash) -> Result<Hash, StoreError> {
        let json = serde_json::to_vec(self)
            .map_err(|error| StoreError::unreadable("audit record", &error))?;
        Ok(Sha256::new().chain_update(before).chain_update(json).finalize().into())
    }
}

/// Adds a record at the end of the chain; returns the new end.
pub(super) fn append(
    connection: &Connection,
    head: Head,
    entry: &AuditEntry,
) -> Result<Head, StoreError> {
    let record = Canonical {
        seq: head.seq + 1,
        timestamp: Timestamp::now().as_ms(),
        actor: &entry.actor.name,
        source: &entry.actor.source,
        action: &entry.action,
        resource: &entry.resource,
        outcome: entry.outcome.as_str(),
        detail: &entry.detail,
    };
    let hash = record.hash(&head.hash)?;
    let sql = "INSERT INTO audit (seq, at, actor, source, action, resource, outcome, detail, hash)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    connection.prepare_cached(sql)?.execute(params![
        record.seq,
        record.timestamp,
        record.actor,
        record.source,
        record.action,
        record.resource,
        record.outcome,
        record.detail,
        hash,
    ])?;
    Ok(Head { seq: record.seq, hash })
}

/// The records, newest first.
pub fn list(
    connection: &Connection,
    filter: &AuditFilter,
) -> Result<Page<AuditRecord>, StoreError> {
    let limit = Limit::new(filter.limit);
    let sql = format!(
        "SELECT {COLUMNS} FROM audit WHERE seq < ?1 AND (?2 IS NULL OR actor = ?2)
         ORDER BY seq DESC LIMIT ?3"
    );
    let start = page::start(filter.cursor.as_deref())?;
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![start, filter.actor, limit.query()], record)?;
    let records = rows.map(|row| row.map(|(record, _)| (record.seq.cast_signed(), record)));
    Ok(limit.page(records.collect::<Result<_, _>>()?))
}

/// Follows the whole chain. Blocks for as long as reading all of it takes.
pub fn verify(connection: &Connection) -> Result<AuditCheck, StoreError> {
    let mut head = Head::default();
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM audit ORDER BY seq"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (found, hash) = record(row)?;
        let broken =
            |reason: &str| AuditCheck::Broken { seq: found.seq, reason: reason.to_owned() };
        if found.seq != head.seq + 1 {
            return Ok(broken("a record before it is missing"));
        }
        let canonical = Canonical {
            seq: found.seq,
            timestamp: found.timestamp.as_ms(),
            actor: &found.actor,
            source: &found.source,
            action: &found.action,
            resource: &found.resource,
            outcome: &found.outcome,
            detail: &found.detail,
        };
        if canonical.hash(&head.hash)? != hash {
            return Ok(broken("its hash does not fit its content and the record before"));
        }
        head = Head { seq: found.seq, hash };
    }
    Ok(AuditCheck::Intact { records: head.seq })
}

fn record(row: &Row<'_>) -> rusqlite::Result<(AuditRecord, Hash)> {
    let hash: Hash = row.get(8)?;
    let record = AuditRecord {
        seq: row.get(0)?,
        timestamp: Timestamp::from_ms(row.get(1)?),
        actor: row.get(2)?,
        source: row.get(3)?,
        action: row.get(4)?,
        resource: row.get(5)?,
        outcome: row.get(6)?,
        detail: row.get(7)?,
        hash: super::files::hex(&hash),
    };
    Ok((record, hash))
}
