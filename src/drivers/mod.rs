//! Machine protocols as sans-IO state machines: bytes and time in, bytes and events out.
