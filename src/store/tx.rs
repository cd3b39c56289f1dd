//! One write in its transaction.

use std::{cell::RefCell, ops::Deref};

use rusqlite::{Connection, params};

use super::{StoreError, audit, events};
use crate::domain::{AuditEntry, Body, Event, Frame, JobState, Timestamp};

/// What the work of a write is given: the connection in a transaction, and the ways to add an event
/// and an audit record to it.
pub struct Tx<'c> {
    connection: &'c Connection,
    ledger: RefCell<Ledger>,
}

/// The numbers that only the writer hands out, and what follows from the commit.
pub(super) struct Ledger {
    pub(super) heads: Heads,
    frames: Vec<Frame>,
}

/// The last numbers in use.
#[derive(Clone, Copy)]
pub(super) struct Heads {
    event: u64,
    job: i64,
    audit: audit::Head,
    counts: [i64; JobState::ALL.len()],
    stored: i64,
    frames: usize,
}

impl Ledger {
    /// Reads the last numbers from the database.
    pub(super) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let newest_job = "SELECT coalesce(max(seq), 0) FROM jobs";
        let heads = Heads {
            event: events::newest(connection)?.unwrap_or(0),
            job: connection.query_row(newest_job, [], |row| row.get(0))?,
            audit: audit::Head::load(connection)?,
            counts: [0; JobState::ALL.len()],
            stored: 0,
            frames: 0,
        };
        Ok(Self { heads, frames: Vec::new() })
    }

    pub(super) fn newest_event(&self) -> u64 {
        self.heads.event
    }
}

impl<'c> Tx<'c> {
    pub(super) fn new(connection: &'c Connection, ledger: Ledger) -> Self {
        Self { connection, ledger: RefCell::new(ledger) }
    }

    /// Adds an event and returns its number. It is published after the commit, in order.
    /// `resource` is as `job:ID`, `device:NAME`, `daemon:NAME` or `system`.
    pub fn emit(
        &self,
        resource: &str,
        cause_seq: Option<u64>,
        body: Body,
    ) -> Result<u64, StoreError> {
        let mut ledger = self.ledger.borrow_mut();
        let event = Event {
            seq: ledger.heads.event + 1,
            timestamp: Timestamp::now(),
            channel: body.channel(),
            resource: resource.to_owned(),
            cause_seq,
            body,
        };
        let frame =
            Frame::event(&event).map_err(|error| StoreError::unreadable("event", &error))?;
        let sql = "INSERT INTO events (seq, at, channel, kind, resource, json)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.connection.prepare_cached(sql)?.execute(params![
            event.seq,
            event.timestamp.as_ms(),
            event.channel.as_str(),
            event.body.kind(),
            event.resource,
            &*frame.text,
        ])?;
        ledger.heads.event = event.seq;
        ledger.heads.frames += 1;
        ledger.frames.push(frame);
        Ok(event.seq)
    }

    /// Adds a record to the audit trail and its event; returns the event's number.
    pub fn audit(&self, entry: &AuditEntry) -> Result<u64, StoreError> {
        let head = self.ledger.borrow().heads.audit;
        let head = audit::append(self.connection, head, entry)?;
        self.ledger.borrow_mut().heads.audit = head;
        let body = Body::Audit {
            actor: entry.actor.name.clone(),
            action: entry.action.clone(),
            outcome: entry.outcome,
        };
        self.emit(&entry.resource, None, body)
    }

    /// The number of a new job.
    pub(super) fn next_job(&self) -> i64 {
        let mut ledger = self.ledger.borrow_mut();
        ledger.heads.job += 1;
        ledger.heads.job
    }

    /// The number that the next job will get.
    pub(super) fn next_job_is(&self) -> i64 {
        self.ledger.borrow().heads.job + 1
    }

    /// Notes that a job came to one state and left another.
    pub(super) fn count(&self, left: Option<JobState>, came: Option<JobState>) {
        let counts = &mut self.ledger.borrow_mut().heads.counts;
        for (state, change) in [(left, -1), (came, 1)] {
            if let Some(state) = state {
                counts[state as usize] += change;
            }
        }
    }

    /// Notes that so many bytes of job files came, or went.
    pub(super) fn stored(&self, bytes: i64) {
        self.ledger.borrow_mut().heads.stored += bytes;
    }

    /// Bytes of all job files together.
    pub(super) fn storage(&self) -> Result<i64, StoreError> {
        let sql = "SELECT bytes FROM storage";
        let kept: i64 = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(kept + self.ledger.borrow().heads.stored)
    }

    /// Where to return to if what comes next fails.
    pub(super) fn mark(&self) -> Heads {
        self.ledger.borrow().heads
    }

    pub(super) fn rewind(&self, mark: Heads) {
        let mut ledger = self.ledger.borrow_mut();
        ledger.heads = mark;
        ledger.frames.truncate(mark.frames);
    }

    /// Writes the counts of a whole group at once.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        let Heads { counts, stored, .. } = self.ledger.borrow().heads;
        for (state, change) in JobState::ALL.into_iter().zip(counts) {
            if change != 0 {
                let sql = "UPDATE job_counts SET jobs = jobs + ?2 WHERE state = ?1";
                self.connection.prepare_cached(sql)?.execute(params![state.as_str(), change])?;
            }
        }
        if stored != 0 {
            let sql = "UPDATE storage SET bytes = max(bytes + ?1, 0)";
            self.connection.prepare_cached(sql)?.execute([stored])?;
        }
        Ok(())
    }

    /// After the commit: what is to be published.
    pub(super) fn take_frames(&self) -> Vec<Frame> {
        let mut ledger = self.ledger.borrow_mut();
        ledger.heads.counts = [0; JobState::ALL.len()];
        ledger.heads.stored = 0;
        ledger.heads.frames = 0;
        std::mem::take(&mut ledger.frames)
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}
