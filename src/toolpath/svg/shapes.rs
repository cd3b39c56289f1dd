//! Shapes other than paths.

use kurbo::{Arc, PathEl, Point, Rect, RoundedRect, RoundedRectRadii, Shape, Vec2};
use roxmltree::Node;

use super::{
    number::{Scanner, length},
    path,
    pen::Pen,
};

/// Follows a shape with the pen. `viewport` is what its lengths in per cent are of. `None` if the
/// element is no shape, false if it has an error.
pub(super) fn follow(node: Node<'_, '_>, viewport: [f64; 2], pen: &mut Pen) -> Option<bool> {
    let shape = Given { node, viewport };
    match node.tag_name().name() {
        "path" => Some(path::follow(node.attribute("d").unwrap_or_default(), pen)),
        "rect" => Some(shape.rectangle(pen)),
        "circle" => {
            let radius = shape.diagonal("r");
            Some(shape.ellipse([radius, radius], pen))
        }
        "ellipse" => {
            let radii = [shape.x("rx"), shape.y("ry")];
            // One alone holds for both.
            let other = |index: usize| radii[index].or(radii[1 - index]);
            Some(shape.ellipse([other(0), other(1)], pen))
        }
        "line" => {
            let from = (shape.x("x1").unwrap_or(0.0), shape.y("y1").unwrap_or(0.0));
            let to = (shape.x("x2").unwrap_or(0.0), shape.y("y2").unwrap_or(0.0));
            pen.add(PathEl::MoveTo(from.into()));
            pen.add(PathEl::LineTo(to.into()));
            Some(true)
        }
        "polyline" => Some(polygon(node, false, pen)),
        "polygon" => Some(polygon(node, true, pen)),
        _ => None,
    }
}

struct Given<'a, 'input> {
    node: Node<'a, 'input>,
    viewport: [f64; 2],
}

impl Given<'_, '_> {
    fn x(&self, name: &str) -> Option<f64> {
        length(self.node.attribute(name)?, self.viewport[0])
    }

    fn y(&self, name: &str) -> Option<f64> {
        length(self.node.attribute(name)?, self.viewport[1])
    }

    fn diagonal(&self, name: &str) -> Option<f64> {
        let [width, height] = self.viewport;
        length(self.node.attribute(name)?, width.hypot(height) / std::f64::consts::SQRT_2)
    }

    fn rectangle(&self, pen: &mut Pen) -> bool {
        let (width, height) = (self.x("width").unwrap_or(0.0), self.y("height").unwrap_or(0.0));
        if width <= 0.0 || height <= 0.0 {
            return width == 0.0 || height == 0.0;
        }
        let (x, y) = (self.x("x").unwrap_or(0.0), self.y("y").unwrap_or(0.0));
        let positive = |radius: &f64| *radius >= 0.0;
        let (rx, ry) = (self.x("rx").filter(positive), self.y("ry").filter(positive));
        let radii =
            [rx.or(ry).unwrap_or(0.0).min(width / 2.0), ry.or(rx).unwrap_or(0.0).min(height / 2.0)];
        let rect = Rect::new(x, y, x + width, y + height);
        if radii[0] <= 0.0 || radii[1] <= 0.0 {
            rect.path_elements(1.0).for_each(|element| pen.add(element));
            return true;
        }
        // Beyond these, nothing is drawn on a page, and corners cannot be told from lines.
        let flat = radii[0] / radii[1];
        if !(1e-6..=1e6).contains(&flat) || width.hypot(height) > 1e9 {
            rect.path_elements(1.0).for_each(|element| pen.add(element));
            return true;
        }
        // Round in a space in which the corners are circles.
        let stretch = radii[1] / radii[0];
        let rect = Rect::new(x, y / stretch, x + width, (y + height) / stretch);
        let rounded = RoundedRect::from_rect(rect, RoundedRectRadii::from_single_radius(radii[0]));
        let back = kurbo::Affine::scale_non_uniform(1.0, stretch);
        let tolerance = pen.arc_tolerance(radii[0].max(radii[1])) / stretch.max(1.0);
        rounded.path_elements(tolerance).for_each(|element| pen.add(back * element));
        true
    }

    fn ellipse(&self, radii: [Option<f64>; 2], pen: &mut Pen) -> bool {
        let radii = Vec2::new(radii[0].unwrap_or(0.0), radii[1].unwrap_or(0.0));
        if radii.x <= 0.0 || radii.y <= 0.0 {
            return radii.x == 0.0 || radii.y == 0.0;
        }
        let centre = Point::new(self.x("cx").unwrap_or(0.0), self.y("cy").unwrap_or(0.0));
        if radii.hypot() > 1e9 {
            return false;
        }
        let arc = Arc::new(centre, radii, 0.0, std::f64::consts::TAU, 0.0);
        pen.add(PathEl::MoveTo(centre + Vec2::new(radii.x, 0.0)));
        arc.append_iter(pen.arc_tolerance(radii.hypot())).for_each(|element| pen.add(element));
        pen.add(PathEl::ClosePath);
        true
    }
}

fn polygon(node: Node<'_, '_>, closed: bool, pen: &mut Pen) -> bool {
    let mut scanner = Scanner::new(node.attribute("points").unwrap_or_default());
    let mut first = true;
    while scanner.peek().is_some() {
        let (Some(x), Some(y)) = (scanner.number(), scanner.number()) else { return false };
        let point = Point::new(x, y);
        pen.add(if std::mem::take(&mut first) {
            PathEl::MoveTo(point)
        } else {
            PathEl::LineTo(point)
        });
    }
    if closed {
        pen.add(PathEl::ClosePath);
    }
    true
}
