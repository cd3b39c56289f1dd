//! The thread of those daemons that share one.

use std::{io, mem, time::Instant};

use actix::{Arbiter, ArbiterHandle};

/// A thread that is there once somebody needs it, and goes with its owner.
pub(super) struct Shared {
    arbiter: Option<Arbiter>,
    since: Instant,
}

impl Shared {
    /// No thread yet.
    pub(super) fn new() -> Self {
        Self { arbiter: None, since: Instant::now() }
    }

    /// The way to it.
    pub(super) fn handle(&mut self) -> io::Result<ArbiterHandle> {
        if let Some(arbiter) = &self.arbiter {
            return Ok(arbiter.handle());
        }
        let arbiter = Arbiter::try_new()?;
        Ok(self.arbiter.insert(arbiter).handle())
    }

    /// Since when this thread is the one that is shared.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Leaves the thread to itself; the next one to need it gets another.
    pub(super) fn renew(&mut self) {
        drop(mem::replace(self, Self::new()));
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(arbiter) = &self.arbiter {
            arbiter.stop(); // never join: the thread may be stuck
        }
    }
}
