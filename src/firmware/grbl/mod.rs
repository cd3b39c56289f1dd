//! GRBL 1.1h, simulated: its buffers, its answers, its clock. Sources: gnea/grbl, doc/markdown
//! (interface.md, commands.md), serial.h, config.h, and real controllers watched on a wire.

mod arc;
mod parser;
mod planner;
mod system;
#[cfg(test)]
mod tests;
mod voice;

use std::{collections::VecDeque, time::Duration};

use parser::{Eeprom, Modal};
use planner::{Block, Hold, Planner};

use super::{Drawing, Faults, Firmware};

/// Bytes the receive ring holds (`RX_BUFFER_SIZE` 128, of which one stays empty).
const RX_USABLE: usize = 127;

/// Characters a line may have (`LINE_BUFFER_SIZE` 80, of which one ends it).
const LINE_USABLE: usize = 79;

const BANNER: &str = "\r\nGrbl 1.1h ['$' for help]\r\n";

/// Simulated GRBL.
pub struct Grbl {
    speed: f64,
    faults: Faults,
    random: u64,
    now: Duration,
    rx: VecDeque<u8>,
    line: Vec<u8>,
    line_length: usize,
    comment: bool,
    planner: Planner,
    modal: Modal,
    eeprom: Eeprom,
    wait: Option<Wait>,
    mode: Mode,
    /// Lines executed since it was switched on; faults count them.
    lines: u64,
    reports: u32,
    out: Vec<u8>,
    /// Answers that are said later, each with its time.
    late: VecDeque<(Duration, Vec<u8>)>,
    silent: bool,
}

/// Why the next line is not read yet.
#[derive(Debug)]
enum Wait {
    /// Blocks that did not fit into the planner.
    Blocks(VecDeque<Block>),
    /// Motion must end first; then that many seconds pass.
    Dwell(f64),
    /// Motion must end first; then it holds (M0).
    Pause,
    /// The way home.
    Home,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Normal,
    /// Locked until `$X` or `$H`.
    Alarm,
    /// After a limit: nothing goes but a reset.
    Critical,
    Check,
    Jog,
    Sleep,
}

impl Grbl {
    /// A machine at its origin, `speed` times as fast as the real time (0 = motion takes no time).
    pub fn new(speed: f64, faults: Faults) -> Self {
        Self {
            speed,
            random: faults.seed ^ 0x9e37_79b9_7f4a_7c15,
            silent: faults.silent,
            faults,
            now: Duration::ZERO,
            rx: VecDeque::with_capacity(RX_USABLE),
            line: Vec::with_capacity(LINE_USABLE),
            line_length: 0,
            comment: false,
            planner: Planner::new(speed <= 0.0),
            modal: Modal::default(),
            eeprom: Eeprom::default(),
            wait: None,
            mode: Mode::Normal,
            lines: 0,
            reports: 0,
            out: Vec::new(),
            late: VecDeque::new(),
        }
    }

    fn realtime(&mut self, byte: u8) {
        match byte {
            b'?' => self.report(),
            0x18 => self.reset(),
            b'!' if matches!(self.mode, Mode::Normal | Mode::Check) => self.planner.hold(),
            b'!' | 0x85 if self.mode == Mode::Jog => {
                self.planner.clear();
                self.wait = None;
                self.mode = Mode::Normal;
            }
            b'~' if self.planner.hold == Hold::Standing => {
                self.planner.hold = Hold::No;
                self.planner.advance(0.0);
            }
            // Overrides and the door have no part in what is drawn.
            _ => {}
        }
    }

    fn reset(&mut self) {
        let moving = !self.planner.is_empty() && self.planner.hold != Hold::Standing;
        let homing = matches!(self.wait, Some(Wait::Home));
        self.planner.clear();
        self.forget();
        if moving {
            self.say(if homing { "ALARM:6\r\n" } else { "ALARM:3\r\n" });
            self.mode = Mode::Alarm;
        }
        self.greet();
    }

    /// What any restart clears.
    fn forget(&mut self) {
        self.rx.clear();
        self.line.clear();
        (self.line_length, self.comment) = (0, false);
        self.modal = Modal::default();
        self.wait = None;
        self.reports = 0;
        self.mode = match self.mode {
            Mode::Alarm | Mode::Critical => Mode::Alarm,
            _ => Mode::Normal,
        };
    }

    fn greet(&mut self) {
        self.say(BANNER);
        if self.mode == Mode::Alarm {
            self.say("[MSG:'$H'|'$X' to unlock]\r\n");
        }
    }

    fn alarm(&mut self, number: u8) {
        self.planner.clear();
        self.wait = None;
        self.say(&format!("ALARM:{number}\r\n"));
        self.mode = Mode::Alarm;
        if matches!(number, 1 | 2) {
            self.mode = Mode::Critical;
            self.say("[MSG:Reset to continue]\r\n");
        }
    }

    /// Reads and executes lines until something must be waited for.
    fn run(&mut self) {
        loop {
            if self.planner.hold != Hold::No || matches!(self.mode, Mode::Critical | Mode::Sleep) {
                return;
            }
            if self.mode == Mode::Jog && self.planner.is_empty() && self.wait.is_none() {
                self.mode = Mode::Normal;
            }
            match &mut self.wait {
                Some(Wait::Blocks(blocks)) => {
                    while self.planner.has_room()
                        && let Some(block) = blocks.pop_front()
                    {
                        self.planner.push(block);
                    }
                    if !blocks.is_empty() {
                        return;
                    }
                }
                Some(_) if !self.planner.is_empty() => return,
                Some(Wait::Dwell(left)) if *left > 0.0 && self.speed > 0.0 => return,
                Some(Wait::Pause) => {
                    self.wait = None;
                    self.planner.hold();
                    self.answer_ok();
                    continue;
                }
                Some(Wait::Home) => {
                    self.mode = Mode::Normal;
                    self.planner.homed();
                }
                Some(Wait::Dwell(_)) => {}
                None => {
                    let Some(byte) = self.rx.pop_front() else { return };
                    self.take(byte);
                    continue;
                }
            }
            self.wait = None;
            self.answer_ok();
        }
    }

