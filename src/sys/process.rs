//! Calls that concern the process as a whole.
#![expect(
    unsafe_code,
    reason = "close_range, mallopt, setpriority and remove_var have no safe form"
)]

use std::{env, ffi::OsString, io, os::fd::RawFd};

use nix::{errno::Errno, libc};

/// Closes every descriptor above stderr but `keep`.
///
/// Only for a process that has just been forked and owns nothing else: whoever still holds one of
/// these descriptors would find it gone, or find another file in its place.
pub(crate) fn close_inherited(keep: RawFd) {
    let close = |first: RawFd, last: libc::c_uint| {
        if let Ok(first) = libc::c_uint::try_from(first)
            && first <= last
        {
            // SAFETY: takes no memory; what the numbers stand for is the caller's promise.
            unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        }
    };
    if keep > 3 {
        close(3, libc::c_uint::try_from(keep - 1).unwrap_or(0));
    }
    close(keep.saturating_add(1).max(3), libc::c_uint::MAX);
}

/// Lets the allocator keep at most `arenas` heaps. It would make one for almost every thread, and
/// most threads of a station sleep on theirs.
///
/// Only before the first thread is started.
pub(crate) fn share_heaps(arenas: i32) {
    // SAFETY: takes no memory; a value that is refused changes nothing.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, arenas);
    }
    #[cfg(not(target_env = "gnu"))]
    let _ = arenas;
}

/// Sets the scheduling priority of this thread and of all that it starts, -20 (first) to 19.
///
/// # Errors
/// Not allowed: only root may go below the present value.
pub(crate) fn set_nice(nice: i32) -> io::Result<()> {
    // SAFETY: takes no memory; 0 is the calling thread.
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
    Errno::result(result).map(drop).map_err(Into::into)
}

/// Takes a variable out of the environment, so that no child inherits it.
///
/// Only before the first thread is started.
pub(crate) fn take_env(name: &str) -> Option<OsString> {
    let value = env::var_os(name)?;
    // SAFETY: no other thread exists yet that could read the environment.
    unsafe { env::remove_var(name) };
    Some(value)
}
