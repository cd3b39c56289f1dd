//! The device manager: every machine, its link and the job on it.
//!
//! ```text
//!   job queue ── RunJob, Control ──┐
//!   http ── Operate ───────────────┤        ┌── LinkHandle ──> link thread ──> machine
//!                                  v        │
//!                            DeviceManager ─┤
//!                                  ^        └── states and events ──> store (durable, in order)
//!         reports of all links ────┘            progress, positions ──> board, feed (the moment)
//! ```
//! It owns the handles of all links. A job's state follows the reports of its link: it is written
//! when the machine has done it, never when it was asked for. Should this daemon go down, dropping
//! the handles makes every machine safe, and the next incarnation finds the jobs and marks them
//! INTERRUPTED. The emergency stop does not come by here: see [`Estops`].

mod actor;
mod course;
mod error;
mod estops;
mod hear;
mod identity;
mod journal;
mod machine;
mod orders;
mod outcome;

pub(super) use actor::interrupt_left_over;
pub use actor::{Configured, DeviceManager, Options, StartError};
pub use error::DeviceError;
pub use estops::Estops;
pub use journal::{Left, Trace, trace};
pub use orders::{Control, Drawn, Operate, Operation, Reconnect, RunJob, WindDown};