    /// One byte into the line buffer; blanks and comments are thrown away on the way.
    fn take(&mut self, byte: u8) {
        match byte {
            b'\n' | b'\r' => {
                let line = std::mem::take(&mut self.line);
                let length = std::mem::take(&mut self.line_length);
                self.comment = false;
                self.end_of_line(&line, length);
                self.line = line;
                self.line.clear();
            }
            b')' if self.comment => self.comment = false,
            _ if self.comment || byte <= b' ' || byte == b'/' => {}
            b'(' | b';' => self.comment = true,
            _ => {
                self.line_length += 1;
                if self.line_length <= LINE_USABLE {
                    self.line.push(byte.to_ascii_uppercase());
                }
            }
        }
    }

    fn end_of_line(&mut self, line: &[u8], length: usize) {
        self.lines += 1;
        self.planner.drawing.lines += 1;
        let here = |at: Option<u64>| at == Some(self.lines);
        let numbered =
            |at: Option<(u64, u8)>| at.filter(|(at, _)| *at == self.lines).map(|at| at.1);
        if here(self.faults.silent_at_line) {
            self.silent = true;
        }
        if here(self.faults.reset_at_line) {
            self.planner.clear();
            self.mode = Mode::Normal;
            self.forget();
            return self.greet();
        }
        if let Some(number) = numbered(self.faults.error_at_line) {
            return self.answer_error(number);
        }
        if let Some(number) = numbered(self.faults.alarm_at_line) {
            return self.alarm(number);
        }
        if length > LINE_USABLE {
            return self.answer_error(11);
        }
        let text = String::from_utf8_lossy(line);
        if text.is_empty() {
            return self.answer_ok();
        }
        if let Some(command) = text.strip_prefix('$') {
            return self.system(command);
        }
        if matches!(self.mode, Mode::Alarm | Mode::Jog) {
            return self.answer_error(9);
        }
        self.gcode(&text);
    }

    fn gcode(&mut self, text: &str) {
        // Lines are planned from where the last planned one ends.
        let from = self.planner.end();
        match self.modal.execute(text, from, &mut self.eeprom) {
            Err(number) => self.answer_error(number),
            Ok(_) if self.mode == Mode::Check => self.answer_ok(),
            Ok(effect) => {
                self.wait = Some(if let Some(seconds) = effect.dwell {
                    Wait::Dwell(seconds)
                } else if effect.pause {
                    Wait::Pause
                } else if effect.end {
                    Wait::Dwell(0.0)
                } else {
                    Wait::Blocks(effect.blocks.into())
                });
            }
        }
    }

    /// Seconds of its own clock until something happens.
    fn next(&self) -> Option<f64> {
        if self.planner.hold == Hold::No
            && self.planner.is_empty()
            && let Some(Wait::Dwell(left)) = self.wait
        {
            return Some(left);
        }
        self.planner.next()
    }

    fn step(&mut self, seconds: f64) {
        if self.planner.hold == Hold::No
            && self.planner.is_empty()
            && let Some(Wait::Dwell(left)) = &mut self.wait
        {
            *left -= seconds;
        }
        self.planner.advance(seconds);
    }
}

impl Firmware for Grbl {
    fn power_on(&mut self, now: Duration) {
        self.advance(now);
        self.planner.switched_on();
        self.mode = Mode::Normal;
        self.forget();
        self.out.clear();
        self.late.clear();
        self.lines = 0;
        if !self.faults.no_banner {
            self.greet();
        }
    }

    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.advance(now);
        for byte in bytes {
            if matches!(byte, b'?' | b'!' | b'~' | 0x18) || *byte >= 0x80 {
                self.realtime(*byte);
            } else if self.rx.len() < RX_USABLE {
                self.rx.push_back(*byte);
            } else {
                self.planner.drawing.overflows += 1;
            }
            // A real one reads its ring all the time, not only when a burst is over.
            self.run();
        }
        self.say_late();
    }

    fn advance(&mut self, now: Duration) {
        self.run();
        while let Some(seconds) = self.next() {
            let wait = if self.speed > 0.0 { (seconds / self.speed).max(0.0) } else { 0.0 };
            let Some(at) = Duration::try_from_secs_f64(wait).ok().map(|wait| self.now + wait)
            else {
                break;
            };
            if at > now {
                break;
            }
            self.step(seconds);
            self.now = at;
            self.run();
        }
        if self.speed > 0.0 {
            self.step(now.saturating_sub(self.now).as_secs_f64() * self.speed);
        }
        self.now = self.now.max(now);
        self.run();
        self.say_late();
    }

    fn wake(&self) -> Option<Duration> {
        let motion = self.next().map(|seconds| {
            let wait = if self.speed > 0.0 { seconds / self.speed } else { 0.0 };
            self.now + Duration::try_from_secs_f64(wait.max(0.0)).unwrap_or(Duration::MAX / 4)
        });
        let late = self.late.front().map(|(at, _)| *at);
        [motion, late].into_iter().flatten().min()
    }

    fn transmit(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.out);
    }

    fn drawing(&self) -> &Drawing {
        &self.planner.drawing
    }
}
