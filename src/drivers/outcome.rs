//! How things end that were asked of a machine.

use std::{fmt, time::Duration};

use thiserror::Error;

/// Why a job stands still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// It was asked to.
    Asked,
    /// The machine did so itself, for this reason.
    Machine(String),
    /// The file has a stop here, with this message for a person.
    Stop(String),
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

/// Why a driver stops its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Cancelled,
    Failed { line: Option<u64>, message: String },
    Interrupted(String),
}

impl Why {
    /// A further reason while the stop is under way: what is asked last counts, but a stop for a
    /// fault says more than any other.
    pub(super) fn heed(&mut self, later: Self) {
        if matches!(self, Self::Interrupted(_)) && later == Self::Cancelled {
            *self = later;
        }
    }

    /// How the job ends once the stop is over, `confirmed` by the machine or given up.
    pub(super) fn end(self, confirmed: bool, position_known: bool) -> End {
        match self {
            why if !confirmed => End::Interrupted {
                reason: format!("{why}; the machine did not confirm that it stopped"),
                position_known: false,
            },
            Self::Cancelled => End::Cancelled,
            Self::Failed { line, message } => End::Failed { line, message },
            Self::Interrupted(reason) => End::Interrupted { reason, position_known },
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("cancelled"),
            Self::Failed { line: Some(line), message } => write!(f, "line {line}: {message}"),
            Self::Failed { line: None, message } | Self::Interrupted(message) => {
                f.write_str(message)
            }
        }
    }
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
