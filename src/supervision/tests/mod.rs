//! Real actors on real threads that panic, fail, hang and quit; and the pure parts, exactly.

mod aborts;
mod bomb;
mod demo;
mod ends;
mod facts;
#[cfg(feature = "faults")]
mod faults;
mod hangs;
mod laws;
mod needs;
mod order;
mod others;
mod panics;
mod schedule;
mod shared;
mod shutdown;
mod support;
mod table;
