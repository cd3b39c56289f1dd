//! HP-GL plotters on a serial line: a small buffer that must never overflow, and nothing that says
//! how far it is.
//!
//! ```text
//!   Closed ──opened──> Setup ──────────────> Ready <─────────────────────────────────┐
//!     ^                  abort, terminator,    │ start                               │
//!     └───── closed ─────buffer, identity      v                                     │
//!                                            Running: bytes as room · PU · OA · OE ──┤
//!                                              │ cancel, silence                     │
//!                                              v                                     │
//!                                            Stopping: ESC.K · PU SP0 · on_stop · OA ┘
//! ```
//! How much room there is, is asked (`ESC.B`): the answer tells too how far the plotter has read,
//! which is all that can be known of progress. `OA` comes back once everything before it is done.
//! The handshakes `xonxoff` and `rtscts` of the port are a second net beneath that.
//!
//! Nothing stops such a plotter within a line but its own switch: `ESC.K` empties the buffer, and
//! the line under way is drawn to its end.

mod console;
mod hear;
mod job;
mod machine;
mod options;
mod setup;
mod stop;
#[cfg(test)]
mod tests;
mod wire;

use std::{collections::VecDeque, time::Duration};

use job::Job;
use machine::{Asked, Machine};
pub use options::{Handshake, HpglOptions};
use setup::Setup;
use stop::Stop;
use wire::{Lines, Question};

use super::{
    Checkpoint, Command, Driver, End, Event, Halt, Options, Refused, Start, Why,
    feed::{Feed, Origin},
};
use crate::domain::{DeviceStatus, Position};

/// Between questions while room is waited for.
const POLL_BUSY: Duration = Duration::from_millis(50);
/// While nothing goes on.
const POLL_IDLE: Duration = Duration::from_secs(2);

/// So many bytes are always left free.
const MARGIN: usize = 8;

/// The same where the plotter holds the port back when 81 are free: a question must not be held back
/// with the rest.
const HANDSHAKE_MARGIN: usize = 96;

/// The smallest buffer there is (HP 7470A), taken until the plotter has said more.
const SMALLEST: usize = 255;

/// Plotter units in a millimetre.
const UNITS: f64 = 40.0;

/// How far up the pen is said to be, in millimetres.
const PEN_UP_MM: f64 = 1.0;

/// The driver of one HP-GL plotter.
pub struct Hpgl {
    options: Options,
    now: Duration,
    out: Vec<u8>,
    events: VecDeque<Event>,
    lines: Lines,
    /// The questions that wait for an answer: one that is answered at once, one that is queued.
    asked: Option<Asked>,
    queued: Option<Asked>,
    machine: Machine,
    polled: Duration,
    phase: Phase,
    /// The emergency stop has been pressed and not been cleared.
    latched: bool,
    /// It was pressed while there was no port.
    stop_on_open: bool,
    checkpoint: Checkpoint,
    shown: Option<(DeviceStatus, Option<String>)>,
    position_shown: (Option<Position>, Option<bool>),
    chatter: (Duration, u32),
}

enum Phase {
    /// No port.
    Closed,
    /// Sets it up.
    Setup(Setup),
    /// Nothing is asked of it.
    Ready,
    /// A person's line, of which an answer may be awaited.
    Console { since: Duration },
    /// A job.
    Running(Box<Job>),
    /// A safe stop.
    Stopping(Stop),
    /// An emergency stop, not confirmed yet; `job` if there was one.
    Estop { job: bool, last: Duration },
}

