//! G-code: words, modal state, segments. Tolerant of dialects: lower case, no blanks, line numbers.

mod arc;
mod codes;
mod comment;
mod filament;
mod modal;
mod motion;
mod segment;
mod words;

pub use arc::Arc;
pub(super) use modal::{Anchor, Modal, Motion};
pub use modal::{Interpreter, Spindle};
pub use segment::Segment;
pub use words::{NotAWord, Words};
