//! What is to be drawn: strokes of pens.

/// Strokes in millimetres, X to the right, Y up, the origin in the lower left corner.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawing {
    /// One after the other, a pen each.
    pub layers: Vec<Layer>,
    /// Width and height of the sheet.
    pub size: [f64; 2],
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// What one pen draws.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    /// What it is called.
    pub name: String,
    /// Its colour, as the file names it.
    pub colour: Option<String>,
    /// Lines from point to point with the pen down.
    pub strokes: Vec<Vec<[f64; 2]>>,
}
