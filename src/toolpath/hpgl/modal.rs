//! A plotter that follows a file.

use super::{
    super::{
        Follower, Found, Note,
        gcode::{Arc, Segment},
    },
    UNITS_PER_MM,
    wrong::{broken, numbers, off, strange, swallows, unknown},
};

use crate::domain::Light;

/// How fast a pen draws where the file does not say: 38.1 cm/s, an HP 7475A's own speed.
const SPEED_MM_PER_SECOND: f64 = 381.0;

/// How long a pen takes to go up or down, and to be changed for another one.
const PEN_SECONDS: f64 = 0.1;
const CHANGE_SECONDS: f64 = 1.0;

/// Where an HP 7475A puts P1 and P2 on A4, in plotter units.
const CORNERS: [f64; 4] = [603.0, 521.0, 10603.0, 7721.0];

/// Follows a file instruction by instruction, as [`super::Splitter`] cuts it.
#[derive(Clone, Debug)]
pub struct Interpreter {
    /// In plotter units, before rotation.
    at: [f64; 2],
    down: bool,
    relative: bool,
    /// The pen that the file has chosen.
    pen: Option<u32>,
    corners: [f64; 4],
    scale: Option<Scale>,
    rotated: bool,
    speed: f64,
}

/// From the file's own units to plotter units: factors, and where 0 is.
#[derive(Clone, Copy, Debug)]
struct Scale {
    factor: [f64; 2],
    zero: [f64; 2],
}

impl Default for Interpreter {
    fn default() -> Self {
        Self {
            at: [0.0; 2],
            down: false,
            relative: false,
            pen: None,
            corners: CORNERS,
            scale: None,
            rotated: false,
            speed: SPEED_MM_PER_SECOND,
        }
    }
}

impl Follower for Interpreter {
    fn line(&mut self, text: &[u8], found: &mut Found) {
        let down = self.down;
        if let Some(Note { severity, code, text }) = self.instruction(text, &mut found.segments) {
            let text = match severity {
                Light::Red => text,
                _ => format!("the picture and the bounds may be off: {text}").into(),
            };
            found.note(severity, code, text);
        }
        // A pen is lifted, lowered and changed at a standstill.
        let change = if text.starts_with(b"SP") { CHANGE_SECONDS } else { 0.0 };
        found.dwell_seconds = change + if self.down == down { 0.0 } else { PEN_SECONDS };
        found.waits = found.dwell_seconds > 0.0;
    }
}

impl Interpreter {
    /// The pen that draws; 0 is none. Cutters have none to choose from, and their files choose none.
    pub fn pen(&self) -> u32 {
        self.pen.unwrap_or(1)
    }

    /// The file has said which pen is to be taken.
    pub(in crate::toolpath) fn was_chosen(&self) -> bool {
        self.pen.is_some()
    }

    /// The pen touches the paper.
    pub(in crate::toolpath) fn is_down(&self) -> bool {
        self.down
    }

    /// Moves say how far, not where to.
    pub(in crate::toolpath) fn is_relative(&self) -> bool {
        self.relative
    }

    /// Where it is, in millimetres on the page.
    pub(in crate::toolpath) fn position(&self) -> [f64; 3] {
        self.on_page(self.at)
    }

    /// Where it is, as the file would say it.
    pub(in crate::toolpath) fn in_its_units(&self) -> [f64; 2] {
        let (factor, zero) = self.scale.map_or(([1.0; 2], [0.0; 2]), |it| (it.factor, it.zero));
        [0, 1].map(|axis| (self.at[axis] - zero[axis]) / factor[axis])
    }

