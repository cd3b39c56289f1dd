//! What the queue and the thread say to each other.

use std::time::Duration;

use crate::{
    daemons::programs::end::End,
    domain::{JobId, Progress, Surroundings},
};

/// A job to run, which is RUNNING in the database.
#[derive(Debug)]
pub(in super::super) struct Task {
    pub(in super::super) id: JobId,
    pub(in super::super) name: String,
    /// From 1.
    pub(in super::super) attempt: u32,
    pub(in super::super) command: Vec<String>,
    pub(in super::super) surroundings: Surroundings,
    pub(in super::super) timeout: Option<Duration>,
}

/// Why a program is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Why {
    /// A person asked for it.
    Cancelled,
    /// It took too long.
    TimedOut,
    /// The station stops.
    Stopping,
}

/// What the queue asks for.
#[derive(Debug)]
pub(super) enum Order {
    Run(Box<Task>),
    /// Holds a program still; one that has not begun does not begin.
    Pause(JobId),
    Resume(JobId),
    End(JobId, Why),
    /// What has not been started goes back.
    GiveBack,
    /// Kills everything that runs.
    Kill,
    /// Kills everything, and ends.
    Quit,
}

/// How a job came out.
#[derive(Clone, Debug)]
pub(in super::super) enum How {
    /// Its program ran.
    Ran(End),
    /// It could not be started; a sentence.
    Failed(String),
    /// It was ended before it was started.
    NotBegun,
}

/// A job that is over: nothing of it runs any more.
#[derive(Clone, Debug)]
pub(in super::super) struct Ended {
    pub(in super::super) id: JobId,
    pub(in super::super) how: How,
    /// If it did not end by itself.
    pub(in super::super) why: Option<Why>,
    pub(in super::super) ran: Duration,
    /// The last word of the program on how far it is.
    pub(in super::super) progress: Option<Progress>,
}

impl Ended {
    /// True if its program ended by itself, as it should.
    pub(super) fn is_well(&self) -> bool {
        self.why.is_none() && matches!(self.how, How::Ran(End::Code(0)))
    }
}

/// What the queue is told.
#[derive(Debug)]
pub(in super::super) enum News {
    Ended(Box<Ended>),
    /// It waited too long for room, and is given back untouched.
    NotStarted(JobId),
}
