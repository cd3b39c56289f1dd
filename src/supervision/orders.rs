//! What can be asked of the supervisor.

use std::time::Duration;

use actix::Message;
use serde::Serialize;
use thiserror::Error;

use super::{
    child::Child,
    problems::Problems,
    spec::{Rules, Spec},
};
use crate::domain::{Daemon, did_you_mean};

/// Shows every daemon, in the order they were given.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Vec<Daemon>")]
pub struct List;

/// Shows one daemon.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Daemon, OrderError>")]
pub struct Show {
    /// Which, by [`same_name`](crate::domain::same_name).
    pub name: String,
}

/// Starts a daemon and what it depends on, and answers once it is RUNNING, or did not start.
/// Forgives its failures so far; what backs off is started at once.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Done, OrderError>")]
pub struct Start {
    /// Which, by [`same_name`](crate::domain::same_name).
    pub name: String,
}

/// Stops a daemon, and answers once nothing of it is left. What depends on it is left alone, as
/// when it fails.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Done, OrderError>")]
pub struct Stop {
    /// Which, by [`same_name`](crate::domain::same_name).
    pub name: String,
    /// At once, without its leave.
    pub force: bool,
}

/// Stops a daemon, if it runs, and starts it.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Done, OrderError>")]
pub struct Restart {
    /// Which, by [`same_name`](crate::domain::same_name).
    pub name: String,
    /// The stop is at once, without its leave.
    pub force: bool,
}

/// A daemon after an order was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// As it is now.
    pub daemon: Daemon,
    /// What was done, in a few words that follow its name.
    pub did: String,
}

/// Names every daemon, each after all that it depends on.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Vec<String>")]
pub struct InOrder;

/// Asks one daemon how it is, now, and shows it once it has answered or was given up.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Daemon, OrderError>")]
pub struct CheckOne {
    /// Which, by [`same_name`](crate::domain::same_name).
    pub name: String,
}

/// Compares what is meant to run with what does, and mends what differs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Mended>, OrderError>")]
pub struct Reconcile {
    /// Only this one, by [`same_name`](crate::domain::same_name).
    pub name: Option<String>,
}

/// A difference between what is meant to be and what is, and what was done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mended {
    /// What differed, as `daemon camera`.
    pub what: String,
    /// What was done, in a few words.
    pub did: String,
}

/// Gives the supervisor other daemons: exactly what has changed is started, stopped or restarted.
/// A daemon is known by its name. Answered at once with a sentence for each change.
#[derive(Message)]
#[rtype(result = "Result<Vec<String>, Problems>")]
pub struct Configure {
    /// All of them, with the rules that come with them; one without a child keeps the child that
    /// it has.
    pub daemons: Vec<(Spec, Option<Child>)>,
    /// What holds for all of them together, but for what was counted before.
    pub rules: Rules,
}

/// Asks every running daemon how it is, now, and shows all once each has answered or was given up.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Vec<Daemon>")]
pub struct CheckHealth;

/// Waits until every enabled daemon has been RUNNING at least once, or one of them will not be
/// without help.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Result<(), NotReady>")]
pub struct Ready;

/// Stops every daemon for good, each before what it depends on, those independent of each other
/// at the same time. Answered when none is left. Each has its own stop time-out, but when the
/// grace is over, whatever is left is abandoned. A second request may shorten the grace.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Shutdown {
    /// For all of them together.
    pub grace: Duration,
}

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OrderError {
    /// There is no such daemon.
    #[error("no daemon is called \"{name}\"{}", did_you_mean(.nearest.as_deref()))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The name that looks most like it.
        nearest: Option<String>,
    },
    /// It was given up after so long. It did not start and is tried again, or was stopped by force.
    #[error("{name} did not {verb} within {} s", .limit.as_secs_f64())]
    TimedOut {
        /// Which daemon.
        name: String,
        /// `start` or `stop`.
        verb: &'static str,
        /// Its time-out.
        limit: Duration,
    },
    /// It, or what it depends on, did not start.
    #[error("{name} did not start: {reason}")]
    Failed {
        /// Which daemon.
        name: String,
        /// In one sentence.
        reason: String,
    },
    /// The order cannot be carried out now.
    #[error("{name} {reason}")]
    Refused {
        /// Which daemon.
        name: String,
        /// The rest of a sentence that begins with the name.
        reason: &'static str,
    },
}

/// Why the daemons will not be ready.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotReady {
    /// An enabled daemon will not start without help.
    #[error("{name} did not start: {reason}")]
    Failed {
        /// Which.
        name: String,
        /// In one sentence.
        reason: String,
    },
    /// Everything is being stopped.
    #[error("the daemons are being stopped")]
    ShuttingDown,
}
