//! From the elements of a file to strokes.

use std::collections::HashMap;

use kurbo::Affine;
use roxmltree::{Node, NodeId};

use super::{
    css::Sheet,
    layers::{Group, Layers, is_layer, is_note},
    number::length,
    page::{fit, view_box},
    pen::Pen,
    read::SvgError,
    shapes,
    style::{Ink, Look, Property, Said},
    tally::{Left, Tally},
};

pub(super) const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";

/// Elements looked at, and rules of style sheets tried on them.
pub(super) const MAX_STEPS: usize = 2_000_000;
/// What following a link counts as.
const USE_STEPS: usize = 10;
/// Elements in elements, those that are linked included.
const MAX_DEPTH: usize = 200;

/// What holds for an element by those around it.
#[derive(Clone, Copy)]
pub(super) struct Around {
    pub(super) to_page: Affine,
    pub(super) look: Look,
    pub(super) group: Option<Group>,
    /// What lengths in per cent are of.
    pub(super) viewport: [f64; 2],
    pub(super) depth: usize,
}

/// The walk over a file.
pub(super) struct Walk<'a, 'input> {
    pub(super) ids: HashMap<&'a str, Node<'a, 'input>>,
    pub(super) sheet: Sheet<'a>,
    pub(super) pen: Pen,
    pub(super) layers: Layers,
    pub(super) tally: Tally,
    /// Width and height of the page in millimetres.
    pub(super) size: Option<[f64; 2]>,
    pub(super) steps: usize,
    /// The `<use>` that are being followed.
    pub(super) using: Vec<NodeId>,
}

impl<'a, 'input: 'a> Walk<'a, 'input> {
    /// The elements in an element.
    pub(super) fn children(
        &mut self,
        of: Node<'a, 'input>,
        around: &Around,
    ) -> Result<(), SvgError> {
        of.children().filter(Node::is_element).try_for_each(|child| self.element(child, around))
    }

    fn element(&mut self, node: Node<'a, 'input>, around: &Around) -> Result<(), SvgError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(SvgError::TooMuch);
        }
        if !is_svg(node) || is_definition(node.tag_name().name()) {
            return Ok(());
        }
        let said = Said::by(node, &self.sheet, &mut self.steps);
        if said.is_hidden() {
            return Ok(());
        }
        if around.depth >= MAX_DEPTH {
            self.tally.count(Left::Deep);
            return Ok(());
        }
        let mut inner =
            Around { depth: around.depth + 1, look: around.look.with(&said), ..*around };
        if let Some(transform) = said.transform() {
            inner.to_page *= transform;
        }
        self.effects(&said);
        match node.tag_name().name() {
            "g" | "a" => {
                if around.group.is_none() && is_layer(node) {
                    if is_note(node) {
                        return Ok(());
                    }
                    inner.group = Some(self.layers.enter(node));
                }
                self.children(node, &inner)
            }
            "svg" => self.frame(node, &inner, None),
            "switch" => match node.children().find(|child| is_choice(*child)) {
                Some(child) => self.element(child, &inner),
                None => Ok(()),
            },
            "use" => self.follow_use(node, &inner),
            name => {
                match undrawn(name) {
                    Some(left) => self.tally.count(left),
                    None => self.shape(node, &said, &inner),
                }
                if self.pen.is_full() { Err(SvgError::TooMuch) } else { Ok(()) }
            }
        }
    }

    fn effects(&mut self, said: &Said<'_>) {
        let all = [
            (Property::ClipPath, Left::Clip),
            (Property::Mask, Left::Mask),
            (Property::Filter, Left::Filter),
        ];
        for (property, left) in all {
            if said.asks_for(&[property]) {
                self.tally.count(left);
            }
        }
    }

    fn shape(&mut self, node: Node<'_, '_>, said: &Said<'_>, around: &Around) {
        if !around.look.visible {
            return;
        }
        let ink = around.look.ink();
        self.pen.begin(around.to_page);
        let Some(whole) = shapes::follow(node, around.viewport, &mut self.pen) else { return };
        let colour = match ink {
            Ink::None => return self.tally.count(Left::Unseen),
            Ink::Line(colour) | Ink::Area(colour) => colour,
        };
        let Some(strokes) = self.pen.end() else { return self.tally.count(Left::Astray) };
        if !whole {
            self.tally.count(Left::Broken);
        }
        if strokes.is_empty() {
            return;
        }
        if let (Ink::Area(_), Some(size), [only]) = (ink, self.size, &strokes[..])
            && is_page(only, size)
        {
            return self.tally.count(Left::Background);
        }
        if matches!(ink, Ink::Line(_)) && around.look.dashed {
            self.tally.count(Left::Dash);
        }
        let markers =
            [Property::Marker, Property::MarkerStart, Property::MarkerMid, Property::MarkerEnd];
        if said.asks_for(&markers) {
            self.tally.count(Left::Marker);
        }
        self.layers.add(around.group, colour, strokes);
    }

    fn follow_use(&mut self, node: Node<'a, 'input>, around: &Around) -> Result<(), SvgError> {
        let link = node.attribute("href").or_else(|| node.attribute((XLINK, "href")));
        let id = link.and_then(|link| link.trim().strip_prefix('#'));
        let Some(target) = id.and_then(|id| self.ids.get(id)).copied() else {
            self.tally.count(Left::Link);
            return Ok(());
        };
        if self.using.contains(&target.id()) || node.ancestors().any(|above| above == target) {
            self.tally.count(Left::Circle);
            return Ok(());
        }
        let [width, height] = around.viewport;
        let given = |name, whole| node.attribute(name).and_then(|text| length(text, whole));
        let (x, y) = (given("x", width).unwrap_or(0.0), given("y", height).unwrap_or(0.0));
        let mut inner = *around;
        inner.to_page *= Affine::translate((x, y));
        let frame = [given("width", width), given("height", height)];
        // A small file can link very often to very much.
        self.steps += USE_STEPS;
        self.using.push(target.id());
        let done = match target.tag_name().name() {
            "symbol" => {
                let said = Said::by(target, &self.sheet, &mut self.steps);
                inner.look = inner.look.with(&said);
                inner.depth += 1;
                if let Some(transform) = said.transform() {
                    inner.to_page *= transform;
                }
                if said.is_hidden() || inner.depth >= MAX_DEPTH {
                    Ok(())
                } else {
                    self.frame(target, &inner, Some(frame))
                }
            }
            "svg" => {
                inner.depth += 1;
                if inner.depth < MAX_DEPTH {
                    self.frame(target, &inner, Some(frame))
                } else {
                    Ok(())
                }
            }
            _ => self.element(target, &inner),
        };
        self.using.pop();
        done
    }

    /// An inner `<svg>` or a `<symbol>`: coordinates of its own. What reaches out of it is drawn
    /// nevertheless.
    fn frame(
        &mut self,
        node: Node<'a, 'input>,
        around: &Around,
        size: Option<[Option<f64>; 2]>,
    ) -> Result<(), SvgError> {
        let [width, height] = around.viewport;
        let given = |name, whole| node.attribute(name).and_then(|text| length(text, whole));
        let size = size.unwrap_or_default();
        let size = [
            size[0].or_else(|| given("width", width)).unwrap_or(width),
            size[1].or_else(|| given("height", height)).unwrap_or(height),
        ];
        if size[0] <= 0.0 || size[1] <= 0.0 {
            return Ok(());
        }
        let mut inner = *around;
        let (x, y) = (given("x", width).unwrap_or(0.0), given("y", height).unwrap_or(0.0));
        inner.to_page *= Affine::translate((x, y));
        inner.viewport = size;
        if let Some(view_box) = view_box(node) {
            inner.to_page *= fit(node, view_box, size);
            inner.viewport = [view_box[2], view_box[3]];
        }
        self.children(node, &inner)
    }
}

