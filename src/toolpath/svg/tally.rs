//! What a drawing leaves out of its file, counted.

use std::collections::BTreeMap;

/// Why something is not drawn, or not as it is shown elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    Text,
    Image,
    Foreign,
    Marker,
    Clip,
    Mask,
    Filter,
    Dash,
    Unseen,
    Background,
    Astray,
    Broken,
    Link,
    Circle,
    Deep,
    Outside,
    NoSize,
    Pixels,
}

#[derive(Default)]
pub(super) struct Tally(BTreeMap<Left, usize>);

impl Tally {
    pub(super) fn count(&mut self, what: Left) {
        *self.0.entry(what).or_default() += 1;
    }

    /// A sentence each.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.0.iter().map(|(what, count)| sentence(*what, *count)).collect()
    }
}

fn sentence(what: Left, count: usize) -> String {
    let of = |one: &str, many: &str| {
        if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
    };
    match what {
        Left::Text => format!(
            "{} left out: text is drawn only once it is converted to paths",
            of("text is", "texts are")
        ),
        Left::Image => format!("{} left out", of("image is", "images are")),
        Left::Foreign => {
            format!("{} that is not SVG left out", of("element", "elements"))
        }
        Left::Marker => {
            format!("the markers of {} left out", of("shape are", "shapes are"))
        }
        Left::Clip => format!("{} drawn without being clipped", of("element is", "elements are")),
        Left::Mask => format!("{} drawn without its mask", of("element is", "elements are")),
        Left::Filter => format!("{} drawn without its filter", of("element is", "elements are")),
        Left::Dash => format!("{} drawn without gaps", of("dashed shape is", "dashed shapes are")),
        Left::Unseen => {
            format!("{} left out, having neither stroke nor fill", of("shape is", "shapes are"))
        }
        Left::Background => {
            format!("{} left out that only colours the page", of("shape is", "shapes are"))
        }
        Left::Astray => {
            format!(
                "{} left out that leads more than a kilometre away",
                of("shape is", "shapes are")
            )
        }
        Left::Broken => format!("{} drawn only up to an error", of("shape is", "shapes are")),
        Left::Link => format!("{} to what does not exist", of("<use> links", "<use> link")),
        Left::Circle => format!("{} to itself", of("<use> links", "<use> link")),
        Left::Deep => format!("{} left out, nested too deeply", of("element is", "elements are")),
        Left::Outside => format!("{} beyond the page", of("line goes", "lines go")),
        Left::NoSize => {
            "the page has no size: it is taken to be as large as its content".to_owned()
        }
        Left::Pixels => "sizes are in pixels: 96 of them are taken as an inch".to_owned(),
    }
}
