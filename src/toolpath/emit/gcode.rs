//! Drawings as G-code.

use std::io::{self, Write};

use super::super::{Dialect, Drawing};
use crate::domain::{LayerStart, PlotOptions};

/// Writes a drawing as G-code in absolute millimetres: travel by G0, drawing by G1, the pen as the
/// options say. It ends with the pen up, where the last line ended.
pub fn gcode(
    drawing: &Drawing,
    options: &PlotOptions,
    out: &mut impl Write,
) -> io::Result<Vec<LayerStart>> {
    let mut program = Program {
        out,
        lines: 0,
        up: cleaned(&options.pen_up),
        down: cleaned(&options.pen_down),
        feed: number(options.feed_mm_per_min),
        at: None,
    };
    program.line(b"G21")?;
    program.line(b"G90")?;
    program.lift()?;
    let mut layers = Vec::new();
    for layer in drawing.layers.iter().filter(|layer| !layer.strokes.is_empty()) {
        layers.push(LayerStart {
            name: layer.name.clone(),
            colour: layer.colour.clone(),
            line: program.lines + 1,
        });
        for stroke in &layer.strokes {
            program.stroke(stroke)?;
        }
        if program.at.is_some() {
            program.lift()?;
        }
    }
    Ok(layers)
}

struct Program<'a, W> {
    out: &'a mut W,
    lines: u64,
    up: Vec<Vec<u8>>,
    down: Vec<Vec<u8>>,
    feed: String,
    /// Where the pen is down, as it was written.
    at: Option<[i64; 2]>,
}

impl<W: Write> Program<'_, W> {
    fn line(&mut self, text: &[u8]) -> io::Result<()> {
        self.lines += 1;
        self.out.write_all(text)?;
        self.out.write_all(b"\n")
    }

    fn stroke(&mut self, stroke: &[[f64; 2]]) -> io::Result<()> {
        let Some((first, rest)) = stroke.split_first() else { return Ok(()) };
        let first = first.map(thousandths);
        let mut has_feed = self.at == Some(first);
        if !has_feed {
            if self.at.is_some() {
                self.lift()?;
            }
            self.to("G0", first, "")?;
            for index in 0..self.down.len() {
                let line = std::mem::take(&mut self.down[index]);
                self.line(&line)?;
                self.down[index] = line;
            }
            self.at = Some(first);
        }
        for point in rest {
            let point = point.map(thousandths);
            // What no machine can tell apart is not said twice.
            if self.at == Some(point) {
                continue;
            }
            // Putting the pen down may have set another feed.
            let feed = if has_feed { String::new() } else { format!(" F{}", self.feed) };
            self.to("G1", point, &feed)?;
            has_feed = true;
            self.at = Some(point);
        }
        Ok(())
    }

    fn lift(&mut self) -> io::Result<()> {
        self.at = None;
        for index in 0..self.up.len() {
            let line = std::mem::take(&mut self.up[index]);
            self.line(&line)?;
            self.up[index] = line;
        }
        Ok(())
    }

    fn to(&mut self, word: &str, [x, y]: [i64; 2], feed: &str) -> io::Result<()> {
        let mut line = Vec::with_capacity(40);
        line.extend_from_slice(word.as_bytes());
        line.extend_from_slice(b" X");
        decimal(x, &mut line);
        line.extend_from_slice(b" Y");
        decimal(y, &mut line);
        line.extend_from_slice(feed.as_bytes());
        self.line(&line)
    }
}

/// What of a person's lines goes to the machine.
fn cleaned(lines: &[String]) -> Vec<Vec<u8>> {
    let clean_one = |raw: &str| {
        let mut line = Vec::new();
        Dialect::Gcode.clean(raw.as_bytes(), &mut line);
        line
    };
    lines.iter().flat_map(|text| text.lines()).map(clean_one).filter(|it| !it.is_empty()).collect()
}

/// GRBL keeps three decimals of a millimetre.
#[expect(clippy::cast_possible_truncation, reason = "a float that is cast saturates")]
fn thousandths(value: f64) -> i64 {
    (value * 1000.0).round() as i64
}

/// A number of thousandths as a decimal number, as short as it can be written.
fn decimal(value: i64, line: &mut Vec<u8>) {
    if value < 0 {
        line.push(b'-');
    }
    let value = value.unsigned_abs();
    // Writing to memory cannot fail.
    let _ = write!(line, "{}", value / 1000);
    let rest = value % 1000;
    if rest > 0 {
        let _ = write!(line, ".{rest:03}");
        while line.last() == Some(&b'0') {
            line.pop();
        }
    }
}

