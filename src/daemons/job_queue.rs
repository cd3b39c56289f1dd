//! The job queue: what runs next, and where.

use actix::Message;
use thiserror::Error;

use super::device_manager::DeviceError;
use crate::domain::{Actor, Denied, Job, JobAction, JobId};

/// Why the queue did not do as asked.
#[derive(Clone, Debug, Error)]
pub enum QueueError {
    /// No job of that id.
    #[error("there is no job {0}")]
    NotFound(JobId),
    /// The job's state forbids it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It makes no sense for this job, in a sentence.
    #[error("{0}")]
    Refused(String),
    /// The machine did not do as asked.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The device manager is down.
    #[error("the device manager is not running")]
    Unavailable,
}

/// Something may have become runnable.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Wake;

/// Does to a job what a person asked; answers with the job as it then is.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<Job, QueueError>")]
pub struct Act {
    /// Which job.
    pub id: JobId,
    /// What to do.
    pub action: JobAction,
    /// Who asked.
    pub actor: Actor,
}
