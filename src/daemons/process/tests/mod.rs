//! Real programs under a real supervisor.

mod lives;
mod support;
