//! Marlin 2.1, simulated: its buffers, its answers, its clock. Sources: MarlinFirmware/Marlin,
//! `src/gcode/queue.cpp`, `src/feature/e_parser.h`, `src/module/planner.cpp` (`quick_stop`),
//! marlinfw.org/docs, and issues about what boards were seen to do.
//!
//! A line is answered once it is carried out or planned. While one is waited for nothing is read:
//! bytes stay in the receive ring, and what does not fit in is lost. Only the emergency parser, on
//! boards that have it, looks at bytes as they come.

mod commands;
mod dialect;
mod heaters;
mod modal;
mod serial;
#[cfg(test)]
mod tests;
mod timers;

use std::{collections::VecDeque, time::Duration};

pub use dialect::Dialect;
use heaters::Heater;
use modal::Modal;
use timers::Timers;

use super::{
    Drawing, Faults, Firmware,
    motion::{Block, Planner},
    voice::Voice,
    words::Word,
};

/// After a quick stop moves are thrown away for so many seconds (`cleaning_buffer_counter`).
const CLEANING: f64 = 1.0;

/// Simulated Marlin.
pub struct Marlin {
    speed: f64,
    dialect: Dialect,
    faults: Faults,
    now: Duration,
    voice: Voice,
    // Serial input.
    rx: VecDeque<u8>,
    line: Vec<u8>,
    comment: bool,
    /// The line as far as the emergency parser is interested in it.
    emergency: Vec<u8>,
    last_number: i64,
    /// Lines that are read and not answered; the first is on its way if `executing` says so.
    queue: VecDeque<String>,
    executing: bool,
    wait: Option<Wait>,
    /// What is answered instead of a plain `ok`.
    reply: Option<String>,
    // The machine.
    planner: Planner,
    modal: Modal,
    tool: Heater,
    bed: Heater,
    /// Seconds for which moves are thrown away still.
    cleaning: f64,
    /// Lines executed since it was switched on; faults count them.
    lines: u64,
    dead: bool,
    timers: Timers,
}

/// Why the line on its way is not answered yet.
#[derive(Debug)]
enum Wait {
    /// Blocks that did not fit into the planner.
    Blocks(VecDeque<Block>),
    /// Motion must end first.
    Motion(After),
    Dwell(f64),
    Heat {
        tool: bool,
        cools: bool,
    },
    /// A person.
    User,
}

/// What comes once all motion has ended.
#[derive(Debug)]
enum After {
    Nothing,
    Dwell(f64),
    Home(Vec<Word>),
    User,
}

impl Marlin {
    /// A board as it is sold today, at its origin, `speed` times as fast as the real time (0 =
    /// motion, heat and dwells take no time).
    pub fn new(speed: f64, faults: Faults) -> Self {
        Self::with(speed, faults, Dialect::default())
    }

    /// A board of this kind.
    pub fn with(speed: f64, faults: Faults, dialect: Dialect) -> Self {
        Self {
            speed,
            planner: Planner::new(dialect.blocks, speed <= 0.0),
            dialect,
            voice: Voice::new(&faults),
            faults,
            now: Duration::ZERO,
            rx: VecDeque::new(),
            line: Vec::new(),
            comment: false,
            emergency: Vec::new(),
            last_number: 0,
            queue: VecDeque::new(),
            executing: false,
            wait: None,
            reply: None,
            modal: Modal::default(),
            tool: Heater::new(5.0),
            bed: Heater::new(2.0),
            cleaning: 0.0,
            lines: 0,
            dead: false,
            timers: Timers::default(),
        }
    }

    fn say(&mut self, line: &str) {
        self.voice.say(line, self.now);
    }

    /// What any start clears.
    fn boot(&mut self) {
        self.planner.clear();
        self.rx.clear();
        self.line.clear();
        self.emergency.clear();
        self.queue.clear();
        (self.comment, self.executing, self.dead) = (false, false, false);
        (self.wait, self.reply, self.cleaning, self.last_number) = (None, None, 0.0, 0);
        self.modal = Modal::default();
        (self.tool.target, self.bed.target) = (0.0, 0.0);
        self.timers = Timers::default();
        self.rest();
    }

    fn greet(&mut self) {
        self.say("start");
        self.say("Marlin 2.1.2.1");
        self.say("echo: Last Updated: 2023-05-16 | Author: (none, default config)");
        self.say("echo: Free Memory: 3785  PlannerBufferBytes: 1328");
        self.say("echo:Hardcoded Default Settings Loaded");
    }

    /// Everything off, and nothing more is said or read until it is switched off and on.
    fn kill(&mut self) {
        self.planner.clear();
        (self.wait, self.executing) = (None, false);
        self.queue.clear();
        self.rx.clear();
        (self.tool.target, self.bed.target) = (0.0, 0.0);
        self.timers = Timers::default();
        self.say("Error:Printer halted. kill() called!");
        self.dead = true;
    }

    /// Motion ends at once, and for a second nothing new begins.
    fn quick_stop(&mut self) {
        self.planner.clear();
        if self.speed > 0.0 {
            self.cleaning = CLEANING;
        }
        if matches!(self.wait, Some(Wait::Heat { .. } | Wait::Motion(After::Home(_)))) {
            self.wait = Some(Wait::Motion(After::Nothing));
        }
    }

    /// A person presses the button, or M108 does.
    fn release(&mut self) {
        if matches!(self.wait, Some(Wait::User | Wait::Heat { .. })) {
            self.wait = None;
        }
    }