fn number(value: f64) -> String {
    let mut text = Vec::new();
    decimal(thousandths(value), &mut text);
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::super::{Dialect, Drawing, Found, Layer, Next, Splitter, analyse, plan::Axes},
        *,
    };
    use crate::domain::Machine;

    fn drawing(layers: &[(&str, &[&[[f64; 2]]])]) -> Drawing {
        let layer = |(name, strokes): &(&str, &[&[[f64; 2]]])| Layer {
            name: (*name).to_owned(),
            colour: None,
            stop: false,
            strokes: strokes.iter().map(|stroke| stroke.to_vec()).collect(),
        };
        Drawing { layers: layers.iter().map(layer).collect(), ..Drawing::default() }
    }

    #[test]
    fn a_program_says_all_and_nothing_twice() {
        let drawing = drawing(&[
            (
                "one",
                &[
                    &[[1.0, 2.0], [3.5, -0.0625], [3.5001, -0.0625]],
                    &[[3.5, -0.063], [9.0, 9.0]],
                    &[[5.0, 5.0], [5.0, 5.0]],
                ],
            ),
            ("none", &[]),
            ("two", &[&[[5.0, 5.0], [100.25, 0.0]]]),
        ]);
        let options = PlotOptions {
            pen_up: vec!["M5 ; up\n\nG4 P0.2 (wait)".to_owned(), "; nothing".to_owned()],
            pen_down: vec!["M3 S90".to_owned()],
            ..PlotOptions::default()
        };
        let mut text = Vec::new();
        let layers = gcode(&drawing, &options, &mut text).unwrap();
        insta::assert_snapshot!(String::from_utf8(text).unwrap().replace('\n', " | "), @"G21 | G90 | M5 | G4 P0.2 | G0 X1 Y2 | M3 S90 | G1 X3.5 Y-0.063 F1500 | G1 X9 Y9 | M5 | G4 P0.2 | G0 X5 Y5 | M3 S90 | M5 | G4 P0.2 | G0 X5 Y5 | M3 S90 | G1 X100.25 Y0 F1500 | M5 | G4 P0.2 | ");
        let starts: Vec<_> = layers.iter().map(|it| (it.name.as_str(), it.line)).collect();
        assert_eq!(starts, [("one", 5), ("two", 15)]);
    }

    proptest! {
        /// A machine that follows the program draws the drawing; and the lines that layers begin
        /// with are those that the splitter counts.
        #[test]
        fn what_is_drawn_is_the_drawing(
            strokes in proptest::collection::vec(
                proptest::collection::vec((0..2000_i32, 0..2000_i32), 2..6), 1..20),
        ) {
            let strokes: Vec<Vec<[f64; 2]>> = strokes
                .into_iter()
                .map(|it| it.into_iter().map(|(x, y)| [f64::from(x) / 8.0, f64::from(y) / 8.0]).collect())
                .collect();
            let half = strokes.len() / 2;
            let layer = |strokes: &[Vec<[f64; 2]>]| Layer { strokes: strokes.to_vec(), ..Layer::default() };
            let drawing = Drawing {
                layers: vec![layer(&strokes[..half]), layer(&strokes[half..])],
                ..Drawing::default()
            };
            let mut text = Vec::new();
            let layers = gcode(&drawing, &PlotOptions::default(), &mut text).unwrap();
            let (analysis, _) = analyse(&text[..], &[Machine::unknown("grbl")]).unwrap();
            let length: f64 = drawing.layers.iter().map(Layer::draw_length).sum();
            let (mut machine, mut lines, mut line) = (Dialect::Gcode.follower(Axes::default(), &[]), Splitter::new(), Vec::new());
            lines.supply(&text);
            lines.finish();
            let mut found = Found::default();
            let (mut count, mut drawn, mut first) = (0, Vec::new(), Vec::new());
            while let Next::Line(_) = lines.next_line(&mut line) {
                count += 1;
                if layers.iter().any(|layer| layer.line == count) {
                    first.push(line.clone());
                }
                found.clear();
                machine.line(&line, &mut found);
                let Some(segment) = found.segments.first() else { continue };
                // Putting the pen down is a move as well, but not of the page.
                if segment.draw && (segment.from[2] - segment.to[2]).abs() < 1e-9 {
                    drawn.push([[segment.from[0], segment.from[1]], [segment.to[0], segment.to[1]]]);
                }
            }
            prop_assert_eq!(analysis.lines, count);
            prop_assert!(first.len() == layers.len() && first.iter().all(|it| it.starts_with(b"G0 X")));
            let wanted: Vec<[[f64; 2]; 2]> = strokes
                .iter()
                .flat_map(|it| it.windows(2))
                .filter(|it| super::super::super::drawing::gap(it[0], it[1]) > 0.0)
                .map(|it| [it[0], it[1]])
                .collect();
            let total: f64 = drawn.iter().map(|it| super::super::super::drawing::gap(it[0], it[1])).sum();
            prop_assert!((total - length).abs() < 1e-6);
            prop_assert_eq!(drawn, wanted);
        }
    }
}
