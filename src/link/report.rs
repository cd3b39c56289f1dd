//! What a link says.

use std::time::Duration;

use crate::{
    domain::{DeviceStatus, JobId, Position, Temperature},
    drivers::{Checkpoint, End, Halt},
};

/// What a link says of its machine, in the order in which it happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// The status or its reason has changed.
    Status {
        /// What the machine does now.
        status: DeviceStatus,
        /// Why, where that needs saying: alarm, error, or why the link is down.
        message: Option<String>,
    },
    /// The machine has said who it is; sent on every connection.
    Identified {
        /// As the machine says, as `1.1h`.
        firmware_version: String,
        /// The by-id path of its port, if there is one.
        identity: Option<String>,
    },
    /// The machine had been running before it was connected, has finished what it held and stands
    /// where it was last said to be.
    RanOn,
    /// Where the tool is, in work coordinates; on change, at most 10 a second.
    Position {
        /// Unknown (`None`) from a reset or loss until the machine next says.
        position: Option<Position>,
        /// True while the tool is up (Z above 0 in work coordinates), where it is known.
        pen_up: Option<bool>,
    },
    /// How warm the machine is; at most 10 a second.
    Temperatures(Vec<Temperature>),
    /// The machine waits for its heaters before it goes on with its job, or does so no longer.
    Warming(bool),
    /// The machine has refused a line or gone into alarm; count it.
    Fault {
        /// Number and meaning.
        message: String,
    },
    /// The machine has said something of its own accord; for the log.
    Said {
        /// One line, printable characters only.
        text: String,
    },
    /// More has been acknowledged; at most 10 a second, and once before the job's end.
    Progress {
        /// Whose.
        job: JobId,
        /// How far it got.
        checkpoint: Checkpoint,
    },
    /// The job is held still: it was asked for, or the machine did so itself (M0, a button, a door).
    Paused {
        /// Whose.
        job: JobId,
        /// How far it got.
        checkpoint: Checkpoint,
        /// Why.
        halt: Halt,
    },
    /// The job goes on.
    Resumed {
        /// Whose.
        job: JobId,
    },
    /// The job is over; nothing more is said about it.
    Ended {
        /// Whose.
        job: JobId,
        /// How.
        end: End,
        /// How far it got.
        checkpoint: Checkpoint,
    },
    /// An emergency stop has left for the machine.
    EstopSent,
    /// The machine has answered the emergency stop.
    EstopConfirmed {
        /// From press to answer.
        latency: Duration,
    },
    /// The emergency stop has been cleared.
    EstopCleared,
    /// The link thread has ended; the last report.
    Closed,
}
