//! HTTP: REST, WebSocket, dashboard.
//!
//! ```text
//!   on_connect: who is at the other end ─┐
//!                                        v
//!   request ──> guard: Host, Origin, token, headers ──> route: role ──> handler ──> answer
//!                                                                         │
//!                                            board (read) · store (read, durable write) · links
//! ```
//! Handlers read the board and the database and ask the daemons; they decide nothing themselves.
//! Whatever goes wrong is a [`Problem`].

mod access;
mod app;
mod assets;
mod batch;
mod daemons;
mod devices;
mod edit;
mod error;
mod events;
mod guard;
mod health;
mod hooks;
mod intake;
mod job_files;
mod job_log;
mod jobs;
mod need;
mod origin;
mod placement;
mod plugins;
mod prepare;
mod query;
mod queue;
mod rate;
mod resume;
mod routes;
mod schedules;
mod server;
mod settings;
mod station;
mod submission;
mod submit;
mod surroundings;
mod tail;
#[cfg(test)]
mod tests;
mod wish;
mod ws;

pub use access::{Policy, Role, Token};
pub use app::{App, Control};
pub use error::{Detail, Problem};
pub use origin::Names;
pub use server::{SLOW_CLIENT_TIMEOUT, server};
pub use settings::{Settings, Target};
pub use ws::Hubs;
