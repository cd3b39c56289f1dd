//! The size of a page, and how the coordinates in a frame become those around it.

use kurbo::Affine;
use roxmltree::Node;

use super::number::{Scanner, length};

/// Pixels, 96 to the inch, in millimetres.
pub(super) const PIXEL: f64 = 25.4 / 96.0;

/// A size that nothing drawn on paper has, in millimetres.
const LARGEST: f64 = 1e6;

/// What lengths in per cent are of where nothing else is said.
const NO_SIZE: [f64; 2] = [300.0, 150.0];

/// The page that the outermost `<svg>` describes.
pub(super) struct Page {
    /// In millimetres.
    pub(super) size: Option<[f64; 2]>,
    /// From the coordinates in it to millimetres from its upper left corner.
    pub(super) from_inside: Affine,
    /// What lengths in per cent are of.
    pub(super) viewport: [f64; 2],
    /// Its size is given in pixels, or not at all.
    pub(super) pixels: bool,
}

impl Page {
    pub(super) fn of(root: Node<'_, '_>) -> Self {
        let given = |name| {
            let text: &str = root.attribute(name)?;
            length(text, 1.0).filter(|length| !text.contains('%') && is_size(*length))
        };
        let (width, height) = (given("width"), given("height"));
        let view_box = view_box(root);
        let size = match (width, height, view_box) {
            (Some(width), Some(height), _) => Some([width, height]),
            (Some(width), None, Some([_, _, w, h])) => Some([width, width * h / w]),
            (None, Some(height), Some([_, _, w, h])) => Some([height * w / h, height]),
            (None, None, Some([_, _, w, h])) => Some([w, h]),
            _ => None,
        };
        let size = size.filter(|size| size.iter().all(|length| is_size(*length)));
        let inner = match (size, view_box) {
            (Some(size), Some(view_box)) => fit(root, view_box, size),
            _ => Affine::IDENTITY,
        };
        let physical = |name| {
            root.attribute(name).is_some_and(|text: &str| {
                ["mm", "cm", "in", "pt", "pc", "Q"].iter().any(|unit| text.trim().ends_with(unit))
            })
        };
        Self {
            size: size.map(|size| size.map(|length| (length * PIXEL * 1e6).round() / 1e6)),
            from_inside: Affine::scale(PIXEL) * inner,
            viewport: view_box.map(|[_, _, w, h]| [w, h]).or(size).unwrap_or(NO_SIZE),
            pixels: !physical("width") && !physical("height"),
        }
    }
}

fn is_size(length: f64) -> bool {
    length > 0.0 && length * PIXEL <= LARGEST
}

/// X, Y, width and height, which are more than nothing.
pub(super) fn view_box(node: Node<'_, '_>) -> Option<[f64; 4]> {
    let mut scanner = Scanner::new(node.attribute("viewBox")?);
    let mut numbers = [0.0; 4];
    for number in &mut numbers {
        *number = scanner.number()?;
    }
    (is_size(numbers[2]) && is_size(numbers[3])).then_some(numbers)
}

/// From the coordinates of a view box to those of a frame of that size (`preserveAspectRatio`).
pub(super) fn fit(node: Node<'_, '_>, view_box: [f64; 4], size: [f64; 2]) -> Affine {
    let [x, y, width, height] = view_box;
    let scale = [size[0] / width, size[1] / height];
    let mut words =
        node.attribute("preserveAspectRatio").unwrap_or_default().split_ascii_whitespace();
    let align = words.next().unwrap_or("xMidYMid");
    if align == "none" {
        return Affine::scale_non_uniform(scale[0], scale[1]) * Affine::translate((-x, -y));
    }
    let slice = words.next() == Some("slice");
    let one = if slice { scale[0].max(scale[1]) } else { scale[0].min(scale[1]) };
    let part = |small, large| {
        if align.contains(small) {
            0.0
        } else if align.contains(large) {
            1.0
        } else {
            0.5
        }
    };
    let left = (size[0] - width * one) * part("xMin", "xMax");
    let top = (size[1] - height * one) * part("YMin", "YMax");
    Affine::translate((left, top)) * Affine::scale(one) * Affine::translate((-x, -y))
}
