//! HPGL as pen plotters, cutters and drawing programs write it (HP 7475A Interfacing and Programming
//! Manual, 1983; HP-GL/2 where programs use it too).

mod holder;
mod modal;
mod read;
mod split;
mod wrong;

pub use holder::Holder;
pub use modal::Interpreter;
pub use read::{HpglError, read};
pub use split::{MAX_PAIRS, Splitter};

/// Plotter units in a millimetre.
pub const UNITS_PER_MM: f64 = 40.0;
