//! The command line: what can be asked for, and the client of a running station.

mod args;
mod daemon;
mod demo;
mod device;
mod events;
mod job;
mod lifecycle;
mod parse;
mod start;
mod submit;

pub use args::KeyValue;
pub use parse::{Invocation, Task, parse};
pub use start::StartOptions;
