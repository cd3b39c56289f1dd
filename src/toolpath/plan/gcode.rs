//! G-code as a drawing, for machines that know none.

use std::io::{self, Read};

use crate::domain::Light;
use crate::toolpath::{
    Dialect, Drawing, Follower, Found, Layer, Next, findings::Findings, gcode::Interpreter,
    pass::Pass,
};

/// How far a chord may be from its arc, in millimetres.
const TOLERANCE: f64 = 0.02;

/// Points of a drawing.
const MAX_POINTS: usize = 4_000_000;

/// The working moves of a G-code file as strokes, in its order; where it stops for a person, a layer
/// begins. `None` if there are more than can be held in memory.
pub fn strokes(reader: impl Read) -> io::Result<Option<Drawing>> {
    let mut machine = Interpreter::new(Dialect::Gcode, &[]);
    let mut pass = Pass::new(reader, Dialect::Gcode);
    let (mut found, mut line) = (Found::default(), Vec::new());
    let first = Layer { name: "layer 1".to_owned(), ..Layer::default() };
    let mut drawing = Drawing { layers: vec![first], ..Drawing::default() };
    let (mut draws, mut points) = (false, 0);
    let mut problems = Findings::default();
    loop {
        let number = match pass.next(&mut line)? {
            Next::Line(number) => number,
            Next::TooLong(number) => {
                let text = "is longer than 4096 bytes: left out";
                problems.add(Light::Red, Some(number), "line-too-long", text.into());
                continue;
            }
            Next::End | Next::More => {
                drawing.problems = problems.into_vec();
                return Ok(Some(drawing));
            }
        };
        found.clear();
        machine.line(&line, &mut found);
        for note in found.notes.drain(..) {
            if note.severity == Light::Red {
                problems.add(note.severity, Some(number), note.code, note.text);
                continue;
            }
            let said = |old: &String| old.ends_with(&*note.text);
            if drawing.warnings.len() < 20 && !drawing.warnings.iter().any(said) {
                drawing.warnings.push(format!("line {number}: {}", note.text));
            }
        }
        if let Some(what) = found.stop.take() {
            let (raw, before) = pass.raw();
            let message = machine.message(raw).or_else(|| machine.message(before));
            let name = message.unwrap_or_else(|| what.into_owned());
            drawing.layers.push(Layer { name, stop: true, ..Layer::default() });
            draws = false;
        }
        let Some(layer) = drawing.layers.last_mut() else { continue };
        for segment in &found.segments {
            let flat = |point: [f64; 3]| [point[0], point[1]];
            // The pen is to be where it would be on a machine that moves it by Z, with zero on the paper.
            if !segment.draw || !machine.modal.tool_down() {
                draws = false;
                continue;
            }
            if !std::mem::replace(&mut draws, true) {
                layer.strokes.push(vec![flat(segment.from)]);
            }
            let Some(stroke) = layer.strokes.last_mut() else { continue };
            let before = stroke.len();
            match segment.arc {
                Some(arc) => stroke.extend(arc.points(TOLERANCE).map(flat)),
                None => stroke.push(flat(segment.to)),
            }
            points += stroke.len() - before;
        }
        if points > MAX_POINTS {
            return Ok(None);
        }
    }
}
