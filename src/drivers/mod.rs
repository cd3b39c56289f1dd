//! Machine protocols as sans-IO state machines: bytes and time in, bytes and events out.
//!
//! A driver has no clock, no thread and no port: its caller (a link, or a test) tells it what came
//! and what time it is, takes what it wants to send, and looks when it wants to be called again.
//! Files are supplied piece by piece, as they are: the driver cuts them into lines itself, with
//! [`crate::toolpath::Splitter`], so that everyone counts the same lines.

mod checkpoint;
pub mod ebb;
mod feed;
pub mod grbl;
pub mod hpgl;
pub mod line;
mod lines;
pub mod marlin;
mod outcome;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use checkpoint::Checkpoint;
pub use ebb::Ebb;
pub use feed::{Start, StopPoint};
pub use grbl::Grbl;
pub use hpgl::{Handshake, Hpgl, HpglOptions};
pub use line::{Line, LineOptions, Pattern};
pub use marlin::Marlin;
use outcome::Why;
pub use outcome::{End, Halt, Refused};

pub use crate::domain::EbbOptions;
use crate::domain::{Capability, DeviceStatus, Jog, Position, Temperature};

/// Every driver there is.
pub const NAMES: [&str; 5] = ["ebb", "grbl", "hpgl", "line", "marlin"];

/// What a driver is told about its machine.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How long the machine may leave a line unacknowledged without showing that it works.
    pub timeout: Duration,
    /// Sent before each file.
    pub start_lines: Vec<String>,
    /// Sent after each file that ended well.
    pub end_lines: Vec<String>,
    /// Sent once the machine stands still after a job that did not end well.
    pub on_stop: Vec<String>,
    /// What only one of the drivers needs.
    pub plotter: Plotter,
}

/// What is particular to one kind of machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plotter {
    /// How an EBB draws.
    pub ebb: EbbOptions,
    /// How an HP-GL plotter is driven.
    pub hpgl: HpglOptions,
    /// How a machine that only acknowledges lines is driven.
    pub line: LineOptions,
}

/// What is asked of a driver.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Runs the file that is supplied from now on.
    Start(Start),
    /// Holds the job still.
    Pause,
    /// Lets it go on.
    Resume,
    /// Lets it go on after a stop where a layer begins with what comes after that layer.
    SkipLayer,
    /// Stops safely; the job ends as cancelled.
    Cancel,
    /// Stops safely, job or not; a job ends as interrupted for this reason.
    Interrupt(String),
    /// Stops safely because the file cannot be read on; the job ends as failed for this reason.
    FileFailed(String),
    /// Sends one line and answers with what the machine says to it.
    Send(String),
    /// Sends the machine home.
    Home,
    /// Takes it out of alarm.
    Unlock,
    /// Moves the tool by hand, from where it is.
    Jog(Jog),
    /// Ends such a move at once.
    StopJog,
    /// Stops it at once, and keeps it stopped.
    Estop,
    /// Lets it be used again.
    ClearEstop,
}

/// What a driver has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The status or its reason has changed.
    Status(DeviceStatus, Option<String>),
    /// The machine has said which firmware it runs.
    Identified(String),
    /// It had been running before the port was opened, has finished what it held and stands where
    /// it says it does. Said after [`Event::Position`], if at all.
    RanOn,
    /// Where the tool is, in work coordinates, and whether it is up; `None` = no longer known.
    Position(Option<Position>, Option<bool>),
    /// How warm it is, of all that the machine tells of.
    Temperatures(Vec<Temperature>),
    /// The machine waits for its heaters before it goes on, or does so no longer.
    Warming(bool),
    /// The machine has refused a line or gone into alarm.
    Fault(String),
    /// The machine has said something of its own accord.
    Said(String),
    /// The job stands still.
    Paused(Halt),
    /// It goes on.
    Resumed,
    /// It is over.
    Ended(End),
    /// What came of [`Command::Send`], [`Command::Home`], [`Command::Unlock`] or
    /// [`Command::Jog`].
    Answered(Result<Vec<String>, Refused>),
    /// The machine has answered the emergency stop.
    EstopConfirmed,
}

/// One machine's protocol. Times are measured from any origin the caller likes and never go back.
pub trait Driver: Send {
    /// The port has been opened.
    fn opened(&mut self, now: Duration);

    /// The port is gone; a job on the machine ends as interrupted for this reason.
    fn closed(&mut self, reason: &str, now: Duration);

    /// The machine has sent this.
    fn receive(&mut self, bytes: &[u8], now: Duration);

    /// Somebody asks for something.
    fn command(&mut self, command: Command, now: Duration);

    /// True if more of the file should be supplied, or its end.
    fn wants_file(&self) -> bool;

    /// More of the file.
    fn supply(&mut self, bytes: &[u8], now: Duration);

    /// There is no more of the file.
    fn end_of_file(&mut self, now: Duration);

    /// Time has passed.
    fn tick(&mut self, now: Duration);

    /// When [`Driver::tick`] should be called at the latest.
    fn deadline(&self) -> Option<Duration>;

    /// Appends what is to be sent.
    fn transmit(&mut self, out: &mut Vec<u8>);

    /// The next thing it has to say.
    fn event(&mut self) -> Option<Event>;

    /// How far the job got that is running, or that ended last.
    fn checkpoint(&self) -> Checkpoint;

    /// True while the machine does not move and nothing is being done to stop it.
    fn is_still(&self) -> bool;
}

/// What the machines of the driver of that name can be asked for.
pub fn capabilities(name: &str) -> &'static [Capability] {
    use Capability::{Home, Jog, Pen, Unlock};
    match name {
        "ebb" => &[Home, Unlock, Jog, Pen],
        "grbl" => &[Home, Unlock, Jog],
        "hpgl" => &[Home, Jog, Pen],
        "marlin" => &[Home, Jog],
        // Whatever else it can do is a line that a person knows.
        _ => &[],
    }
}

/// The driver of that name, or `None`.
pub fn create(name: &str, options: Options) -> Option<Box<dyn Driver>> {
    match name {
        "ebb" => Some(Box::new(Ebb::new(options))),
        "grbl" => Some(Box::new(Grbl::new(options))),
        "hpgl" => Some(Box::new(Hpgl::new(options))),
        "line" => Some(Box::new(Line::new(options))),
        "marlin" => Some(Box::new(Marlin::new(options))),
        _ => None,
    }
}
