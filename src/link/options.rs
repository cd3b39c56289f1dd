//! What a link is told at its start, and what it is given to run.

use std::{path::PathBuf, time::Duration};

use crate::{
    domain::JobId,
    drivers::{Plotter, Start},
    firmware::Faults,
};

/// One machine: where it is and how it is treated.
#[derive(Clone, Debug)]
pub struct LinkOptions {
    /// What people call the machine; names the thread and stands in messages.
    pub name: String,
    /// The protocol it speaks; see [`crate::drivers::NAMES`].
    pub driver: String,
    /// A path (links too), `tcp://HOST:PORT` or `sim:DRIVER`.
    pub port: String,
    /// Of a serial port; ignored elsewhere.
    pub baud_rate: u32,
    /// How long the machine may leave a line unacknowledged without showing that it works.
    pub timeout: Duration,
    /// By which by-id path the machine was known before. Another machine on the same port is
    /// refused; `None` takes whatever is there, and keeps to it from then on.
    pub identity: Option<String>,
    /// Sent before each file.
    pub start_lines: Vec<String>,
    /// Sent after each file that ended well.
    pub end_lines: Vec<String>,
    /// Sent after a cancelled, failed or interrupted job, once the machine stands still: pen up,
    /// tool off.
    pub on_stop: Vec<String>,
    /// What only one of the drivers needs.
    pub plotter: Plotter,
    /// For `sim:DRIVER` only.
    pub simulator: SimulatorOptions,
}

/// How a simulated machine behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatorOptions {
    /// How much faster than the real time it moves; 0 = motion takes no time.
    pub speed: f64,
    /// The wire is paced to this rate, both ways; 0 = unpaced.
    pub baud_rate: u32,
    /// What goes wrong.
    pub faults: Faults,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self { speed: 1.0, baud_rate: 0, faults: Faults::default() }
    }
}

/// A job for the machine. Its state RUNNING is durable before it is handed over.
#[derive(Clone, Debug)]
pub struct Run {
    /// Whose reports they will be.
    pub job: JobId,
    /// What is sent.
    pub source: Source,
    /// How it begins, and where it stops for a person.
    pub start: Start,
}

/// Where the file of a job is.
#[derive(Clone, Debug)]
pub enum Source {
    /// In memory.
    Bytes(Vec<u8>),
    /// On disk; it is read as it is sent, never whole.
    File(PathBuf),
}
