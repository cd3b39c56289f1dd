//! The station: launch, wiring, signals, shutdown.
