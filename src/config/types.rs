//! The configuration as the rest of the program reads it: whatever is here has been checked.
//!
//! Fields carry the names of their keys. A field is read from the key of the same name, so a field
//! without a row in `schema`, or a row without a field, is caught by the tests.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::tz::TimeZone;
use log::LevelFilter;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{DaemonConfig, DeviceConfig, HookConfig, Queue, Restart, Secret, values};
use crate::domain::same_name;

/// Everything that can be configured and has an effect.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The station itself.
    pub station: Station,
    /// The listener for HTTP and WebSocket.
    pub websocket: Websocket,
    /// Who may do what.
    pub security: Security,
    /// Where and how state is kept.
    pub database: Database,
    /// The station's log.
    pub logging: Logging,
    /// How daemons are kept running.
    pub supervisor: Supervisor,
    /// The job queue.
    pub queue: Queue,
    /// The heartbeat file.
    pub heartbeat: Heartbeat,
    /// Simulated machines.
    pub simulator: Simulator,
    /// Measurements of system and station.
    pub metrics: Metrics,
    /// Alarms about the computer.
    pub watchdog: Watchdog,
    /// Copies of database and job files.
    pub sync: Sync,
    /// Extensions.
    pub plugins: Plugins,
    /// The machines.
    pub devices: Vec<DeviceConfig>,
    /// Programs to keep running, those of plugins after the station's own.
    pub daemons: Vec<DaemonConfig>,
    /// Named sets of daemons; a daemon may name further ones itself.
    pub profiles: BTreeMap<String, Vec<String>>,
    /// What is done at each event, those of plugins after the station's own.
    #[serde(deserialize_with = "super::hook::in_order")]
    pub hooks: Vec<HookConfig>,
}

impl Config {
    /// False if the daemon of this name, built in or a program, is switched off.
    pub fn daemon_enabled(&self, name: &str) -> bool {
        let switch = self.supervisor.enabled.iter().find(|(known, _)| same_name(known, name));
        let own = || self.daemons.iter().find(|daemon| same_name(&daemon.name, name));
        let switched_on = match switch {
            Some((_, on)) => *on,
            None => own().is_none_or(|daemon| daemon.enabled),
        };
        switched_on && (self.metrics.enabled || !same_name(name, "metrics"))
    }
}

/// The station itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Station {
    /// What people call it.
    pub name: String,
    /// The directory of all state; absolute.
    pub workspace: PathBuf,
    /// The control socket; absolute.
    pub socket_path: PathBuf,
    /// The group that may use the control socket.
    pub socket_group: Option<String>,
    /// The time zone of times of day: `local`, or its name.
    pub timezone: String,
}

impl Station {
    /// The time zone; that of the computer if it does not know the name.
    pub fn timezone(&self) -> TimeZone {
        match self.timezone.as_str() {
            "local" => TimeZone::system(),
            name => TimeZone::get(name).unwrap_or_else(|_| TimeZone::system()),
        }
    }
}

/// The listener for HTTP and WebSocket.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Websocket {
    /// False: no TCP listener, the control socket alone.
    pub enabled: bool,
    /// `localhost` (both loopbacks), an address without brackets, or a host name.
    pub host: String,
    /// 0 is any free port.
    pub port: u16,
    /// True: requests must carry the key; there is one then.
    pub authenticate: bool,
    /// The key, of the role admin.
    pub api_key: Option<Secret>,
    /// WebSocket clients at a time.
    pub max_connections: usize,
    /// Between protocol pings.
    pub heartbeat_interval: Duration,
    /// Origins of pages, besides our own, that may connect: `SCHEME://HOST[:PORT]`.
    pub allowed_origins: Vec<String>,
    /// Messages that one client may send in a second.
    pub message_rate_limit: u32,
    /// Messages that may wait for one slow client.
    pub send_queue: usize,
}

impl Websocket {
    /// True if nobody outside this computer can reach the address.
    pub fn is_loopback(&self) -> bool {
        values::is_loopback(&self.host)
    }
}

/// Who may do what.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// Serve others than this computer without authentication.
    pub allow_unauthenticated: bool,
    /// Host names, besides our own, by which the station may be addressed.
    pub allowed_hosts: Vec<String>,
}

