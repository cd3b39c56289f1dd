//! How the parts of the station reach its daemons: one field each, wired once.

use actix::Addr;

use super::{device_manager::DeviceManager, job_queue::JobQueue, sync::Sync};
use crate::supervision::{Link, Supervisor};

/// Handles that outlive every restart of a daemon.
#[derive(Clone)]
pub struct Links {
    /// Owns every daemon's lifecycle.
    pub supervisor: Addr<Supervisor>,
    /// What runs next, and where.
    pub job_queue: Link<JobQueue>,
    /// Every machine.
    pub device_manager: Link<DeviceManager>,
    /// Copies of database and files.
    pub sync: Link<Sync>,
}
