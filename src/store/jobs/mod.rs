//! All SQL of jobs. A job's state changes in [`transition`] alone.

mod change;
mod claim;
mod clear;
mod insert;
mod keep;
mod read;
mod row;
#[cfg(test)]
mod tests;

pub use change::{Change, checkpoint_progress, force, move_before, set_priority, transition};
pub use claim::{claim_command, claim_for_device, next_not_before};
pub use clear::Claimant;
pub use insert::{Inserted, insert, insert_batch};
pub use keep::{delete, prune};
pub use read::{
    Counts, JobFilter, active, by_key, counts, get, list, payload, queue, queued_ahead, running,
};