/// Where and how state is kept.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The file that `database.url` names; absolute.
    #[serde(rename = "url")]
    pub path: PathBuf,
    /// Connections that read.
    pub pool_size: usize,
    /// What a commit waits for.
    pub synchronous: Synchronous,
    /// Events older than this are removed.
    pub event_retention: Duration,
}

/// What a commit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// The disk, and its directory too.
    Extra,
    /// The disk.
    Full,
    /// Nothing: the last commits may be lost with the power.
    Normal,
}

/// The station's log.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logging {
    /// What is written at all.
    #[serde(deserialize_with = "level")]
    pub level: LevelFilter,
    /// How a line looks.
    pub format: LogFormat,
    /// Where to; none is stdout, or `logs/stationd.log` in the workspace when detached.
    pub file: Option<PathBuf>,
    /// Bytes after which a new file is begun.
    pub max_size: u64,
    /// Old files kept.
    pub backup_count: usize,
    /// Old files are removed after this.
    pub max_age: Duration,
    /// Old files are compressed.
    pub compress: bool,
    /// Who begins new files.
    pub rotate: Rotate,
    /// Levels for single targets.
    #[serde(deserialize_with = "levels")]
    pub modules: BTreeMap<String, LevelFilter>,
    /// Log every change that somebody makes (target `audit`).
    pub audit: bool,
    /// Log refused requests (target `security`).
    pub security_events: bool,
}

/// How a line of the log looks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum LogFormat {
    /// `TIME - TARGET - LEVEL - MESSAGE`.
    Text,
    /// An object a line.
    Json,
    /// `%(asctime)s`, `%(name)s`, `%(levelname)s` and `%(message)s` in any order.
    Template(String),
}

impl From<String> for LogFormat {
    fn from(text: String) -> Self {
        match text.as_str() {
            "text" => Self::Text,
            "json" => Self::Json,
            _ => Self::Template(text),
        }
    }
}

/// Who begins new log files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rotate {
    /// The station, by `max_size`.
    Internal,
    /// logrotate or the like, which signals USR1.
    External,
}

/// How daemons are kept running.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supervisor {
    /// Between comparisons of what should run with what does.
    pub reconcile_interval: Duration,
    /// Between questions for a daemon's health.
    pub health_interval: Duration,
    /// How long an answer may take.
    pub health_timeout: Duration,
    /// How long a start may take.
    pub start_timeout: Duration,
    /// How long a stop may take.
    pub stop_timeout: Duration,
    /// Daemons that start at a time.
    pub max_concurrent: usize,
    /// Restarts after failures.
    pub restart: Restart,
    /// Switches of single daemons; one that is not named is on. See [`Config::daemon_enabled`].
    pub enabled: BTreeMap<String, bool>,
}

/// The heartbeat file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Between beats.
    pub interval: Duration,
    /// The file; absolute.
    pub file: PathBuf,
    /// Its permissions.
    pub mode: u32,
}

/// Simulated machines.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulator {
    /// Times real time; 0 is no motion time at all.
    pub speed: f64,
    /// Pace of the link in baud; 0 is unpaced.
    pub baud_rate: u32,
}

/// Measurements of system and station.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Whether the daemon runs.
    pub enabled: bool,
    /// Between samples.
    pub interval: Duration,
    /// How far back samples are kept.
    pub history: Duration,
}

/// Alarms about the computer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watchdog {
    /// Between checks.
    pub interval: Duration,
    /// Fewer free bytes of disk than this are an alarm.
    pub disk_free_min: u64,
    /// A larger share of memory in use, 0 to 1, is an alarm.
    pub memory_max: f64,
}

/// Extensions.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plugins {
    /// Where they lie, a directory each; absolute.
    pub dir: PathBuf,
    /// Use all that are there.
    pub auto_discover: bool,
    /// How long one may take to load.
    pub load_timeout: Duration,
}

/// Copies of database and job files.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// Between copies.
    pub interval: Duration,
    /// Where to; names are unique.
    pub targets: Vec<SyncTarget>,
}

/// A directory that copies go to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncTarget {
    /// What people call it.
    pub name: String,
    /// The directory; absolute.
    pub path: PathBuf,
}

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LevelFilter, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn levels<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, LevelFilter>, D::Error> {
    let words = BTreeMap::<String, String>::deserialize(deserializer)?;
    words
        .into_iter()
        .map(|(name, word)| Ok((name, word.parse().map_err(D::Error::custom)?)))
        .collect()
}
