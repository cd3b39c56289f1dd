//! The few unsafe system calls, each with its reason.

pub(crate) mod crash;
pub mod pidfd;
pub mod process;
pub mod serial;
pub(crate) mod spawn;
