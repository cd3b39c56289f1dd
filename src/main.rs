//! The `stationd` program.

fn main() {}
