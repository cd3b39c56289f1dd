//! The modal state of a machine that follows a file.

use super::{
    Words,
    codes::{Watch, as_grbl_reads, knows_m, takes_text, tenths},
    comment,
    filament::Filament,
};
use crate::{
    domain::Light,
    toolpath::{Dialect, Follower, Found},
};

/// Which way the spindle turns, or a pen that is driven by its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spindle {
    /// M3.
    Clockwise,
    /// M4; a laser of variable power.
    Counter,
    /// M5.
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::toolpath) enum Motion {
    None,
    Rapid,
    Feed,
    Arc { clockwise: bool },
}

/// What a coordinate is measured from, as far as the file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::toolpath) enum Anchor {
    /// The origin of the coordinate system that the machine is in.
    Origin,
    /// Where the machine stood when the file began.
    Start,
    /// Nobody knows.
    Lost,
}

/// Follows a file line by line.
#[derive(Clone, Debug)]
pub struct Interpreter {
    pub(super) dialect: Dialect,
    watch: std::rc::Rc<Watch>,
    pub(in crate::toolpath) modal: Modal,
}

/// What stays from line to line. Lengths are millimetres whatever the file's units.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "so many modal groups have two words")]
pub(in crate::toolpath) struct Modal {
    pub(in crate::toolpath) motion: Motion,
    /// Millimetres of a unit, once the file has said.
    pub(in crate::toolpath) units: Option<f64>,
    pub(in crate::toolpath) relative: Option<bool>,
    pub(in crate::toolpath) plane: (usize, usize),
    pub(super) centre_absolute: bool,
    pub(in crate::toolpath) inverse_time: bool,
    pub(in crate::toolpath) feed: Option<f64>,
    pub(in crate::toolpath) spindle: Option<Spindle>,
    /// It has been on.
    pub(super) spindle_used: bool,
    pub(in crate::toolpath) speed: Option<f64>,
    /// M7 and M8.
    pub(in crate::toolpath) coolant: [bool; 2],
    /// 540 for G54 to 590 for G59.
    pub(in crate::toolpath) system: i32,
    pub(in crate::toolpath) tool: Option<f64>,
    /// It has been changed, and nothing has moved since.
    pub(super) tool_changed: bool,
    pub(in crate::toolpath) z_used: bool,
    pub(in crate::toolpath) position: [f64; 3],
    /// What G92 has put between the file's numbers and the position.
    pub(in crate::toolpath) offset: [f64; 3],
    pub(super) filament: Filament,
    /// What each axis's position is measured from.
    pub(in crate::toolpath) anchor: [Anchor; 3],
    /// What each axis's offset is measured from.
    pub(in crate::toolpath) offset_anchor: [Anchor; 3],
}

impl Default for Modal {
    fn default() -> Self {
        Self {
            // GRBL starts in G0.
            motion: Motion::Rapid,
            units: None,
            relative: None,
            plane: (0, 1),
            centre_absolute: false,
            inverse_time: false,
            feed: None,
            spindle: None,
            spindle_used: false,
            speed: None,
            coolant: [false; 2],
            system: 540,
            tool: None,
            tool_changed: false,
            z_used: false,
            position: [0.0; 3],
            offset: [0.0; 3],
            filament: Filament::default(),
            anchor: [Anchor::Start; 3],
            offset_anchor: [Anchor::Origin; 3],
        }
    }
}

/// What a line asks for besides its modal settings.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) axes: [Option<f64>; 3],
    pub(super) centre: [Option<f64>; 3],
    pub(super) filament: Option<f64>,
    pub(super) radius: Option<f64>,
    pub(super) p: Option<f64>,
    pub(super) s: Option<f64>,
    feed: Option<f64>,
    tool: Option<f64>,
    change: bool,
    /// Coordinates are the machine's own.
    pub(super) machine: bool,
    pub(super) what: Special,
}

