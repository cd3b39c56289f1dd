//! Tests of drivers that are not one driver's own.

pub(in crate::drivers) mod bench;
mod conformance;
