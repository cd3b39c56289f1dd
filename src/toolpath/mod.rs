//! What a file makes a machine do: moves, bounds, estimates, previews.
//!
//! A file passes once, in constant memory: [`Splitter`] cuts it into the lines that go to the
//! machine (drivers use the same one, so counts always agree), [`gcode`] follows the modal state and
//! turns lines into segments, and [`analyse`] and [`preview`] sum those up.

mod analyse;
mod drawing;
pub mod ebb;
mod estimate;
pub mod gcode;
mod kind;
pub mod plan;
mod preview;
mod split;

pub use analyse::analyse;
pub use drawing::{Drawing, Layer};
pub use estimate::Estimate;
pub use kind::FileKind;
pub use preview::{Preview, preview};
pub use split::{Dialect, MAX_RAW_LINE, Next, Splitter};
