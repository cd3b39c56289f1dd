//! How the store is, readable at any time without waiting for it.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::StoreError;

/// How well the store works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreHealth {
    /// Reads and writes work.
    Ok,
    /// The last commit found the disk full; the next one that fits clears this.
    Full,
    /// The last write found the database locked by another process.
    Busy,
    /// Writes have ended for good, for this reason; the station must start again.
    Failed(String),
}

/// What is known of the file's inner order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Integrity {
    /// Not checked: the last stop was clean.
    #[default]
    Unknown,
    /// The last stop was not clean; a check runs in the background.
    Checking,
    /// Checked, nothing found.
    Ok,
    /// Checked, and this was found first.
    Damaged(String),
}

/// The writer's figures since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Transactions that became durable.
    pub commits: u64,
    /// Writes in them.
    pub writes: u64,
    /// Writes that were answered with an error.
    pub failures: u64,
    /// Writes that wait just now.
    pub queue_depth: u64,
    /// How long the last group took, from its first statement until it was durable.
    pub last_commit: Duration,
}

const OK: u8 = 0;
const FULL: u8 = 1;
const BUSY: u8 = 2;

/// What the writer tells of itself, for everyone to read.
#[derive(Default)]
pub(super) struct Vitals {
    trouble: AtomicU8,
    failure: OnceLock<Arc<str>>,
    integrity: Mutex<Integrity>,
    commits: AtomicU64,
    writes: AtomicU64,
    failures: AtomicU64,
    waiting: AtomicU64,
    last_commit_nanos: AtomicU64,
}

impl Vitals {
    pub(super) fn health(&self) -> StoreHealth {
        if let Some(reason) = self.failure.get() {
            return StoreHealth::Failed(reason.to_string());
        }
        match self.trouble.load(Ordering::Relaxed) {
            FULL => StoreHealth::Full,
            BUSY => StoreHealth::Busy,
            _ => StoreHealth::Ok,
        }
    }

    pub(super) fn stats(&self) -> StoreStats {
        StoreStats {
            commits: self.commits.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            queue_depth: self.waiting.load(Ordering::Relaxed),
            last_commit: Duration::from_nanos(self.last_commit_nanos.load(Ordering::Relaxed)),
        }
    }

    pub(super) fn integrity(&self) -> Integrity {
        self.integrity.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_integrity(&self, found: Integrity) {
        *self.integrity.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// Ends all writing for good; the first reason stands.
    pub(super) fn fail(&self, reason: &str) -> StoreError {
        StoreError::Failed(Arc::clone(self.failure.get_or_init(|| reason.into())))
    }

    /// The error of a store that has failed.
    pub(super) fn failure(&self) -> Option<StoreError> {
        self.failure.get().map(|reason| StoreError::Failed(Arc::clone(reason)))
    }

    /// Counts one more write that waits; returns how many waited before.
    pub(super) fn queued(&self) -> u64 {
        self.waiting.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn unqueued(&self, writes: usize) {
        self.waiting.fetch_sub(writes as u64, Ordering::Relaxed);
    }

    pub(super) fn committed(&self, writes: usize, took: Duration) {
        self.trouble.store(OK, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.writes.fetch_add(writes as u64, Ordering::Relaxed);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.last_commit_nanos.store(nanos, Ordering::Relaxed);
    }

    /// Counts a write that was answered with an error, and remembers trouble of the whole store.
    pub(super) fn refused(&self, error: &StoreError) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        match error {
            StoreError::Full => self.trouble.store(FULL, Ordering::Relaxed),
            StoreError::Busy => self.trouble.store(BUSY, Ordering::Relaxed),
            _ => {}
        }
    }
}
