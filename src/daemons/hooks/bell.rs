//! Says that something has happened, from any thread and without waiting.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Notify;

use crate::{domain::Channel, feed::Feed};

/// Rung when there may be something to do.
pub struct Bell {
    rings: Notify,
    /// Events ring it: somebody waits for some.
    by_events: AtomicBool,
    /// Events up to this number are of earlier lives of the station.
    pub(super) born: u64,
}

impl Bell {
    /// A bell that the events of jobs, machines and daemons ring, for the life of the station.
    pub fn at(feed: &Feed) -> Arc<Self> {
        let bell = Arc::new(Self {
            rings: Notify::new(),
            by_events: AtomicBool::new(false),
            born: feed.newest(),
        });
        let own = Arc::clone(&bell);
        feed.listen(move |frame| {
            let concerns =
                matches!(frame.channel, Channel::Jobs | Channel::Devices | Channel::Daemons);
            if concerns && frame.seq.is_some() && own.by_events.load(Ordering::Relaxed) {
                own.ring();
            }
        });
        bell
    }

    /// Has events ring it, or not.
    pub(super) fn heed_events(&self, heed: bool) {
        self.by_events.store(heed, Ordering::Relaxed);
    }

    /// Rings it; many rings are one to who has not listened yet.
    pub(super) fn ring(&self) {
        self.rings.notify_one();
    }

    /// Until it rings, or at once if it has rung unheard.
    pub(super) async fn rung(&self) {
        self.rings.notified().await;
    }
}
