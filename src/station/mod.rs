//! The station: launch, wiring, signals, shutdown.

mod assembly;
mod control;
mod devices;
pub mod exit;
pub mod ground;
mod last_run;
pub mod launch;
mod log_channel;
pub mod log_format;
mod log_writer;
pub mod logging;
pub mod notify;
mod observer;
mod options;
mod panics;
pub mod pidfile;
mod plugins;
pub mod ports;
pub mod privileges;
mod reload;
mod roster;
mod run;
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
    options::StartOptions,
    pidfile::PidFile,
    privileges::Identity,
    run::run,
    signals::{Signal, Signals},
    socket::ControlSocket,
    workspace::{Paths, Workspace},
};
