//! Says that something has happened, from any thread and without waiting.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::{domain::Channel, feed::Feed};

/// Rung when there may be something to do.
pub struct Bell {
    rings: Notify,
    /// Events up to this number are of earlier lives of the station.
    pub(super) born: u64,
}

impl Bell {
    /// A bell that the events of jobs, machines and daemons ring, for the life of the station.
    pub fn at(feed: &Feed) -> Arc<Self> {
        let bell = Arc::new(Self { rings: Notify::new(), born: feed.newest() });
        let own = Arc::clone(&bell);
        feed.listen(move |frame| {
            let concerns =
                matches!(frame.channel, Channel::Jobs | Channel::Devices | Channel::Daemons);
            if concerns && frame.seq.is_some() {
                own.ring();
            }
        });
        bell
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
