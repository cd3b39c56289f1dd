//! Daemons: look at them, order them about, read what their programs write.
//!
//! Every order is carried out to its end and written down, whether or not the client waits for
//! the answer.

mod act;
mod bulk;
#[cfg(feature = "faults")]
mod fault;
mod log;
mod look;
mod reconcile;
mod rolling;

pub(super) use act::act;
pub(super) use bulk::bulk;
#[cfg(feature = "faults")]
pub(super) use fault::fault;
pub(super) use log::log;
pub(super) use look::{list, show};
pub(super) use reconcile::reconcile;
