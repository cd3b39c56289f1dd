//! Going on with a file that was interrupted, honestly: what is certain, what is done again, and
//! why one should or should not trust the machine.
//!
//! ```text
//!   lines   1 … C          C+1 …                D …
//!           executed for   perhaps executed,    first line that works and is not certain
//!           certain        partly or not
//!                    ^ re-entry: the tool is up, after the last stroke that is done for certain
//!                      and before the stroke of D
//! ```
//! So no stroke that is certainly done is done again, and none is left out; only the stroke that was
//! under way is drawn from its beginning. Lines between C and D that only travel or set modes are
//! skipped; D is also the first line of which that is not sure: a stop for a person, a machine command,
//! a pen that is put down. Where there is no D, it goes on after C.
//!
//! The rules of the re-entry, in this order. The tool comes off first: `M5`, and where the file moves
//! Z, up to the highest Z that it has travelled at. Then units, modes and coordinate system are set,
//! G92 offsets are cleared, and the machine travels to the place in absolute coordinates. A spindle
//! of a file that moves Z starts up there and is given two seconds, before the tool goes down to
//! where it was; in a file without Z the spindle words are a pen or a laser and are restored last,
//! without a wait. In the end offsets and modes are as the file left them.
//!
//! A printer is warmed before anything moves, to what the file had set, and its filament is counted on
//! from where the file had it.

mod plan;
mod plotters;
mod preamble;
mod printer;
mod reached;
mod scan;
#[cfg(test)]
mod tests;
mod trifle;
mod words;

pub use plan::{Confidence, Facts, ResumeError, ResumePlan, Trust, plan_resume};
pub use reached::{Stood, reached};
