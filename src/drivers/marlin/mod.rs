//! Marlin and its kin: numbered lines with checksums, one `ok` a line, requests to send again.
//!
//! ```text
//!   Closed ──opened──> Greeting ── start, or nothing for a while ──> Identifying ── M115 ──> Ready
//!     ^                                                                                    │  ^
//!     └──── closed ──── from everywhere                                       Console <────┤  │
//!                                                                                          v  │
//!          Running ── pause: nothing more is sent, M400 ── resume ── all done, M400, M114 ─┼──┤
//!             │ cancel, error, stall, too many lines asked for again                       │  │
//!             v                                                                            │  │
//!          Stopping: M108 · M410 · M114 · M110 · on_stop · M400 · M114 ────────────────────┘──┘
//!
//!   Estop: M112 until the machine says that it has halted ──> Halted ── switched off and on ──> …
//! ```
//! Every line but the urgent ones is numbered. The machine refuses a line that it has had already
//! or that skips one, so that whatever gets lost, nothing is carried out twice or left out, and what
//! is in doubt is simply sent again. Only an `ok` that says whose it is (`ADVANCED_OK`) lets more
//! than one line be under way.
//!
//! Sources: MarlinFirmware/Marlin, `src/gcode/queue.cpp`, `src/feature/e_parser.h`,
//! marlinfw.org/docs.

mod connect;
mod console;
mod hear;
mod job;
mod recover;
mod reports;
mod stop;
#[cfg(test)]
mod tests;
mod window;
mod wire;

use std::{collections::VecDeque, time::Duration};

use job::Job;
use recover::Recovery;
use stop::Stop;
use window::{Tag, Window};

use super::{
    Checkpoint, Command, Driver, End, Event, Halt, Options, Refused, Start, Why,
    feed::{Feed, Origin},
    lines::Lines,
};
use crate::domain::{DeviceStatus, Position, Temperature};

/// Blocks that the planner of a common board holds, until it says how many.
const BLOCKS: u64 = 16;

/// Lines that the queue of a common board holds (`BUFSIZE`).
const QUEUE: u64 = 4;

/// Between questions for the position while a person's line may move the machine.
const ASK_WHERE: Duration = Duration::from_millis(500);

/// Between questions for the temperatures, where they are not told unasked.
const ASK_WARMTH: Duration = Duration::from_secs(5);

/// The driver of one machine that runs Marlin.
pub struct Marlin {
    options: Options,
    now: Duration,
    out: Vec<u8>,
    events: VecDeque<Event>,
    lines: Lines,
    window: Window,
    recovery: Recovery,
    machine: Machine,
    phase: Phase,
    /// The emergency stop has been pressed and not been cleared.
    latched: bool,
    /// It was pressed while there was no port: the machine is stopped as soon as there is one.
    stop_on_open: bool,
    checkpoint: Checkpoint,
    /// Lines of the file acknowledged since the machine was last seen at rest.
    since_rest: u64,
    shown: Option<(DeviceStatus, Option<String>)>,
    /// Said lately, so that a flood of noise does not become a flood of events.
    chatter: (Duration, u32),
}

/// What is known of the machine.
#[derive(Debug, Default)]
struct Machine {
    /// It tells temperatures unasked (`Cap:AUTOREPORT_TEMP`).
    reports: bool,
    /// It says that it is busy while it is.
    says_busy: bool,
    /// Free planner blocks, the most it ever told.
    blocks: u64,
    /// When anything was heard of it that can be read.
    heard: Duration,
    /// When it last acknowledged anything, said that it was busy, or was given something after a
    /// rest.
    moved: Duration,
    position: Option<Position>,
    /// The steppers' count at the last M114; the same twice is a standstill.
    count: Option<[f64; 3]>,
    /// A person's line may move it still.
    restless: bool,
    temperatures: Vec<Temperature>,
    /// When it was last asked for something by the driver itself.
    asked: Duration,
    /// It has reported an error, and not yet what comes of it.
    error: Option<(String, Duration)>,
    /// What it said last of an error, to be told if it halts.
    last_error: Option<String>,
}

enum Phase {
    /// No port.
    Closed,
    /// Waits for a banner.
    Greeting { since: Duration },
    /// Has asked who it is, for the n-th time.
    Identifying { since: Duration, tries: u32, who: Option<String>, answers: bool },
    /// Nothing is asked of it.
    Ready,
    /// Lines of a person, or this driver's own, are being answered.
    Console(console::Console),
    /// A job.
    Running(Box<Job>),
    /// A safe stop.
    Stopping(Stop),
    /// An emergency stop, not confirmed yet; `job` if there was one.
    Estop { job: bool, presses: u32, last: Duration },
    /// It has switched itself off, for this reason, and does nothing more.
    Halted(String),
}

impl Marlin {
    /// A driver without a port.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            now: Duration::ZERO,
            out: Vec::new(),
            events: VecDeque::new(),
            lines: Lines::default(),
            window: Window::default(),
            recovery: Recovery::default(),
            machine: Machine::default(),
            phase: Phase::Closed,
            latched: false,
            stop_on_open: false,
            checkpoint: Checkpoint::default(),
            since_rest: 0,
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

    /// Sends a line with a number.
    fn send_line(&mut self, text: &[u8], tag: Tag) {
        if !self.window.has_under_way() {
            self.machine.moved = self.now;
        }
        self.window.send(text, tag, &mut self.out);
    }

