//! Why a machine did not do as asked.

use thiserror::Error;

use crate::domain::{DeviceStatus, JobId};

/// A request to a machine that was not met.
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
    #[error("job {0} is not on a machine any more")]
    NotOnMachine(JobId),
    /// It was paused by hand or by its machine.
    #[error("job {0} is not at a stop of its file: there is no layer to skip")]
    NotAtStop(JobId),
    /// Its file stops there, and no layer begins.
    #[error(
        "job {job} waits for \"{stop}\", where no layer begins that could be skipped: resume or \
         cancel it"
    )]
    NoLayer {
        /// Which job.
        job: JobId,
        /// What a person is to do there.
        stop: String,
    },
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
