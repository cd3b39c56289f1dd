//! HPGL files as drawings: a layer for each pen.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, Read},
};

use thiserror::Error;

use super::{
    super::{
        Note,
        drawing::{Drawing, Layer, gap},
        findings::Findings,
        gcode::Segment,
        split::Next,
    },
    Interpreter, Splitter,
};
use crate::domain::Light;

/// Points of a drawing.
const MAX_POINTS: usize = 4_000_000;

/// Kinds of things that a person should know.
const MOST_WARNINGS: usize = 20;

/// Pens with a higher number are that one.
const MOST_PENS: u32 = 255;

/// Further away than this, in millimetres, nothing is drawn.
const FARTHEST: f64 = 1e6;

/// Why a file could not be read.
#[derive(Debug, Error)]
pub enum HpglError {
    /// The reader failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A drawing without measure.
    #[error("the HPGL file draws too much: more than 4 million points")]
    TooMuch,
}

/// Reads an HPGL file; arcs become straight pieces that are nowhere further than `tolerance_mm` from
/// them.
pub fn read(mut reader: impl Read, tolerance_mm: f64) -> Result<Drawing, HpglError> {
    let mut pens = Pens { tolerance: tolerance_mm.max(1e-3), ..Pens::default() };
    let (mut machine, mut lines) = (Interpreter::default(), Splitter::new());
    let (mut chunk, mut line, mut segments) = (vec![0; 64 * 1024], Vec::new(), Vec::new());
    loop {
        match lines.next_line(&mut line) {
            Next::Line(number) => {
                if let Some(note) = machine.instruction(&line, &mut segments) {
                    pens.note(number, note);
                }
                for segment in segments.drain(..) {
                    pens.add(machine.pen(), &segment);
                }
                if pens.points > MAX_POINTS {
                    return Err(HpglError::TooMuch);
                }
            }
            Next::TooLong(number) => {
                let text = "an instruction that is too long: left out";
                pens.problems.add(Light::Red, Some(number), "line-too-long", text.into());
            }
            Next::End => return Ok(pens.end()),
            Next::More => match reader.read(&mut chunk) {
                Ok(0) => lines.finish(),
                Ok(count) => lines.supply(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            },
        }
    }
}

#[derive(Default)]
struct Pens {
    tolerance: f64,
    layers: Vec<(u32, Layer)>,
    /// The layer that is being drawn in, and where its pen is.
    at: Option<(usize, [f64; 2])>,
    points: usize,
    warnings: BTreeMap<Cow<'static, str>, usize>,
    problems: Findings,
}

impl Pens {
    fn note(&mut self, number: u64, note: Note) {
        match note.severity {
            Light::Red => self.problems.add(note.severity, Some(number), note.code, note.text),
            _ => self.warn(note.text),
        }
    }

    fn warn(&mut self, what: impl Into<Cow<'static, str>>) {
        let what = what.into();
        // There are not more kinds than a person reads.
        if self.warnings.len() < MOST_WARNINGS || self.warnings.contains_key(&what) {
            *self.warnings.entry(what).or_default() += 1;
        }
    }

    fn add(&mut self, pen: u32, segment: &Segment) {
        if !segment.draw {
            self.at = None;
            return;
        }
        if segment.from.iter().chain(&segment.to).any(|value| value.abs() > FARTHEST) {
            self.at = None;
            self.warn("lines that lead more than a kilometre away are left out");
            return;
        }
        let from = [segment.from[0], segment.from[1]];
        let pen = pen.min(MOST_PENS);
        let known = self.layers.iter().position(|(number, _)| *number == pen);
        let index = known.unwrap_or_else(|| {
            let name = format!("pen {pen}");
            self.layers.push((pen, Layer { name, ..Layer::default() }));
            self.layers.len() - 1
        });
        let strokes = &mut self.layers[index].1.strokes;
        if self.at != Some((index, from)) {
            strokes.push(vec![from]);
        }
        let Some(stroke) = strokes.last_mut() else { return };
        let before = stroke.len();
        // A piece of no length says nothing, but alone it is a dot.
        if stroke.len() > 1 && segment.length == 0.0 {
            return;
        }
        // A dot that went on is a line.
        if matches!(stroke[..], [a, b] if gap(a, b) <= 0.0) {
            stroke.pop();
        }
        match segment.arc {
            Some(arc) => stroke.extend(arc.points(self.tolerance).map(|it| [it[0], it[1]])),
            None => stroke.push([segment.to[0], segment.to[1]]),
        }
        self.points += stroke.len().saturating_sub(before) + 1;
        self.at = Some((index, [segment.to[0], segment.to[1]]));
    }

    fn end(self) -> Drawing {
        let warning = |(what, count): (Cow<'static, str>, usize)| {
            if count == 1 { what.into_owned() } else { format!("{what} ({count} times)") }
        };
        let mut drawing = Drawing {
            layers: self.layers.into_iter().map(|(_, layer)| layer).collect(),
            warnings: self.warnings.into_iter().map(warning).collect(),
            problems: self.problems.into_vec(),
            ..Drawing::default()
        };
        // Large plotters have their origin in the middle.
        if let Some((min, _)) = drawing.bounds()
            && (min[0] < 0.0 || min[1] < 0.0)
        {
            drawing.shift(min.map(|value| -value.min(0.0)));
            drawing
                .warnings
                .push("the drawing has been moved to where no coordinate is negative".to_owned());
        }
        drawing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! sample {
        ($name:literal) => {
            read(
                &include_bytes!(concat!("../../../tests/stationd/data/drawings/", $name))[..],
                0.02,
            )
            .unwrap()
        };
    }

    fn lengths(drawing: &Drawing) -> Vec<String> {
        let layer =
            |it: &Layer| format!("{} {} {:.3}", it.name, it.strokes.len(), it.draw_length());
        drawing.layers.iter().map(layer).collect()
    }

    #[test]
    fn a_plot_for_an_hp_7475a() {
        let drawing = sample!("hp7475a.plt");
        // A frame of 250 x 180 mm with a diagonal; a circle of 10 mm and a square of 20 mm.
        let diagonal = 250_f64.hypot(180.0);
        assert_eq!(lengths(&drawing)[0], format!("pen 1 1 {:.3}", 860.0 + diagonal));
        let circle = drawing.layers[1].draw_length();
        assert!((circle - 20.0 * std::f64::consts::PI - 80.0).abs() < 0.1, "{circle}");
        assert!(gap(drawing.bounds().unwrap().0, [15.075, 13.025]) < 1e-9);
        assert_eq!(
            drawing.warnings,
            ["line types are drawn as whole lines", "text and symbols are not drawn (2 times)"]
        );
    }

    #[test]
    fn what_inkscape_exports_is_one_line() {
        let drawing = sample!("inkscape.hpgl");
        assert_eq!(lengths(&drawing), ["pen 1 1 80.000", "pen 2 1 50.000"]);
        assert_eq!(drawing.layers[1].strokes[0], [[100.0, 50.0], [130.0, 90.0]]);
        assert_eq!(drawing.warnings, [""; 0]);
    }

    #[test]
    fn what_a_cutter_gets_has_neither_pens_nor_terminators() {
        let drawing = sample!("cutter.plt");
        assert_eq!(lengths(&drawing), ["pen 1 2 60.000"]);
        assert_eq!(drawing.bounds(), Some(([0.0, 0.0], [30.0, 20.0])));
    }

    #[test]
    fn what_is_broken_is_told_with_its_place() {
        let drawing = read(&b"IN;SP1;PD400,0;XX1;PD400,400,7;PDx;"[..], 0.02).unwrap();
        assert_eq!(lengths(&drawing), ["pen 1 1 20.000"]);
        assert_eq!(drawing.warnings, ["XX is not known"]);
        let problems: Vec<_> = drawing.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "line 5: PD has one coordinate without the other",
                "line 7: text that is not HPGL: \"X\""
            ]
        );
    }

    #[test]
    fn negative_coordinates_are_moved() {
        let drawing = read(&b"IN;PU-400,400;PD400,-400;"[..], 0.02).unwrap();
        assert_eq!(drawing.layers[0].strokes, [[[0.0, 20.0], [20.0, 0.0]]]);
        assert_eq!(drawing.warnings.len(), 1);
    }

    #[test]
    fn harmful_files_do_no_harm() {
        for text in [
            "CI9999999;".repeat(2_000),
            format!("PD{}", "1,2,".repeat(1_000_000)),
            "PD;PU;".repeat(100_000),
            format!("PD{}", "9".repeat(1 << 20)),
            (0..50_000).fold(String::new(), |text, pen| text + &format!("SP{pen};PD1,1;PU;")),
            "AA1e9,0,99999999;PD;AA9,9,99999999;".repeat(1_000),
        ] {
            let start = std::time::Instant::now();
            let found = read(text.as_bytes(), 0.001);
            assert!(start.elapsed().as_secs() < 120, "{}", &text[..20]);
            let points =
                |it: &Drawing| it.layers.iter().flat_map(|it| &it.strokes).map(Vec::len).sum();
            assert!(found.as_ref().map_or(0, points) <= MAX_POINTS);
        }
    }
}
