//! Programs as daemons: one actor a program.

mod host;

pub use host::Host;

use std::sync::Arc;

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
