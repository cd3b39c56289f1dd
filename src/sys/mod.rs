//! The few unsafe system calls, each with its reason.

pub mod process;
pub mod serial;
