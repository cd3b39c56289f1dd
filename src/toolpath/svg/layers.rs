//! Which strokes are drawn with which pen.

use std::collections::HashMap;

use roxmltree::Node;

use super::{
    super::drawing::{Layer, Stroke},
    colour::Rgb,
};

const INKSCAPE: &str = "http://www.inkscape.org/namespaces/inkscape";

/// Nobody changes pens more often than that; further layers are the last one.
const MOST_LAYERS: usize = 256;

/// A layer that a drawing program made, while the tree is walked: its number.
pub(super) type Group = usize;

/// Collects strokes into layers: those of the drawing program if it made any, else one for each
/// colour.
#[derive(Default)]
pub(super) struct Layers {
    found: Vec<Found>,
    by_group: HashMap<Option<Group>, usize>,
    by_colour: HashMap<Option<Rgb>, usize>,
    names: Vec<String>,
    grouped: bool,
}

struct Found {
    name: String,
    colour: Option<Rgb>,
    /// False once a second colour came.
    one_colour: bool,
    strokes: Vec<Stroke>,
}

/// True if the element is a layer.
pub(super) fn is_layer(node: Node<'_, '_>) -> bool {
    node.attribute((INKSCAPE, "groupmode")) == Some("layer")
}

/// True if the layer is only for people: drawing programs for plotters have it that one whose name
/// begins with `%` is not drawn.
pub(super) fn is_note(node: Node<'_, '_>) -> bool {
    node.attribute((INKSCAPE, "label")).is_some_and(|label| label.trim_start().starts_with('%'))
}

impl Layers {
    /// `grouped`: the file has layers of its own.
    pub(super) fn new(grouped: bool) -> Self {
        Self { grouped, ..Self::default() }
    }

    /// A layer begins.
    pub(super) fn enter(&mut self, node: Node<'_, '_>) -> Group {
        let label = node.attribute((INKSCAPE, "label")).or_else(|| node.attribute("id"));
        let name = match label.map(str::trim) {
            Some(label) if !label.is_empty() => short(label),
            _ => format!("layer {}", self.names.len() + 1),
        };
        self.names.push(name);
        self.names.len() - 1
    }

    pub(super) fn add(&mut self, group: Option<Group>, colour: Option<Rgb>, strokes: Vec<Stroke>) {
        let count = self.found.len();
        let next = count.min(MOST_LAYERS - 1);
        let index = if self.grouped {
            *self.by_group.entry(group).or_insert(next)
        } else {
            *self.by_colour.entry(colour).or_insert(next)
        };
        if index == count {
            let name = match (self.grouped, group, colour) {
                _ if count == MOST_LAYERS - 1 => "all others".to_owned(),
                (true, Some(group), _) => self.names[group].clone(),
                (true, None, _) => "outside of layers".to_owned(),
                (false, _, Some(colour)) => hex(colour),
                (false, _, None) => "no colour".to_owned(),
            };
            self.found.push(Found { name, colour, one_colour: true, strokes: Vec::new() });
        }
        let layer = &mut self.found[index];
        layer.one_colour &= layer.colour == colour;
        layer.strokes.extend(strokes);
    }

    pub(super) fn end(self) -> Vec<Layer> {
        let layer = |found: Found| Layer {
            // As drawing programs for such plotters have it: a layer of that name waits for a person.
            stop: found.name.starts_with('!'),
            name: found.name,
            colour: found.colour.filter(|_| found.one_colour).map(hex),
            strokes: found.strokes,
        };
        self.found.into_iter().map(layer).collect()
    }
}

/// No control characters, and not longer than can be shown.
fn short(label: &str) -> String {
    label.chars().map(|char| if char.is_control() { ' ' } else { char }).take(100).collect()
}

fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}
