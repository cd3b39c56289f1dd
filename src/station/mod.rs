//! The station: launch, wiring, signals, shutdown.

pub mod exit;
pub mod ground;
pub mod launch;
pub mod log_format;
mod log_writer;
pub mod logging;
pub mod notify;
mod panics;
pub mod pidfile;
pub mod ports;
pub mod privileges;
mod rotation;
pub mod signals;
pub mod socket;
#[cfg(test)]
mod testing;
pub mod workspace;

pub use self::{
    exit::StartError,
    ground::{Claims, Ground},
    launch::{Launch, Ready, launch},
    log_format::LogFormat,
    logging::{LogHandle, LogOptions, Logging, Rotation},
    notify::Notifier,
    pidfile::PidFile,
    privileges::Identity,
    signals::{Signal, Signals},
    socket::ControlSocket,
    workspace::{Paths, Workspace},
};
