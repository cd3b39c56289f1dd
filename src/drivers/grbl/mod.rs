//! GRBL 1.1: character counting, status polling, safe stops.
//!
//! ```text
//!   Closed ──opened──> Greeting ──banner──> Identifying ──ok──> Ready <──────────────┐
//!     ^      no banner: ? │ ^ 0x18               │ $I            │ start              │
//!     │                   v │                    │               │                    │
//!     │                 Meeting                  │               │                    │
//!     └────── closed ─────┴──────────────────────┴── Console <───┤                    │
//!                                                                v                    │
//!                         Running ── pause ── resume ── all acknowledged and Idle ────┤
//!                            │ cancel, error, alarm, stall                            │
//!                            v                                                        │
//!                         Stopping: ! · wait for Hold:0 · 0x18 · banner · on_stop ────┘
//! ```
//! The emergency stop leads from everywhere to `Estop`, which a banner ends. A banner that nobody
//! asked for means that the machine has started anew: a job ends there, nothing more is sent.
//!
//! On opening, a machine that does not greet by itself may have been running all along, with lines
//! that it was given before: it is asked for its status until it stands, so that nothing of them is
//! lost, then gets a soft reset, and not a line end: a reset never sets anything in motion, whatever
//! was left half-received in the machine, and one that stands keeps its position.

mod connect;
mod console;
mod hear;
mod job;
mod meaning;
mod shown;
mod status;
mod stop;
#[cfg(test)]
mod tests;
mod window;
mod wire;

use std::{collections::VecDeque, time::Duration};

use job::Job;
pub use meaning::{alarm, error};
use status::State;
use stop::Stop;
use window::Window;
use wire::Lines;

use super::{
    Checkpoint, Command, Driver, End, Event, Options, Refused, Start, Why,
    feed::{Feed, Origin},
};
use crate::domain::{Axes, DeviceStatus, Position};

/// Soft reset.
const RESET: u8 = 0x18;

/// Planner blocks of a common board, until it says how many it has.
const PLANNER: u64 = 15;

/// Between polls while something goes on; the firmware's authors ask for no more than 5 a second.
const POLL_BUSY: Duration = Duration::from_millis(200);
/// While a stop or an end is awaited: the most that GRBL should be asked.
const POLL_WAITING: Duration = Duration::from_millis(100);
/// While nothing goes on.
const POLL_IDLE: Duration = Duration::from_secs(1);

/// A machine that leaves polls unanswered for so long does not answer.
const SILENCE: Duration = Duration::from_secs(5);

/// The driver of one GRBL machine.
pub struct Grbl {
    options: Options,
    now: Duration,
    out: Vec<u8>,
    events: VecDeque<Event>,
    lines: Lines,
    window: Window,
    machine: Machine,
    polled: Polled,
    phase: Phase,
    /// The emergency stop has been pressed and not been cleared.
    latched: bool,
    /// It was pressed while there was no port: the machine is stopped as soon as there is one.
    stop_on_open: bool,
    checkpoint: Checkpoint,
    /// Lines of the file acknowledged since the machine was last seen with nothing to do.
    since_idle: u64,
    shown: Option<(DeviceStatus, Option<String>)>,
    /// Said lately, so that a flood of noise does not become a flood of events.
    chatter: (Duration, u32),
}

/// What is known of the machine.
#[derive(Debug)]
struct Machine {
    state: Option<State>,
    /// Its last alarm.
    alarm: Option<String>,
    offset: Axes,
    position: Option<Position>,
    /// Where it stood, in machine coordinates, when it was met in the middle of its work.
    stood: Option<Axes>,
    /// Planner blocks it has in all.
    planner: u64,
    heard: Duration,
    reported: Duration,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            state: None,
            alarm: None,
            offset: [0.0; 3],
            position: None,
            stood: None,
            planner: PLANNER,
            heard: Duration::ZERO,
            reported: Duration::ZERO,
        }
    }
}

#[derive(Debug, Default)]
struct Polled {
    at: Duration,
    outstanding: bool,
}

enum Phase {
    /// No port.
    Closed,
    /// Waits for a banner.
    Greeting { since: Duration, resets: u32 },
    /// It did not greet: it is asked what it does.
    Meeting { since: Duration, answered: bool },
    /// Has asked who it is.
    Identifying { since: Duration, version: Option<String> },
    /// Nothing is asked of it.
    Ready,
    /// A line of a person, or this driver's own, is being answered.
    Console { lines: Vec<String>, since: Duration },
    /// A person wants to see a status report.
    Asking { since: Duration },
    /// A job.
    Running(Box<Job>),
    /// A safe stop.
    Stopping(Stop),
    /// An emergency stop, not confirmed yet; `job` if there was one.
    Estop { job: bool, last: Duration },
}

impl Grbl {
    /// A driver without a port.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            now: Duration::ZERO,
            out: Vec::new(),
            events: VecDeque::new(),
            lines: Lines::default(),
            window: Window::default(),
            machine: Machine::default(),
            polled: Polled::default(),
            phase: Phase::Closed,
            latched: false,
            stop_on_open: false,
            checkpoint: Checkpoint::default(),
            since_idle: 0,
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

