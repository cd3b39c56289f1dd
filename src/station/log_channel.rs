//! Lines of the log, for those who subscribe to the channel `logs`.

use std::sync::Arc;

use super::LogHandle;
use crate::{domain::Live, feed::Feed};

/// Publishes every line of the log from now on.
pub(super) fn connect(log: &LogHandle, feed: Arc<Feed>) {
    log.on_line(move |level, target, message| {
        feed.live(&Live::Log {
            level: level.to_string(),
            target: target.to_owned(),
            message: message.to_owned(),
        });
    });
}
