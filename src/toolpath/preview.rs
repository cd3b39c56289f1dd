//! A file as a picture.

use std::io::{self, Read};

use serde::Serialize;

use super::{Dialect, Found, Next, pass::Pass};
use crate::domain::Machine;

/// The path of a file's motion, seen from above, ready to be drawn.
///
/// Entry `i` of `lines` and `draw`, and entries `2 i` and `2 i + 1` of `points`, belong to the end
/// of segment `i`; entry 0 is where the motion starts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Preview {
    /// Lines that go to the machine.
    pub lines_total: u64,
    /// Smallest corner, X Y in millimetres.
    pub min: [f64; 2],
    /// Largest corner.
    pub max: [f64; 2],
    /// How many lines have been acknowledged once the segment is done.
    pub lines: Vec<u64>,
    /// The line of the file, from 1, on which it ends: comments count as well.
    pub numbers: Vec<u64>,
    /// Where segments end: x0, y0, x1, y1, …
    pub points: Vec<f64>,
    /// 1 for a working move, 0 for travel.
    pub draw: Vec<u8>,
    /// True if points were left out.
    pub simplified: bool,
}

/// Reads a file for a machine once into a picture of at most `max_points` points (at least 8).
pub fn preview(reader: impl Read, machine: &Machine, max_points: usize) -> io::Result<Preview> {
    let dialect = Dialect::of(&machine.driver);
    let mut picture = Picture::new(max_points.max(8));
    let mut follower = dialect.follower(machine.ebb.axes(), &[]);
    let mut pass = Pass::new(reader, dialect);
    let (mut found, mut line, mut count) = (Found::default(), Vec::new(), 0);
    loop {
        let number = match pass.next(&mut line)? {
            Next::Line(number) => number,
            Next::TooLong(_) => continue,
            Next::End | Next::More => return Ok(picture.end(count)),
        };
        count += 1;
        found.clear();
        follower.line(&line, &mut found);
        for segment in &found.segments {
            picture.start(segment.from);
            let add = |to: [f64; 3]| {
                let at = [to[0], to[1]];
                picture.add(Point { at, line: count, number, draw: segment.draw });
            };
            match segment.arc {
                Some(arc) => arc.points(0.05).for_each(add),
                None => [segment.to].into_iter().for_each(add),
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Point {
    at: [f64; 2],
    line: u64,
    number: u64,
    draw: bool,
}

/// Collects points; whenever there are too many, those that lie closest together go.
struct Picture {
    points: Vec<Point>,
    most: usize,
    min: [f64; 2],
    max: [f64; 2],
    /// Points closer than this to the one before are left out.
    grain: f64,
    /// Even where drawing and travel meet.
    coarse: bool,
}

impl Picture {
    fn new(most: usize) -> Self {
        let start = Point { at: [0.0; 2], line: 0, number: 0, draw: false };
        Self { points: vec![start], most, min: [0.0; 2], max: [0.0; 2], grain: 0.0, coarse: false }
    }

    /// Where the motion begins, unless it has begun.
    fn start(&mut self, [x, y, _]: [f64; 3]) {
        if let [only] = &mut self.points[..] {
            only.at = [x, y];
            (self.min, self.max) = (only.at, only.at);
        }
    }

    fn add(&mut self, point: Point) {
        for axis in 0..2 {
            self.min[axis] = self.min[axis].min(point.at[axis]);
            self.max[axis] = self.max[axis].max(point.at[axis]);
        }
        self.push(point);
        if self.points.len() > self.most {
            self.thin();
        }
    }

    /// Adds a point, in place of the one before if that is too close to its own predecessor.
    fn push(&mut self, point: Point) {
        if let [.., before, last] = self.points.as_mut_slice() {
            let [dx, dy] = [last.at[0] - before.at[0], last.at[1] - before.at[1]];
            let same = last.draw == point.draw || self.coarse;
            if same && self.grain > 0.0 && dx.hypot(dy) < self.grain {
                *last = Point { draw: last.draw || point.draw, ..point };
                return;
            }
        }
        self.points.push(point);
    }

    fn thin(&mut self) {
        // A thousandth of the picture cannot be seen; beyond that, some detail is lost.
        let size = (self.max[0] - self.min[0]).hypot(self.max[1] - self.min[1]);
        // A grain as large as the picture leaves two points: this ends.
        while self.points.len() > self.most * 3 / 4 {
            self.grain = (self.grain * 1.25).max(size / 4000.0).max(1e-6);
            if !self.coarse && self.grain > size / 100.0 {
                // It is the changes between drawing and travel that are too many.
                self.coarse = true;
                self.grain = size / 4000.0;
            }
            let all = std::mem::take(&mut self.points);
            for point in all {
                self.push(point);
            }
        }
    }

    fn end(self, lines_total: u64) -> Preview {
        let round = |value: f64| (value * 1000.0).round() / 1000.0;
        Preview {
            lines_total,
            min: self.min.map(round),
            max: self.max.map(round),
            lines: self.points.iter().map(|point| point.line).collect(),
            numbers: self.points.iter().map(|point| point.number).collect(),
            points: self.points.iter().flat_map(|point| point.at.map(round)).collect(),
            draw: self.points.iter().map(|point| u8::from(point.draw)).collect(),
            simplified: self.grain > 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn a_small_file_is_drawn_point_by_point() {
        let text = "G21 G90\nG0 X10\nM5\n(no motion)\nG1 Y5 F600\nM3\nG1 X0\n";
        let found = preview(text.as_bytes(), &Machine::unknown("grbl"), 100).unwrap();
        insta::assert_snapshot!(serde_json::to_string(&found).unwrap(), @r#"{"lines_total":6,"min":[0.0,0.0],"max":[10.0,5.0],"lines":[0,2,4,6],"numbers":[0,2,5,7],"points":[0.0,0.0,10.0,0.0,10.0,5.0,0.0,5.0],"draw":[0,0,0,1],"simplified":false}"#);
    }

    #[test]
    fn a_large_file_is_thinned_out_and_ends_where_it_ends() {
        let mut text = String::from("G21 G90 F600\n");
        for step in 0..50_000 {
            let angle = f64::from(step) / 100.0;
            let (x, y) = (150.0 + 100.0 * angle.cos(), 100.0 + 90.0 * (angle * 1.3).sin());
            let motion = if step % 7 == 0 { "G0" } else { "G1" };
            let _ = writeln!(text, "{motion} X{x:.3} Y{y:.3}");
        }
        let found = preview(text.as_bytes(), &Machine::unknown("grbl"), 1000).unwrap();
        assert!(found.simplified);
        assert!((100..=1000).contains(&found.draw.len()), "{}", found.draw.len());
        assert_eq!(found.points.len(), 2 * found.draw.len());
        assert_eq!(found.lines.len(), found.draw.len());
        assert_eq!(found.lines.last(), Some(&50_001));
        assert!(found.lines.is_sorted());
        assert!((found.max[0] - 250.0).abs() < 0.1);
    }
}