    fn send_line(&mut self, line: &[u8], origin: Origin) {
        self.window.sent(line, window::goes_alone(line), origin);
        self.out.extend_from_slice(line);
        self.out.push(b'\n');
    }

    fn forget_position(&mut self) {
        self.machine.offset = [0.0; 3];
        if self.machine.position.take().is_some() {
            self.say(Event::Position(None, None));
        }
    }

    fn poll_interval(&self) -> Option<Duration> {
        let moves = self.machine.state.is_some_and(State::moves);
        match &self.phase {
            Phase::Closed
            | Phase::Greeting { .. }
            | Phase::Identifying { .. }
            | Phase::Estop { .. } => None,
            Phase::Ready if !moves => Some(POLL_IDLE),
            Phase::Running(job) if job.is_waiting(&self.window) => Some(POLL_WAITING),
            Phase::Running(job) if job.pause.is_held() => Some(POLL_IDLE),
            Phase::Meeting { .. } | Phase::Ready | Phase::Console { .. } | Phase::Running(_) => {
                Some(POLL_BUSY)
            }
            Phase::Asking { .. } | Phase::Stopping(_) => Some(POLL_WAITING),
        }
    }

    fn poll(&mut self) {
        if let Some(interval) = self.poll_interval()
            && self.now >= self.polled.at + interval
        {
            self.out.push(b'?');
            self.polled = Polled { at: self.now, outstanding: true };
        }
    }

    /// Ends every call from outside.
    fn settle(&mut self) {
        self.fill();
        self.poll();
        let status = self.status();
        if self.shown.as_ref() != Some(&status) {
            self.shown = Some(status.clone());
            self.say(Event::Status(status.0, status.1));
        }
    }
}

impl Driver for Grbl {
    fn opened(&mut self, now: Duration) {
        self.now = now;
        self.out.clear();
        self.lines.clear();
        self.window = Window::default();
        self.machine = Machine { heard: now, ..Machine::default() };
        self.polled = Polled { at: now, outstanding: false };
        self.phase = Phase::Greeting { since: now, resets: 0 };
        if std::mem::take(&mut self.stop_on_open) {
            self.estop();
        }
        self.settle();
    }

    fn closed(&mut self, reason: &str, now: Duration) {
        self.now = now;
        self.note_held();
        self.window.clear();
        self.out.clear();
        let reason = reason.to_owned();
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Running(_)
            | Phase::Stopping(Stop { job: true, .. })
            | Phase::Estop { job: true, .. } => {
                self.ended(End::Interrupted { reason, position_known: false });
            }
            Phase::Console { .. } | Phase::Asking { .. } => {
                self.say(Event::Answered(Err(Refused::Lost)));
            }
            _ => {}
        }
        self.forget_position();
        self.settle();
    }

    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.now = now;
        self.machine.heard = now;
        let mut lines = std::mem::take(&mut self.lines);
        lines.feed(bytes, |said| self.hear(&said));
        self.lines = lines;
        self.settle();
    }

    fn command(&mut self, command: Command, now: Duration) {
        self.now = now;
        match command {
            Command::Start(start) => self.start(start),
            Command::Pause => self.pause(),
            Command::Resume => self.resume(),
            Command::SkipLayer => self.skip_layer(),
            Command::Cancel => self.stop(Why::Cancelled),
            Command::Interrupt(reason) => self.stop(Why::Interrupted(reason)),
            Command::FileFailed(message) => self.stop(Why::Failed { line: None, message }),
            Command::Send(line) => self.send(&line),
            Command::Home => self.send("$H"),
            Command::Unlock => self.send("$X"),
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
        match &self.phase {
            Phase::Greeting { .. } | Phase::Meeting { .. } | Phase::Identifying { .. } => {
                self.tick_connecting();
            }
            Phase::Console { .. } | Phase::Asking { .. } => self.tick_console(),
            Phase::Running(_) => self.tick_job(),
            Phase::Stopping(_) => self.tick_stop(),
            Phase::Estop { .. } => self.tick_estop(),
            Phase::Closed | Phase::Ready => {}
        }
        self.settle();
    }

    fn deadline(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Closed => None,
            Phase::Greeting { since, resets } => Some(*since + connect::patience(*resets)),
            Phase::Identifying { since, .. } => Some(*since + connect::IDENTIFY),
            Phase::Estop { last, .. } => Some(*last + stop::ESTOP_REPEAT),
            _ => self.poll_interval().map(|interval| self.polled.at + interval),
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
            (checkpoint.receive_lines, checkpoint.receive_bytes) = self.window.of_file();
            checkpoint.planner_lines = self.since_idle.min(self.machine.planner);
        }
        checkpoint
    }

    fn is_still(&self) -> bool {
        let acting =
            matches!(self.phase, Phase::Running(_) | Phase::Stopping(_) | Phase::Estop { .. });
        !acting && !self.machine.state.is_some_and(State::moves)
    }
}
