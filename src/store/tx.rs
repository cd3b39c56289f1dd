//! One write in its transaction.

use std::ops::Deref;

use rusqlite::Connection;

use super::StoreError;
use crate::domain::{AuditEntry, Body};

/// What the work of a write is given: the connection in a transaction, and the ways to add an event
/// and an audit record to it.
pub struct Tx<'c> {
    connection: &'c Connection,
}

impl Tx<'_> {
    /// Adds an event and returns its number. It is published after the commit, in order.
    /// `resource` is as `job:ID`, `device:NAME`, `daemon:NAME` or `system`.
    pub fn emit(
        &self,
        _resource: &str,
        _cause_seq: Option<u64>,
        _body: Body,
    ) -> Result<u64, StoreError> {
        todo!()
    }

    /// Adds a record to the audit trail and its event; returns the event's number.
    pub fn audit(&self, _entry: &AuditEntry) -> Result<u64, StoreError> {
        todo!()
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}