    /// Takes one instruction and adds its motion to `segments`. Returns something that a person
    /// should know, if there is anything.
    pub fn instruction(&mut self, text: &[u8], segments: &mut Vec<Segment>) -> Option<Note> {
        let (name, rest) = text.split_at_checked(2)?;
        if !name.iter().all(u8::is_ascii_uppercase) {
            return Some(strange(text));
        }
        let numbers = match name {
            b"LB" | b"BL" | b"WD" | b"SM" | b"DT" | b"PE" => Vec::new(),
            _ => match numbers(name, rest) {
                Ok(numbers) => numbers,
                Err(note) => return Some(note),
            },
        };
        match name {
            b"PU" | b"PD" => {
                let down = name == b"PD";
                // A pen that comes down and goes up again leaves a dot.
                if down && !self.down && numbers.is_empty() {
                    self.down = true;
                    self.go(self.at, true, None, segments);
                }
                self.down = down;
                return self.travel(name, &numbers, segments);
            }
            b"PA" | b"PR" => {
                self.relative = name == b"PR";
                return self.travel(name, &numbers, segments);
            }
            b"SP" => self.pen = Some(whole(numbers.first().copied().unwrap_or(0.0))),
            b"IN" => *self = Self { at: self.at, ..Self::default() },
            b"DF" => (self.relative, self.scale) = (false, None),
            b"VS" => {
                let speed = numbers.first().map_or(SPEED_MM_PER_SECOND, |speed| speed * 10.0);
                self.speed = if speed > 0.0 { speed } else { SPEED_MM_PER_SECOND };
            }
            b"IP" => self.corners(&numbers),
            b"SC" => return self.set_scale(&numbers).map(off),
            b"RO" => {
                let turns = numbers.first().copied().unwrap_or(0.0) / 90.0;
                self.rotated = turns.rem_euclid(2.0) >= 0.5;
            }
            b"CI" => self.circle(&numbers, segments),
            b"AA" | b"AR" => self.arc(name == b"AR", &numbers, segments),
            b"AT" | b"RT" => self.arc_through(name == b"RT", &numbers, segments),
            b"EA" | b"ER" | b"RA" | b"RR" => {
                self.rectangle(matches!(name, b"ER" | b"RR"), &numbers, segments);
                return matches!(name, b"RA" | b"RR").then(|| off(FILLED));
            }
            b"EW" | b"WG" => {
                self.wedge(&numbers, segments);
                return (name == b"WG").then(|| off(FILLED));
            }
            b"LT" if !numbers.is_empty() => {
                return Some(off("line types are drawn as whole lines"));
            }
            b"FP" => return Some(off(FILLED)),
            b"LB" | b"BL" if swallows(rest) => {
                return Some(broken(name, "instructions in its text: its end may be missing"));
            }
            b"LB" | b"BL" | b"WD" | b"SM" | b"UC" => {
                return Some(off("text and symbols are not drawn"));
            }
            b"PE" => return Some(off("encoded lines (PE) are not drawn")),
            b"IW" if !numbers.is_empty() => return Some(off("a window (IW) is not followed")),
            name if KNOWN.contains(&name) => {}
            _ => return Some(unknown(name)),
        }
        None
    }

    fn travel(
        &mut self,
        name: &[u8],
        numbers: &[f64],
        segments: &mut Vec<Segment>,
    ) -> Option<Note> {
        let pairs = numbers.chunks_exact(2);
        let is_whole = pairs.remainder().is_empty();
        for pair in pairs {
            let to = self.point(self.relative, [pair[0], pair[1]]);
            self.go(to, self.down, None, segments);
        }
        (!is_whole).then(|| broken(name, "one coordinate without the other"))
    }

    /// A point in plotter units.
    fn point(&self, relative: bool, [x, y]: [f64; 2]) -> [f64; 2] {
        let (factor, zero) = self.scale.map_or(([1.0; 2], [0.0; 2]), |it| (it.factor, it.zero));
        let from = if relative { self.at } else { zero };
        [from[0] + x * factor[0], from[1] + y * factor[1]]
    }

    /// A length in plotter units.
    fn length(&self, length: f64) -> f64 {
        length * self.scale.map_or(1.0, |scale| scale.factor[0].abs())
    }

    /// A point in millimetres, where it lies on the page.
    fn on_page(&self, [x, y]: [f64; 2]) -> [f64; 3] {
        let [x, y] = if self.rotated { [-y, x] } else { [x, y] };
        [x / UNITS_PER_MM, y / UNITS_PER_MM, 0.0]
    }

    fn go(&mut self, to: [f64; 2], draw: bool, arc: Option<Around>, segments: &mut Vec<Segment>) {
        if !to.iter().all(|value| value.is_finite()) {
            return;
        }
        let (from, end) = (self.on_page(self.at), self.on_page(to));
        let arc = arc.map(|it| {
            let [x, y, _] = self.on_page(it.centre);
            Arc::around(from, end, (0, 1), (x, y), it.clockwise)
        });
        let draw = draw && self.pen() > 0;
        let length = arc.map_or((end[0] - from[0]).hypot(end[1] - from[1]), |arc| arc.length());
        // Travel is as fast as the machine can.
        let seconds = length / if draw { self.speed } else { SPEED_MM_PER_SECOND };
        self.at = to;
        if draw || length > 0.0 {
            segments.push(Segment { from, to: end, arc, draw, length, seconds });
        }
    }

    fn corners(&mut self, numbers: &[f64]) {
        self.corners = match *numbers {
            [] => CORNERS,
            [x, y] => {
                // P2 follows at the same distance.
                let [x1, y1, x2, y2] = self.corners;
                [x, y, x + x2 - x1, y + y2 - y1]
            }
            [x1, y1, x2, y2, ..] => [x1, y1, x2, y2],
            _ => self.corners,
        };
    }

