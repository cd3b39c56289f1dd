//! `EiBotBoard` (EBB), the controller of `AxiDraw` plotters: commands one by one, each answered.
//!
//! ```text
//!   Closed ──opened──> Greeting ──version──> Setup ──done──> Ready <──────────────────┐
//!     ^                  ^ V                 syntax, servo,    │ start                │
//!     └───── closed ─────┴── Console, Errand <─ supply, pen ───┤                      │
//!                                                              v                      │
//!               Running: prepare · file · pen up · still · motors off ────────────────┤
//!                  │ cancel, refusal, stall                                           │
//!                  v                                                                  │
//!               Stopping: ES · pen up · on_stop · still · motors off ─────────────────┘
//! ```
//! An answer means that a command has been read, not that it is done. The board has a queue for
//! motion; a command that finds no room in it blocks the parser, and its answer comes once it has
//! some: that is the flow control. A blocked parser reads nothing, not even a stop. So commands that
//! last long are followed by questions, until the queue is empty; shorter ones are not worth it.
//!
//! A plotter has no switches: it is at its origin when its motors are switched on, and nobody knows
//! where it is once they are off.

mod connect;
mod console;
mod hear;
mod job;
mod machine;
mod stop;
mod talk;
#[cfg(test)]
mod tests;
mod wire;

use std::{collections::VecDeque, time::Duration};

use connect::Setup;
use job::Job;
use machine::{Asked, Asker, Machine, Polls, Status};
use stop::Stop;
use talk::POLL_IDLE;
use wire::Lines;

use super::{
    Checkpoint, Command, Driver, End, Event, Halt, Options, Refused, Start, Why,
    feed::{Feed, Origin},
};
use crate::{
    domain::{DeviceStatus, Position},
    toolpath::plan::Axes,
};

/// Kept in a variable that a restart clears (`SL`): how a board that says nothing of it is found out.
const COOKIE: u8 = 165;

/// A reading of the supply (`QC`) below this is USB alone; about 7.5 V.
const LEAST_SUPPLY: u32 = 250;

/// How far up the pen is said to be, in millimetres.
const PEN_UP_MM: f64 = 1.0;

/// The driver of one EBB.
pub struct Ebb {
    options: Options,
    axes: Axes,
    now: Duration,
    out: Vec<u8>,
    events: VecDeque<Event>,
    lines: Lines,
    /// What has been sent and not answered: mostly one command.
    asked: VecDeque<Asked>,
    machine: Machine,
    polls: Polls,
    phase: Phase,
    /// The emergency stop has been pressed and not been cleared.
    latched: bool,
    /// It was pressed while there was no port.
    stop_on_open: bool,
    checkpoint: Checkpoint,
    /// Lines of the file acknowledged since the machine was last seen with nothing to do.
    since_idle: u64,
    shown: Option<(DeviceStatus, Option<String>)>,
    position_shown: (Option<Position>, Option<bool>),
    chatter: (Duration, u32),
}

enum Phase {
    /// No port.
    Closed,
    /// Has asked who it is.
    Greeting { since: Duration, tries: u32 },
    /// It is too old, or something else.
    Useless(String),
    /// Sets it up.
    Setup(Setup),
    /// Nothing is asked of it.
    Ready,
    /// A line of a person is being answered.
    Console { lines: Vec<String> },
    /// Commands of the driver for a person: home, a move by hand.
    Errand { todo: VecDeque<String>, until_still: bool },
    /// A job.
    Running(Box<Job>),
    /// A safe stop.
    Stopping(Stop),
    /// An emergency stop, not confirmed yet; `job` if there was one.
    Estop { job: bool, last: Duration },
}