/// An element of SVG; files without any namespace are read too.
pub(super) fn is_svg(node: Node<'_, '_>) -> bool {
    matches!(node.tag_name().namespace(), Some(SVG) | None)
}

/// Elements that show something which is no line.
fn undrawn(name: &str) -> Option<Left> {
    match name {
        "text" | "flowRoot" => Some(Left::Text),
        "image" => Some(Left::Image),
        "foreignObject" => Some(Left::Foreign),
        _ => None,
    }
}

/// Elements that are drawn only where others link to them, or never.
fn is_definition(name: &str) -> bool {
    matches!(
        name,
        "defs"
            | "symbol"
            | "clipPath"
            | "mask"
            | "marker"
            | "pattern"
            | "linearGradient"
            | "radialGradient"
            | "filter"
            | "style"
            | "script"
            | "metadata"
            | "title"
            | "desc"
    )
}

/// The first of a `<switch>` that asks for nothing special.
fn is_choice(node: Node<'_, '_>) -> bool {
    node.is_element()
        && is_svg(node)
        && node.tag_name().name() != "foreignObject"
        && node.attribute("requiredExtensions").is_none_or(str::is_empty)
        && node.attribute("systemLanguage").is_none_or(|languages| {
            languages.split(',').any(|language| language.trim().starts_with("en"))
        })
}

/// True if a line goes around the whole page: a colour behind everything.
fn is_page(stroke: &[[f64; 2]], size: [f64; 2]) -> bool {
    let is = |value: f64, border: f64| (value - border).abs() < 0.1;
    let on_border = |point: &[f64; 2]| {
        (is(point[0], 0.0) || is(point[0], size[0])) && (is(point[1], 0.0) || is(point[1], size[1]))
    };
    let reaches = |x: f64, y: f64| stroke.iter().any(|it| is(it[0], x) && is(it[1], y));
    stroke.len() <= 6
        && stroke.iter().all(on_border)
        && reaches(0.0, 0.0)
        && reaches(size[0], size[1])
        && reaches(size[0], 0.0)
        && reaches(0.0, size[1])
}
