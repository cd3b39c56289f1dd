//! Real actors on real threads that panic, fail, hang and quit; and the pure parts, exactly.

mod support;
