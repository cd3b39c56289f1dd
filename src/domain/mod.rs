//! The words of the program: plain types, state machines and policies. No clock, thread, file or
//! socket is touched here.

mod analysis;
mod audit;
mod backoff;
mod builtin;
mod daemon;
mod device;
mod envelope;
mod event;
mod health;
mod hook;
mod id;
mod job;
mod job_state;
mod last_run;
mod live;
mod machine;
mod motion;
mod name;
mod needed;
mod plan;
mod plot;
mod program;
mod rules;
mod schedule;
mod secret;
mod surroundings;
mod time;
mod variables;
mod when;

pub use analysis::{Analysis, DeviceVerdict, Finding, LayerStart, Light, Stop};
pub use audit::{Actor, AuditEntry, Outcome};
pub use backoff::{Backoff, BackoffError};
pub use builtin::{BUILTINS, Builtin};
pub use daemon::{Cause, Daemon, DaemonKind, DaemonState, Moment, Needs, Why};
pub use device::{Axes, Capability, Device, DeviceStatus, Estop, Jog, Position, Temperature};
pub use envelope::Envelope;
pub use event::{Body, Channel, DeviceReport, Event, Frame, Severity};
pub use health::{Health, HealthStatus};
pub use hook::{Glob, Hook, HookAction, HookEvent, HookOrder, NotAnEvent, OnFail, Webhook, When};
pub use id::{JobId, NotJobId};
pub use job::{Job, JobKind, NewJob, Payload, Priority, Progress};
pub use job_state::{Denied, JobAction, JobState};
pub use last_run::{LastRun, Verdict};
pub use live::Live;
pub use machine::Machine;
pub use motion::Motion;
pub use name::same_name;
pub use needed::{Needed, On};
pub use plan::{Edge, Misfit, Node, Plan, did_you_mean, nearest_name};
pub use plot::{EbbOptions, PlotOptions};
pub use program::{
    Condition, Dependency, HealthCheck, Limits, OnDependencyRestart, OutputRules, Probe, Program,
    Readiness, RestartMode,
};
pub use rules::{IfTaken, Retry, Rules};
pub use schedule::{Due, Missed, NotCron, Schedule, check_cron};
pub use secret::{HIDDEN, Secret};
pub use surroundings::Surroundings;
pub use time::Timestamp;
pub use variables::variables;
pub use when::{NotATime, when};
