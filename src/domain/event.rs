//! What happened, as it is stored, streamed and shown.
//!
//! A durable [`Event`] has a number and lies in the database; a [`Live`] message is true for the
//! moment only. Both leave as one [`Frame`]: serialised once, shared by everyone who listens.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Daemon, DaemonState, Device, DeviceStatus, HealthStatus, JobId, JobState, Outcome, Position,
    Timestamp, live::Live,
};

/// A group of events that can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Job states and progress.
    Jobs,
    /// Device states and positions.
    Devices,
    /// Daemon states and health.
    Daemons,
    /// The station as a whole.
    System,
    /// Lines of the log.
    Logs,
    /// Who changed what.
    Audit,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 6] =
        [Self::Jobs, Self::Devices, Self::Daemons, Self::System, Self::Logs, Self::Audit];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Devices => "devices",
            Self::Daemons => "daemons",
            Self::System => "system",
            Self::Logs => "logs",
            Self::Audit => "audit",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Channel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let same = |channel: &Self| channel.as_str() == text;
        Self::ALL.into_iter().find(same).ok_or_else(|| format!("no channel is called \"{text}\""))
    }
}

/// How bad an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something to look at in time.
    Warning,
    /// Something does not work.
    Error,
    /// Somebody is needed now.
    Critical,
}

/// The fields of a durable event, by its type.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Body {
    /// A job moved.
    JobStateChange {
        /// Which.
        job_id: JobId,
        /// What people call it.
        job_name: String,
        /// Where it was; null for a new one and in snapshots.
        from_state: Option<JobState>,
        /// Where it is.
        to_state: JobState,
        /// Why.
        reason: String,
        /// The machine, or an empty string.
        device_id: String,
        /// Anything else.
        metadata: Map<String, Value>,
    },
    /// A daemon moved, or its health changed.
    DaemonStatus {
        /// Which.
        name: String,
        /// Where it is.
        state: DaemonState,
        /// How it is.
        health: HealthStatus,
        /// In one sentence.
        message: String,
        /// Restarts since the station started.
        restarts: u64,
        /// Why it last went down, or an empty string.
        last_error: String,
        /// When it is started again, while backing off.
        next_restart_at: Option<Timestamp>,
    },
    /// A machine's status changed.
    DeviceStatus(DeviceReport),
    /// A person should know.
    SystemAlert {
        /// How bad.
        severity: Severity,
        /// The same; some clients read this name.
        level: Severity,
        /// In a few words.
        title: String,
        /// In one sentence.
        message: String,
        /// What noticed.
        source: String,
        /// Anything else.
        metadata: Map<String, Value>,
        /// The same; some clients read this name.
        details: Map<String, Value>,
    },
    /// Somebody changed something.
    Audit {
        /// Who.
        actor: String,
        /// What.
        action: String,
        /// With what result.
        outcome: Outcome,
    },
}

impl Body {
    /// An alert, with both names of each field that has two.
    pub fn alert(
        severity: Severity,
        source: &str,
        title: &str,
        message: impl Into<String>,
    ) -> Self {
        Self::SystemAlert {
            severity,
            level: severity,
            title: title.to_owned(),
            message: message.into(),
            source: source.to_owned(),
            metadata: Map::new(),
            details: Map::new(),
        }
    }

    /// A daemon as it is now.
    pub fn of_daemon(daemon: &Daemon) -> Self {
        Self::DaemonStatus {
            name: daemon.name.clone(),
            state: daemon.state,
            health: daemon.health.status,
            message: daemon.health.message.clone(),
            restarts: daemon.restarts,
            last_error: daemon.last_error.clone().unwrap_or_default(),
            next_restart_at: daemon.next_restart_at,
        }
    }

