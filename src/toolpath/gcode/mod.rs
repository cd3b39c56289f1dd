//! G-code: words, modal state, segments. Tolerant of spelling: lower case, no blanks, line numbers.
//!
//! What a line means is for the firmware to say: to GRBL all of its words belong together, to Marlin
//! it is one command with parameters. Bounds, pictures, times, stops, denied commands and plans to go
//! on all come from this one reading.

mod arc;
mod codes;
mod command;
mod comment;
mod curve;
mod filament;
mod grbl;
mod groups;
mod interpreter;
mod marlin;
mod modal;
mod motion;
mod segment;
mod words;

pub use arc::Arc;
pub(super) use command::Command;
pub(super) use filament::Filament;
pub use interpreter::Interpreter;
pub use modal::Spindle;
pub(super) use modal::{Anchor, Modal, Motion};
pub use segment::Segment;
pub use words::{NotAWord, Words};
