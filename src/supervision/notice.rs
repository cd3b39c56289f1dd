//! What the supervisor tells whoever observes it.

use crate::domain::Daemon;

/// Something that happened to a daemon.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// Its state or health status changed; told of every daemon at the start.
    Changed(&'a Daemon),
    /// Something else of it changed: its words on its health, its process, its configuration.
    Touched(&'a Daemon),
    /// It failed once more in a row, and is in a crash loop by now.
    CrashLoop(&'a Daemon),
    /// It was given up after too many failures in a row.
    GivenUp(&'a Daemon),
    /// It stood still, and its thread was left to itself.
    Abandoned {
        /// Which.
        name: &'a str,
        /// Threads that were left to themselves since the start.
        count: u32,
    },
    /// Its restart waits: there were too many restarts lately, over all daemons.
    HeldBack {
        /// Which.
        name: &'a str,
        /// The limit.
        per_minute: u32,
    },
    /// It is no longer configured, and down.
    Gone {
        /// Which.
        name: &'a str,
    },
}
