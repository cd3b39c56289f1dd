//! A queue without a station around it, and jobs for it.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use stationd::{
    domain::{JobId, NewJob, Payload, Priority, Rules, Surroundings},
    feed::Feed,
    store::{Store, StoreOptions, Synchronous},
};

/// The database of a workspace.
pub(crate) fn open(workspace: &Path) -> Store {
    std::fs::create_dir_all(workspace).unwrap();
    let options = StoreOptions {
        path: workspace.join("stationd.db"),
        backups: workspace.join("backups"),
        files: workspace.join("files"),
        synchronous: Synchronous::Full,
        pool_size: 2,
    };
    let feed: Arc<Feed> = Feed::new();
    Store::open(options, feed).unwrap()
}

/// A job that may start at once.
pub(crate) fn job(payload: Payload) -> NewJob {
    NewJob {
        id: JobId::new(),
        name: "true".to_owned(),
        payload,
        program: None,
        priority: Priority(0),
        surroundings: Surroundings::default(),
        device: None,
        driver: None,
        hold: false,
        not_before: None,
        depends_on: Vec::new(),
        labels: BTreeMap::new(),
        timeout_seconds: None,
        rules: Rules::default(),
        max_attempts: 1,
        submitted_by: "bench".to_owned(),
        idempotency_key: None,
        analysis: None,
        forced: false,
    }
}

/// A program that does nothing.
pub(crate) fn command() -> NewJob {
    job(Payload::Command(vec!["true".to_owned()]))
}
