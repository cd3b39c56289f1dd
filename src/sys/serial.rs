//! Serial ports as plain descriptors.

use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use serialport::TTYPort;

/// Takes the descriptor out of a configured port, with the locks that are on it: the port's own
/// reads and writes wait, and a link must never wait.
pub fn into_fd(port: TTYPort) -> OwnedFd {
    #[expect(unsafe_code, reason = "serialport gives its descriptor away only as a number")]
    // SAFETY: `into_raw_fd` gives up the ownership of an open descriptor, which is taken here.
    unsafe {
        OwnedFd::from_raw_fd(port.into_raw_fd())
    }
}
