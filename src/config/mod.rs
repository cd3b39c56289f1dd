//! Configuration: layers, checks, errors that name line and column.
//!
//! ```text
//!   files ── document (YAML with positions) ──┐
//!   environment, --set, options ── env ───────┴─ check (schema, form) ─ tree (merge) ─ complete
//!              daemons, fit (daemons) ─ plugins ─ cross (together) ─ types (Config) ─┘
//! ```
//! Nothing stops at the first problem: each layer is checked by itself against one table of keys
//! (`schema`), what is good is merged, and every problem is reported at once.

mod check;
mod complete;
mod cross;
mod daemon;
mod daemons;
mod device;
mod document;
mod env;
mod file;
mod fit;
mod form;
mod hook;
mod hooks;
mod host;
mod line;
mod load;
mod loaded;
mod nearest;
mod plotter;
mod plugin;
mod plugins;
mod problem;
mod queue;
mod read;
mod restart;
mod schema;
mod sources;
mod text;
mod tree;
mod types;
mod values;
mod words;

#[cfg(test)]
mod tests;

pub use crate::domain::{HIDDEN, Secret};
pub use daemon::DaemonConfig;
pub use device::{DeviceConfig, MotionConfig};
pub use hook::HookConfig;
pub use line::LineConfig;
pub use load::{load, runtime_file};
pub use loaded::{Loaded, Setting};
pub use plotter::{EbbConfig, HpglConfig, HpglHandshake};
pub use plugin::{Plugin, PluginCommand, PluginStatus};
pub use plugins::read_plugin;
pub use problem::{Level, Place, Problem};
pub use queue::{Queue, Retry};
pub use restart::{Restart, RestartPolicy};
pub use sources::{Flag, Sources};
pub use types::{
    Config, Database, Heartbeat, LogFormat, Logging, Metrics, Plugins, Rotate, Security, Simulator,
    Station, Supervisor, Sync, SyncTarget, Synchronous, Watchdog, Websocket,
};
pub use values::size;

/// A file with every key at its default, explained.
pub const SAMPLE: &str = include_str!("../../config/stationd.yaml");
/// The drivers there are.
pub const KNOWN_DRIVERS: [&str; 5] = ["grbl", "marlin", "ebb", "hpgl", "line"];
