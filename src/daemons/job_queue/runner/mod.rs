//! The thread that runs the programs of command jobs.
//!
//! ```text
//!   queue ── Run ──> ready ── a slot is free ──> running ── ended ──> clearing ──> over ── Ended ──> queue
//!                      │                            │  End: SIGTERM,      what it left behind
//!                      └─ waits too long:           │  later SIGKILL      is asked, then killed
//!                         NotStarted                └─ output, progress: to the job's log, to who listens
//! ```
//! It starts programs, reads what they write and reaps them, so that one that has ended makes room
//! for the next without a word to any other thread. It waits for nothing but its own events. When it
//! ends, for whatever reason, the kernel kills the programs that it has started.

mod forks;
mod handle;
mod order;
mod output;
mod progress;
mod run;
mod start;
mod tell;
mod thread;

pub(super) use handle::Runner;
pub(super) use order::{Ended, How, News, Task, Why};
pub use progress::progress_of;
pub(super) use start::Host;
