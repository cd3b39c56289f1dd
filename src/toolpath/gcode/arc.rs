//! Circular motion (G2, G3), helical if the third axis moves too.

use std::f64::consts::TAU;

/// An arc from one point to another around an axis of a plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arc {
    from: [f64; 3],
    to: [f64; 3],
    /// The two axes of the plane, in the order in which the angle grows from one to the other.
    plane: (usize, usize),
    centre: (f64, f64),
    radius: f64,
    start: f64,
    /// Signed: positive is counter-clockwise.
    sweep: f64,
}

impl Arc {
    /// An arc around `centre` (in the plane's two axes); the end may miss the circle a little, as
    /// rounded numbers do. Equal ends make a full circle.
    pub fn around(
        from: [f64; 3],
        to: [f64; 3],
        plane: (usize, usize),
        centre: (f64, f64),
        clockwise: bool,
    ) -> Self {
        let angle = |point: [f64; 3]| (point[plane.1] - centre.1).atan2(point[plane.0] - centre.0);
        let start = angle(from);
        let mut sweep = (angle(to) - start).rem_euclid(TAU);
        // As GRBL has it (ARC_ANGULAR_TRAVEL_EPSILON): no angle at all is a full turn.
        if sweep < 5e-7 || TAU - sweep < 5e-7 {
            sweep = TAU;
            if clockwise {
                sweep = -TAU;
            }
        } else if clockwise {
            sweep -= TAU;
        }
        let radius = (from[plane.0] - centre.0).hypot(from[plane.1] - centre.1);
        Self { from, to, plane, centre, radius, start, sweep }
    }

    /// An arc of a radius; a negative one takes the long way round. `None` if the ends are the same
    /// or too far apart.
    pub fn of_radius(
        from: [f64; 3],
        to: [f64; 3],
        plane: (usize, usize),
        radius: f64,
        clockwise: bool,
    ) -> Option<Self> {
        let (dx, dy) = (to[plane.0] - from[plane.0], to[plane.1] - from[plane.1]);
        let chord = dx.hypot(dy);
        let height_squared = radius * radius - chord * chord / 4.0;
        if chord == 0.0 || height_squared < -1e-3 * radius.abs() {
            return None;
        }
        let height = height_squared.max(0.0).sqrt() / chord;
        let side = if clockwise == (radius < 0.0) { height } else { -height };
        let middle =
            (f64::midpoint(from[plane.0], to[plane.0]), f64::midpoint(from[plane.1], to[plane.1]));
        let centre = (middle.0 - dy * side, middle.1 + dx * side);
        Some(Self::around(from, to, plane, centre, clockwise))
    }

    /// Its length in millimetres.
    pub fn length(&self) -> f64 {
        let third = 3 - self.plane.0 - self.plane.1;
        (self.radius * self.sweep).hypot(self.to[third] - self.from[third])
    }

    /// Its radius in millimetres.
    pub fn radius(&self) -> f64 {
        self.radius
    }

    /// The axes that it moves.
    pub fn axes(&self) -> [bool; 3] {
        let third = 3 - self.plane.0 - self.plane.1;
        let mut axes = [true; 3];
        axes[third] = (self.to[third] - self.from[third]).abs() > 0.0;
        axes
    }

    /// Unit vectors of its directions at the start and at the end.
    pub fn directions(&self) -> ([f64; 3], [f64; 3]) {
        let third = 3 - self.plane.0 - self.plane.1;
        let rise = self.to[third] - self.from[third];
        let length = self.length();
        let turn = (self.radius * self.sweep).abs() / length;
        let at = |angle: f64| {
            let side = turn * self.sweep.signum();
            let mut direction = [0.0; 3];
            direction[self.plane.0] = -side * angle.sin();
            direction[self.plane.1] = side * angle.cos();
            direction[third] = rise / length;
            direction
        };
        (at(self.start), at(self.start + self.sweep))
    }

    /// Its smallest and largest corner, exactly.
    pub fn bounds(&self) -> ([f64; 3], [f64; 3]) {
        let mut min = [0.0; 3];
        let mut max = [0.0; 3];
        for axis in 0..3 {
            min[axis] = self.from[axis].min(self.to[axis]);
            max[axis] = self.from[axis].max(self.to[axis]);
        }
        let (low, high) = if self.sweep < 0.0 {
            (self.start + self.sweep, self.start)
        } else {
            (self.start, self.start + self.sweep)
        };
        // Where the circle is farthest out along an axis, at whole quarters of a turn.
        let passes = |angle: f64| (angle - low).rem_euclid(TAU) <= high - low;
        let centre = [self.centre.0, self.centre.1];
        for (index, axis) in [self.plane.0, self.plane.1].into_iter().enumerate() {
            let out = if index == 0 { 0.0 } else { TAU / 4.0 };
            if passes(out) {
                max[axis] = max[axis].max(centre[index] + self.radius);
            }
            if passes(out + TAU / 2.0) {
                min[axis] = min[axis].min(centre[index] - self.radius);
            }
        }
        (min, max)
    }

