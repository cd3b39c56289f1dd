//! Opening the database file: is it ours, is it whole, and how is it to be used.

use std::path::PathBuf;

/// When a commit counts as durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// After it has reached the disk: survives the loss of power.
    #[default]
    Full,
    /// After it has reached the kernel: survives a crash of the station, not the loss of power.
    Normal,
}

/// Where the store lies and how it works.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The database file; its directory exists.
    pub path: PathBuf,
    /// Where a copy goes before a migration; made when needed.
    pub backups: PathBuf,
    /// Where large job files lie; made when needed.
    pub files: PathBuf,
    /// When a commit counts as durable.
    pub synchronous: Synchronous,
    /// Read connections, at least one.
    pub pool_size: u32,
}
