//! stationd: one Linux daemon for a workshop, a lab or a small server.
//!
//! ```text
//!   station      launch, lock, signals, notify ── http (REST, /ws, static) ── cli
//!                                    |  Links (typed handles, wired once)
//!   daemons      job_queue · device_manager · heartbeat · metrics · sync     (actors)
//!                                    |
//!   supervision  knows no daemon      store  SQLite      link  serial · tcp · simulated      config
//!                                    |
//!   domain · drivers · firmware · toolpath       types, state machines, protocols            (pure)
//! ```
//! Dependencies point down only; `tests/stationd/architecture.rs` reads the `use` lines and
//! enforces it.

#[cfg(panic = "abort")]
compile_error!("supervision contains panics by unwinding: build without panic = \"abort\"");

pub mod cli;
pub mod config;
pub mod daemons;
pub mod domain;
pub mod drivers;
pub mod feed;
pub mod firmware;
pub mod http;
pub mod link;
pub mod log_file;
pub mod station;
pub mod store;
pub mod supervision;
pub mod sys;
pub mod toolpath;
