//! What is true for the moment only.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Channel, DeviceReport, HealthStatus, JobId, Position};

/// What is true for the moment only; has no number and is not stored.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Live {
    /// How far a job is.
    JobProgress {
        /// Which job.
        job_id: JobId,
        /// 0 to 100.
        progress_percentage: f64,
        /// 0 to 1; some clients read this name.
        progress: f64,
        /// Lines the machine has acknowledged.
        lines_acknowledged: u64,
        /// The same; some clients read this name.
        points_plotted: u64,
        /// Lines in all.
        lines_total: u64,
        /// The same; some clients read this name.
        total_points: u64,
        /// Layer being worked on, from 1.
        current_layer: u32,
        /// Layers in all.
        total_layers: u32,
        /// Until the end; left out while unknown.
        #[serde(skip_serializing_if = "Option::is_none")]
        eta_seconds: Option<f64>,
        /// The same; some clients read this name.
        #[serde(skip_serializing_if = "Option::is_none")]
        estimated_remaining: Option<f64>,
        /// Since it began to run.
        total_time_seconds: f64,
        /// Of that, with the tool down.
        pen_down_time_seconds: f64,
        /// Where the tool is.
        position: Position,
        /// Anything else.
        metadata: Map<String, Value>,
    },
    /// Where a machine is now; the same fields as the durable event, without a number.
    DeviceStatus(DeviceReport),
    /// The station as a whole.
    SystemStatus {
        /// `healthy`, `degraded` or `unhealthy`.
        status: HealthStatus,
        /// Seconds since the station started.
        uptime: f64,
        /// Jobs running or paused.
        active_jobs: u64,
        /// Jobs waiting.
        queue_length: u64,
        /// Share of the host's memory in use, 0 to 1.
        memory_usage: f64,
        /// Share of the host's cores in use, 0 to 1.
        cpu_usage: f64,
        /// WebSocket connections.
        connections: u64,
        /// The program's version.
        version: String,
    },
    /// A hook tells of an event, to whoever follows what it is about.
    Hook {
        /// The hook, as `COMPLETED[0]`.
        hook: String,
        /// What happened, as `COMPLETED` or `device:idle`.
        event: String,
        /// The number of the event; none for a test.
        event_id: Option<u64>,
        /// What it happened to, as `job:ID`.
        about: String,
        /// What is known of it.
        details: Map<String, Value>,
    },
    /// A line of the station's log, of what a program writes (a daemon's or a job's), or of what
    /// goes on between the station and a machine.
    Log {
        /// `ERROR` to `TRACE`.
        level: String,
        /// What wrote it.
        target: String,
        /// What it says.
        message: String,
    },
}

impl Live {
    /// The channel it belongs to.
    pub fn channel(&self) -> Channel {
        match self {
            Self::JobProgress { .. } => Channel::Jobs,
            Self::DeviceStatus(_) => Channel::Devices,
            Self::SystemStatus { .. } => Channel::System,
            Self::Hook { about, .. } => match about.split_once(':') {
                Some(("device", _)) => Channel::Devices,
                Some(("daemon", _)) => Channel::Daemons,
                _ => Channel::Jobs,
            },
            Self::Log { .. } => Channel::Logs,
        }
    }

    /// What it is about, as in [`Event::resource`](super::Event::resource).
    pub fn resource(&self) -> String {
        match self {
            Self::JobProgress { job_id, .. } => format!("job:{job_id}"),
            Self::Hook { about, .. } => about.clone(),
            Self::DeviceStatus(report) => format!("device:{}", report.device_id),
            Self::Log { target, .. } if is_of_one(target) => target.clone(),
            Self::SystemStatus { .. } | Self::Log { .. } => "system".to_owned(),
        }
    }
}

/// True for what has to do with one daemon, job or machine alone.
fn is_of_one(target: &str) -> bool {
    ["daemon:", "device:", "job:"].iter().any(|kind| target.starts_with(kind))
}
