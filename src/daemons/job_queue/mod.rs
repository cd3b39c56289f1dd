//! The job queue: what runs next, and where.
//!
//! ```text
//!   submitted, machine free, time come ── Wake ──> claim (QUEUED → RUNNING, durable)
//!                                                    │            │
//!                                    device job: RunJob to the    command job: the runner starts its
//!                                    device manager, which         program; its end is written with
//!                                    follows the machine           the next claim
//!   http ── Act ──> waiting jobs: one transition; running ones: to whoever runs them
//! ```
//! It owns no machine and keeps no copy of the queue: the database is the queue. A job is RUNNING
//! there before anything of it starts, so that nothing is ever started twice.

mod act;
mod actor;
mod commands;
mod dispatch;
mod go_on;
mod modes;
mod pace;
mod runner;
mod schedules;
mod tidy;
mod turn;
mod why;

pub use act::{Act, QueueError};
pub use actor::{JobQueue, Options};
pub(super) use commands::requeue_left_over;
pub use dispatch::Wake;
pub use go_on::GoOn;
pub use modes::SetMode;
pub use runner::progress_of;
pub use why::Waiting;
