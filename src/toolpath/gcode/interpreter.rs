//! Following a file of G-code, as the firmware that it is for reads it.

use super::{
    Command,
    codes::{Watch, as_grbl_reads, tenths},
    comment,
    modal::Modal,
};
use crate::{
    domain::Light,
    toolpath::{Dialect, Follower, Found},
};

/// What is wrong with a line that is neither letters with numbers nor text that belongs to a command.
pub(super) const NOT_GCODE: &str = "text that is not G-code";

/// Follows a file line by line.
#[derive(Clone, Debug)]
pub struct Interpreter {
    pub(super) dialect: Dialect,
    watch: std::rc::Rc<Watch>,
    pub(in crate::toolpath) modal: Modal,
}

/// What a line asks for besides its modal settings.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) axes: [Option<f64>; 3],
    pub(super) centre: [Option<f64>; 3],
    pub(super) filament: Option<f64>,
    pub(super) radius: Option<f64>,
    pub(super) p: Option<f64>,
    pub(super) q: Option<f64>,
    pub(super) s: Option<f64>,
    feed: Option<f64>,
    pub(super) tool: Option<f64>,
    /// M6.
    pub(super) change: bool,
    /// Coordinates are the machine's own.
    pub(super) machine: bool,
    pub(super) what: Special,
}

#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Special {
    #[default]
    Move,
    /// Along a curve (G5).
    Curve,
    Dwell,
    /// These axes.
    Home([bool; 3]),
    SetPosition,
    ClearOffset,
    Nothing,
}

impl Asked {
    /// A letter that is no command, with its number.
    pub(super) fn word(&mut self, letter: u8, value: f64) {
        let place = match letter {
            b'X' => &mut self.axes[0],
            b'Y' => &mut self.axes[1],
            b'Z' => &mut self.axes[2],
            b'I' => &mut self.centre[0],
            b'J' => &mut self.centre[1],
            b'K' => &mut self.centre[2],
            b'E' => &mut self.filament,
            b'R' => &mut self.radius,
            b'P' => &mut self.p,
            b'Q' => &mut self.q,
            b'F' => &mut self.feed,
            b'S' => &mut self.s,
            _ => return,
        };
        *place = Some(value);
    }
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
        if self.dialect == Dialect::Marlin {
            self.command(text, &mut asked, found);
        } else {
            self.block(text, &mut asked, found);
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
        // What follows other commands is not for people.
        let asks = |it: &Command<'_>| it.letter == b'M' && it.code <= 1;
        let asks =
            self.dialect == Dialect::Marlin && Command::read(raw).is_some_and(|it| asks(&it));
        comment::comment(raw).or_else(|| comment::free_text(raw).filter(|_| asks))
    }
}

impl Interpreter {
    /// At the beginning of a file; commands on the `watch` list are reported.
    pub fn new(dialect: Dialect, watch: &[String]) -> Self {
        Self { dialect, watch: std::rc::Rc::new(Watch::new(watch)), modal: Modal::default() }
    }

    /// Reports a command that is watched for.
    pub(super) fn watched(&self, letter: u8, value: f64, found: &mut Found) {
        if let Some(word) = self.watch.word(letter, value) {
            found.commands.push(word.to_owned());
        }
    }

    fn system(&self, line: &str, found: &mut Found) {
        found.waits = true;
        found.commands.extend(self.watch.system(line).map(str::to_owned));
        found.note(Light::Amber, "system-command", "a machine setting or command");
    }

    /// A tool is changed where another one is chosen, or where M6 says so; both together are one
    /// stop, on one line or two.
    fn tool(&mut self, asked: &Asked, found: &mut Found) {
        let modal = &mut self.modal;
        let is_other = |tool: &f64| modal.tool.is_some_and(|it| tenths(it) != tenths(*tool));
        // A printer changes its nozzle by itself.
        let other = asked.tool.filter(|_| self.dialect != Dialect::Marlin).filter(is_other);
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
