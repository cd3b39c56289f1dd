//! The `d` of a path. What comes after an error is left out, as browsers do.

use kurbo::{Arc, PathEl, Point, SvgArc, Vec2};

use super::{number::Scanner, pen::Pen};

/// Follows a path with the pen; false if the text has an error.
pub(super) fn follow(text: &str, pen: &mut Pen) -> bool {
    let mut path = Path {
        scanner: Scanner::new(text),
        pen,
        at: Point::ZERO,
        start: Point::ZERO,
        closed: true,
        control: None,
    };
    path.all().is_some()
}

struct Path<'a> {
    scanner: Scanner<'a>,
    pen: &'a mut Pen,
    at: Point,
    start: Point,
    /// The next line begins anew where the last one began.
    closed: bool,
    /// The last control point, for the smooth ones, and the number of them.
    control: Option<(u8, Point)>,
}

impl Path<'_> {
    fn all(&mut self) -> Option<()> {
        let mut command = b'?';
        while let Some(next) = self.scanner.peek() {
            let letter = next.is_ascii_alphabetic();
            if letter {
                self.scanner.skip();
            }
            command = match (letter, command) {
                // A path begins with a move.
                (true, b'?') if !matches!(next, b'M' | b'm') => return None,
                (true, _) => next,
                // Further points of a move are lines.
                (false, b'M') => b'L',
                (false, b'm') => b'l',
                (false, b'?' | b'Z' | b'z') => return None,
                (false, same) => same,
            };
            self.one(command)?;
        }
        Some(())
    }

    fn one(&mut self, command: u8) -> Option<()> {
        let relative = command.is_ascii_lowercase();
        let from = if relative { self.at } else { Point::ZERO };
        let mut control = None;
        match command.to_ascii_uppercase() {
            b'M' => {
                let to = self.point(from)?;
                self.start = to;
                self.at = to;
                self.closed = false;
                self.pen.add(PathEl::MoveTo(to));
            }
            b'Z' => {
                self.pen.add(PathEl::ClosePath);
                self.at = self.start;
                self.closed = true;
            }
            b'L' => {
                let to = self.point(from)?;
                self.add(PathEl::LineTo(to), to);
            }
            b'H' => {
                let to = Point::new(from.x + self.scanner.number()?, self.at.y);
                self.add(PathEl::LineTo(to), to);
            }
            b'V' => {
                let to = Point::new(self.at.x, from.y + self.scanner.number()?);
                self.add(PathEl::LineTo(to), to);
            }
            b'C' | b'S' => {
                let first = if matches!(command, b'C' | b'c') {
                    self.point(from)?
                } else {
                    self.mirrored(3)
                };
                let (second, to) = (self.point(from)?, self.point(from)?);
                self.add(PathEl::CurveTo(first, second, to), to);
                control = Some((3, second));
            }
            b'Q' | b'T' => {
                let first = if matches!(command, b'Q' | b'q') {
                    self.point(from)?
                } else {
                    self.mirrored(2)
                };
                let to = self.point(from)?;
                self.add(PathEl::QuadTo(first, to), to);
                control = Some((2, first));
            }
            b'A' => self.arc(from)?,
            _ => return None,
        }
        self.control = control;
        Some(())
    }

    fn arc(&mut self, from: Point) -> Option<()> {
        let radii = Vec2::new(self.scanner.number()?, self.scanner.number()?);
        let x_rotation = self.scanner.number()?.to_radians();
        let (large_arc, sweep) = (self.scanner.flag()?, self.scanner.flag()?);
        let to = self.point(from)?;
        let arc = SvgArc { from: self.at, to, radii, x_rotation, large_arc, sweep };
        // One without a radius is a line; one that leads nowhere is nothing.
        if let Some(arc) = Arc::from_svg_arc(&arc).filter(is_finite)
            && self.at != to
        {
            let mut curves = arc.append_iter(self.pen.arc_tolerance(arc.radii.hypot())).peekable();
            while let Some(curve) = curves.next() {
                let PathEl::CurveTo(a, b, end) = curve else { continue };
                // The last one ends where the text says, to the last digit.
                let end = if curves.peek().is_some() { end } else { to };
                self.add(PathEl::CurveTo(a, b, end), end);
            }
        } else {
            self.add(PathEl::LineTo(to), to);
        }
        Some(())
    }

    fn add(&mut self, element: PathEl, to: Point) {
        if std::mem::take(&mut self.closed) {
            self.pen.add(PathEl::MoveTo(self.at));
        }
        self.pen.add(element);
        self.at = to;
    }

    fn point(&mut self, from: Point) -> Option<Point> {
        Some(Point::new(from.x + self.scanner.number()?, from.y + self.scanner.number()?))
    }

    fn mirrored(&self, count: u8) -> Point {
        match self.control {
            Some((of, control)) if of == count => self.at + (self.at - control),
            _ => self.at,
        }
    }
}

fn is_finite(arc: &Arc) -> bool {
    arc.center.is_finite() && arc.radii.is_finite() && arc.radii.hypot() < 1e9
}
