//! The database: one file, one writer thread that groups commits, a few read connections, all SQL.
//!
//! ```text
//!   write(work) ──┐                                  ┌─> answer each caller
//!   write(work) ──┼─> queue ─> writer: one IMMEDIATE ├─> feed.durable, in order of numbers
//!   write(work) ──┘            transaction, COMMIT ──┘
//!   read(query) ────> one of a few read-only connections, one snapshot each
//! ```
//! A caller is answered only once its write is durable. State and the event that tells of it are
//! written in the same transaction, so neither can be seen without the other.

pub mod audit;
pub mod backup;
pub mod daemons;
mod error;
pub mod events;
pub mod files;
mod handle;
mod health;
pub mod hooks;
pub mod jobs;
mod migrate;
mod open;
mod page;
mod pending;
pub mod queue_modes;
mod readers;
pub mod schedules;
pub mod settings;
#[cfg(test)]
mod tests;
mod tx;
mod writer;

pub use error::StoreError;
pub use handle::Store;
pub use health::{Integrity, StoreHealth, StoreStats};
pub use open::{StoreOptions, Synchronous};
pub use page::Page;
pub use pending::Pending;
pub use tx::Tx;
