//! The same protocols from the machine's side: simulated firmware, sans-IO.

mod drawing;
mod faults;

pub use drawing::{Drawing, Move};
pub use faults::Faults;
