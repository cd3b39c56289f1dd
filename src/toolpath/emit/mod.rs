//! Drawings as programs. Each line that is written goes to the machine, so that lines can be counted
//! here as [`super::Splitter`] counts them.

mod gcode;
mod hpgl;

pub use gcode::gcode;
pub use hpgl::hpgl;
