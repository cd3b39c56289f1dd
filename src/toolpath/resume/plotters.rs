//! Plotters. What is restored is little: settings, the pen, the place. It goes on where the pen was
//! up last before the first line that is not certain and draws, so a stroke that was under way is
//! drawn from its beginning.
//!
//! Commands of an EBB say how far to go, not where to: the carriage begins at its origin, as in every
//! job, and travels from there (`HM` with a place). HPGL names its places.

use std::io::{self, Read};

use super::{
    plan::{Confidence, Facts, ResumePlan, Trust, done_again},
    words::number,
};
use crate::toolpath::{Dialect, Follower, Found, Next, ebb, hpgl, pass::Pass};

/// How fast the carriage travels to where it goes on, in steps a second of a motor.
const TRAVEL: u32 = 4000;

/// A plotter that follows a file.
trait Pen: Clone + Follower {
    /// It touches nothing.
    fn is_up(&self) -> bool;

    /// Where it is, in millimetres.
    fn at(&self) -> [f64; 3];

    /// What a line is to somebody who wants to go on behind it.
    fn kind(line: &[u8]) -> Kind;

    /// What brings the pen, which is up, to where it is, after its settings.
    fn travel(&self) -> Vec<String>;

    /// Its state in words.
    fn words(&self) -> Vec<String>;

    /// Why nobody can say where it is.
    fn lost(&self) -> Option<&'static str> {
        None
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It moves, or lifts or lowers the pen.
    Motion,
    /// It is in force until another one with as many equal letters at its beginning.
    Setting(usize),
    /// The same, and all settings before are gone.
    Reset,
    /// It does more, and cannot be left out.
    Other,
}

/// Where it may go on.
struct Entry<P> {
    pen: P,
    /// Which of the settings are in force.
    settings: std::ops::Range<usize>,
    skip: u64,
    from_line: Option<u64>,
}

/// How an EBB plotter goes on.
pub(super) fn ebb(reader: impl Read, certain: u64, facts: &Facts) -> io::Result<ResumePlan> {
    plan(reader, Dialect::Ebb, ebb::Interpreter::new(facts.axes), certain, facts)
}

/// How an HP-GL plotter goes on.
pub(super) fn hpgl(reader: impl Read, certain: u64, facts: &Facts) -> io::Result<ResumePlan> {
    plan(reader, Dialect::Hpgl, hpgl::Interpreter::default(), certain, facts)
}

fn plan<P: Pen>(
    reader: impl Read,
    dialect: Dialect,
    mut pen: P,
    certain: u64,
    facts: &Facts,
) -> io::Result<ResumePlan> {
    let mut pass = Pass::new(reader, dialect);
    let mut settings: Vec<Vec<u8>> = Vec::new();
    let mut first = 0;
    let mut entry = Entry { pen: pen.clone(), settings: 0..0, skip: 0, from_line: None };
    // How many lines are certain, the number of the last one, and where the pen was then.
    let mut known = (0, 0, pen.at());
    let (mut found, mut line, mut count) = (Found::default(), Vec::new(), 0);
    loop {
        let number = match pass.next(&mut line)? {
            Next::Line(number) => number,
            Next::TooLong(_) => continue,
            Next::End | Next::More => break,
        };
        if entry.skip == count {
            entry.from_line = Some(number);
        }
        count += 1;
        found.clear();
        pen.line(&line, &mut found);
        let (kind, is_certain) = (P::kind(&line), count <= certain);
        let draws = !pen.is_up() || found.segments.iter().any(|segment| segment.draw);
        let asks = kind == Kind::Other || facts.stops.contains(&number);
        if !is_certain && (draws || asks) {
            break;
        }
        match kind {
            Kind::Reset => first = settings.len(),
            Kind::Setting(_) => {}
            Kind::Motion | Kind::Other => line.clear(),
        }
        // What is no text no machine has understood.
        if !line.is_empty() && line.is_ascii() {
            settings.push(line.clone());
        }
        if pen.is_up() {
            let settings = first..settings.len();
            entry = Entry { pen: pen.clone(), settings, skip: count, from_line: None };
        }
        if is_certain {
            known = (count, number, pen.at());
        }
    }
    let (certain_lines, last_certain_line, certain_position) = known;
    let redo_lines = certain_lines.saturating_sub(entry.skip);
    let mut preamble = in_force::<P>(&settings[entry.settings]);
    preamble.extend(entry.pen.travel());
    let mut warnings: Vec<String> = done_again(redo_lines).into_iter().collect();
    let (confidence, reason) = match (entry.pen.lost(), &facts.trust) {
        (Some(reason), _) => (Confidence::Untrusted, Some(reason.to_owned())),
        (None, Trust::Certain) => (Confidence::Certain, None),
        (None, Trust::NeedsHoming(reason)) => (Confidence::NeedsHoming, Some(reason.clone())),
        (None, Trust::Untrusted(reason)) => (Confidence::Untrusted, Some(reason.clone())),
    };
    if dialect == Dialect::Hpgl {
        let text = "one that was cut off has drawn what was in its buffer: look at the sheet";
        warnings.push(text.to_owned());
    }
    if confidence == Confidence::NeedsHoming {
        let text = match dialect {
            Dialect::Ebb => "push the carriage into its home corner, then home the machine",
            _ => "look whether the sheet lies as it did, then home the machine",
        };
        warnings.push(text.to_owned());
    }
    Ok(ResumePlan {
        from_line: entry.from_line,
        skip_lines: entry.skip,
        last_certain_line,
        certain_position,
        state: entry.pen.words(),
        preamble,
        redo_lines,
        warnings,
        confidence,
        reason,
    })
}

