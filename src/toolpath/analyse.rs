//! What is known of a file before it runs.

use std::io::{self, Read};

use super::{
    Estimate, Next, Splitter,
    gcode::{Interpreter, Segment},
};
use crate::domain::Analysis;

/// Longer lines overflow GRBL's line buffer (`error:11`; blanks are not counted).
const LONGEST: usize = 79;

/// Warnings of the same words are given once; of different ones at most that many.
const MOST_WARNINGS: usize = 20;

/// Reads a G-code file once, in constant memory. `Analysis::lines` counts exactly the lines that a
/// driver sends.
pub fn analyse(mut reader: impl Read) -> io::Result<(Analysis, Estimate)> {
    let mut sum = Sum::default();
    let mut lines = Splitter::new();
    let mut chunk = vec![0; 64 * 1024];
    let mut line = Vec::new();
    loop {
        match lines.next_line(&mut line) {
            Next::Line(number) => sum.line(number, &line),
            Next::TooLong(number) => {
                sum.warn(number, "is longer than 4096 bytes: it cannot be sent");
            }
            Next::End => return Ok(sum.end()),
            Next::More => match reader.read(&mut chunk) {
                Ok(0) => lines.finish(),
                Ok(count) => lines.supply(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            },
        }
    }
}

#[derive(Default)]
struct Sum {
    machine: Interpreter,
    analysis: Analysis,
    estimate: Estimate,
    said: Vec<&'static str>,
}

impl Sum {
    fn line(&mut self, number: u64, text: &[u8]) {
        self.analysis.lines += 1;
        let line = self.machine.line(text);
        if let Some(warning) = line.warning {
            self.warn(number, warning);
        }
        if text.len() > LONGEST && text.iter().filter(|byte| **byte != b' ').count() > LONGEST {
            self.warn(number, "is longer than 79 characters: GRBL refuses it");
        }
        let mut seconds = line.dwell_seconds;
        if let Some(segment) = line.segment {
            seconds += segment.seconds;
            self.segment(&segment);
        }
        self.estimate.line(seconds);
    }

    fn segment(&mut self, segment: &Segment) {
        if segment.draw {
            self.analysis.draw_length_mm += segment.length;
        } else {
            self.analysis.travel_length_mm += segment.length;
        }
        match segment.arc {
            Some(arc) => arc.points(0.01).for_each(|point| self.point(point)),
            None => self.point(segment.to),
        }
    }

    fn point(&mut self, point: [f64; 3]) {
        let min = self.analysis.min.get_or_insert(point);
        let max = self.analysis.max.get_or_insert(point);
        for axis in 0..3 {
            min[axis] = min[axis].min(point[axis]);
            max[axis] = max[axis].max(point[axis]);
        }
    }

    fn warn(&mut self, number: u64, warning: &'static str) {
        if self.said.len() < MOST_WARNINGS && !self.said.contains(&warning) {
            self.said.push(warning);
            self.analysis.warnings.push(format!("line {number}: {warning}"));
        }
    }

    fn end(mut self) -> (Analysis, Estimate) {
        self.analysis.estimated_seconds = self.estimate.total();
        (self.analysis, self.estimate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Analysis {
        analyse(text.as_bytes()).unwrap().0
    }

    #[test]
    fn bounds_lengths_and_time_of_a_square() {
        let square = "G21 G90\nG0 Z5\nG0 X10 Y20\nG1 Z0 F600\nG1 X30\nY40\nX10\nY20\nG0 Z5\n";
        let found = of(square);
        assert_eq!(found.lines, 9);
        assert_eq!((found.min, found.max), (Some([0.0, 0.0, 0.0]), Some([30.0, 40.0, 5.0])));
        assert!((found.draw_length_mm - 85.0).abs() < 1e-9);
        assert!((found.travel_length_mm - 10.0 - 500_f64.sqrt()).abs() < 1e-9);
        let seconds = 85.0 / 10.0 + (10.0 + 500_f64.sqrt()) / 50.0;
        assert!((found.estimated_seconds - seconds).abs() < 1e-9);
        assert_eq!(found.warnings, [""; 0]);
    }

    #[test]
    fn arcs_reach_beyond_their_ends() {
        let found = of("G21G90\nG0X0Y10\nG2 X20 Y10 I10 J0 F600\n");
        let max = found.max.unwrap();
        assert!((max[1] - 20.0).abs() < 0.02, "{max:?}");
        assert!((found.draw_length_mm - 10.0 * std::f64::consts::PI).abs() < 1e-6);
    }

    #[test]
    fn inches_relative_moves_and_offsets_are_followed() {
        let found = of("G20 G91\nG1 X1 F10\nG1 X1\nG92 X0\nG90\nG1 X1\n");
        assert!((found.max.unwrap()[0] - 76.2).abs() < 1e-9);
    }

    #[test]
    fn a_pen_on_a_spindle_word_draws_only_while_it_is_on() {
        let found = of("G21 G90 F600\nG1 X10\nM5\nG1 X20\nM3\nG1 X50\n");
        assert!((found.draw_length_mm - 40.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_missing_is_a_warning_with_its_line() {
        let found =
            of(&format!("; nothing said\nG0 X1\nG1 X2\nG1 X3\nHello\n{}\n", "G".repeat(90)));
        insta::assert_snapshot!(found.warnings.join("\n"), @r"
        line 2: no units (G20 or G21) before the first move: taken as millimetres
        line 3: no G90 or G91 before the first move: taken as absolute
        line 4: no feed (F) before the first working move: GRBL refuses it
        line 5: text that is not G-code
        line 6: is longer than 79 characters: GRBL refuses it
        ");
    }

    #[test]
    fn the_sample_fits_a_small_plotter_and_says_everything_it_should() {
        let found = of(include_str!("../../static/samples/rosette.gcode"));
        assert_eq!(found.warnings, [""; 0]);
        assert!((1500..3000).contains(&found.lines), "{}", found.lines);
        let (min, max) = (found.min.unwrap(), found.max.unwrap());
        assert!(min[0] >= 0.0 && min[1] >= 0.0 && min[2] >= 0.0, "{min:?}");
        assert!(max[0] <= 300.0 && max[1] <= 218.0 && max[2] <= 50.0, "{max:?}");
        assert!(found.draw_length_mm > 3.0 * found.travel_length_mm, "{found:?}");
    }
}
