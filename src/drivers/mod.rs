//! Machine protocols as sans-IO state machines: bytes and time in, bytes and events out.

mod checkpoint;

/// Every driver there is.
pub const NAMES: [&str; 1] = ["grbl"];

pub use checkpoint::Checkpoint;
