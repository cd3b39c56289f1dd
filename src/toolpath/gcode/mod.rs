//! G-code: words, modal state, segments. Tolerant of dialects: lower case, no blanks, line numbers.

mod arc;
mod modal;
mod words;

pub use arc::Arc;
pub use modal::{Interpreter, Line, RAPID_MM_PER_MINUTE, Segment};
pub use words::{NotAWord, Words};
