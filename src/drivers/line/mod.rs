//! Any machine that takes one line at a time and acknowledges each.
//!
//! ```text
//!   Closed ──opened──> Settling ── banner, or some time ──> Ready <────────────────────────────┐
//!     ^                                                       │                                 │
//!     └──── closed ──── from everywhere          Console <────┤ start                           │
//!                                                             v                                 │
//!       Running: a line, its acknowledgement, the next one · pause and resume lines ── all done ┤
//!             │ cancel, error, silence, banner                                                  │
//!             v                                                                                 │
//!       Stopping: halt lines at once · the wire comes to rest · on_stop lines ──────────────────┘
//! ```
//! Nothing is known of such a machine but what its configuration says: which line acknowledges,
//! which refuses, what stops it. One line is under way at a time, and none is ever sent twice: an
//! acknowledgement that is lost ends the job. What is acknowledged may not be done yet; a machine
//! that can wait for its motion is told to in `end_lines`.

mod console;
mod hear;
mod job;
mod options;
mod stop;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use job::Job;
pub use options::{LineOptions, Pattern};
use stop::Stop;

use super::{
    Checkpoint, Command, Driver, End, Event, Halt, Options, Refused, Start, Why, feed::Origin,
    lines::Lines,
};
use crate::domain::DeviceStatus;

/// The driver of one machine that acknowledges lines.
pub struct Line {
    options: Options,
    now: Duration,
    out: Vec<u8>,
    events: VecDeque<Event>,
    lines: Lines,
    phase: Phase,
    /// The line under way.
    flight: Option<Flight>,
    /// When the machine last said anything.
    heard: Duration,
    /// The emergency stop has been pressed and not been cleared.
    latched: bool,
    /// It was pressed while there was no port: the machine is stopped as soon as there is one.
    stop_on_open: bool,
    checkpoint: Checkpoint,
    shown: Option<(DeviceStatus, Option<String>)>,
    /// Said lately, so that a flood of noise does not become a flood of events.
    chatter: (Duration, u32),
}

/// The line under way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    origin: Origin,
    bytes: u64,
    /// When it was sent, or the machine last showed that it works on it.
    since: Duration,
}

enum Phase {
    /// No port.
    Closed,
    /// The machine may be starting.
    Settling { since: Duration },
    /// Nothing is asked of it.
    Ready,
    /// A person's line, and what was said to it.
    Console { said: Vec<String> },
    /// A job.
    Running(Box<Job>),
    /// A safe stop.
    Stopping(Stop),
    /// An emergency stop, not confirmed yet; `job` if there was one.
    Estop { job: bool, presses: u32, last: Duration },
}

impl Line {
    /// A driver without a port.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            now: Duration::ZERO,
            out: Vec::new(),
            events: VecDeque::new(),
            lines: Lines::default(),
            phase: Phase::Closed,
            flight: None,
            heard: Duration::ZERO,
            latched: false,
            stop_on_open: false,
            checkpoint: Checkpoint::default(),
            shown: None,
            chatter: (Duration::ZERO, 0),
        }
    }

    fn say(&mut self, event: Event) {
        self.events.push_back(event);
    }

    fn ended(&mut self, end: End) {
        self.say(Event::Ended(end));
    }

    /// Sends a line that will be acknowledged.
    fn send_line(&mut self, text: &[u8], origin: Origin) {
        let eol = self.options.plotter.line.eol;
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(eol);
        let bytes = (text.len() + eol.len()) as u64;
        self.flight = Some(Flight { origin, bytes, since: self.now });
    }

    /// What is shown to people, and why.
    fn status(&self) -> (DeviceStatus, Option<String>) {
        match &self.phase {
            Phase::Closed => (DeviceStatus::Disconnected, None),
            Phase::Estop { .. } => {
                (DeviceStatus::Alarm, Some("emergency stop, not confirmed yet".to_owned()))
            }
            _ if self.latched => (DeviceStatus::Alarm, Some("emergency stop".to_owned())),
            Phase::Settling { .. } => (DeviceStatus::Connecting, None),
            Phase::Running(job) if job.pause.is_held() => (DeviceStatus::Paused, None),
            Phase::Ready => (DeviceStatus::Idle, None),
            Phase::Running(_) | Phase::Stopping(_) | Phase::Console { .. } => {
                (DeviceStatus::Busy, None)
            }
        }
    }

    /// Ends every call from outside.
    fn settle(&mut self) {
        self.fill();
        self.go_on_stopping();
        let status = self.status();
        if self.shown.as_ref() != Some(&status) {
            self.shown = Some(status.clone());
            self.say(Event::Status(status.0, status.1));
        }
    }

    fn flight_due(&self) -> Option<Duration> {
        self.flight.map(|flight| flight.since + self.options.timeout)
    }
}