    /// Sends a line without one, whatever is under way.
    fn send_bare(&mut self, text: &[u8], tag: Tag) {
        self.window.send_bare(text, tag, &mut self.out);
    }

    fn forget_position(&mut self) {
        self.machine.count = None;
        if self.machine.position.take().is_some() {
            self.say(Event::Position(None, None));
        }
    }

    /// When the driver itself asks next, while nothing is under way.
    fn asks_at(&self) -> Option<Duration> {
        let held = matches!(&self.phase, Phase::Running(job) if job.pause.is_held());
        let idle = matches!(self.phase, Phase::Ready) || held;
        if !idle || !self.window.is_empty() || self.recovery.is_quiet() {
            return None;
        }
        let every = if self.machine.restless { ASK_WHERE } else { ASK_WARMTH };
        Some(self.machine.asked + every)
    }

    fn ask(&mut self) {
        if self.asks_at().is_none_or(|at| self.now < at) {
            return;
        }
        self.machine.asked = self.now;
        if self.machine.restless {
            self.send_line(b"M114", Tag::Where);
        } else if !self.machine.reports || self.now >= self.machine.heard + ASK_WARMTH {
            self.send_line(b"M105", Tag::Warmth);
        }
    }

    /// What is shown to people, and why.
    fn status(&self) -> (DeviceStatus, Option<String>) {
        let because = |text: &str| Some(text.to_owned());
        match &self.phase {
            Phase::Closed => (DeviceStatus::Disconnected, None),
            Phase::Estop { .. } => {
                (DeviceStatus::Alarm, because("emergency stop, not confirmed yet"))
            }
            Phase::Halted(_) if self.latched => (DeviceStatus::Alarm, because("emergency stop")),
            Phase::Halted(reason) => {
                let again = "reset it, or switch it off and on";
                (DeviceStatus::Alarm, Some(format!("{reason}: {again}")))
            }
            Phase::Identifying { tries: 3.., .. } => {
                (DeviceStatus::Error, because("the machine does not answer"))
            }
            _ if self.latched => (DeviceStatus::Alarm, because("emergency stop")),
            Phase::Greeting { .. } | Phase::Identifying { .. } => (DeviceStatus::Connecting, None),
            Phase::Running(job) if job.pause.is_held() => (DeviceStatus::Paused, None),
            Phase::Ready if !self.machine.restless => (DeviceStatus::Idle, None),
            Phase::Running(_) | Phase::Stopping(_) | Phase::Console(_) | Phase::Ready => {
                (DeviceStatus::Busy, None)
            }
        }
    }

    /// Ends every call from outside.
    fn settle(&mut self) {
        if !self.recovery.is_quiet() && !self.window.send_again(&mut self.out) {
            self.fill();
            self.go_on_stopping();
            self.ask();
        }
        let status = self.status();
        if self.shown.as_ref() != Some(&status) {
            self.shown = Some(status.clone());
            self.say(Event::Status(status.0, status.1));
        }
    }
}

impl Driver for Marlin {
    fn opened(&mut self, now: Duration) {
        self.now = now;
        self.out.clear();
        self.lines.clear();
        self.window = Window::default();
        self.recovery = Recovery::default();
        self.machine = Machine { heard: now, moved: now, blocks: BLOCKS, ..Machine::default() };
        self.phase = Phase::Greeting { since: now };
        if std::mem::take(&mut self.stop_on_open) {
            self.estop();
        }
        self.settle();
    }

    fn closed(&mut self, reason: &str, now: Duration) {
        self.now = now;
        self.note_held();
        self.out.clear();
        let reason = reason.to_owned();
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Running(_)
            | Phase::Stopping(Stop { job: true, .. })
            | Phase::Estop { job: true, .. } => {
                self.ended(End::Interrupted { reason, position_known: false });
            }
            Phase::Console(_) => self.say(Event::Answered(Err(Refused::Lost))),
            _ => {}
        }
        self.window = Window::default();
        self.recovery = Recovery::default();
        self.forget_position();
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
        self.tick_recovery();
        match &self.phase {
            Phase::Greeting { .. } | Phase::Identifying { .. } => self.tick_connecting(),
            Phase::Estop { .. } => self.tick_estop(),
            Phase::Closed | Phase::Halted(_) => {}
            _ => self.tick_under_way(),
        }
        self.settle();
    }

    fn deadline(&self) -> Option<Duration> {
        let due = match &self.phase {
            Phase::Closed | Phase::Halted(_) => return None,
            Phase::Greeting { since } => Some(*since + connect::GREETING),
            Phase::Identifying { since, tries, .. } => Some(*since + connect::patience(*tries)),
            Phase::Estop { presses, last, .. } => Some(*last + stop::estop_pause(*presses)),
            _ => self.watch_at(),
        };
        [due, self.recovery.until(), self.asks_at()].into_iter().flatten().min()
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
            checkpoint.planner_lines = self.since_rest.min(self.machine.blocks + QUEUE);
        }
        checkpoint
    }

    fn is_still(&self) -> bool {
        let acting = matches!(
            self.phase,
            Phase::Running(_) | Phase::Stopping(_) | Phase::Estop { .. } | Phase::Console(_)
        );
        !acting && !self.machine.restless
    }
}
