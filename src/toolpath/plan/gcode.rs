//! G-code as a drawing, for machines that know none.

use std::io::{self, Read};

use crate::toolpath::{Drawing, Layer, Next, Splitter, gcode::Interpreter};

/// How far a chord may be from its arc, in millimetres.
const TOLERANCE: f64 = 0.02;

/// The working moves of a G-code file as the strokes of one pen.
pub fn strokes(mut reader: impl Read) -> io::Result<Drawing> {
    let mut machine = Interpreter::default();
    let mut lines = Splitter::new();
    let (mut chunk, mut line) = (vec![0; 64 * 1024], Vec::new());
    let mut layer = Layer::default();
    let mut size = [0.0_f64; 2];
    let mut warnings: Vec<String> = Vec::new();
    let mut drawing = false;
    loop {
        match lines.next_line(&mut line) {
            Next::Line(number) => {
                let found = machine.line(&line);
                if let Some(warning) = found.warning {
                    let said = |old: &String| old.ends_with(warning);
                    if warnings.len() < 20 && !warnings.iter().any(said) {
                        warnings.push(format!("line {number}: {warning}"));
                    }
                }
                let Some(segment) = found.segment else { continue };
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
                for point in stroke.iter() {
                    size = [size[0].max(point[0]), size[1].max(point[1])];
                }
            }
            Next::TooLong(number) => {
                warnings.push(format!("line {number}: is longer than 4096 bytes: left out"));
            }
            Next::End => return Ok(Drawing { layers: vec![layer], size, warnings }),
            Next::More => match reader.read(&mut chunk) {
                Ok(0) => lines.finish(),
                Ok(count) => lines.supply(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            },
        }
    }
}