impl Driver for Line {
    fn opened(&mut self, now: Duration) {
        self.now = now;
        self.out.clear();
        self.lines.clear();
        self.flight = None;
        self.heard = now;
        self.phase = Phase::Settling { since: now };
        if std::mem::take(&mut self.stop_on_open) {
            self.estop();
        }
        self.settle();
    }

    fn closed(&mut self, reason: &str, now: Duration) {
        self.now = now;
        self.note_held();
        self.out.clear();
        self.flight = None;
        let reason = reason.to_owned();
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Running(_)
            | Phase::Stopping(Stop { job: true, .. })
            | Phase::Estop { job: true, .. } => {
                self.ended(End::Interrupted { reason, position_known: false });
            }
            Phase::Console { .. } => self.say(Event::Answered(Err(Refused::Lost))),
            _ => {}
        }
        self.settle();
    }

    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.now = now;
        let mut lines = std::mem::take(&mut self.lines);
        lines.feed(bytes, |line| self.hear(line));
        self.lines = lines;
        self.settle();
    }

    fn command(&mut self, command: Command, now: Duration) {
        self.now = now;
        match command {
            Command::Start(start) => self.start(start),
            Command::Pause => self.pause(Halt::Asked),
            Command::Resume => self.resume(),
            Command::SkipLayer => self.skip_layer(),
            Command::Cancel => self.stop(Why::Cancelled),
            Command::Interrupt(reason) => self.stop(Why::Interrupted(reason)),
            Command::FileFailed(message) => self.stop(Why::Failed { line: None, message }),
            Command::Send(line) => self.send(&line),
            Command::Home | Command::Unlock | Command::Jog(_) => {
                let why = "this machine only takes lines: send one that does it".to_owned();
                self.say(Event::Answered(Err(Refused::Line(why))));
            }
            Command::StopJog => {}
            Command::Estop => self.estop(),
            Command::ClearEstop => self.clear_estop(),
        }
        self.settle();
    }

    fn wants_file(&self) -> bool {
        matches!(&self.phase, Phase::Running(job) if job.feed.wants_file())
    }

    fn supply(&mut self, bytes: &[u8], now: Duration) {
        self.now = now;
        if let Phase::Running(job) = &mut self.phase {
            job.feed.supply(bytes);
        }
        self.settle();
    }

    fn end_of_file(&mut self, now: Duration) {
        self.now = now;
        if let Phase::Running(job) = &mut self.phase {
            job.feed.finish();
        }
        self.settle();
    }

    fn tick(&mut self, now: Duration) {
        self.now = now;
        match &self.phase {
            Phase::Settling { since } if now >= *since + self.options.plotter.line.settle => {
                self.phase = Phase::Ready;
            }
            Phase::Estop { .. } => self.tick_estop(),
            _ if self.flight_due().is_some_and(|at| now >= at) => self.late(),
            _ => {}
        }
        self.settle();
    }

    fn deadline(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Closed => None,
            Phase::Settling { since } => Some(*since + self.options.plotter.line.settle),
            Phase::Estop { presses, last, .. } => stop::estop_at(*presses, *last),
            Phase::Stopping(stop) => {
                [self.flight_due(), stop.rest_at(self.heard)].into_iter().flatten().min()
            }
            _ => self.flight_due(),
        }
    }

    fn transmit(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.out);
    }

    fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn checkpoint(&self) -> Checkpoint {
        let mut checkpoint = self.checkpoint;
        if let (Phase::Running(_), Some(Flight { origin: Origin::File(_), bytes, .. })) =
            (&self.phase, self.flight)
        {
            (checkpoint.receive_lines, checkpoint.receive_bytes) = (1, bytes);
        }
        checkpoint
    }

    fn is_still(&self) -> bool {
        !matches!(
            self.phase,
            Phase::Running(_) | Phase::Stopping(_) | Phase::Estop { .. } | Phase::Console { .. }
        )
    }
}
