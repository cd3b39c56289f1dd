//! The command line: what can be asked for, and the client of a running station.
//!
//! ```text
//!   words ──parse──> Task::Start(StartOptions) ──> the station, in this process
//!               └──> Task::Client(Invocation)  ──run──> discover ──> client, live ──> print
//! ```
//! Every group of commands has a file: its options and what it does stand together.

mod args;
mod batch;
mod check_file;
mod client;
pub mod config;
mod daemon;
mod demo;
mod device;
mod discover;
mod events;
mod failure;
mod heartbeat;
mod hook;
mod job;
mod job_edit;
mod job_logs;
mod lifecycle;
mod live;
mod logs;
mod parse;
#[cfg(test)]
mod parse_table;
mod plugin;
mod print;
mod program;
mod queue;
mod reconcile;
mod report;
mod resume;
mod run;
mod schedule;
mod shell;
mod start;
mod status;
mod submit;
mod template;
#[cfg(test)]
mod tests;
mod watch;
mod wish;

pub use parse::{Invocation, Task, parse};
pub use run::run;
