//! The clock of a link's thread, as something that poll waits for.
//!
//! A timeout of poll would set a timer of the kernel and take it back for every line that is sent,
//! which costs more than the line. This one is left as it is while it rings early enough.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use nix::sys::{
    time::TimeSpec,
    timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags},
};

pub(super) struct Alarm {
    timer: TimerFd,
    /// When it rings.
    at: Option<Duration>,
}

impl Alarm {
    /// Fails if the system gives no descriptor.
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        Ok(Self { timer: TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?, at: None })
    }

    /// Sees to it that it rings at `at`, or some time before that.
    pub(super) fn ring_by(&mut self, at: Option<Duration>, now: Duration) -> nix::Result<()> {
        let Some(at) = at.filter(|at| self.at.is_none_or(|set| set > *at)) else { return Ok(()) };
        // Nothing at all would switch it off.
        let wait = at.saturating_sub(now).max(Duration::from_nanos(1));
        let once = Expiration::OneShot(TimeSpec::from_duration(wait));
        self.timer.set(once, TimerSetTimeFlags::empty())?;
        self.at = Some(at);
        Ok(())
    }

    /// It can be read once it has rung.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }

    /// It has rung.
    pub(super) fn rang(&mut self) {
        // Only empties the counter.
        let _ = self.timer.wait();
        self.at = None;
    }
}
