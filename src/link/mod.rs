//! Links to machines: serial ports, TCP sockets, simulators; one thread each.
//!
//! ```text
//!   device manager ── run, pause, cancel, send … ──> queue ┐
//!        ^                                                 ├─ eventfd ─> link thread ── port ── machine
//!        │                any thread ── Estop::press ──────┘                │
//!        └────────── Report (a call that must return at once) ──────────────┘
//! ```
//! The link thread owns the port and runs the driver, so streaming waits for nobody. It polls the
//! port and one eventfd. [`LinkHandle::spawn`] connects at once and reconnects after a loss;
//! nothing is ever sent by itself on a reconnect but the question who the machine is (and an
//! emergency stop that was pressed meanwhile).
//!
//! Promises: a job given to [`LinkHandle::run`] ends with exactly one [`Report::Ended`], unless the
//! process dies. `Paused` comes when the machine stands still, `Ended` when it is safe, or when
//! nothing more can be done (then the end says so). Reports of one link come in order, on the link
//! thread. Requests that name another job than the one on the machine are ignored: that job has
//! ended, and its report is on its way.

mod alarm;
mod detect;
mod estop;
mod handle;
mod hotplug;
mod options;
mod port;
mod probe;
mod report;
mod serial;
mod simulated;
mod source;
mod tcp;
#[cfg(test)]
mod tests;
mod worker;

pub use crate::{
    drivers::{Checkpoint, End, Halt, Plotter, Refused, Start, StopPoint},
    firmware::{Drawing, Faults, Move},
};
pub use detect::{Candidate, detect};
pub use estop::Estop;
pub use handle::{Answer, LinkHandle};
pub use options::{LinkOptions, Run, SimulatorOptions, Source};
pub use probe::{Found, probe, recognise};
pub use report::Report;
