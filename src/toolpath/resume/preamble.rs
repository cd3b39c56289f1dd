//! The lines that bring a machine to where a file goes on.

use super::{
    Facts,
    scan::Scan,
    words::{number, system},
};
use crate::toolpath::{
    Dialect,
    gcode::{Modal, Motion, Spindle},
};

/// Seconds that a spindle is given to come up to speed.
const SPIN_UP: u32 = 2;

/// Feed of moves towards the work if the file has not named one, in mm/min.
const CAREFUL: f64 = 300.0;

/// Lines in the making. Marlin takes one command a line, and has no words for some modes.
struct Lines {
    dialect: Dialect,
    lines: Vec<String>,
}

impl Lines {
    fn put(&mut self, words: &[String]) {
        if self.dialect == Dialect::Marlin {
            let known = |word: &&String| {
                !["G17", "G94", "G54", "G80", "G92.1"].contains(&word.as_str())
                    && !word.starts_with('S')
            };
            self.lines.extend(words.iter().filter(known).cloned());
        } else if !words.is_empty() {
            self.lines.push(words.join(" "));
        }
    }

    fn wait(&mut self, seconds: u32) {
        let letter = if self.dialect == Dialect::Marlin { 'S' } else { 'P' };
        self.lines.push(format!("G4 {letter}{seconds}"));
    }

    /// A rapid move; Marlin moves at its feed, which may never have been set.
    fn rapid(&mut self, to: &str) {
        let feed = if self.dialect == Dialect::Marlin { " F3000" } else { "" };
        self.lines.push(format!("G0 {to}{feed}"));
    }
}

/// The lines before the first one of the file; `entry` is the state they bring about.
pub(super) fn preamble(
    dialect: Dialect,
    entry: &Modal,
    scan: &Scan,
    facts: &Facts,
    warnings: &mut Vec<String>,
) -> Vec<String> {
    let mut lines = Lines { dialect, lines: Vec::new() };
    let [x, y, z] = entry.position;
    lines.lines.extend(scan.entry.printer.warm());
    let spindle = entry.spindle.is_some() || scan.certain.spindle.is_some();
    if spindle {
        lines.put(&["M5".to_owned()]);
        if !scan.z_used {
            lines.wait(1); // a pen needs time to rise
        }
    }
    lines.put(&["G21".to_owned(), "G90".to_owned(), "G94".to_owned(), system(entry)]);
    if scan.offsets {
        lines.put(&["G92.1".to_owned()]);
    }
    let highest = facts.position.map_or(scan.highest, |[.., z]| z.max(scan.highest)).max(z);
    if scan.z_used {
        if scan.works_at.is_some_and(|depth| highest <= depth) {
            warnings.push("the file never lifts the tool: it travels at depth".to_owned());
        }
        lines.rapid(&format!("Z{}", number(highest)));
    }
    lines.rapid(&format!("X{} Y{}", number(x), number(y)));
    if scan.z_used {
        if turn_on(&mut lines, entry) {
            lines.wait(SPIN_UP);
            warnings.push(format!("the spindle starts above the work and is given {SPIN_UP} s"));
        }
        // Below the height of travel there may be work, wherever zero is.
        if z < highest {
            let feed = entry.feed.filter(|_| !entry.inverse_time).unwrap_or(CAREFUL);
            lines.lines.push(format!("G1 Z{} F{}", number(z), number(feed)));
        }
    }
    restore(&mut lines, entry, warnings);
    if !scan.z_used {
        turn_on(&mut lines, entry);
    }
    lines.lines.extend(scan.entry.printer.restore(&entry.filament));
    lines.lines
}

/// Spindle and coolant as they were; true if the spindle turns.
fn turn_on(lines: &mut Lines, entry: &Modal) -> bool {
    let coolant = ["M7", "M8"].into_iter().zip(entry.coolant).filter(|(_, on)| *on);
    let coolant: Vec<String> = coolant.map(|(word, _)| word.to_owned()).collect();
    lines.put(&coolant);
    let word = match entry.spindle {
        Some(Spindle::Clockwise) => "M3",
        Some(Spindle::Counter) => "M4",
        Some(Spindle::Off) | None => return false,
    };
    let speed = entry.speed.map(|speed| format!(" S{}", number(speed))).unwrap_or_default();
    lines.lines.push(format!("{word}{speed}"));
    true
}

/// Offsets and modes as the file left them.
fn restore(lines: &mut Lines, entry: &Modal, warnings: &mut Vec<String>) {
    let offset: Vec<String> = ["X", "Y", "Z"]
        .into_iter()
        .enumerate()
        .filter(|(axis, _)| entry.offset[*axis] != 0.0)
        .map(|(axis, name)| format!(" {name}{}", number(entry.position[axis] - entry.offset[axis])))
        .collect();
    if !offset.is_empty() {
        lines.lines.push(format!("G92{}", offset.concat()));
    }
    let scale = entry.units.unwrap_or(1.0);
    let mut words = vec![
        match entry.plane {
            (0, 1) => "G17",
            (2, 0) => "G18",
            _ => "G19",
        },
        if scale > 1.0 { "G20" } else { "G21" },
        if entry.relative == Some(true) { "G91" } else { "G90" },
        if entry.inverse_time { "G93" } else { "G94" },
    ];
    match entry.motion {
        Motion::None => words.push("G80"),
        Motion::Rapid => words.push("G0"),
        Motion::Feed => words.push("G1"),
        Motion::Arc { .. } => {
            words.push("G1");
            let text = "arcs without a word of their own (G2, G3) would be lines from here on";
            warnings.push(text.to_owned());
        }
    }
    let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    if let Some(feed) = entry.feed.filter(|_| !entry.inverse_time) {
        let feed = format!("F{}", number(feed / scale));
        match (lines.dialect, words.pop()) {
            (Dialect::Marlin, Some(motion)) => words.push(format!("{motion} {feed}")),
            (_, motion) => words.extend(motion.into_iter().chain([feed])),
        }
    }
    words.extend(entry.speed.map(|speed| format!("S{}", number(speed))));
    lines.put(&words);
}
