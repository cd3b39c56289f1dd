//! All SQL of jobs. A job's state changes in [`transition`] alone.

mod change;
mod claim;
mod clear;
mod edit;
mod insert;
mod interrupted;
mod keep;
mod read;
mod row;
mod submission;
#[cfg(test)]
mod tests;

pub use change::{
    Change, check_version, checkpoint_progress, force, put_back, transition, transition_from,
};
pub use claim::{Groups, claim_commands, claim_for_device, next_not_before, settle, unsettled};
pub use clear::Claimant;
pub use edit::{Edit, Place, edit};
pub use insert::{Inserted, insert};
pub use interrupted::{Interrupted, interrupted_on};
pub use keep::{delete, make_room, prune};
pub use read::{
    Counts, JobFilter, active, by_key, counts, get, list, payload, program, queue, queued_ahead,
    running, runs,
};
pub use submission::{Batch, insert_batch, prune as prune_submissions};