impl Ebb {
    /// A driver without a port.
    pub fn new(options: Options) -> Self {
        Self {
            axes: options.plotter.ebb.axes(),
            options,
            now: Duration::ZERO,
            out: Vec::new(),
            events: VecDeque::new(),
            lines: Lines::default(),
            asked: VecDeque::new(),
            machine: Machine::default(),
            polls: Polls::default(),
            phase: Phase::Closed,
            latched: false,
            stop_on_open: false,
            checkpoint: Checkpoint::default(),
            since_idle: 0,
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

    /// What is shown to people, and why.
    fn status(&self) -> (DeviceStatus, Option<String>) {
        let because = |text: &str| Some(text.to_owned());
        match &self.phase {
            Phase::Closed => return (DeviceStatus::Disconnected, None),
            Phase::Estop { .. } => {
                return (DeviceStatus::Alarm, because("emergency stop, not confirmed yet"));
            }
            Phase::Greeting { tries: 3.., .. } => {
                return (DeviceStatus::Error, because("the machine does not answer"));
            }
            _ if self.latched => return (DeviceStatus::Alarm, because("emergency stop")),
            Phase::Greeting { .. } | Phase::Setup(_) => return (DeviceStatus::Connecting, None),
            Phase::Useless(reason) => return (DeviceStatus::Error, because(reason)),
            Phase::Running(job) if job.is_held() => return (DeviceStatus::Paused, None),
            Phase::Running(_)
            | Phase::Stopping(_)
            | Phase::Console { .. }
            | Phase::Errand { .. } => return (DeviceStatus::Busy, None),
            Phase::Ready => {}
        }
        if self.machine.powered == Some(false) {
            let reason = "the motors have no power: plug in the supply";
            return (DeviceStatus::Error, because(reason));
        }
        if self.machine.status.is_some_and(Status::limit) {
            return (DeviceStatus::Alarm, because("a limit switch has closed: unlock the machine"));
        }
        match self.machine.status {
            Some(status) if status.busy() => (DeviceStatus::Busy, None),
            _ => (DeviceStatus::Idle, None),
        }
    }

    /// Ends every call from outside.
    fn settle(&mut self) {
        self.pump();
        let status = self.status();
        if self.shown.as_ref() != Some(&status) {
            self.shown = Some(status.clone());
            self.say(Event::Status(status.0, status.1));
        }
    }
}

impl Driver for Ebb {
    fn opened(&mut self, now: Duration) {
        self.now = now;
        self.out.clear();
        self.lines.clear();
        self.machine = Machine { heard: now, ..Machine::default() };
        self.greet(0);
        if std::mem::take(&mut self.stop_on_open) {
            self.estop();
        }
        self.settle();
    }

    fn closed(&mut self, reason: &str, now: Duration) {
        self.now = now;
        self.note_held();
        self.asked.clear();
        self.out.clear();
        let reason = reason.to_owned();
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Running(_)
            | Phase::Stopping(Stop { job: true, .. })
            | Phase::Estop { job: true, .. } => {
                self.ended(End::Interrupted { reason, position_known: false });
            }
            Phase::Console { .. } | Phase::Errand { .. } => {
                self.say(Event::Answered(Err(Refused::Lost)));
            }
            _ => {}
        }
        self.machine.status = None;
        self.forget_position();
        self.settle();
    }

    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.now = now;
        self.machine.heard = now;
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
        match &self.phase {
            Phase::Closed | Phase::Useless(_) => {}
            Phase::Greeting { .. } => self.tick_greeting(),
            Phase::Estop { .. } => self.tick_estop(),
            Phase::Stopping(_) => self.tick_stop(),
            Phase::Setup(_) | Phase::Ready | Phase::Console { .. } | Phase::Errand { .. } => {
                self.tick_quiet();
            }
            Phase::Running(_) => self.tick_job(),
        }
        self.settle();
    }

    fn deadline(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Closed | Phase::Useless(_) => None,
            Phase::Greeting { since, tries } => Some(*since + connect::patience(*tries)),
            Phase::Estop { last, .. } => Some(*last + stop::ESTOP_REPEAT),
            _ => {
                let answer = self.asked.front().map(|asked| asked.since + asked.patience);
                let poll = self.poll_interval().map(|interval| self.polls.at + interval);
                let poll = poll.filter(|_| self.asked.is_empty());
                let stop = match &self.phase {
                    Phase::Stopping(stop) => Some(stop.deadline()),
                    Phase::Running(job) => job.deadline(),
                    _ => None,
                };
                [answer, poll, stop].into_iter().flatten().min()
            }
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
            let of_file = self
                .asked
                .iter()
                .filter(|asked| matches!(asked.origin, Asker::Feed(Origin::File(_))));
            for asked in of_file {
                checkpoint.receive_lines += 1;
                checkpoint.receive_bytes += asked.text.len() as u64 + 1;
            }
            // One is carried out, the others wait.
            checkpoint.planner_lines = self.since_idle.min(self.machine.depth + 1);
        }
        checkpoint
    }

    fn is_still(&self) -> bool {
        let acting = matches!(
            self.phase,
            Phase::Running(_) | Phase::Stopping(_) | Phase::Estop { .. } | Phase::Errand { .. }
        );
        !acting && !self.machine.status.is_some_and(Status::busy)
    }
}
