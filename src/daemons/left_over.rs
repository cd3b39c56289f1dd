//! What an earlier run of the station was in the middle of.

use std::path::Path;

use super::{device_manager, job_queue};
use crate::store::{Store, StoreError};

/// Gives every job that an earlier run left running the state that is true of it, and kills what is
/// left of its program. Job queue and device manager do the same whenever they start; done before
/// them, a start that cannot write it fails at once. Blocks.
///
/// # Errors
/// The database does not do as asked, a full disk among them.
pub fn settle(store: &Store, jobs: &Path) -> Result<(), StoreError> {
    device_manager::interrupt_left_over(store, jobs)?;
    job_queue::requeue_left_over(store)
}
