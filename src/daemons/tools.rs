//! What daemons and requests work with.

use std::sync::{Arc, OnceLock};

use actix::Addr;

use super::{
    Board, Estops, History, device_manager::DeviceManager, hooks::Hooks, job_queue::JobQueue,
    sync::Sync, telemetry::Telemetry,
};
use crate::{
    feed::Feed,
    store::Store,
    supervision::{Link, Supervisor},
};

/// How the parts of the station reach its daemons: handles that outlive every restart.
#[derive(Clone)]
pub struct Links {
    /// Owns every daemon's lifecycle.
    pub supervisor: Addr<Supervisor>,
    /// What runs next, and where.
    pub job_queue: Link<JobQueue>,
    /// Every machine.
    pub device_manager: Link<DeviceManager>,
    /// Copies of database and files.
    pub sync: Link<Sync>,
    /// What was configured for each event.
    pub hooks: Link<Hooks>,
}

/// One of each, shared by all.
#[derive(Clone)]
pub struct Tools {
    /// Where states are made durable.
    pub store: Store,
    /// What is known this moment.
    pub board: Arc<Board>,
    /// Everything that happens.
    pub feed: Arc<Feed>,
    /// The last hour in figures.
    pub history: Arc<History>,
    /// What is counted.
    pub telemetry: Arc<Telemetry>,
    /// Where emergency stops are found.
    pub estops: Arc<Estops>,
    links: Arc<OnceLock<Links>>,
}

impl Tools {
    /// Tools without links yet.
    pub fn new(
        store: Store,
        feed: Arc<Feed>,
        history: Arc<History>,
    ) -> Result<Self, prometheus::Error> {
        let board = Board::new();
        let telemetry = Telemetry::new(board.clone(), store.clone())?;
        let (estops, links) = (Arc::default(), Arc::default());
        Ok(Self { store, board, feed, history, telemetry, estops, links })
    }

    /// Puts the links in, once.
    pub fn wire(&self, links: Links) {
        let _ = self.links.set(links); // a second time changes nothing
    }

    /// The links. Waits for them to be put in: daemons are built on threads of their own, while
    /// the links to them are still being put together.
    pub fn links(&self) -> &Links {
        self.links.wait()
    }
}
