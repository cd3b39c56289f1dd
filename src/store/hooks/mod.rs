//! What is done because something happened: each run of a hook, from the event to its end.
//!
//! ```text
//!                       begin             finish
//!   plan ──> WAITING ──────────> RUNNING ─────────> SUCCEEDED
//!               ^                   │               FAILED ────┐
//!               └──── defer, reset ─┘               SKIPPED    │
//!               ^────────────────────────────────── retry ─────┘
//! ```
//! Events up to the cursor have been looked at: what follows from them is in the table.

mod change;
mod read;
mod run;

pub use change::{Ended, NewRun, begin, cap, defer, finish, plan, prune, reset, retry};
pub use read::{Due, Outbox, RunFilter, cursor, due, get, last_of, list, next_at, outbox, waiting};
pub use run::{HookRun, RunState};
