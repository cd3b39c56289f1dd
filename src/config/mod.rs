//! Configuration: layers, checks, errors that name line and column.

mod problem;
mod secret;
mod sources;
mod types;
mod values;

pub use problem::{Level, Place, Problem};
pub use secret::{HIDDEN, Secret};
pub use sources::{Flag, Sources};
pub use types::{
    Config, Database, DeviceConfig, Heartbeat, LogFormat, Logging, Metrics, Queue, Restart, Rotate,
    Security, Simulator, Station, Supervisor, Sync, SyncTarget, Synchronous, Websocket,
};

/// The drivers there are names for.
pub const KNOWN_DRIVERS: [&str; 5] = ["grbl", "marlin", "ebb", "hpgl", "line"];
/// The drivers that this version has.
pub const SUPPORTED_DRIVERS: [&str; 1] = ["grbl"];
