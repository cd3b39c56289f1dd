//! Where a machine that ran on has got to: its place tells, if the file was there only once.

use std::io::{self, Read};

use crate::toolpath::{Dialect, Follower, Found, Next, gcode::Interpreter, pass::Pass};

/// More than the rounding to whole steps of any machine, less than what a line is drawn for.
const SAME_PLACE: f64 = 0.02;

/// Where a machine stands that has nothing left to do, and where it has been, X Y Z in millimetres of
/// work coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stood {
    /// Where it stands.
    pub at: [f64; 3],
    /// Where it was when the file was begun.
    pub start: Option<[f64; 3]>,
    /// Where it was when this part of the file was begun.
    pub began: Option<[f64; 3]>,
}

/// How many lines of a file a machine has executed that stands there, at least `least` and at most
/// `most` of them. Of several lines that end there the first counts, so that nothing is left out. It
/// may also not have come further than the way back into the file, which lifts the tool, travels and
/// lowers it. `None` if nothing of that is so: the machine is not where it should be, or the file
/// does not say where its lines end.
pub fn reached(
    reader: impl Read,
    dialect: Dialect,
    (least, most): (u64, u64),
    stood: Stood,
) -> io::Result<Option<u64>> {
    let near = |place: [f64; 3], axes: usize| {
        place.iter().zip(stood.at).take(axes).all(|(place, at)| (place - at).abs() < SAME_PLACE)
    };
    let mut pass = Pass::new(reader, dialect);
    let mut follower = Interpreter::new(dialect, &[]);
    let (mut found, mut line, mut count) = (Found::default(), Vec::new(), 0);
    let mut way_back = stood.began.is_some_and(|place| near(place, 2));
    loop {
        let (place, axes) = (follower.modal.place(stood.start), follower.modal.axes());
        if count >= least && place.is_some_and(|place| near(place, axes)) {
            return Ok(Some(count));
        }
        way_back |= count == least && place.is_some_and(|place| near(place, 2));
        match pass.next(&mut line)? {
            Next::Line(_) if count < most => {}
            Next::TooLong(_) => continue,
            Next::Line(_) | Next::End | Next::More => return Ok(way_back.then_some(least)),
        }
        count += 1;
        found.clear();
        follower.line(&line, &mut found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "G21\nG90\nG0 Z5\nG0 X0 Y1\nG1 Z0 F600\nG1 X50\nG0 Z5\nG0 X0 Y2\nG1 Z0\nM0\n";

    fn of(window: (u64, u64), at: [f64; 3]) -> Option<u64> {
        let stood = Stood { at, start: Some([1.0; 3]), began: Some([33.0, 44.0, 5.0]) };
        reached(FILE.as_bytes(), Dialect::Gcode, window, stood).unwrap()
    }

    #[test]
    fn the_place_of_a_machine_tells_which_line_was_its_last() {
        assert_eq!(of((2, 9), [50.0, 1.0, 0.0]), Some(6));
        assert_eq!(of((6, 9), [50.001, 1.0, 5.0]), Some(7));
        assert_eq!(of((2, 10), [0.0, 2.0, 0.0]), Some(9), "the first of those that end there");
        assert_eq!(of((10, 10), [0.0, 2.0, 0.0]), Some(10));
        assert_eq!(of((0, 3), [1.0, 1.0, 1.0]), Some(0), "it has not begun");
    }

    #[test]
    fn a_machine_on_its_way_back_has_done_nothing_more() {
        assert_eq!(of((6, 9), [33.0, 44.0, 15.0]), Some(6), "it has lifted its tool");
        assert_eq!(of((6, 9), [50.0, 1.0, 15.0]), Some(6), "it has not lowered it yet");
    }

    #[test]
    fn a_machine_that_is_elsewhere_is_not_believed() {
        assert_eq!(of((2, 9), [25.0, 1.0, 0.0]), None, "in the middle of a line");
        assert_eq!(of((2, 5), [50.0, 1.0, 0.0]), None, "further than was sent");
        assert_eq!(of((8, 9), [50.0, 1.0, 0.0]), None, "behind what it has acknowledged");
        let reached = |file: &str, start| {
            let stood = Stood { at: [5.0, 0.0, 0.0], start, began: None };
            reached(file.as_bytes(), Dialect::Gcode, (1, 9), stood).unwrap()
        };
        assert_eq!(reached("G91\nG1 X5\n", None), None, "it depends on where it began");
        assert_eq!(reached("G91\nG1 X5\n", Some([0.0; 3])), Some(2));
        assert_eq!(
            reached("G1 X1\nG92 X0\nG1 X4\n", Some([0.0; 3])),
            Some(3),
            "an offset moves nothing"
        );
        assert_eq!(reached("G28\nG91\nG1 X5\n", Some([0.0; 3])), None, "home is anywhere");
    }
}
