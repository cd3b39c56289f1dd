//! The way through a file as a whole.

use std::io::Read as _;

use kurbo::Affine;
use roxmltree::{Document, Node, ParsingOptions};
use thiserror::Error;

use super::{
    super::drawing::Drawing,
    css::Sheet,
    entities,
    layers::{Layers, is_layer},
    page::Page,
    pen::Pen,
    style::{Look, Said},
    tally::{Left, Tally},
    walk::{Around, Walk, is_svg},
};

/// The largest SVG file that is read, in bytes, also after it has been decompressed.
pub const MAX_BYTES: usize = 64 << 20;

/// Elements, texts and comments of a file.
const MAX_NODES: u32 = 2_000_000;

/// A line may be off by at least that many millimetres: no machine draws finer.
const FINEST: f64 = 1e-3;

/// Why a file could not be read.
#[derive(Debug, Error)]
pub enum SvgError {
    /// More than [`MAX_BYTES`].
    #[error("the SVG file has more than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    /// Neither UTF-8 nor UTF-16 with a byte order mark.
    #[error("the SVG file is not in UTF-8")]
    NotText,
    /// Compressed (`.svgz`), and broken.
    #[error("the compressed SVG file is broken")]
    NotGzip,
    /// It is not XML.
    #[error("the SVG file cannot be read: {0}")]
    Xml(#[from] roxmltree::Error),
    /// XML, but something else.
    #[error("the file is not SVG: it begins with <{0}>")]
    NotSvg(String),
    /// A drawing without measure.
    #[error("the SVG file draws too much: more than 4 million points or 2 million elements")]
    TooMuch,
}

/// Reads an SVG file; curves become straight pieces that are nowhere further than `tolerance_mm`
/// from them. Work and memory stay within limits whatever the file says.
pub fn read(bytes: &[u8], tolerance_mm: f64) -> Result<Drawing, SvgError> {
    let text = text(bytes)?;
    if !entities::are_harmless(&text) {
        return Err(SvgError::TooMuch);
    }
    // The DTD of older files names the namespaces of Illustrator.
    let options =
        ParsingOptions { allow_dtd: true, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&text, options)?;
    let root = document.root_element();
    if root.tag_name().name() != "svg" || !is_svg(root) {
        return Err(SvgError::NotSvg(root.tag_name().name().chars().take(40).collect()));
    }
    drawing(&document, root, tolerance_mm.max(FINEST))
}

fn drawing(
    document: &Document<'_>,
    root: Node<'_, '_>,
    tolerance: f64,
) -> Result<Drawing, SvgError> {
    let page = Page::of(root);
    let (mut ids, mut sheet, mut grouped) =
        (std::collections::HashMap::new(), Sheet::default(), false);
    for node in document.descendants().filter(Node::is_element) {
        if let Some(id) = node.attribute("id") {
            ids.entry(id).or_insert(node);
        }
        if node.tag_name().name() == "style" && is_svg(node) {
            node.children().filter_map(|text| text.text()).for_each(|text| sheet.add(text));
        }
        grouped |= is_layer(node);
    }
    let mut steps = 0;
    let said = Said::by(root, &sheet, &mut steps);
    let mut walk = Walk {
        ids,
        sheet,
        pen: Pen::new(tolerance),
        layers: Layers::new(grouped),
        tally: Tally::default(),
        size: page.size,
        steps,
        using: Vec::new(),
    };
    let around = Around {
        to_page: page.from_inside * said.transform().unwrap_or(Affine::IDENTITY),
        look: Look::default().with(&said),
        group: None,
        viewport: page.viewport,
        depth: 0,
    };
    if !said.is_hidden() {
        walk.children(root, &around)?;
    }
    Ok(upright(walk.layers, walk.tally, &page))
}

/// Y points down in SVG and up here.
fn upright(layers: Layers, mut tally: Tally, page: &Page) -> Drawing {
    let mut drawing = Drawing { layers: layers.end(), size: page.size, ..Drawing::default() };
    let bounds = drawing.bounds();
    let height = match (page.size, bounds) {
        (Some(size), _) => size[1],
        (None, Some((_, max))) => max[1],
        (None, None) => 0.0,
    };
    for stroke in drawing.layers.iter_mut().flat_map(|layer| &mut layer.strokes) {
        for point in stroke.iter_mut() {
            point[1] = height - point[1];
        }
        if let Some(size) = page.size {
            let within =
                |it: &[f64; 2]| (0..2).all(|axis| (-0.01..=size[axis] + 0.01).contains(&it[axis]));
            if !stroke.iter().all(within) {
                tally.count(Left::Outside);
            }
        }
    }
    if page.size.is_none() {
        tally.count(Left::NoSize);
        if let Some((min, _)) = bounds {
            drawing.shift([-min[0], 0.0]);
        }
    }
    if page.pixels {
        tally.count(Left::Pixels);
    }
    drawing.warnings = tally.warnings();
    drawing
}

fn text(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, SvgError> {
    use std::borrow::Cow;
    if bytes.len() > MAX_BYTES {
        return Err(SvgError::TooLarge);
    }
    let utf16 = |of: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).skip(1).map(|pair| of([pair[0], pair[1]]));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.map(Cow::Owned).map_err(|_| SvgError::NotText)
    };
    match bytes {
        [0x1f, 0x8b, ..] => {
            let mut text = String::new();
            let decoder = flate2::read::GzDecoder::new(bytes);
            let length = decoder.take(MAX_BYTES as u64 + 1).read_to_string(&mut text);
            match length {
                Ok(length) if length <= MAX_BYTES => Ok(Cow::Owned(text)),
                Ok(_) => Err(SvgError::TooLarge),
                Err(_) => Err(SvgError::NotGzip),
            }
        }
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        _ => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| SvgError::NotText),
    }
}
