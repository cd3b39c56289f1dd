//! Follows a list of EBB commands, one a line (evil-mad/EggBot, docs/ebb.html).

use super::{Follower, Found, gcode::Segment, plan::Axes};
use crate::domain::Light;

/// Intervals of 40 µs a second, and what an accumulator needs for a step.
const CLOCK: f64 = 25_000.0;
const STEP: f64 = 2_147_483_648.0;

/// How high the pen hangs when it is up, as far as bounds and pictures are concerned.
const PEN_UP_MM: f64 = 1.0;

/// How fast `HM` is taken to be without its parameter.
const HOMING: f64 = 1000.0;

/// What a command does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// Its motion, if any.
    pub segment: Option<Segment>,
    /// How long it waits.
    pub dwell_seconds: f64,
    /// Something that a person should know.
    pub warning: Option<&'static str>,
}

/// What a plotter would do with its commands.
#[derive(Clone, Debug)]
pub struct Interpreter {
    axes: Axes,
    /// The step counters, in steps of the mode.
    counters: [i64; 2],
    /// Where the counters are zero, in sixteenth steps.
    origin: [i64; 2],
    mode: u8,
    pen_up: bool,
    position: [f64; 3],
}

impl Default for Interpreter {
    fn default() -> Self {
        Self::new(Axes::default())
    }
}

impl Interpreter {
    /// At the machine's origin, the pen up.
    pub fn new(axes: Axes) -> Self {
        let [x, y] = axes.point([0; 2]);
        let position = [x, y, PEN_UP_MM];
        Self { axes, counters: [0; 2], origin: [0; 2], mode: 1, pen_up: true, position }
    }

    /// Whether the pen is up.
    pub fn pen_up(&self) -> bool {
        self.pen_up
    }

    /// Where it is: X Y in millimetres, Z above zero while the pen is up.
    pub(super) fn position(&self) -> [f64; 3] {
        self.position
    }

    /// The step counters of the motors.
    pub(super) fn steps(&self) -> [i64; 2] {
        self.counters
    }

    /// The counters are sixteenth steps from where the motors were switched on.
    pub(super) fn counts_from_the_origin(&self) -> bool {
        self.origin == [0; 2] && self.mode == 1
    }

    /// Takes one line.
    pub fn line(&mut self, text: &[u8]) -> Line {
        let Some(command) = Command::parse(text) else {
            return Line {
                warning: Some("a command that an EBB does not know"),
                ..Line::default()
            };
        };
        let n = |index: usize| command.numbers.get(index).copied().flatten();
        let whole = |index: usize| n(index).unwrap_or(0);
        match &command.name {
            b"SM" | b"XM" => {
                let seconds = real(whole(0)) / 1000.0;
                let (a, b) = (whole(1), whole(2));
                let steps = if &command.name == b"XM" {
                    [a.saturating_add(b), a.saturating_sub(b)]
                } else {
                    [a, b]
                };
                if steps == [0; 2] {
                    return Line { dwell_seconds: seconds.clamp(0.0, 100.0), ..Line::default() };
                }
                self.travel(steps, seconds.max(0.0))
            }
            b"LM" => {
                let motors = [0, 3].map(|at| timed_steps(whole(at), whole(at + 1), whole(at + 2)));
                let seconds = motors[0].1.max(motors[1].1);
                self.travel(motors.map(|motor| motor.0), seconds)
            }
            b"LT" => {
                let intervals = real(whole(0)).max(0.0);
                let steps = [1, 3].map(|at| {
                    let (rate, accel) = (real(whole(at)), real(whole(at + 1)));
                    let sum = rate.abs() * intervals + accel * intervals * intervals / 2.0;
                    round((sum / STEP).floor().max(0.0) * rate.signum())
                });
                self.travel(steps, intervals / CLOCK)
            }
            b"HM" => {
                let frequency = n(0).map_or(HOMING, real).clamp(2.0, 25_000.0);
                let steps = [0, 1].map(|motor| whole(motor + 1) - self.counters[motor]);
                let longest = steps[0].abs().max(steps[1].abs());
                self.travel(steps, real(longest) / frequency)
            }
            b"SP" | b"TP" => {
                self.pen_up = if &command.name == b"SP" { whole(0) > 0 } else { !self.pen_up };
                self.position[2] = if self.pen_up { PEN_UP_MM } else { 0.0 };
                let index = usize::from(&command.name == b"SP");
                Line { dwell_seconds: real(whole(index).max(0)) / 1000.0, ..Line::default() }
            }
            b"EM" | b"CS" => {
                self.origin = self.place();
                self.counters = [0; 2];
                if let (b"EM", mode @ 1..=5) = (&command.name, whole(0)) {
                    self.mode = u8::try_from(mode).unwrap_or(1);
                }
                Line::default()
            }
            b"S2" => Line { dwell_seconds: real(whole(3).max(0)) / 1000.0, ..Line::default() },
            b"ES" | b"R\0" | b"RB" | b"BL" => {
                Line { warning: Some("a command that stops the machine"), ..Line::default() }
            }
            b"CU" if matches!(whole(0), 1 | 10 | 54 | 250..=259) => Line {
                warning: Some("a command that changes how the machine answers"),
                ..Line::default()
            },
            _ => Line::default(),
        }
    }

