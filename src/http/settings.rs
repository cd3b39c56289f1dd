//! The part of the configuration that requests are handled by.

use std::{path::PathBuf, time::Duration};

use jiff::tz::TimeZone;
use nix::unistd::geteuid;

use super::{
    access::{Policy, Token},
    origin::Names,
};
use crate::{
    config::{Config, DeviceConfig},
    domain::{Job, Machine, PlotOptions},
};

/// A machine that jobs can be for.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The machine as far as its files are concerned.
    pub machine: Machine,
    /// Every job for it waits until a person releases it.
    pub require_confirmation: bool,
    /// How it draws what is not in its own language.
    pub plot: PlotOptions,
}

/// What a request needs to know of the configuration. Replaced as a whole on reload.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The station's name.
    pub station: String,
    /// Where the control socket lies.
    pub socket_path: PathBuf,
    /// Where all state lies.
    pub workspace: PathBuf,
    /// Where jobs keep their output, by id.
    pub jobs_dir: PathBuf,
    /// Who may do what.
    pub policy: Policy,
    /// The names by which the station is addressed.
    pub names: Names,
    /// The machines.
    pub targets: Vec<Target>,
    /// In which times of day are read.
    pub timezone: TimeZone,
    /// Bytes of all job files together.
    pub max_storage: u64,
    /// Bytes of the largest job file.
    pub max_file_size: u64,
    /// WebSocket clients at a time.
    pub max_connections: usize,
    /// Between protocol pings.
    pub heartbeat_interval: Duration,
    /// Messages a WebSocket client may send in a second.
    pub message_rate_limit: u16,
    /// Messages that may wait for one slow client.
    pub send_queue: usize,
    /// How long a daemon may take to be healthy after a rolling restart.
    pub health_timeout: Duration,
    /// Log what people change.
    pub audit: bool,
    /// Log refused requests.
    pub security_events: bool,
}

impl Settings {
    /// The machine of a job as it is configured, or one of which only the driver is known.
    pub fn machine(&self, job: &Job) -> Machine {
        let its = |target: &&Target| Some(&target.machine.name) == job.device.as_ref();
        let found = self.targets.iter().find(its).map(|target| target.machine.clone());
        found.unwrap_or_else(|| Machine::unknown(job.driver.as_deref().unwrap_or_default()))
    }
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let Config { station, websocket, security, supervisor, queue, logging, .. } = config;
        let key = websocket.api_key.as_ref().filter(|_| websocket.authenticate);
        Self {
            station: station.name.clone(),
            socket_path: station.socket_path.clone(),
            workspace: station.workspace.clone(),
            jobs_dir: station.workspace.join("jobs"),
            policy: Policy {
                token: key.map(|key| Token::new(key.expose())),
                trust_local_socket: true,
                group_socket: station.socket_group.is_some(),
                allow_unauthenticated: security.allow_unauthenticated,
                station_uid: geteuid().as_raw(),
            },
            names: Names::new(&websocket.host, &security.allowed_hosts, &websocket.allowed_origins),
            targets: config.devices.iter().map(Target::from).collect(),
            timezone: station.timezone(),
            max_storage: queue.max_storage,
            max_file_size: queue.max_file_size,
            max_connections: websocket.max_connections,
            heartbeat_interval: websocket.heartbeat_interval,
            message_rate_limit: u16::try_from(websocket.message_rate_limit).unwrap_or(u16::MAX),
            send_queue: websocket.send_queue,
            health_timeout: supervisor.health_timeout,
            audit: logging.audit,
            security_events: logging.security_events,
        }
    }
}

impl From<&DeviceConfig> for Target {
    fn from(device: &DeviceConfig) -> Self {
        Self {
            machine: device.machine(),
            require_confirmation: device.require_confirmation,
            plot: device.plot.clone(),
        }
    }
}
