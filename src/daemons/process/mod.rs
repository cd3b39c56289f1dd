//! Programs as daemons: one actor a program.
//!
//! ```text
//!              built by the supervisor
//!                      │
//!                   starting ── a predecessor lives: adopted if detached, else killed
//!                      │ spawned                                     fails: failed to start "x": …
//!                      v
//!                 getting ready ──────────────┐
//!                      │ ready                │ exits by itself, fails its health check,
//!                      v                      │ falls silent
//!                   running ──────────────────┤
//!                      │ asked to stop        │
//!                      v                      v
//!                  stopping ─────────────> clearing    what is left of its tree is asked, then
//!                      │ too late             │        killed
//!                      └── SIGKILL ─────────> │
//!                                             v
//!                                            over      reaped; the actor stops
//! ```
//!
//! All process actors share one thread and never block. What may take its time has threads of its
//! own, one of each for the whole station: the *spawner* starts programs (the kernel kills them
//! when this thread ends), the *reaper* walks over `/proc` and buries what nobody waits for any
//! more, the *rotator* sets log files aside and compresses them.
//!
//! Dropping the actor, however it comes about, kills the whole tree at once, unless the program is
//! detached.

mod actor;
mod error;
mod host;
mod launch;
mod life;
mod notify;
mod once;
mod output;
mod plan;
mod probe;
mod reaper;
mod record;
mod spawner;
mod start;
#[cfg(test)]
mod tests;
mod tree;
mod watch;

pub use actor::Process;
pub use error::ProcessError;
pub use host::Host;
pub(in crate::daemons) use once::{Errand, Ran};
pub use plan::KILL_MARGIN;
pub use record::file_name;

use std::sync::Arc;

use super::programs::{census, cgroup, end, environment, identity, limits, lines, lookup, words};
use crate::domain::Program;

/// A program to keep running, and where it lives.
#[derive(Clone)]
pub struct Options {
    /// The daemon's name as configured.
    pub name: String,
    /// What it is.
    pub program: Program,
    /// What all process daemons share.
    pub host: Arc<Host>,
}