    /// In sixteenth steps.
    fn place(&self) -> [i64; 2] {
        let shift = u32::from(self.mode - 1);
        [0, 1].map(|motor| self.origin[motor] + (self.counters[motor] << shift))
    }

    fn travel(&mut self, steps: [i64; 2], seconds: f64) -> Line {
        for (counter, steps) in self.counters.iter_mut().zip(steps) {
            // Beyond what any machine is large.
            *counter = counter.saturating_add(steps).clamp(-(1 << 40), 1 << 40);
        }
        let [x, y] = self.axes.point(self.place());
        let to = [x, y, self.position[2]];
        let from = std::mem::replace(&mut self.position, to);
        let length = (to[0] - from[0]).hypot(to[1] - from[1]);
        let segment = Segment { from, to, arc: None, draw: !self.pen_up, length, seconds };
        Line { segment: Some(segment), ..Line::default() }
    }
}

impl Follower for Interpreter {
    fn line(&mut self, text: &[u8], found: &mut Found) {
        let line = Self::line(self, text);
        found.segments.extend(line.segment);
        found.dwell_seconds = line.dwell_seconds;
        // A pen is lifted and lowered at a standstill.
        found.waits = line.dwell_seconds > 0.0;
        if let Some(warning) = line.warning {
            found.note(Light::Red, "ebb", warning);
        }
    }
}

/// Steps with their sign, and how long they take.
fn timed_steps(rate: i64, steps: i64, accel: i64) -> (i64, f64) {
    let (steps, accel) =
        if rate < 0 { (steps.saturating_neg(), -real(accel)) } else { (steps, real(accel)) };
    let (rate, wanted) = (real(rate).abs(), real(steps).abs() * STEP);
    if steps == 0 || (rate <= 0.0 && accel <= 0.0) {
        return (0, 0.0);
    }
    let root = rate * rate + 2.0 * accel * wanted;
    let intervals = if root < 0.0 {
        rate / -accel + real(steps).abs()
    } else {
        2.0 * wanted / (rate + root.sqrt())
    };
    (steps, intervals / CLOCK)
}

/// A command, taken apart.
struct Command {
    name: [u8; 2],
    numbers: Vec<Option<i64>>,
}

impl Command {
    fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text.trim_ascii()).ok()?;
        let (name, rest) = text.split_once(',').unwrap_or((text, ""));
        let name = match *name.as_bytes() {
            [one] => [one.to_ascii_uppercase(), 0],
            [one, two] => [one.to_ascii_uppercase(), two.to_ascii_uppercase()],
            _ => return None,
        };
        if !KNOWN.contains(&&name) {
            return None;
        }
        let numbers = if rest.is_empty() {
            Vec::new()
        } else {
            rest.split(',').map(|number| number.parse().ok()).collect()
        };
        Some(Self { name, numbers })
    }
}

/// What an EBB knows.
const KNOWN: [&[u8; 2]; 48] = [
    b"A\0", b"AC", b"BL", b"C\0", b"CK", b"CU", b"CS", b"EM", b"ES", b"HM", b"I\0", b"LM", b"LT",
    b"MR", b"MW", b"ND", b"NI", b"O\0", b"PD", b"PI", b"PO", b"QB", b"QC", b"QE", b"QG", b"QL",
    b"QM", b"QN", b"QP", b"QR", b"QS", b"QT", b"QU", b"RB", b"R\0", b"S2", b"SC", b"SE", b"SL",
    b"SM", b"SN", b"SP", b"SR", b"ST", b"TP", b"TR", b"V\0", b"XM",
];

/// True for a line that can only be an EBB command.
pub fn is_command(text: &[u8]) -> bool {
    Command::parse(text)
        .is_some_and(|command| command.name[1] != 0 && command.numbers.iter().all(Option::is_some))
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn real(value: i64) -> f64 {
    value as f64
}

#[expect(clippy::cast_possible_truncation, reason = "a float that is cast saturates")]
fn round(value: f64) -> i64 {
    value.round() as i64
}
