//! The built-in daemons: one actor a file, each message beside its handler.
//!
//! They reach each other through [`Links`] and show what they know on the [`Board`], so that a
//! reader never waits for an actor.

mod board;
pub mod checkup;
pub mod device_manager;
pub mod heartbeat;
mod history;
pub mod hooks;
pub mod job_log;
pub mod job_queue;
mod left_over;
pub mod metrics;
pub mod process;
mod programs;
pub mod resume;
mod stops;
pub mod sync;
pub mod telemetry;
mod tools;
mod usage;
pub mod watchdog;

pub use board::{Board, Connected, Phase};
pub use device_manager::{DeviceError, Estops};
pub use history::{History, Sample, Series};
pub use left_over::settle as settle_left_over;
pub use tools::{Links, Tools};
pub use usage::Usage;
