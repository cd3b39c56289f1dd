//! What a printer's file has set besides the place of its tool: filament, heat and fan (Marlin).

use super::words::number;
use crate::toolpath::{Dialect, gcode::Words};

/// The state after a line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Printer {
    /// Where the filament is; none if the file never moves it.
    filament: Option<f64>,
    relative: bool,
    tool: Option<f64>,
    bed: Option<f64>,
    fan: Option<f64>,
}

impl Printer {
    /// Follows a line of a file for Marlin; true if it puts filament out.
    pub(super) fn line(&mut self, dialect: Dialect, line: &[u8]) -> bool {
        let before = self.filament.unwrap_or(0.0);
        if dialect == Dialect::Marlin {
            self.follow(line);
        }
        self.filament.unwrap_or(0.0) > before
    }

    fn follow(&mut self, line: &[u8]) {
        let mut words = Words::new(line).flatten().skip_while(|(letter, _)| *letter == b'N');
        let Some((letter, code)) = words.next() else { return };
        let rest: Vec<(u8, f64)> = words.collect();
        let value = |letter: u8| rest.iter().find(|(known, _)| *known == letter).map(|word| word.1);
        let is = |known: u8, codes: &[f64]| letter == known && codes.contains(&code);
        let set = |place: &mut Option<f64>| *place = value(b'S').or(value(b'R')).or(*place);
        if is(b'G', &[0.0, 1.0, 2.0, 3.0]) {
            if let Some(filament) = value(b'E') {
                let before = if self.relative { self.filament.unwrap_or(0.0) } else { 0.0 };
                self.filament = Some(before + filament);
            }
        } else if is(b'G', &[92.0]) {
            let all = rest.is_empty().then_some(0.0);
            self.filament =
                value(b'E').or(all.filter(|_| self.filament.is_some())).or(self.filament);
        } else if is(b'G', &[90.0]) || is(b'M', &[82.0]) {
            self.relative = false;
        } else if is(b'G', &[91.0]) || is(b'M', &[83.0]) {
            self.relative = true;
        } else if is(b'M', &[104.0, 109.0]) {
            set(&mut self.tool);
        } else if is(b'M', &[140.0, 190.0]) {
            set(&mut self.bed);
        } else if is(b'M', &[106.0]) {
            self.fan = Some(value(b'S').unwrap_or(255.0));
        } else if is(b'M', &[107.0]) {
            self.fan = Some(0.0);
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
    pub(super) fn restore(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(filament) = self.filament {
            lines.push(if self.relative { "M83" } else { "M82" }.to_owned());
            // The machine may have counted on, or begun anew.
            lines.push(format!("G92 E{}", number(filament)));
        }
        if let Some(fan) = self.fan.filter(|fan| *fan > 0.0) {
            lines.push(format!("M106 S{}", number(fan)));
        }
        lines
    }
}
