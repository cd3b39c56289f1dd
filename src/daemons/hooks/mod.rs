//! Hooks: what an operator wants done when something happens, done in order and beside the work.
//!
//! ```text
//!   events ──> happened ──> plan ──> hook_runs (durable) ──> engine ──> perform ──> outcome
//!      ^        (what)      (who)        one transaction     (when)      program     (retry, alert,
//!   cursor ─────────────────────────────  with the cursor                webhook      abort the job)
//! ```
//! An event is looked at once: what follows from it is written in one transaction with the number
//! of the event, so a crash loses nothing and repeats nothing. What was being done when the
//! station went down is done again: at least once, told apart by its id.
//!
//! Runs of one job, machine or daemon follow each other in the order of events; different ones go
//! in parallel. A webhook that has to wait for its server holds up only later posts of the same
//! hook about the same thing. Hooks run beside the jobs: nothing waits for them.

mod actor;
mod bell;
mod daemon;
mod engine;
mod happened;
mod orders;
mod outcome;
mod perform;
mod plan;
mod program;
mod sign;
mod tls;
mod values;
mod webhook;

pub use actor::{Hooks, Options};
pub use bell::Bell;
pub use orders::{Known, List, NoHook, Retry, Test};
