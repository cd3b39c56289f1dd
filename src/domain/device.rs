//! Machines as the station sees them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Envelope, JobId, Timestamp};

/// What a machine does just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceStatus {
    /// No link.
    Disconnected,
    /// The link is being opened, or the machine has not said who it is.
    Connecting,
    /// Ready for a job.
    Idle,
    /// Works.
    Busy,
    /// Held still in the middle of a job.
    Paused,
    /// The machine refuses to move until a person unlocks it.
    Alarm,
    /// It cannot be used; `error_message` says why.
    Error,
}

impl DeviceStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Disconnected,
        Self::Connecting,
        Self::Idle,
        Self::Busy,
        Self::Paused,
        Self::Alarm,
        Self::Error,
    ];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Paused => "paused",
            Self::Alarm => "alarm",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for DeviceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a machine's tool is, in millimetres of machine or work coordinates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Along X.
    pub x: f64,
    /// Along Y.
    pub y: f64,
    /// Along Z; up is positive.
    pub z: f64,
}

/// Three lengths or coordinates, X Y Z, in millimetres.
pub type Axes = [f64; 3];

/// A move by hand, from where the tool is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Jog {
    /// Along X, in millimetres.
    pub x: f64,
    /// Along Y.
    pub y: f64,
    /// Along Z; up is positive.
    pub z: f64,
    /// Millimetres a minute.
    pub feed: f64,
}

impl Jog {
    /// How far a tool is moved by hand at once, at most, along each axis.
    pub const FARTHEST: f64 = 1000.0;
    /// And how fast.
    pub const FASTEST: f64 = 20_000.0;
}

impl Default for Jog {
    /// Nowhere, at a pace that a person can follow.
    fn default() -> Self {
        Self { x: 0.0, y: 0.0, z: 0.0, feed: 1000.0 }
    }
}

/// What a machine can be asked for besides running files, lines, and its emergency stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// It goes home.
    Home,
    /// It has an alarm that a person takes it out of.
    Unlock,
    /// It is moved by hand.
    Jog,
    /// Its Z is a pen that is up or down.
    Pen,
}

/// How warm a part of a machine is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Temperature {
    /// Which part: `T0` (a hot end), `bed`, `chamber`.
    pub part: String,
    /// In degrees Celsius.
    pub celsius: f64,
    /// What it is to be, in degrees Celsius; 0 = off.
    pub target: f64,
}

/// A machine as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Device {
    /// What people call it.
    pub name: String,
    /// The protocol it speaks.
    pub driver: String,
    /// What is opened: a path, `tcp://HOST:PORT` or `sim:DRIVER`.
    pub port: String,
    /// What it can be asked for.
    pub capabilities: &'static [Capability],
    /// `serial`, `tcp` or `simulated`.
    pub link: String,
    /// What it does just now.
    pub status: DeviceStatus,
    /// By what it is known for sure, as a by-id path; absent if there is nothing of the kind.
    pub identity: Option<String>,
    /// As the machine says.
    pub firmware_version: Option<String>,
    /// Where its tool is, once known.
    pub position: Option<Position>,
    /// The job on it.
    pub current_job_id: Option<JobId>,
    /// What is wrong, if anything.
    pub error_message: Option<String>,
    /// How far it can reach.
    pub envelope: Option<Envelope>,
    /// Since when it has been connected.
    pub connected_at: Option<Timestamp>,
    /// Errors it has reported since the station started.
    pub error_count: u64,
    /// When it last said anything.
    pub last_heard: Option<Timestamp>,
    /// True while the pen or tool is up, where the machine knows.
    pub pen_up: Option<bool>,
    /// How warm its parts are, where it tells.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub temperatures: Vec<Temperature>,
    /// When it was last homed, since it was connected.
    pub homed_at: Option<Timestamp>,
    /// Where it stood when it was connected, if it had been running on until then and has kept its
    /// position; in work coordinates.
    pub ran_on_to: Option<Position>,
    /// The emergency stop, if one has been pressed and not been cleared.
    pub estop: Option<Estop>,
}

/// How an emergency stop went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estop {
    /// When it was pressed.
    pub pressed_at: Timestamp,
    /// The stop has left for the machine.
    pub sent: bool,
    /// The machine has answered that it stopped.
    pub confirmed: bool,
    /// From press to confirmation.
    pub latency_seconds: Option<f64>,
}
