//! Drawings as HPGL.

use std::io::{self, Write};

use super::super::{
    Drawing,
    hpgl::{MAX_PAIRS, UNITS_PER_MM},
};
use crate::domain::LayerStart;

/// Writes a drawing as HPGL, a pen for each layer (beyond `pens` the first one again), an instruction
/// a line. It ends with the pen put away.
pub fn hpgl(drawing: &Drawing, pens: usize, out: &mut impl Write) -> io::Result<Vec<LayerStart>> {
    let mut program = Program { out, lines: 0, at: None };
    program.line("IN;")?;
    let mut layers = Vec::new();
    let drawn = drawing.layers.iter().filter(|layer| !layer.strokes.is_empty());
    for (index, layer) in drawn.enumerate() {
        layers.push(LayerStart {
            name: layer.name.clone(),
            colour: layer.colour.clone(),
            line: program.lines + 1,
        });
        program.line(&format!("SP{};", index % pens.max(1) + 1))?;
        for stroke in &layer.strokes {
            program.stroke(stroke)?;
        }
        program.line("PU;")?;
        program.at = None;
    }
    program.line("SP0;")?;
    Ok(layers)
}

struct Program<'a, W> {
    out: &'a mut W,
    lines: u64,
    /// Where the pen is down.
    at: Option<[i64; 2]>,
}

impl<W: Write> Program<'_, W> {
    fn line(&mut self, text: &str) -> io::Result<()> {
        self.lines += 1;
        self.out.write_all(text.as_bytes())?;
        self.out.write_all(b"\n")
    }

    fn stroke(&mut self, stroke: &[[f64; 2]]) -> io::Result<()> {
        let Some((first, rest)) = stroke.split_first() else { return Ok(()) };
        let first = first.map(units);
        if self.at != Some(first) {
            self.line(&format!("PU{},{};", first[0], first[1]))?;
        }
        let mut points: Vec<[i64; 2]> = rest.iter().map(|point| point.map(units)).collect();
        points.dedup();
        // One that is no longer than the pen is wide is a dot.
        if points.len() > 1 && points[0] == first {
            points.remove(0);
        }
        for points in points.chunks(MAX_PAIRS) {
            let pairs: Vec<String> = points.iter().map(|[x, y]| format!("{x},{y}")).collect();
            self.line(&format!("PD{};", pairs.join(",")))?;
        }
        self.at = points.last().copied().or(Some(first));
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float that is cast saturates")]
fn units(value: f64) -> i64 {
    (value * UNITS_PER_MM).round() as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::super::{
            Layer, Next,
            hpgl::{Splitter, read},
        },
        *,
    };

    fn layer(name: &str, strokes: Vec<Vec<[f64; 2]>>) -> Layer {
        Layer { name: name.to_owned(), colour: None, stop: false, strokes }
    }

    #[test]
    fn a_pen_for_each_layer() {
        let long: Vec<[f64; 2]> = (0..10).map(|x| [f64::from(x), 0.0]).collect();
        let layers = vec![
            layer("a", vec![long, vec![[9.0, 0.0], [9.0, 1.0]], vec![[5.0, 5.0], [5.0, 5.0]]]),
            layer("", vec![]),
            layer("b", vec![vec![[0.0, 0.0], [0.01, 0.0], [1.0, 1.0]]]),
        ];
        let mut text = Vec::new();
        let starts = hpgl(&Drawing { layers, ..Drawing::default() }, 8, &mut text).unwrap();
        insta::assert_snapshot!(String::from_utf8(text).unwrap().replace('\n', " "), @"IN; SP1; PU0,0; PD40,0,80,0,120,0,160,0,200,0,240,0,280,0,320,0; PD360,0; PD360,40; PU200,200; PD200,200; PU; SP2; PU0,0; PD40,40; PU; SP0; ");
        let starts: Vec<_> = starts.iter().map(|it| (it.name.as_str(), it.line)).collect();
        assert_eq!(starts, [("a", 2), ("b", 10)]);
    }

    proptest! {
        /// Read again, it is the same drawing; and each line is an instruction, as the splitter
        /// counts them.
        #[test]
        fn what_is_drawn_is_the_drawing(
            strokes in proptest::collection::vec(
                proptest::collection::vec((0..2000_i32, 0..2000_i32), 2..40), 1..10),
        ) {
            let strokes: Vec<Vec<[f64; 2]>> = strokes
                .into_iter()
                .map(|it| it.into_iter().map(|(x, y)| [f64::from(x) / 40.0, f64::from(y) / 40.0]).collect())
                .collect();
            let drawing = Drawing { layers: vec![layer("pen 1", strokes)], ..Drawing::default() };
            let mut text = Vec::new();
            hpgl(&drawing, 8, &mut text).unwrap();
            let again = read(&text[..], 0.01).unwrap();
            prop_assert!((again.layers[0].draw_length() - drawing.layers[0].draw_length()).abs() < 1e-6);
            let (mut lines, mut line, mut count) = (Splitter::new(), Vec::new(), 0);
            lines.supply(&text);
            lines.finish();
            while let Next::Line(_) = lines.next_line(&mut line) {
                count += 1;
            }
            prop_assert_eq!(count, text.split(|byte| *byte == b'\n').count() - 1);
        }
    }
}