    /// The `type` of the event.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::JobStateChange { .. } => "job_state_change",
            Self::DaemonStatus { .. } => "daemon_status",
            Self::DeviceStatus(_) => "device_status",
            Self::SystemAlert { .. } => "system_alert",
            Self::Audit { .. } => "audit",
        }
    }

    /// The channel it belongs to.
    pub fn channel(&self) -> Channel {
        match self {
            Self::JobStateChange { .. } => Channel::Jobs,
            Self::DaemonStatus { .. } => Channel::Daemons,
            Self::DeviceStatus(_) => Channel::Devices,
            Self::SystemAlert { .. } => Channel::System,
            Self::Audit { .. } => Channel::Audit,
        }
    }
}

/// A machine as events tell of it.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceReport {
    /// Which machine.
    pub device_id: String,
    /// Its driver.
    pub device_type: String,
    /// What it does.
    pub status: DeviceStatus,
    /// When it last said anything.
    pub last_heartbeat: Option<Timestamp>,
    /// Errors it has reported since the station started.
    pub error_count: u64,
    /// For how long it has been connected.
    pub uptime_seconds: f64,
    /// As the machine says.
    pub firmware_version: String,
    /// The job on it, or an empty string: clients rely on ids and messages being strings.
    pub current_job_id: String,
    /// What is wrong, or an empty string.
    pub error_message: String,
    /// Where its tool is, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// True while the pen or tool is up, where the machine knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pen_up: Option<bool>,
    /// Anything else.
    pub metadata: Map<String, Value>,
}

impl DeviceReport {
    /// What events say of a machine.
    pub fn of(device: &Device, now: Timestamp) -> Self {
        let mut metadata = Map::new();
        if !device.temperatures.is_empty() {
            metadata.insert("temperatures".to_owned(), json!(device.temperatures));
        }
        let uptime = device.connected_at.map_or(Duration::ZERO, |since| since.until(now));
        Self {
            device_id: device.name.clone(),
            device_type: device.driver.clone(),
            status: device.status,
            last_heartbeat: device.last_heard,
            error_count: device.error_count,
            uptime_seconds: uptime.as_secs_f64(),
            firmware_version: device.firmware_version.clone().unwrap_or_default(),
            current_job_id: device.current_job_id.map(|id| id.to_string()).unwrap_or_default(),
            error_message: device.error_message.clone().unwrap_or_default(),
            position: device.position,
            pen_up: device.pen_up,
            metadata,
        }
    }
}

/// A durable event. Serialises to the object that clients see and that the database keeps.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Global, increasing by one.
    pub seq: u64,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The channel it belongs to.
    pub channel: Channel,
    /// What it is about, as `job:ID`, `device:NAME`, `daemon:NAME` or `system`.
    pub resource: String,
    /// The event that led to it.
    pub cause_seq: Option<u64>,
    /// Its type and fields.
    #[serde(flatten)]
    pub body: Body,
}

/// One message as it leaves: serialised once, shared by all.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The number of a durable event.
    pub seq: Option<u64>,
    /// The channel it belongs to.
    pub channel: Channel,
    /// What it is about.
    pub resource: String,
    /// The whole JSON object.
    pub text: bytestring::ByteString,
}

#[derive(Serialize)]
struct Stamped<'a> {
    timestamp: Timestamp,
    #[serde(flatten)]
    live: &'a Live,
}

impl Frame {
    /// A durable event, to be sent. Fails only if a number in it cannot be written as JSON.
    pub fn event(event: &Event) -> Result<Self, serde_json::Error> {
        Ok(Self {
            seq: Some(event.seq),
            channel: event.channel,
            resource: event.resource.clone(),
            text: serde_json::to_string(event)?.into(),
        })
    }

    /// A message of the moment, to be sent.
    pub fn live(live: &Live, now: Timestamp) -> Result<Self, serde_json::Error> {
        Ok(Self {
            seq: None,
            channel: live.channel(),
            resource: live.resource(),
            text: serde_json::to_string(&Stamped { timestamp: now, live })?.into(),
        })
    }
}
