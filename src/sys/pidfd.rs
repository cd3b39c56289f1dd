//! Processes as descriptors: a number may come to mean another process, a descriptor never does.
#![expect(
    unsafe_code,
    reason = "neither pidfd_open and pidfd_send_signal nor waiting has a safe form"
)]

use std::{
    io,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
    ptr,
    sync::Arc,
};

use nix::{errno::Errno, libc, sys::signal::Signal};
use tokio::io::{Interest, unix::AsyncFd};

/// A descriptor of the process that `pid` means now. It becomes readable when the process ends.
///
/// # Errors
/// There is no such process, or no descriptor is left.
pub fn open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes no memory.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = i32::try_from(Errno::result(result)?).map_err(|_| io::ErrorKind::InvalidData)?;
    // SAFETY: the kernel has just opened it for us, and for nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Signals exactly this process.
///
/// # Errors
/// It has ended, or may not be signalled.
pub fn send(process: impl AsFd, signal: Signal) -> io::Result<()> {
    let (fd, no_info) = (process.as_fd().as_raw_fd(), ptr::null::<libc::siginfo_t>());
    // SAFETY: the descriptor is open, and the information on the signal may be none.
    let result =
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal as i32, no_info, 0) };
    Errno::result(result).map(drop).map_err(Into::into)
}

/// What tells the event loop of this thread that the process has ended.
///
/// # Errors
/// The event loop takes no more descriptors.
pub fn watch(process: Arc<OwnedFd>) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
    // SAFETY: an owned descriptor is open and stays the same for as long as it is shared.
    Ok(unsafe { AsyncFd::register_with_interest(process, Interest::READABLE) }?)
}
