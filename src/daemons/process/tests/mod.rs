//! Real programs under a real supervisor.

mod adoption;
mod health;
mod lives;
mod notify;
mod output;
mod readiness;
mod stops;
mod support;
mod surroundings;
