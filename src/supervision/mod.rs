//! Supervision of actix actors that survives panics, errors and hangs.
