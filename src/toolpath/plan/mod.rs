//! From a drawing to the commands of an EBB plotter: when the pen goes up and down, and how the
//! carriage speeds up, takes corners and slows down.

mod axes;
mod commands;
mod gcode;
mod profile;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

pub use axes::Axes;
use commands::{MOST_RATE, Writer};
pub use gcode::strokes;
use profile::{Limits, pieces};

use super::Drawing;
pub use crate::domain::EbbOptions;
use crate::domain::LayerStart;

/// No command is shorter: the board reads no faster (evil-mad/EggBot, docs/ebb.html,
/// "Performance", with reserve for the way over USB).
const LEAST_SECONDS: f64 = 0.003;

/// Travels begin and end at rest and have no corners.
const NO_CORNERS: f64 = 0.01;

/// Servo positions of 0 and of 100 percent, in units of 1/12 µs.
const SERVO: [f64; 2] = [9855.0, 27_831.0];

impl EbbOptions {
    /// The servo's position for a height in percent (`SC,4` and `SC,5`).
    pub fn servo(percent: f64) -> u32 {
        let position = SERVO[0] + (SERVO[1] - SERVO[0]) * percent.clamp(0.0, 100.0) / 100.0;
        u32::try_from(axes::whole(position)).unwrap_or(0)
    }

    /// Where the machine is when its motors are somewhere.
    pub fn axes(&self) -> Axes {
        let height = self.y_down.then(|| self.bed_height.unwrap_or(0.0));
        Axes { steps_per_mm: self.steps_per_mm, height }
    }

    fn limits(&self, speed: f64, deviation: f64) -> Limits {
        let motor = MOST_RATE / self.steps_per_mm;
        let acceleration = self.acceleration;
        Limits { speed, acceleration, deviation, motor, least_seconds: LEAST_SECONDS }
    }
}

/// What came of planning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Commands written.
    pub lines: u64,
    /// How long they take.
    pub seconds: f64,
    /// Where each layer begins: at this command, from 1.
    pub layers: Vec<LayerStart>,
}

/// Writes the commands that draw `drawing`, one a line. They begin and end at the machine's origin
/// with the pen up, and so does each layer with a stop: commands say how far to go, not where to, and
/// such a layer can be left out. Layers without strokes are.
pub fn plan(drawing: &Drawing, options: &EbbOptions, out: impl Write) -> io::Result<Plan> {
    // Without a sheet, what is drawn begins at the top.
    let tall = || drawing.size.or_else(|| drawing.bounds().map(|(_, most)| most));
    let height = options.y_down.then(|| tall().map_or(0.0, |size| size[1]));
    let axes = Axes { steps_per_mm: options.steps_per_mm, height };
    let down = options.limits(options.speed_down_mm_s, options.junction_deviation);
    let up = options.limits(options.speed_up_mm_s, NO_CORNERS);
    let mut out = Writer::new(out, axes);
    let mut layers = Vec::new();
    out.line(format_args!("SC,4,{}", EbbOptions::servo(options.pen_up)))?;
    out.line(format_args!("SC,5,{}", EbbOptions::servo(options.pen_down)))?;
    out.pen(true, options.raise_ms)?;
    let mut points = Vec::new();
    // The layer before the next one may have been left out.
    let mut after_stop = false;
    for layer in &drawing.layers {
        let mut lowered = false;
        let mut begun = false;
        for stroke in &layer.strokes {
            let Some(start) = stroke.first() else { continue };
            if !std::mem::replace(&mut begun, true) {
                if std::mem::replace(&mut after_stop, layer.stop) || layer.stop {
                    home(&mut out, &up)?;
                }
                let (name, colour) = (layer.name.clone(), layer.colour.clone());
                layers.push(LayerStart { line: out.lines + 1, name, colour });
            }
            // A stroke that begins where the one before ended goes on with it.
            if !lowered || axes.steps(*start) != out.at {
                if lowered {
                    out.pen(true, options.raise_ms)?;
                }
                let here = axes.point(out.at);
                follow(&mut out, &[here, *start], &up)?;
                out.pen(false, options.lower_ms)?;
                lowered = true;
            }
            thin(stroke, &axes, &mut points);
            follow(&mut out, &points, &down)?;
        }
        if lowered {
            out.pen(true, options.raise_ms)?;
        }
    }
    home(&mut out, &up)?;
    Ok(Plan { lines: out.lines, seconds: out.seconds, layers })
}

/// Travels to the machine's origin.
fn home<W: Write>(out: &mut Writer<W>, limits: &Limits) -> io::Result<()> {
    let way = [out.axes.point(out.at), out.axes.point([0; 2])];
    follow(out, &way, limits)
}

fn follow<W: Write>(out: &mut Writer<W>, points: &[[f64; 2]], limits: &Limits) -> io::Result<()> {
    let Some(mut from) = points.first().copied() else { return Ok(()) };
    let mut result = Ok(());
    pieces(points, limits, |piece| {
        if result.is_ok() {
            result = out.piece(from, &piece);
        }
        from = piece.to;
    });
    result
}

/// Leaves out points that are on the same step as the one before.
fn thin(stroke: &[[f64; 2]], axes: &Axes, points: &mut Vec<[f64; 2]>) {
    points.clear();
    for point in stroke.iter().filter(|point| point.iter().all(|value| value.is_finite())) {
        if points.last().is_none_or(|last| axes.steps(*last) != axes.steps(*point)) {
            points.push(*point);
        }
    }
}
