//! How the store is, readable at any time without waiting for it.

use std::time::Duration;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// Not checked: the last stop was clean.
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