#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Special {
    #[default]
    Move,
    Dwell,
    Home,
    SetPosition,
    ClearOffset,
    Nothing,
}

impl Default for Interpreter {
    fn default() -> Self {
        Self::new(Dialect::default(), &[])
    }
}

impl Follower for Interpreter {
    fn line(&mut self, text: &[u8], found: &mut Found) {
        if text.iter().find(|byte| !matches!(byte, b' ' | b'/')) == Some(&b'$') {
            return self.system(&as_grbl_reads(text), found);
        }
        let mut asked = Asked::default();
        for word in Words::new(text) {
            let Ok((letter, value)) = word else {
                found.note(Light::Red, "syntax", "text that is not G-code");
                break;
            };
            match letter {
                b'X' => asked.axes[0] = Some(value),
                b'Y' => asked.axes[1] = Some(value),
                b'Z' => asked.axes[2] = Some(value),
                b'I' => asked.centre[0] = Some(value),
                b'J' => asked.centre[1] = Some(value),
                b'K' => asked.centre[2] = Some(value),
                b'E' if self.dialect == Dialect::Marlin => asked.filament = Some(value),
                b'R' => asked.radius = Some(value),
                b'P' => asked.p = Some(value),
                b'F' => asked.feed = Some(value),
                b'S' => asked.s = Some(value),
                b'T' => asked.tool = Some(value),
                b'G' => self.g(value, &mut asked, found),
                b'M' => {
                    self.m(value, &mut asked, found);
                    if takes_text(self.dialect, tenths(value)) {
                        self.watched(letter, value, found);
                        break;
                    }
                }
                _ => {}
            }
            if matches!(letter, b'G' | b'M' | b'T') {
                self.watched(letter, value, found);
            }
        }
        found.more |= asked.axes != [None; 3] || asked.centre != [None; 3] || asked.feed.is_some();
        self.tool(&asked, found);
        let scale = self.modal.units.unwrap_or(1.0);
        if let Some(feed) = asked.feed {
            self.modal.feed = Some(if self.modal.inverse_time { feed } else { feed * scale });
        }
        if let Some(speed) = asked.s.filter(|_| asked.what != Special::Dwell) {
            self.modal.speed = Some(speed);
        }
        self.carry_out(&asked, scale, found);
    }

    fn message(&self, raw: &[u8]) -> Option<String> {
        let free = || (self.dialect == Dialect::Marlin).then(|| comment::free_text(raw)).flatten();
        comment::comment(raw).or_else(free)
    }
}

impl Interpreter {
    /// At the beginning of a file; commands on the `watch` list are reported.
    pub fn new(dialect: Dialect, watch: &[String]) -> Self {
        Self { dialect, watch: std::rc::Rc::new(Watch::new(watch)), modal: Modal::default() }
    }

    fn watched(&self, letter: u8, value: f64, found: &mut Found) {
        if let Some(word) = self.watch.word(letter, value) {
            found.commands.push(word.to_owned());
        }
    }

    fn system(&self, line: &str, found: &mut Found) {
        found.waits = true;
        found.commands.extend(self.watch.system(line).map(str::to_owned));
        found.note(Light::Amber, "system-command", "a machine setting or command");
    }

