//! An `EiBotBoard` (EBB) with the motors of an `AxiDraw`, simulated: its parser that blocks while the
//! motion queue is full, its two syntaxes, its clock. Source: evil-mad/EggBot, docs/ebb.html (firmware
//! 3.x) and docs/ebb2.html (2.x).
//!
//! The geometry is that of a mixed-axis machine: motor 1 makes x + y, motor 2 makes x − y, 80
//! sixteenth steps for a millimetre. Y counts away from the home corner, down the sheet.

mod commands;
mod motion;
mod parser;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use motion::{Machine, Motion};
use parser::Wrong;

use super::{Drawing, Faults, Firmware, voice::Voice};

/// Longest command, its end not counted.
const LONGEST: usize = 255;

/// A simulated EBB.
pub struct Ebb {
    speed: f64,
    faults: Faults,
    version: EbbVersion,
    now: Duration,
    /// What the host has sent and the parser has not read: USB lets the host wait.
    rx: VecDeque<u8>,
    line: Vec<u8>,
    /// What blocks the parser, and the command that said so.
    stuck: Option<(Stuck, String)>,
    machine: Machine,
    settings: Settings,
    voice: Voice,
    nickname: String,
    /// Commands parsed since it was switched on; faults count them.
    lines: u64,
}

/// Which firmware it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EbbVersion {
    /// 2.8.1: one syntax, without much system.
    V2,
    /// 3.0.2: the same at first, and a uniform one on demand.
    V3,
}

impl EbbVersion {
    fn text(self) -> &'static str {
        match self {
            Self::V2 => "EBBv13_and_above EB Firmware Version 2.8.1",
            Self::V3 => "EBBv13_and_above EB Firmware Version 3.0.2",
        }
    }
}

#[derive(Debug)]
enum Stuck {
    /// No room in the queue.
    Motion(Motion),
    /// The queue must be empty before it changes its size.
    Depth(usize),
}

/// What a restart forgets.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "so many settings are on or off")]
struct Settings {
    future: bool,
    acknowledges: bool,
    button: bool,
    variables: [u8; 32],
    nodes: u32,
    limit_reply: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            future: false,
            acknowledges: true,
            button: false,
            variables: [0; 32],
            nodes: 0,
            limit_reply: false,
        }
    }
}

impl Ebb {
    /// A board with the newest firmware, `speed` times as fast as the real time (0 = motion takes no
    /// time).
    pub fn new(speed: f64, faults: Faults) -> Self {
        Self::with_version(speed, faults, EbbVersion::V3)
    }

    /// The same with another firmware.
    pub fn with_version(speed: f64, faults: Faults, version: EbbVersion) -> Self {
        Self {
            speed,
            version,
            now: Duration::ZERO,
            rx: VecDeque::new(),
            line: Vec::new(),
            stuck: None,
            machine: Machine::new(!faults.no_motor_power),
            settings: Settings::default(),
            voice: Voice::new(&faults),
            nickname: String::new(),
            faults,
            lines: 0,
        }
    }

    /// Presses the button.
    pub fn press(&mut self) {
        self.settings.button = true;
    }

    /// Switches the motors' supply on or off.
    pub fn power_motors(&mut self, on: bool) {
        self.machine.powered = on;
    }

    /// Moves whose rate fell below zero before they were done, and the fastest rate asked of a motor,
    /// in steps a second: what a plan must never have, and must keep below 25 000.
    pub fn strain(&self) -> (u64, f64) {
        (self.machine.rollovers, self.machine.fastest)
    }

    fn restart(&mut self) {
        self.machine.restart();
        self.settings = Settings::default();
        self.line.clear();
        self.stuck = None;
    }

