//! A last word of a process that the kernel ends for a fault of its own.

use std::{
    fs::File,
    io,
    os::fd::{IntoRawFd, RawFd},
    sync::atomic::{AtomicI32, Ordering},
};

use nix::{
    libc,
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
};

static FILE: AtomicI32 = AtomicI32::new(-1);

/// The signals of an abort and of arithmetic and instructions gone wrong. SIGSEGV and SIGBUS are
/// left to the runtime, whose handler tells an overflow of the stack and ends in an abort.
const FATAL: [Signal; 3] = [Signal::SIGABRT, Signal::SIGILL, Signal::SIGFPE];

/// From now on, a fatal signal leaves its number (decimal) in `file` before it ends the process.
pub(crate) fn leave_word_in(file: File) -> io::Result<()> {
    FILE.store(file.into_raw_fd(), Ordering::Release);
    let flags = SaFlags::SA_RESETHAND | SaFlags::SA_NODEFER | SaFlags::SA_ONSTACK;
    let action = SigAction::new(SigHandler::Handler(say), flags, SigSet::empty());
    for signal in FATAL {
        #[expect(unsafe_code, reason = "there is no safe form of sigaction")]
        // SAFETY: the handler makes only calls that are safe in a signal handler.
        unsafe {
            sigaction(signal, &action)?;
        }
    }
    Ok(())
}

extern "C" fn say(signal: libc::c_int) {
    let file: RawFd = FILE.load(Ordering::Acquire);
    let digits = [
        b'0' + u8::try_from(signal / 10 % 10).unwrap_or(0),
        b'0' + u8::try_from(signal % 10).unwrap_or(0),
    ];
    #[expect(unsafe_code, reason = "nothing else may be called in a signal handler")]
    // SAFETY: write and raise are safe in a signal handler; the digits outlive the call. The
    // disposition was reset on entry, so raising the signal ends the process.
    unsafe {
        libc::write(file, digits.as_ptr().cast(), digits.len());
        libc::raise(signal);
    }
}
