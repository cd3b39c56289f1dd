//! Everything that happens, to everyone who listens.
//!
//! The store's writer publishes durable events in the order of their numbers, right after their
//! commit; daemons publish what is true for the moment. A frame is serialised once and shared. A
//! listener must return at once: it hands the frame to a queue of its own and never blocks.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use log::error;

use crate::domain::{Frame, Live, Timestamp};

type Listener = Box<dyn Fn(&Arc<Frame>) + Send + Sync>;

/// Where frames are published and listened for.
#[derive(Default)]
pub struct Feed {
    listeners: RwLock<Vec<Listener>>,
    newest: AtomicU64,
}

impl Feed {
    /// A feed nobody listens to yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Calls `listener` with every frame from now on, for the life of the station.
    pub fn listen(&self, listener: impl Fn(&Arc<Frame>) + Send + Sync + 'static) {
        self.listeners.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(listener));
    }

    /// Publishes a durable event, as it was serialised for the database; only the store's writer
    /// does so, after the commit.
    pub fn durable(&self, frame: Frame) {
        if let Some(seq) = frame.seq {
            self.newest.store(seq, Ordering::Release);
        }
        self.deliver(&Arc::new(frame));
    }

    /// Says which durable event was the newest when the station last stopped.
    pub fn go_on_from(&self, seq: u64) {
        self.newest.store(seq, Ordering::Release);
    }

    /// Publishes what is true for the moment.
    pub fn live(&self, live: &Live) {
        match Frame::live(live, Timestamp::now()) {
            Ok(frame) => self.deliver(&Arc::new(frame)),
            Err(error) => error!("a message could not be written as JSON: {error}"),
        }
    }

    /// The number of the newest durable event published.
    pub fn newest(&self) -> u64 {
        self.newest.load(Ordering::Acquire)
    }

    fn deliver(&self, frame: &Arc<Frame>) {
        let listeners = self.listeners.read().unwrap_or_else(PoisonError::into_inner);
        for listener in listeners.iter() {
            listener(frame);
        }
    }
}
