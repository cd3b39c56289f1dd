//! What all process daemons of a station share.

use std::{path::PathBuf, sync::Arc};

use crate::feed::Feed;

/// The station as its programs see it.
pub struct Host {
    /// Where programs work unless told otherwise, and what marks them as this station's.
    pub workspace: PathBuf,
    /// Where their output is kept, as `NAME.log`.
    pub logs: PathBuf,
    /// Where it is written which process is whose, as `NAME.pid`.
    pub run: PathBuf,
    /// Where their output is published, line by line.
    pub feed: Arc<Feed>,
}