    /// Nothing to do: the clock of `wait` begins.
    fn rest(&mut self) {
        self.timers.idle = self.dialect.wait_every.map(|every| self.now + every);
    }

    /// Reads and carries out lines until something must be waited for.
    fn run(&mut self) {
        while !self.dead {
            if self.executing {
                if !self.is_done() {
                    return;
                }
                self.answer_ok();
                self.queue.pop_front();
                self.executing = false;
                (self.timers.busy, self.timers.heating) = (None, None);
                self.rest();
            } else {
                self.read_serial();
                if self.queue.is_empty() || self.dead {
                    return;
                }
                self.timers.idle = None;
                self.executing = true;
                self.execute();
                if self.wait.is_some() {
                    self.timers.busy = self.dialect.busy_every.map(|every| self.now + every);
                    let heats = matches!(self.wait, Some(Wait::Heat { .. }));
                    self.timers.heating = heats.then_some(self.now + timers::HEATING_REPORT);
                }
            }
        }
    }

    /// True if nothing is waited for any more.
    fn is_done(&mut self) -> bool {
        loop {
            match &mut self.wait {
                None => return true,
                Some(Wait::Blocks(blocks)) => {
                    // What a quick stop throws away is never planned.
                    if self.cleaning > 0.0 {
                        blocks.clear();
                    }
                    while self.planner.has_room()
                        && let Some(block) = blocks.pop_front()
                    {
                        self.planner.push(block);
                    }
                    if !blocks.is_empty() {
                        return false;
                    }
                    self.wait = None;
                }
                Some(Wait::Motion(_)) if !self.planner.is_empty() || self.cleaning > 0.0 => {
                    return false;
                }
                Some(Wait::Motion(after)) => {
                    self.wait = match std::mem::replace(after, After::Nothing) {
                        After::Nothing => None,
                        After::Dwell(seconds) => Some(Wait::Dwell(seconds)),
                        After::User => Some(Wait::User),
                        After::Home(words) => {
                            let block = self.modal.home(&words, self.planner.position);
                            self.planner.push(block);
                            Some(Wait::Motion(After::Nothing))
                        }
                    };
                }
                Some(Wait::Dwell(left)) if *left > 1e-9 && self.speed > 0.0 => return false,
                Some(Wait::Heat { tool, cools }) => {
                    let heater = if *tool { &self.tool } else { &self.bed };
                    if heater.wait(*cools) > 1e-6 && self.speed > 0.0 {
                        return false;
                    }
                    self.wait = None;
                }
                Some(Wait::User) => return false,
                Some(Wait::Dwell(_)) => self.wait = None,
            }
        }
    }

    /// Seconds of its own clock until something happens.
    fn next(&self) -> Option<f64> {
        let wait = match &self.wait {
            Some(Wait::Dwell(left)) => Some(*left),
            Some(Wait::Heat { tool, cools }) => {
                Some((if *tool { &self.tool } else { &self.bed }).wait(*cools))
            }
            _ => None,
        };
        let cleaning = (self.cleaning > 0.0).then_some(self.cleaning);
        [wait, cleaning, self.planner.next()].into_iter().flatten().reduce(f64::min)
    }

    fn step(&mut self, seconds: f64) {
        if let Some(Wait::Dwell(left)) = &mut self.wait {
            *left -= seconds;
        }
        self.cleaning = if self.cleaning > seconds + 1e-9 { self.cleaning - seconds } else { 0.0 };
        self.tool.advance(seconds);
        self.bed.advance(seconds);
        self.planner.advance(seconds);
    }

    /// When its own clock has the next thing to do.
    fn motion_at(&self) -> Option<(Duration, f64)> {
        let seconds = self.next()?.max(0.0);
        let wait = if self.speed > 0.0 { seconds / self.speed } else { 0.0 };
        Some((self.now + Duration::try_from_secs_f64(wait).ok()?, seconds))
    }
}

impl Firmware for Marlin {
    fn power_on(&mut self, now: Duration) {
        self.now = now;
        self.voice.clear();
        self.lines = 0;
        self.boot();
        if !self.faults.no_banner {
            self.greet();
        }
    }

    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.advance(now);
        for byte in bytes {
            self.take(*byte);
            self.run();
        }
    }

    fn advance(&mut self, now: Duration) {
        self.run();
        loop {
            let motion = self.motion_at().filter(|(at, _)| *at <= now);
            let speech = self.speaks_at().filter(|at| *at <= now);
            match (motion, speech) {
                (Some((at, seconds)), speech) if speech.is_none_or(|speech| at <= speech) => {
                    self.now = self.now.max(at);
                    self.step(seconds);
                }
                (_, Some(at)) => {
                    self.pass(at);
                    self.speak();
                }
                _ => break,
            }
            self.run();
        }
        self.pass(now);
        self.run();
    }

    fn wake(&self) -> Option<Duration> {
        let motion = self.motion_at().map(|(at, _)| at);
        [motion, self.speaks_at(), self.voice.wake()].into_iter().flatten().min()
    }

    fn transmit(&mut self, out: &mut Vec<u8>) {
        self.voice.advance(self.now);
        self.voice.transmit(out);
    }

    fn drawing(&self) -> &Drawing {
        &self.planner.drawing
    }
}

impl Marlin {
    /// Lets time pass in which nothing happens but motion.
    fn pass(&mut self, to: Duration) {
        let seconds = to.saturating_sub(self.now).as_secs_f64();
        if self.speed > 0.0 && seconds > 0.0 {
            self.step(seconds * self.speed);
        }
        self.now = self.now.max(to);
    }
}