    /// Points along it, the end included and the start not; straight lines between them stay within
    /// `tolerance` millimetres of the arc.
    pub fn points(&self, tolerance: f64) -> impl Iterator<Item = [f64; 3]> {
        let arc = *self;
        let chord = (tolerance * (2.0 * arc.radius - tolerance)).max(0.0).sqrt();
        let wanted = (0.5 * arc.sweep * arc.radius).abs() / chord;
        // Ten thousand chords draw any circle that fits a room.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and 10 000"
        )]
        let count = if wanted.is_finite() { wanted.ceil().clamp(1.0, 1e4) as u32 } else { 1 };
        let third = 3 - arc.plane.0 - arc.plane.1;
        (1..=count).map(move |index| {
            if index == count {
                return arc.to;
            }
            let share = f64::from(index) / f64::from(count);
            let angle = arc.start + arc.sweep * share;
            let mut point = arc.from;
            point[arc.plane.0] = arc.centre.0 + arc.radius * angle.cos();
            point[arc.plane.1] = arc.centre.1 + arc.radius * angle.sin();
            point[third] += (arc.to[third] - arc.from[third]) * share;
            point
        })
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    const XY: (usize, usize) = (0, 1);

    #[test]
    fn a_quarter_of_a_circle_either_way() {
        let (from, to) = ([10.0, 0.0, 0.0], [0.0, 10.0, 0.0]);
        let short = Arc::around(from, to, XY, (0.0, 0.0), false);
        assert!((short.length() - 5.0 * PI).abs() < 1e-9);
        let long = Arc::around(from, to, XY, (0.0, 0.0), true);
        assert!((long.length() - 15.0 * PI).abs() < 1e-9);
        assert_eq!(
            Arc::of_radius(from, to, XY, 10.0, false).map(|arc| arc.length().round()),
            Some(16.0)
        );
        assert_eq!(
            Arc::of_radius(from, to, XY, -10.0, true).map(|arc| arc.centre.0.round()),
            Some(0.0)
        );
        assert_eq!(Arc::of_radius(from, to, XY, 5.0, false), None);
    }

    #[test]
    fn its_corners_are_those_of_its_points() {
        let ends = [[10.0, 0.0, 0.0], [0.0, 10.0, 1.0], [-10.0, 0.0, 0.0], [6.0, -8.0, 2.0]];
        for (from, to) in ends.iter().flat_map(|from| ends.iter().map(move |to| (*from, *to))) {
            for clockwise in [true, false] {
                let arc = Arc::around(from, to, XY, (0.0, 0.0), clockwise);
                let (min, max) = arc.bounds();
                let points: Vec<_> = arc.points(1e-6).chain([from]).collect();
                for axis in 0..3 {
                    let all = || points.iter().map(|point| point[axis]);
                    let (low, high) =
                        (all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max));
                    assert!((low - min[axis]).abs() < 1e-4 && (high - max[axis]).abs() < 1e-4);
                }
                let (start, end) = arc.directions();
                for (direction, from, to) in
                    [(start, from, points[0]), (end, points[points.len() - 3], to)]
                {
                    let along: f64 = (0..3).map(|i| direction[i] * (to[i] - from[i])).sum();
                    let way = (0..3).map(|i| (to[i] - from[i]).powi(2)).sum::<f64>().sqrt();
                    assert!((along - way).abs() < 1e-3 * way, "{direction:?} {from:?} {to:?}");
                }
            }
        }
    }

    #[test]
    fn equal_ends_make_a_full_circle_and_chords_keep_to_it() {
        let arc = Arc::around([10.0, 0.0, 0.0], [10.0, 0.0, 2.0], XY, (0.0, 0.0), true);
        assert!((arc.length() - (20.0 * PI).hypot(2.0)).abs() < 1e-9);
        let points: Vec<_> = arc.points(0.01).collect();
        assert_eq!(points.last(), Some(&[10.0, 0.0, 2.0]));
        assert!(points.len() > 50);
        assert!(points.iter().all(|point| (point[0].hypot(point[1]) - 10.0).abs() < 1e-9));
    }
}
