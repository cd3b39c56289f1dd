//! What a printer's file has set besides the place of its tool: heat and fan (Marlin).

use super::words::number;
use crate::toolpath::{
    Dialect,
    gcode::{Command, Filament},
};

/// The state after a line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Printer {
    tool: Option<f64>,
    bed: Option<f64>,
    fan: Option<f64>,
}

impl Printer {
    /// Follows a line of a file for Marlin.
    pub(super) fn line(&mut self, dialect: Dialect, line: &[u8]) {
        let command = if dialect == Dialect::Marlin { Command::read(line) } else { None };
        let Some(command) = command.filter(|command| command.letter == b'M') else { return };
        let value = |letter: u8| command.value(letter);
        let set = |place: &mut Option<f64>| *place = value(b'S').or(value(b'R')).or(*place);
        match command.code {
            104 | 109 => set(&mut self.tool),
            140 | 190 => set(&mut self.bed),
            106 => self.fan = Some(value(b'S').unwrap_or(255.0)),
            107 => self.fan = Some(0.0),
            _ => {}
        }
    }

    /// What comes before the first move: both heat at the same time, and a nozzle that is cold may
    /// stick to the work.
    pub(super) fn warm(&self) -> Vec<String> {
        let hot = |target: Option<f64>| target.filter(|target| *target > 0.0).map(number);
        let (bed, tool) = (hot(self.bed), hot(self.tool));
        let line = |code: &str, target: &Option<String>| {
            target.as_ref().map(|target| format!("{code} S{target}"))
        };
        [line("M140", &bed), line("M104", &tool), line("M190", &bed), line("M109", &tool)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// What comes last, after the modes of motion: those change the filament's too.
    pub(super) fn restore(&self, filament: &Filament) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(at) = filament.at() {
            lines.push(if filament.is_relative { "M83" } else { "M82" }.to_owned());
            // The machine may have counted on, or begun anew.
            lines.push(format!("G92 E{}", number(at)));
        }
        if let Some(fan) = self.fan.filter(|fan| *fan > 0.0) {
            lines.push(format!("M106 S{}", number(fan)));
        }
        lines
    }
}
