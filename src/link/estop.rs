//! The emergency stop: past every queue, from any thread.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use log::error;
use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::watch;

use crate::domain;

/// Stops the machine at once. A clone may be kept by anyone, on any thread.
#[derive(Clone)]
pub struct Estop {
    shared: Arc<Shared>,
    state: watch::Receiver<Option<domain::Estop>>,
}

pub(super) struct Shared {
    pub(super) wake: EventFd,
    pub(super) born: Instant,
    /// How often it has been pressed.
    pub(super) presses: AtomicU64,
    /// Nanoseconds from `born` to the last press.
    pub(super) pressed_at: AtomicU64,
}

impl Shared {
    pub(super) fn new() -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            wake: EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?,
            born: Instant::now(),
            presses: AtomicU64::new(0),
            pressed_at: AtomicU64::new(0),
        }))
    }

    /// Makes the link thread look around.
    pub(super) fn wake(&self) {
        if let Err(errno) = self.wake.write(1) {
            // Only a counter near u64::MAX refuses a write, and then the thread is awake already.
            error!("a link could not be woken: {errno}");
        }
    }
}

impl Estop {
    pub(super) fn new(shared: Arc<Shared>, state: watch::Receiver<Option<domain::Estop>>) -> Self {
        Self { shared, state }
    }

    /// Presses the button: one atomic and one write to an eventfd; nothing waits, nothing can be
    /// full. The link thread then sends the stop ahead of everything else and repeats it until the
    /// machine answers or is gone.
    pub fn press(&self) {
        let now = u64::try_from(self.shared.born.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.shared.pressed_at.store(now, Ordering::Release);
        self.shared.presses.fetch_add(1, Ordering::AcqRel);
        self.shared.wake();
    }

    /// How the stop goes: `None` while none is latched, then sent, then confirmed by the machine.
    /// Wait on a clone of it: `state().wait_for(|stop| …)`.
    pub fn state(&self) -> watch::Receiver<Option<domain::Estop>> {
        self.state.clone()
    }
}
