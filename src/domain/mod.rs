//! The words of the program: plain types, state machines and policies. No clock, thread, file or
//! socket is touched here.

mod audit;
mod backoff;
mod daemon;
mod device;
mod event;
mod health;
mod id;
mod job;
mod job_state;
mod name;
mod time;

pub use audit::{Actor, AuditEntry, Outcome};
pub use backoff::{Backoff, BackoffError};
pub use daemon::{Daemon, DaemonKind, DaemonState};
pub use device::{Axes, Device, DeviceStatus, Envelope, Estop, Position};
pub use event::{Body, Channel, DeviceReport, Event, Frame, Live, Severity};
pub use health::{Health, HealthStatus};
pub use id::JobId;
pub use job::{Analysis, Job, JobKind, NewJob, Payload, Priority, Progress};
pub use job_state::{Denied, JobAction, JobState};
pub use name::same_name;
pub use time::Timestamp;
