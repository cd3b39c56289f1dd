//! The store as everyone else holds it.

use std::sync::Arc;

use rusqlite::Connection;

use super::{
    Integrity, Pending, StoreError, StoreHealth, StoreOptions, StoreStats, Tx, files::Files,
};
use crate::feed::Feed;

/// The station's database. Clones share it.
#[derive(Clone)]
pub struct Store {}

impl Store {
    /// Opens the database, brings its schema up to date and starts the writer.
    pub fn open(_options: StoreOptions, _feed: Arc<Feed>) -> Result<Self, StoreError> {
        todo!()
    }

    /// Queues `work`; it runs on the writer's thread, in one transaction with what else waits, and
    /// may run twice (a failed group is taken back and tried one by one), so it must only touch the
    /// transaction. Never blocks; refused with [`StoreError::Overloaded`] when too much waits.
    pub fn write<T, F>(&self, _work: F) -> Pending<T>
    where
        T: Send + 'static,
        F: Fn(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        todo!()
    }

    /// As [`Store::write`], but never refused for load: for what has already happened.
    pub fn record<T, F>(&self, _work: F) -> Pending<T>
    where
        T: Send + 'static,
        F: Fn(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        todo!()
    }

    /// Runs `query` on a read-only connection, in one snapshot. Blocks while all are in use.
    pub fn read<T>(
        &self,
        _query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        todo!()
    }

    /// The large job files beside the database.
    pub fn files(&self) -> &Files {
        todo!()
    }

    /// How the store is. Cheap.
    pub fn health(&self) -> StoreHealth {
        todo!()
    }

    /// What is known of the file's inner order. Cheap.
    pub fn integrity(&self) -> Integrity {
        todo!()
    }

    /// The writer's figures. Cheap.
    pub fn stats(&self) -> StoreStats {
        todo!()
    }

    /// Looks whether the file that was opened is still the one of that name; if not, the store has
    /// failed. To be called every few seconds.
    pub fn check_file(&self) -> StoreHealth {
        todo!()
    }

    /// Copies the database as it is now to `to`, while it is in use. Blocks; replaces `to`
    /// only with a whole copy.
    pub fn snapshot(&self, _to: &std::path::Path) -> Result<(), StoreError> {
        todo!()
    }

    /// Waits for the queued writes, marks the stop as clean and closes the database. Blocks. Later
    /// writes fail with [`StoreError::Closed`].
    pub fn close(&self) -> Result<(), StoreError> {
        todo!()
    }
}