impl Hpgl {
    /// A driver without a port.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            now: Duration::ZERO,
            out: Vec::new(),
            events: VecDeque::new(),
            lines: Lines::default(),
            asked: None,
            queued: None,
            machine: Machine::default(),
            polled: Duration::ZERO,
            phase: Phase::Closed,
            latched: false,
            stop_on_open: false,
            checkpoint: Checkpoint::default(),
            shown: None,
            position_shown: (None, None),
            chatter: (Duration::ZERO, 0),
        }
    }

    fn say(&mut self, event: Event) {
        self.events.push_back(event);
    }

    fn ended(&mut self, end: End) {
        self.say(Event::Ended(end));
    }

    fn ask(&mut self, question: Question) {
        let asked = Asked { question, since: self.now, sent: self.machine.sent, tries: 0 };
        if question.is_queued() {
            self.put(question.text());
            self.queued = Some(asked);
        } else {
            self.out.extend_from_slice(question.text());
            self.asked = Some(asked);
            self.polled = self.now;
            self.machine.roomy = false;
            if question == Question::Status {
                self.machine.status_at = self.now;
            }
        }
    }

    /// Sends bytes that take room in the buffer.
    fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.machine.sent += bytes.len() as u64;
        self.machine.empty_since = None;
        self.machine.credit = self.machine.credit.saturating_sub(bytes.len());
    }

    fn tell_position(&mut self, position: Option<([f64; 2], bool)>) {
        let up = position.map(|(_, down)| !down);
        let position = position.map(|([x, y], down)| Position {
            x: x / UNITS,
            y: y / UNITS,
            z: if down { 0.0 } else { PEN_UP_MM },
        });
        if self.position_shown != (position, up) {
            self.position_shown = (position, up);
            self.say(Event::Position(position, up));
        }
    }

    /// Ends every call from outside.
    fn settle(&mut self) {
        // Also where answers keep coming and the clock never rings.
        match &self.phase {
            Phase::Closed => {}
            Phase::Setup(_) => self.tick_setup(),
            Phase::Ready => self.tick_ready(),
            Phase::Console { .. } => self.tick_console(),
            Phase::Running(_) => self.tick_job(),
            Phase::Stopping(_) => self.tick_stop(),
            Phase::Estop { .. } => self.tick_estop(),
        }
        self.pump_job();
        self.pump_stop();
        self.poll();
        let status = self.status();
        if self.shown.as_ref() != Some(&status) {
            self.shown = Some(status.clone());
            self.say(Event::Status(status.0, status.1));
        }
    }
}

impl Driver for Hpgl {
    fn opened(&mut self, now: Duration) {
        self.now = now;
        self.out.clear();
        self.lines.clear();
        self.machine.heard = now;
        self.set_up(0);
        if std::mem::take(&mut self.stop_on_open) {
            self.estop();
        }
        self.settle();
    }

    fn closed(&mut self, reason: &str, now: Duration) {
        self.now = now;
        self.note_held();
        (self.asked, self.queued) = (None, None);
        self.out.clear();
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
        self.machine.status = None;
        self.tell_position(None);
        self.settle();
    }

    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.now = now;
        self.machine.heard = now;
        let mut lines = std::mem::take(&mut self.lines);
        lines.feed(bytes, |line, told| self.hear(line, told));
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
            Command::Home => self.home(),
            Command::Unlock => self.unlock(),
            Command::Jog(jog) => self.jog(&jog),
            Command::StopJog => self.stop_jog(),
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
        self.settle();
    }

    fn deadline(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Closed => None,
            Phase::Setup(setup) => Some(setup.deadline(self.machine.heard)),
            Phase::Console { since } => Some(*since + self.options.timeout),
            Phase::Estop { last, .. } => Some(*last + stop::ESTOP_REPEAT),
            Phase::Ready | Phase::Running(_) | Phase::Stopping(_) => match self.awaited() {
                Some(asked) => Some(asked.since + self.options.timeout),
                None => self.poll_interval().map(|interval| self.polled + interval),
            },
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
        if matches!(self.phase, Phase::Running(_)) {
            let of_file = |(origin, _): &&(Origin, u64)| matches!(origin, Origin::File(_));
            checkpoint.receive_lines = self.machine.held.iter().filter(of_file).count() as u64;
            if let Some((_, end)) = self.machine.held.back() {
                let first = self.machine.held.front().map_or(*end, |(_, end)| *end);
                // The first may have been read in part.
                checkpoint.receive_bytes = end - first;
            }
            checkpoint.planner_lines = self.checkpoint.lines_acknowledged.min(1);
        }
        checkpoint
    }

    fn is_still(&self) -> bool {
        match &self.phase {
            Phase::Closed | Phase::Setup(_) => true,
            Phase::Ready => self.is_empty(),
            _ => false,
        }
    }
}
