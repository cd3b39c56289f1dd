//! SVG files as drawings: what a pen can follow of them.
//!
//! The XML tree is walked once, with the style of each element, and shapes are turned into lines on
//! the way. Every step counts against a budget, so that a small file that means a huge drawing
//! (`<use>` within `<use>`, curves of astronomical size) ends with an error.

mod colour;
mod colour_names;
mod css;
mod entities;
mod layers;
mod number;
mod page;
mod path;
mod pen;
mod read;
mod shapes;
mod style;
mod tally;
#[cfg(test)]
mod tests;
mod transform;
mod walk;

pub use read::{MAX_BYTES, SvgError, read};
