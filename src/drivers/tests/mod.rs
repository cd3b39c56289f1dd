//! What holds for every driver: each against the simulated firmware of its machine.

pub(super) mod bench;
