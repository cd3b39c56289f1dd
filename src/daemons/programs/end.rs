//! How programs end.

use std::fmt;

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    },
    unistd::Pid,
};

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::daemons) enum End {
    /// By itself, with this code.
    Code(i32),
    /// By a signal.
    Signal(Signal),
    /// It is nobody's child of ours, so the system does not say.
    Unknown,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with {code}"),
            Self::Signal(signal) => write!(f, "was killed by {signal}"),
            Self::Unknown => f.write_str("ended (its exit status is not known)"),
        }
    }
}

impl End {
    /// How this child has ended; it is not reaped.
    pub(in crate::daemons) fn of(pid: i32) -> Self {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::Pid(Pid::from_raw(pid)), flags) {
            Ok(WaitStatus::Exited(_, code)) => Self::Code(code),
            Ok(WaitStatus::Signaled(_, signal, _)) => Self::Signal(signal),
            _ => Self::Unknown,
        }
    }
}

/// Kills a child of ours at once, and reaps it.
pub(in crate::daemons) fn end_child(pid: i32) {
    let pid = Pid::from_raw(pid);
    // It is ours and has not been reaped, so nobody else can have its number.
    let _ = kill(pid, Signal::SIGKILL);
    let _ = waitpid(pid, None);
}

/// True if this is no living child of ours, or no more.
pub(in crate::daemons) fn reap(pid: i32) -> bool {
    match waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => false,
        Ok(_) | Err(_) => true,
    }
}
