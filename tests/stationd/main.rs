//! The built program from outside: real processes, sockets and files.
//!
//! A module is a capability. Stations are started by [`support`], each on a workspace of its own
//! and any free port, so everything runs in parallel.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "what a failed or skipped test has to say")]

mod architecture;
mod cli;
mod config;
mod daemon;
mod dashboard;
mod hooks;
mod http;
mod jobs;
mod last_run;
mod machines;
mod metrics;
mod plugins;
mod processes;
mod queue;
mod storage;
mod supervision;
mod support;
mod sync;
mod websocket;
