//! How an element looks, as far as it matters to a pen.

use kurbo::Affine;
use roxmltree::Node;

use super::{
    colour::{Paint, Rgb},
    css::{Sheet, declarations},
    number::{length, share},
    transform::transform,
};

macro_rules! properties {
    ($($variant:ident $name:literal,)*) => {
        /// A property that matters to a pen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Property { $($variant,)* }

        impl Property {
            const COUNT: usize = [$(Self::$variant),*].len();

            /// The property of that name, if it matters.
            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

properties! {
    Display "display",
    Visibility "visibility",
    Color "color",
    Fill "fill",
    FillOpacity "fill-opacity",
    Stroke "stroke",
    StrokeOpacity "stroke-opacity",
    StrokeWidth "stroke-width",
    StrokeDasharray "stroke-dasharray",
    Opacity "opacity",
    Transform "transform",
    ClipPath "clip-path",
    Mask "mask",
    Filter "filter",
    Marker "marker",
    MarkerStart "marker-start",
    MarkerMid "marker-mid",
    MarkerEnd "marker-end",
}

/// What an element itself says.
pub(super) struct Said<'a>([Option<&'a str>; Property::COUNT]);

impl<'a> Said<'a> {
    /// Attributes, then style sheets, then the `style` attribute; what is important wins over all.
    pub(super) fn by(node: Node<'a, '_>, sheet: &Sheet<'a>, tried: &mut usize) -> Self {
        let mut said = Self([None; Property::COUNT]);
        let mut style = "";
        for attribute in node.attributes().filter(|it| it.namespace().is_none()) {
            if attribute.name() == "style" {
                style = attribute.value();
            } else if let Some(property) = Property::named(attribute.name()) {
                said.0[property as usize] = Some(attribute.value().trim());
            }
        }
        let sheet = sheet.matching(node, tried);
        for important in [false, true] {
            let all = sheet.iter().copied().chain(declarations(style));
            for it in all.filter(|it| it.important == important) {
                said.0[it.property as usize] = Some(it.value);
            }
        }
        said
    }

    fn of(&self, property: Property) -> Option<&'a str> {
        self.0[property as usize]
    }

    /// Neither it nor anything in it is shown.
    pub(super) fn is_hidden(&self) -> bool {
        self.of(Property::Display) == Some("none")
            || self.of(Property::Opacity).and_then(share).is_some_and(|opacity| opacity <= 0.0)
    }

    pub(super) fn transform(&self) -> Option<Affine> {
        self.of(Property::Transform).and_then(transform)
    }

    /// True if it asks for any of these.
    pub(super) fn asks_for(&self, properties: &[Property]) -> bool {
        properties.iter().any(|it| self.of(*it).is_some_and(|text| !matches!(text, "none" | "")))
    }
}

/// How an element looks, itself and by those it is in.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(super) struct Look {
    fill: Paint,
    fill_seen: bool,
    stroke: Paint,
    stroke_seen: bool,
    colour: Rgb,
    pub(super) visible: bool,
    pub(super) dashed: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            fill: Paint::Colour([0; 3]),
            fill_seen: true,
            stroke: Paint::None,
            stroke_seen: true,
            colour: [0; 3],
            visible: true,
            dashed: false,
        }
    }
}

/// What a pen makes of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Nothing of it is seen.
    None,
    /// Its line is seen.
    Line(Option<Rgb>),
    /// Only its inside is seen.
    Area(Option<Rgb>),
}

impl Look {
    /// How an element in this one looks that says this.
    pub(super) fn with(mut self, said: &Said<'_>) -> Self {
        let paint = |property, now| said.of(property).and_then(Paint::of).unwrap_or(now);
        self.fill = paint(Property::Fill, self.fill);
        self.stroke = paint(Property::Stroke, self.stroke);
        if let Some(Paint::Colour(colour)) = said.of(Property::Color).and_then(Paint::of) {
            self.colour = colour;
        }
        let seen = |property, now| {
            said.of(property).and_then(|text| length(text, 1.0)).map_or(now, |value| value > 0.0)
        };
        self.fill_seen = seen(Property::FillOpacity, self.fill_seen);
        self.stroke_seen = seen(Property::StrokeOpacity, self.stroke_seen);
        self.stroke_seen = seen(Property::StrokeWidth, self.stroke_seen);
        match said.of(Property::Visibility) {
            Some("visible") => self.visible = true,
            Some("hidden" | "collapse") => self.visible = false,
            _ => {}
        }
        match said.of(Property::StrokeDasharray) {
            None | Some("inherit") => {}
            Some(text) => self.dashed = text.bytes().any(|byte| matches!(byte, b'1'..=b'9')),
        }
        self
    }

    pub(super) fn ink(&self) -> Ink {
        let painted = |paint| match paint {
            Paint::None => None,
            Paint::Colour(colour) => Some(Some(colour)),
            Paint::Current => Some(Some(self.colour)),
            Paint::Other => Some(None),
        };
        let stroke = painted(self.stroke).filter(|_| self.stroke_seen);
        let fill = painted(self.fill).filter(|_| self.fill_seen);
        match (stroke, fill) {
            (Some(colour), _) => Ink::Line(colour),
            (None, Some(colour)) => Ink::Area(colour),
            (None, None) => Ink::None,
        }
    }
}