/// The settings that no later one has replaced, in their order.
fn in_force<P: Pen>(settings: &[Vec<u8>]) -> Vec<String> {
    let key = |line: &[u8]| match P::kind(line) {
        Kind::Setting(letters) => line[..letters.min(line.len())].to_ascii_uppercase(),
        _ => line.to_vec(),
    };
    let mut kept: Vec<(Vec<u8>, String)> = Vec::new();
    for line in settings.iter().rev() {
        let key = key(line);
        if !kept.iter().any(|(known, _)| *known == key) {
            kept.push((key, String::from_utf8_lossy(line).into_owned()));
        }
    }
    kept.into_iter().rev().map(|(_, line)| line).collect()
}

impl Pen for ebb::Interpreter {
    fn is_up(&self) -> bool {
        self.pen_up()
    }

    fn at(&self) -> [f64; 3] {
        self.position()
    }

    fn kind(line: &[u8]) -> Kind {
        let name = line.split(|byte| *byte == b',').next().unwrap_or_default();
        match &name.to_ascii_uppercase()[..] {
            b"SM" | b"XM" | b"LM" | b"LT" | b"HM" | b"SP" | b"TP" => Kind::Motion,
            // `SC,4,20000`: the fourth of its settings.
            b"SC" => {
                let comma = line.iter().skip(3).position(|byte| *byte == b',');
                Kind::Setting(comma.map_or(line.len(), |at| at + 4))
            }
            _ => Kind::Other,
        }
    }

    fn travel(&self) -> Vec<String> {
        let [first, second] = self.steps();
        if [first, second] == [0; 2] {
            return Vec::new();
        }
        vec![format!("HM,{TRAVEL},{first},{second}")]
    }

    fn words(&self) -> Vec<String> {
        let [x, y, _] = self.position().map(number);
        vec!["pen up".to_owned(), format!("at X{x} Y{y}")]
    }

    fn lost(&self) -> Option<&'static str> {
        let reason = "the file changes what a step is or where it is counted from";
        (!self.counts_from_the_origin()).then_some(reason)
    }
}

impl Pen for hpgl::Interpreter {
    fn is_up(&self) -> bool {
        !self.is_down()
    }

    fn at(&self) -> [f64; 3] {
        self.position()
    }

    fn kind(line: &[u8]) -> Kind {
        match line.get(..2) {
            Some(b"PU" | b"PD" | b"PA" | b"PR") => Kind::Motion,
            Some(b"IN") => Kind::Reset,
            Some(
                b"DF" | b"IP" | b"SC" | b"RO" | b"IW" | b"VS" | b"AS" | b"FS" | b"LT" | b"SI"
                | b"SR" | b"DI" | b"DR" | b"SL" | b"CA" | b"CS" | b"SA" | b"SS" | b"DT" | b"SM"
                | b"PT" | b"PW" | b"FT" | b"TL",
            ) => Kind::Setting(2),
            _ => Kind::Other,
        }
    }

    fn travel(&self) -> Vec<String> {
        let [x, y] = self.in_its_units().map(number);
        let mut lines = Vec::new();
        if self.was_chosen() {
            lines.push(format!("SP{};", self.pen()));
        }
        lines.push("PU;".to_owned());
        lines.push(format!("PA{x},{y};"));
        if self.is_relative() {
            lines.push("PR;".to_owned());
        }
        lines
    }

    fn words(&self) -> Vec<String> {
        let [x, y, _] = self.position().map(number);
        let mut words = vec![format!("pen {}", self.pen())];
        if self.is_relative() {
            words.push("relative moves".to_owned());
        }
        words.push(format!("at X{x} Y{y}"));
        words
    }
}

#[cfg(test)]
mod tests;