    fn set_scale(&mut self, numbers: &[f64]) -> Option<&'static str> {
        let [x1, y1, x2, y2] = self.corners;
        let (min, mut factor) = match *numbers {
            [] => {
                self.scale = None;
                return None;
            }
            [x, factor_x, y, factor_y, 2.0] => ([x, y], [factor_x, factor_y]),
            [x_min, x_max, y_min, y_max, ..] => {
                ([x_min, y_min], [(x2 - x1) / (x_max - x_min), (y2 - y1) / (y_max - y_min)])
            }
            _ => return Some("a scale (SC) that is none"),
        };
        if matches!(*numbers, [_, _, _, _, 1.0, ..]) {
            let same = factor[0].abs().min(factor[1].abs());
            factor = factor.map(|it| same.copysign(it));
        }
        if !factor.iter().all(|it| it.is_finite() && *it != 0.0) {
            return Some("a scale (SC) that is none");
        }
        let zero = [x1 - min[0] * factor[0], y1 - min[1] * factor[1]];
        self.scale = Some(Scale { factor, zero });
        None
    }

    fn circle(&mut self, numbers: &[f64], segments: &mut Vec<Segment>) {
        let Some(radius) = numbers.first().map(|radius| self.length(radius.abs())) else { return };
        let (centre, down) = (self.at, self.down);
        let edge = [centre[0] + radius, centre[1]];
        self.go(edge, false, None, segments);
        self.go(edge, true, Some(Around { centre, clockwise: false }), segments);
        self.go(centre, false, None, segments);
        self.down = down;
    }

    fn arc(&mut self, relative: bool, numbers: &[f64], segments: &mut Vec<Segment>) {
        let [x, y, degrees, ..] = *numbers else { return };
        let centre = self.point(relative, [x, y]);
        self.sweep(centre, degrees, segments);
    }

    /// Around a centre, counter-clockwise if `degrees` is positive.
    fn sweep(&mut self, centre: [f64; 2], degrees: f64, segments: &mut Vec<Segment>) {
        let around = Around { centre, clockwise: degrees < 0.0 };
        let turns = (degrees.abs() / 360.0).floor().min(8.0);
        let mut left = turns;
        while left >= 1.0 {
            self.go(self.at, self.down, Some(around), segments);
            left -= 1.0;
        }
        let rest = degrees.abs() - turns * 360.0;
        if !(1e-6..360.0).contains(&rest) {
            return;
        }
        let (sin, cos) = rest.copysign(degrees).to_radians().sin_cos();
        let [x, y] = [self.at[0] - centre[0], self.at[1] - centre[1]];
        let to = [centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos];
        // Around the point itself there is no way to go.
        if x != 0.0 || y != 0.0 {
            self.go(to, self.down, Some(around), segments);
        }
    }

    /// Through a point to another one.
    fn arc_through(&mut self, relative: bool, numbers: &[f64], segments: &mut Vec<Segment>) {
        let [x, y, end_x, end_y, ..] = *numbers else { return };
        let (through, to) = (self.point(relative, [x, y]), self.point(relative, [end_x, end_y]));
        let [ax, ay] = [through[0] - self.at[0], through[1] - self.at[1]];
        let [bx, by] = [to[0] - self.at[0], to[1] - self.at[1]];
        let cross = 2.0 * (ax * by - ay * bx);
        let (a, b) = (ax * ax + ay * ay, bx * bx + by * by);
        let centre =
            [self.at[0] + (by * a - ay * b) / cross, self.at[1] + (ax * b - bx * a) / cross];
        let round = cross != 0.0 && centre.iter().all(|it| it.is_finite());
        let around = Around { centre, clockwise: cross < 0.0 };
        self.go(to, self.down, round.then_some(around), segments);
    }

    fn rectangle(&mut self, relative: bool, numbers: &[f64], segments: &mut Vec<Segment>) {
        let [x, y, ..] = *numbers else { return };
        let (from, to) = (self.at, self.point(relative, [x, y]));
        for corner in [[to[0], from[1]], to, [from[0], to[1]], from] {
            self.go(corner, true, None, segments);
        }
    }

    fn wedge(&mut self, numbers: &[f64], segments: &mut Vec<Segment>) {
        let [radius, start, sweep, ..] = *numbers else { return };
        let (centre, down) = (self.at, self.down);
        let (sin, cos) = start.to_radians().sin_cos();
        let radius = self.length(radius);
        self.go([centre[0] + radius * cos, centre[1] + radius * sin], true, None, segments);
        self.down = true;
        self.sweep(centre, sweep.clamp(-360.0, 360.0), segments);
        self.go(centre, true, None, segments);
        self.down = down;
    }
}

#[derive(Clone, Copy)]
struct Around {
    centre: [f64; 2],
    clockwise: bool,
}

const FILLED: &str = "filled shapes are drawn by their outline";

/// Instructions that change nothing of what is drawn here.
const KNOWN: [&[u8]; 52] = [
    b"AC", b"AD", b"AF", b"AH", b"AP", b"AS", b"BP", b"CA", b"CC", b"CP", b"CR", b"CS", b"CT",
    b"CV", b"DC", b"DI", b"DP", b"DR", b"DT", b"DV", b"EC", b"EP", b"ES", b"FR", b"FS", b"FT",
    b"IM", b"IW", b"LA", b"LO", b"LT", b"NP", b"NR", b"OE", b"OI", b"OP", b"OS", b"PC", b"PG",
    b"PM", b"PS", b"PT", b"PW", b"QL", b"RP", b"SA", b"SI", b"SL", b"SR", b"SS", b"TL", b"UL",
];

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn whole(value: f64) -> u32 {
    value.round() as u32
}

#[cfg(test)]
mod tests;