    /// Reads commands until one must wait.
    fn run(&mut self) {
        loop {
            match &self.stuck {
                Some((Stuck::Motion(_), _)) if !self.machine.has_room() => return,
                Some((Stuck::Depth(_), _)) if self.machine.is_executing() => return,
                _ => {}
            }
            if let Some((stuck, name)) = self.stuck.take() {
                match stuck {
                    Stuck::Motion(motion) => self.queue(motion),
                    Stuck::Depth(depth) => self.machine.depth = depth,
                }
                self.acknowledge(&name);
                continue;
            }
            let Some(byte) = self.rx.pop_front() else { return };
            match byte {
                b'\r' | b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    if !line.is_empty() {
                        self.end_of_line(&line);
                    }
                }
                _ if self.line.len() > LONGEST => {}
                byte => self.line.push(byte),
            }
        }
    }

    fn queue(&mut self, motion: Motion) {
        self.machine.push(motion);
        self.hurry();
    }

    /// Motion that takes no time is done at once.
    fn hurry(&mut self) {
        while self.speed <= 0.0
            && let Some(seconds) = self.machine.next()
        {
            self.machine.advance(seconds);
        }
    }

    fn end_of_line(&mut self, line: &[u8]) {
        self.lines += 1;
        self.machine.drawing.lines += 1;
        let number = self.lines;
        let here = |at: Option<u64>| at == Some(number);
        let numbered = |at: Option<(u64, u8)>| at.filter(|(at, _)| *at == number).map(|at| at.1);
        let text = String::from_utf8_lossy(line).into_owned();
        let name = parser::name(&text).0.to_ascii_uppercase();
        if here(self.faults.silent_at_line) {
            self.voice.hush();
        }
        if here(self.faults.press_button_at_line) {
            self.press();
        }
        if here(self.faults.reset_at_line) {
            // A board that starts anew says nothing.
            return self.restart();
        }
        if numbered(self.faults.alarm_at_line).is_some() {
            self.limit();
        }
        if let Some(number) = numbered(self.faults.error_at_line) {
            return self.refuse(&name, &Wrong::Other(number));
        }
        if line.len() > LONGEST {
            return self.refuse(&name, &Wrong::TooLong);
        }
        if let Err(wrong) = self.command(&text) {
            self.refuse(&name, &wrong);
        }
    }

    /// A limit switch closes.
    fn limit(&mut self) {
        self.machine.stop();
        self.machine.limited = true;
        if self.settings.limit_reply {
            self.voice.emit(b"Limit switch triggered. PortB=10\n", self.now);
        }
    }

    fn acknowledge(&mut self, name: &str) {
        let text = if self.settings.future { format!("{name}\n") } else { "OK\r\n".to_owned() };
        if self.faults.drop_ok == Some(self.lines)
            || !(self.settings.acknowledges || self.settings.future)
        {
            return;
        }
        self.voice.answer(&text, self.now);
        if self.faults.double_ok == Some(self.lines) {
            self.voice.answer(&text, self.now);
        }
    }

    /// What a query is answered with; `ending` is how the old syntax ends it.
    fn tell(&mut self, name: &str, value: &str, ending: &str) {
        let text = if self.settings.future {
            format!("{name},{value}\n")
        } else {
            format!("{value}{ending}")
        };
        self.voice.answer(&text, self.now);
    }

    fn refuse(&mut self, name: &str, wrong: &Wrong) {
        let wrong = wrong.text();
        let text = match (self.settings.future, self.version) {
            (true, _) => format!("{name},{wrong}\n"),
            (false, EbbVersion::V2) => format!("{wrong}\r\n"),
            (false, EbbVersion::V3) => format!("{wrong}OK\r\n"),
        };
        self.voice.answer(&text, self.now);
    }
}

impl Firmware for Ebb {
    fn power_on(&mut self, now: Duration) {
        self.now = now;
        self.rx.clear();
        self.restart();
        self.voice.clear();
        self.lines = 0;
    }

    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.advance(now);
        self.rx.extend(bytes);
        self.run();
        self.voice.advance(self.now);
    }

    fn advance(&mut self, now: Duration) {
        self.run();
        while self.speed > 0.0
            && let Some(seconds) = self.machine.next()
        {
            let wait = (seconds / self.speed).max(0.0);
            let Some(at) = Duration::try_from_secs_f64(wait).ok().map(|wait| self.now + wait)
            else {
                break;
            };
            if at > now {
                break;
            }
            self.machine.advance(seconds);
            self.now = at;
            self.run();
        }
        if self.speed > 0.0 {
            self.machine.advance(now.saturating_sub(self.now).as_secs_f64() * self.speed);
        }
        self.now = self.now.max(now);
        self.run();
        self.voice.advance(self.now);
    }

    fn wake(&self) -> Option<Duration> {
        let motion = self.machine.next().filter(|_| self.speed > 0.0).map(|seconds| {
            let wait = Duration::try_from_secs_f64((seconds / self.speed).max(0.0));
            self.now + wait.unwrap_or(Duration::MAX / 4)
        });
        [motion, self.voice.wake()].into_iter().flatten().min()
    }

    fn transmit(&mut self, out: &mut Vec<u8>) {
        self.voice.transmit(out);
    }

    fn drawing(&self) -> &Drawing {
        &self.machine.drawing
    }
}
