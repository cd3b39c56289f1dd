//! Follows a path and keeps where it was, in straight pieces.

use kurbo::{Affine, CubicBez, ParamCurve, PathEl, Point, QuadBez};

use super::super::drawing::{Stroke, gap};

/// Further away than this, in millimetres, nothing is drawn.
const FARTHEST: f64 = 1e6;

/// Points of a drawing.
const MAX_POINTS: usize = 4_000_000;

/// A length in millimetres that comes from rounding alone.
const NOTHING: f64 = 1e-9;

/// Of the tolerance; the rest is for arcs, which are drawn as curves.
const SHARE: f64 = 0.9;

/// More than any curve within [`FARTHEST`] has at the finest tolerance.
const MOST_PIECES: f64 = 1e5;

/// Turns the elements of a path into strokes on the page.
pub(super) struct Pen {
    tolerance: f64,
    to_page: Affine,
    strokes: Vec<Stroke>,
    now: Stroke,
    start: Point,
    at: Point,
    points: usize,
    astray: bool,
}

impl Pen {
    pub(super) fn new(tolerance: f64) -> Self {
        Self {
            tolerance,
            to_page: Affine::IDENTITY,
            strokes: Vec::new(),
            now: Vec::new(),
            start: Point::ZERO,
            at: Point::ZERO,
            points: 0,
            astray: false,
        }
    }

    /// Begins a shape whose coordinates are turned into the page's by `to_page`.
    pub(super) fn begin(&mut self, to_page: Affine) {
        self.to_page = to_page;
        self.astray = false;
        self.strokes.clear();
        self.now.clear();
    }

    /// How far off a curve that stands for an arc may be, in the shape's own coordinates. Not finer
    /// than a billionth of the arc, whatever the scale: the work for an arc has a bound.
    pub(super) fn arc_tolerance(&self, radius: f64) -> f64 {
        let [a, b, c, d, ..] = self.to_page.as_coeffs();
        let scale = a.hypot(b).max(c.hypot(d)).max(1e-9);
        (self.tolerance / scale * (1.0 - SHARE)).max(radius * 1e-9)
    }

    pub(super) fn add(&mut self, element: PathEl) {
        match self.to_page * element {
            PathEl::MoveTo(to) => {
                self.lift();
                self.start = to;
                self.at = to;
                self.check(to);
            }
            PathEl::LineTo(to) => self.line(to),
            PathEl::ClosePath => {
                // Nothing has been drawn since the last close: there is nothing to close.
                if !self.now.is_empty() {
                    self.line(self.start);
                    self.lift();
                }
                self.at = self.start;
            }
            PathEl::QuadTo(a, to) => {
                let bend = bend(self.at, a, to) * 2.0 / 8.0;
                self.curve(&QuadBez::new(self.at, a, to), &[a, to], bend);
            }
            PathEl::CurveTo(a, b, to) => {
                let bend = bend(self.at, a, b).max(bend(a, b, to)) * 6.0 / 8.0;
                self.curve(&CubicBez::new(self.at, a, b, to), &[a, b, to], bend);
            }
        }
    }

    /// Ends the shape; `None` if it leads astray: too far away, or to what is no number.
    pub(super) fn end(&mut self) -> Option<Vec<Stroke>> {
        self.lift();
        let strokes = std::mem::take(&mut self.strokes);
        (!self.astray).then_some(strokes)
    }

    /// True once there are more points, of all shapes, than a drawing may have. What comes then is
    /// not followed.
    pub(super) fn is_full(&self) -> bool {
        self.points > MAX_POINTS
    }

    fn line(&mut self, to: Point) {
        self.check(to);
        if self.astray {
            return;
        }
        if self.now.is_empty() {
            self.now.push([self.at.x, self.at.y]);
            self.points += 1;
        }
        // A piece of no length says nothing, but alone it is a dot.
        if (to - self.at).hypot() > NOTHING || self.now.len() == 1 {
            self.now.push([to.x, to.y]);
            self.points += 1;
        } else if let Some(last) = self.now.last_mut() {
            *last = [to.x, to.y];
        }
        self.at = to;
    }

    /// A curve through or by some points, at which it bends by at most `bend`: the largest second
    /// difference of its points, weighted by its degree. Pieces as many as Wang's formula says are
    /// nowhere further from it than the tolerance.
    fn curve(&mut self, curve: &impl ParamCurve, through: &[Point], bend: f64) {
        let (from, to) = (self.at, curve.end());
        for point in through {
            self.check(*point);
        }
        // Once too far away, it is not worth its points.
        if self.astray {
            return;
        }
        if through.iter().all(|point| *point == from) {
            return self.line(to);
        }
        let pieces = (bend / (self.tolerance * SHARE)).sqrt().ceil().clamp(1.0, MOST_PIECES);
        let mut done = 1.0;
        while done < pieces {
            self.line(curve.eval(done / pieces));
            done += 1.0;
        }
        self.line(to);
    }

    fn check(&mut self, point: Point) {
        // Written so that what is no number is too far away as well.
        self.astray |= self.is_full() || !(point.x.abs() <= FARTHEST && point.y.abs() <= FARTHEST);
    }

    fn lift(&mut self) {
        if self.now.len() >= 2 {
            let mut stroke = std::mem::take(&mut self.now);
            // A dot that went on is a line.
            if stroke.len() > 2 && gap(stroke[0], stroke[1]) <= 0.0 {
                stroke.remove(0);
            }
            self.strokes.push(stroke);
        }
        self.now.clear();
    }
}

/// How far a point is from halfway between its neighbours, twice.
fn bend(before: Point, point: Point, after: Point) -> f64 {
    ((before - point) + (after - point)).hypot()
}
