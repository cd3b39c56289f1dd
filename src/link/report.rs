//! What a link says.

use std::time::Duration;

use thiserror::Error;

use crate::{
    domain::{DeviceStatus, JobId, Position},
    drivers::Checkpoint,
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
    /// Where the tool is, in work coordinates; on change, at most 10 a second.
    Position {
        /// Unknown (`None`) from a reset or loss until the machine next says.
        position: Option<Position>,
        /// True while the tool is up (Z above 0 in work coordinates), where it is known.
        pen_up: Option<bool>,
    },
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
        /// Why, if nobody asked for it here.
        reason: Option<String>,
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

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything is acknowledged and the machine stands still.
    Completed,
    /// The machine refused a line, or the file cannot be sent; the machine is safe.
    Failed {
        /// The line of the file (from 1), if one is to blame.
        line: Option<u64>,
        /// What is wrong with it, with the machine's number and its meaning.
        message: String,
    },
    /// It was asked for, and the machine is safe.
    Cancelled,
    /// The station, the link or the machine failed, or the stop could not be confirmed.
    Interrupted {
        /// What happened.
        reason: String,
        /// False if the machine may have lost its position: home it before going on.
        position_known: bool,
    },
}

/// A request that cannot be met.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// There is no connection.
    #[error("the machine is not connected")]
    Disconnected,
    /// Something else is going on.
    #[error("the machine is busy: {0}")]
    Busy(&'static str),
    /// The emergency stop is latched.
    #[error("the emergency stop has not been cleared")]
    Estop,
    /// The line cannot be sent as it is.
    #[error("the line cannot be sent: {0}")]
    Line(String),
    /// The machine answered with an error or an alarm.
    #[error("{message}")]
    Machine {
        /// Number and meaning.
        message: String,
        /// What it had said before.
        lines: Vec<String>,
    },
    /// The machine did not answer in time.
    #[error("the machine did not answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The link went away meanwhile.
    #[error("the link to the machine was lost")]
    Lost,
}
