//! The part of the configuration that requests are handled by.

use std::{path::PathBuf, time::Duration};

use super::{access::Policy, origin::Names};

/// A machine that jobs can be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What people call it.
    pub name: String,
    /// The protocol it speaks.
    pub driver: String,
    /// Every job for it waits until a person releases it.
    pub require_confirmation: bool,
}

/// What a request needs to know of the configuration. Replaced as a whole on reload.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The station's name.
    pub station: String,
    /// Where the control socket lies.
    pub socket_path: PathBuf,
    /// Where jobs keep their output, by id.
    pub jobs_dir: PathBuf,
    /// Who may do what.
    pub policy: Policy,
    /// The names by which the station is addressed.
    pub names: Names,
    /// The machines.
    pub targets: Vec<Target>,
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
    /// Log refused requests.
    pub security_events: bool,
}