    fn g(&mut self, value: f64, asked: &mut Asked, found: &mut Found) {
        found.more = true;
        let modal = &mut self.modal;
        match tenths(value) {
            0 => modal.motion = Motion::Rapid,
            // Probing moves are feeds too.
            10 | 382..=385 => modal.motion = Motion::Feed,
            20 => modal.motion = Motion::Arc { clockwise: true },
            30 => modal.motion = Motion::Arc { clockwise: false },
            800 => modal.motion = Motion::None,
            40 => asked.what = Special::Dwell,
            170 => modal.plane = (0, 1),
            180 => modal.plane = (2, 0),
            190 => modal.plane = (1, 2),
            200 => modal.units = Some(25.4),
            210 => modal.units = Some(1.0),
            mode @ (900 | 910) => {
                modal.relative = Some(mode == 910);
                modal.filament.is_relative = mode == 910;
            }
            901 => modal.centre_absolute = true,
            911 => modal.centre_absolute = false,
            930 => modal.inverse_time = true,
            940 => modal.inverse_time = false,
            280 | 300 => asked.what = Special::Home,
            281 | 301 => asked.what = Special::Nothing,
            920 => asked.what = Special::SetPosition,
            921 | 922 => asked.what = Special::ClearOffset,
            100 => {
                asked.what = Special::Nothing;
                modal.anchor = [Anchor::Lost; 3];
                let text = "a change of a coordinate system, which is not followed";
                found.note(Light::Amber, "coordinate-system", text);
            }
            530 => {
                asked.machine = true;
                let text = "machine coordinates (G53), taken as the file's own";
                found.note(Light::Amber, "machine-coordinates", text);
            }
            system @ (540 | 550 | 560 | 570 | 580 | 590..=593) => {
                if modal.system != system {
                    modal.anchor = [Anchor::Lost; 3];
                }
                modal.system = system;
                if system != 540 {
                    let text = "another coordinate system (G55 to G59), which is not followed";
                    found.note(Light::Amber, "coordinate-system", text);
                }
            }
            400 | 490 | 610 => {}
            // Marlin has dozens more, and skips what it does not know.
            _ if self.dialect == Dialect::Marlin => asked.what = Special::Nothing,
            _ => {
                found.note(Light::Amber, "unknown-word", format!("G{value} is not known"));
            }
        }
    }

    fn m(&mut self, value: f64, asked: &mut Asked, found: &mut Found) {
        let modal = &mut self.modal;
        let number = tenths(value);
        match number {
            0 | 10 => found.stop = Some(if number == 0 { "M0".into() } else { "M1".into() }),
            60 => asked.change = true,
            6000 if self.dialect == Dialect::Marlin => found.stop = Some("M600".into()),
            30 => modal.spindle = Some(Spindle::Clockwise),
            40 => modal.spindle = Some(Spindle::Counter),
            50 => modal.spindle = Some(Spindle::Off),
            70 => modal.coolant[0] = true,
            80 => modal.coolant[1] = true,
            90 => modal.coolant = [false; 2],
            820 | 830 => modal.filament.is_relative = number == 830,
            // The end of a program ends the spindle too.
            20 | 300 if modal.spindle.is_some() => modal.spindle = Some(Spindle::Off),
            _ => {}
        }
        modal.spindle_used |= matches!(number, 30 | 40);
        found.more |= !matches!(number, 0 | 10 | 60 | 6000);
        found.waits |= matches!(number, 0..=90 | 300 | 6000);
        if !knows_m(self.dialect, number) {
            let text = format!("M{value} is not known to GRBL 1.1, which stops there");
            found.note(Light::Amber, "unknown-word", text);
        }
    }

    /// A tool is changed where another one is chosen, or where M6 says so; both together are one
    /// stop, on one line or two.
    fn tool(&mut self, asked: &Asked, found: &mut Found) {
        let modal = &mut self.modal;
        let is_other = |tool: &f64| modal.tool.is_some_and(|it| tenths(it) != tenths(*tool));
        let other = asked.tool.filter(is_other);
        modal.tool = asked.tool.or(modal.tool);
        if other.is_some() || (asked.change && !modal.tool_changed) {
            let tool = modal.tool.map(|tool| format!("T{tool}"));
            found.stop = Some(match (asked.change, tool) {
                (true, Some(tool)) => format!("M6 {tool}").into(),
                (false, Some(tool)) => tool.into(),
                (_, None) => "M6".into(),
            });
        }
        modal.tool_changed |= asked.tool.is_some() && (other.is_some() || asked.change);
    }
}
