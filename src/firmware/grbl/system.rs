//! `$` commands and status reports.

use std::fmt::Write;

use super::{Grbl, Mode, Wait, parser::RAPID, planner::Hold};

/// `$$`: the settings a controller of this size mostly has.
const SETTINGS: [(u16, &str); 34] = [
    (0, "10"),
    (1, "25"),
    (2, "0"),
    (3, "0"),
    (4, "0"),
    (5, "0"),
    (6, "0"),
    (10, "3"),
    (11, "0.010"),
    (12, "0.002"),
    (13, "0"),
    (20, "0"),
    (21, "0"),
    (22, "1"),
    (23, "7"),
    (24, "25.000"),
    (25, "3000.000"),
    (26, "250"),
    (27, "1.000"),
    (30, "1000"),
    (31, "0"),
    (32, "0"),
    (100, "80.000"),
    (101, "80.000"),
    (102, "400.000"),
    (110, "3000.000"),
    (111, "3000.000"),
    (112, "3000.000"),
    (120, "500.000"),
    (121, "500.000"),
    (122, "500.000"),
    (130, "300.000"),
    (131, "218.000"),
    (132, "50.000"),
];

impl Grbl {
    /// A `$` line, without the `$`.
    pub(super) fn system(&mut self, command: &str) {
        let idle = self.planner.is_empty() && self.wait.is_none();
        match command {
            "" => self
                .say("[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]\r\n"),
            "I" => {
                self.say("[VER:1.1h.20190830:]\r\n");
                self.say("[OPT:V,15,128]\r\n");
            }
            "G" => {
                let modal = self.modal.describe();
                self.say(&format!("{modal}\r\n"));
            }
            "X" => {
                if self.mode == Mode::Alarm {
                    self.mode = Mode::Normal;
                    self.say("[MSG:Caution: Unlocked]\r\n");
                }
            }
            "C" if self.mode == Mode::Check => {
                self.say("[MSG:Disabled]\r\n");
                self.answer_ok();
                return self.reset();
            }
            // One jog may follow another.
            _ if self.mode == Mode::Jog && command.starts_with("J=") => {
                return self.setting(command);
            }
            _ if !idle => return self.answer_error(8),
            "$" => {
                for (number, value) in SETTINGS {
                    self.say(&format!("${number}={value}\r\n"));
                }
            }
            "C" if self.mode == Mode::Normal => {
                self.mode = Mode::Check;
                self.say("[MSG:Enabled]\r\n");
            }
            "H" => {
                self.mode = Mode::Normal;
                self.planner.push(super::Block {
                    to: self.planner.home(),
                    speed: RAPID / 60.0,
                    draw: false,
                });
                self.wait = Some(Wait::Home);
                return;
            }
            "SLP" => {
                self.answer_ok();
                self.mode = Mode::Sleep;
                return;
            }
            _ => return self.setting(command),
        }
        self.answer_ok();
    }

    fn setting(&mut self, command: &str) {
        if let Some(jog) = command.strip_prefix("J=") {
            return self.jog(jog);
        }
        let number = command.split_once('=').and_then(|(number, value)| {
            value.parse::<f64>().ok()?;
            number.parse::<u16>().ok()
        });
        let known = |number| SETTINGS.iter().any(|(known, _)| *known == number);
        match number {
            // Settings are taken and have no effect: the simulated machine is what it is.
            Some(number) if known(number) => self.answer_ok(),
            _ if matches!(command, "#" | "N") || command.starts_with("RST=") => self.answer_ok(),
            _ if command.starts_with("N0=") || command.starts_with("N1=") => self.answer_ok(),
            _ => self.answer_error(3),
        }
    }

    fn jog(&mut self, line: &str) {
        if self.mode == Mode::Alarm {
            return self.answer_error(9);
        }
        let mut modal = self.modal.clone();
        let from = self.planner.end();
        match modal.execute(&format!("G1{line}"), from, &mut self.eeprom) {
            Err(number) => self.answer_error(number),
            Ok(effect) => {
                self.mode = Mode::Jog;
                self.wait = Some(Wait::Blocks(effect.blocks.into()));
            }
        }
    }

    /// The answer to `?`.
    pub(super) fn report(&mut self) {
        let state = match (self.mode, self.planner.hold) {
            (Mode::Alarm | Mode::Critical, _) => "Alarm",
            (Mode::Sleep, _) => "Sleep",
            (_, Hold::Slowing(_)) => "Hold:1",
            (_, Hold::Standing) => "Hold:0",
            (Mode::Check, _) => "Check",
            _ if matches!(self.wait, Some(Wait::Home)) => "Home",
            _ if self.planner.is_empty() => "Idle",
            (Mode::Jog, _) => "Jog",
            _ => "Run",
        };
        let [x, y, z] = self.planner.position;
        let (blocks, bytes) = (self.planner.free(), super::RX_USABLE - self.rx.len());
        let (feed, speed) = (self.planner.speed() * 60.0, self.modal.speed);
        let mut text = format!(
            "<{state}|MPos:{x:.3},{y:.3},{z:.3}|Bf:{blocks},{bytes}|FS:{feed:.0},{speed:.0}"
        );
        // Offsets and overrides come now and then, as they do from a real one.
        match self.reports % 10 {
            0 => {
                let [x, y, z] = self.modal.work_offset(&self.eeprom);
                let _ = write!(text, "|WCO:{x:.3},{y:.3},{z:.3}");
            }
            1 => text.push_str("|Ov:100,100,100"),
            _ => {}
        }
        self.reports = self.reports.wrapping_add(1);
        text.push_str(">\r\n");
        self.say(&text);
    }
}
