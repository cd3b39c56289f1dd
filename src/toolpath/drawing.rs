//! Lines on a page, whatever file they came from.

use crate::domain::Finding;

/// What is to be drawn. Millimetres, X to the right, Y up, the origin at the lower left corner of the
/// page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawing {
    /// In the order in which they are drawn.
    pub layers: Vec<Layer>,
    /// Width and height of the page, if the file says so.
    pub size: Option<[f64; 2]>,
    /// What a person should know, once for each kind.
    pub warnings: Vec<String>,
    /// What is wrong with the file: it may mean something else than what is drawn.
    pub problems: Vec<Finding>,
}

/// What is drawn with one pen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    /// What people call it.
    pub name: String,
    /// `#rrggbb`, if it has one colour.
    pub colour: Option<String>,
    /// A person changes the pen before it is drawn.
    pub stop: bool,
    /// Lines that are drawn without lifting the pen, each of at least two points. Two equal points
    /// are a dot.
    pub strokes: Vec<Stroke>,
}

/// A line of straight pieces.
pub type Stroke = Vec<[f64; 2]>;

impl Drawing {
    /// The smallest and the largest corner of all strokes; `None` if there are none.
    pub fn bounds(&self) -> Option<([f64; 2], [f64; 2])> {
        bounds(self.layers.iter().flat_map(|layer| &layer.strokes))
    }

    /// Moves everything by so much.
    pub(super) fn shift(&mut self, by: [f64; 2]) {
        for stroke in self.layers.iter_mut().flat_map(|layer| &mut layer.strokes) {
            for point in stroke {
                *point = [point[0] + by[0], point[1] + by[1]];
            }
        }
    }
}

impl Layer {
    /// Length of what is drawn.
    pub fn draw_length(&self) -> f64 {
        self.strokes.iter().flat_map(|stroke| stroke.windows(2)).map(|it| gap(it[0], it[1])).sum()
    }

    /// Length of the way between strokes, from `start` to the beginning of the last one.
    pub fn travel_length(&self, start: [f64; 2]) -> f64 {
        travel(&self.strokes, start)
    }
}

/// The smallest and the largest corner of some strokes.
pub(super) fn bounds<'a>(
    strokes: impl IntoIterator<Item = &'a Stroke>,
) -> Option<([f64; 2], [f64; 2])> {
    let mut points = strokes.into_iter().flatten();
    let first = *points.next()?;
    Some(points.fold((first, first), |(min, max), point| {
        let [x, y] = *point;
        ([min[0].min(x), min[1].min(y)], [max[0].max(x), max[1].max(y)])
    }))
}

/// From one point to another.
pub(super) fn gap(from: [f64; 2], to: [f64; 2]) -> f64 {
    // Coordinates are far from where squares overflow, and `hypot` takes its time.
    let (x, y) = (to[0] - from[0], to[1] - from[1]);
    (x * x + y * y).sqrt()
}

/// Length of the way between strokes.
pub(super) fn travel(strokes: &[Stroke], start: [f64; 2]) -> f64 {
    let mut at = start;
    let mut length = 0.0;
    for stroke in strokes {
        if let [first, .., last] = stroke[..] {
            length += gap(at, first);
            at = last;
        }
    }
    length
}
