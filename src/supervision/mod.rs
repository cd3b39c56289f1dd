//! Supervision of actix actors that survives panics, errors and hangs.

mod child;
#[cfg(feature = "faults")]
mod faults;
mod incarnation;
mod lifeline;
mod link;
mod orders;
mod panics;
mod pulse;
pub mod registry;
mod spec;
mod supervisor;
mod vitals;

pub use child::{Child, Service, child};
#[cfg(feature = "faults")]
pub use faults::{At, Fault, Inject};
pub use link::{Link, Unavailable};
pub use orders::{
    CheckHealth, List, NotReady, OrderError, Ready, Restart, Show, Shutdown, Start, Stop,
};
pub use panics::log_panics;
pub use registry::{Problem, Problems};
pub use spec::{Policy, RestartMode, Spec};
pub use supervisor::Supervisor;
pub use vitals::{Exit, Late, Vitals};
