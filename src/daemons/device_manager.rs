//! The device manager: every machine, its link and the job on it.

use actix::Message;
use thiserror::Error;

use crate::domain::{DeviceStatus, Job, JobAction, JobId, Payload};

/// Why a machine did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeviceError {
    /// No machine of that name.
    #[error("no device is called \"{0}\"")]
    Unknown(String),
    /// It does something else.
    #[error("device \"{name}\" is {status}")]
    NotIdle {
        /// Which.
        name: String,
        /// What it does.
        status: DeviceStatus,
    },
    /// The job is not on any machine.
    #[error("job {0} is not on a machine")]
    NotOnMachine(JobId),
    /// The machine or its link refused, in a sentence.
    #[error("device \"{name}\": {reason}")]
    Refused {
        /// Which.
        name: String,
        /// Why.
        reason: String,
    },
    /// It did not answer in time.
    #[error("device \"{0}\" did not answer in time")]
    TimedOut(String),
}

/// Runs a job on an idle machine. The job is RUNNING in the database before this is sent.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), DeviceError>")]
pub struct RunJob {
    /// On which machine.
    pub device: String,
    /// Which job.
    pub job: Job,
    /// Its file.
    pub payload: Payload,
}

/// Pauses, resumes or cancels the job on a machine; answered once the machine has done it and the
/// job's new state is durable.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), DeviceError>")]
pub struct Control {
    /// Which job.
    pub job: JobId,
    /// One of pause, resume, cancel.
    pub action: JobAction,
    /// Who asked.
    pub actor: String,
}

/// What a person can ask of a machine itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Open the link again.
    Connect,
    /// Close the link and leave it closed.
    Disconnect,
    /// Send one line and collect what it answers.
    Send(String),
    /// Find the origin.
    Home,
    /// Let it be used again after an emergency stop.
    ClearEstop,
}

/// Asks something of a machine; answers with the lines it replied.
#[derive(Message, Debug)]
#[rtype(result = "Result<Vec<String>, DeviceError>")]
pub struct Operate {
    /// Which machine.
    pub device: String,
    /// What.
    pub operation: Operation,
}
