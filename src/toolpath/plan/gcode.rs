//! G-code as a drawing, for machines that know none.

use std::io::{self, Read};

use crate::toolpath::{
    Dialect, Drawing, Follower, Found, Layer, Next, Splitter, gcode::Interpreter,
};

/// How far a chord may be from its arc, in millimetres.
const TOLERANCE: f64 = 0.02;

/// The working moves of a G-code file as the strokes of one pen.
pub fn strokes(mut reader: impl Read) -> io::Result<Drawing> {
    let mut machine = Interpreter::new(Dialect::Gcode, &[]);
    let mut lines = Splitter::new();
    let (mut chunk, mut line) = (vec![0; 64 * 1024], Vec::new());
    let mut layer = Layer::default();
    let mut found = Found::default();
    let mut warnings: Vec<String> = Vec::new();
    let mut drawing = false;
    loop {
        match lines.next_line(&mut line) {
            Next::Line(number) => {
                found.clear();
                machine.line(&line, &mut found);
                for note in &found.notes {
                    let said = |old: &String| old.ends_with(&*note.text);
                    if warnings.len() < 20 && !warnings.iter().any(said) {
                        warnings.push(format!("line {number}: {}", note.text));
                    }
                }
                for segment in &found.segments {
                    let flat = |point: [f64; 3]| [point[0], point[1]];
                    if !segment.draw {
                        drawing = false;
                        continue;
                    }
                    if !drawing {
                        layer.strokes.push(vec![flat(segment.from)]);
                        drawing = true;
                    }
                    let Some(stroke) = layer.strokes.last_mut() else { continue };
                    match segment.arc {
                        Some(arc) => stroke.extend(arc.points(TOLERANCE).map(flat)),
                        None => stroke.push(flat(segment.to)),
                    }
                }
            }
            Next::TooLong(number) => {
                warnings.push(format!("line {number}: is longer than 4096 bytes: left out"));
            }
            Next::End => return Ok(Drawing { layers: vec![layer], size: None, warnings }),
            Next::More => match reader.read(&mut chunk) {
                Ok(0) => lines.finish(),
                Ok(count) => lines.supply(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            },
        }
    }
}
