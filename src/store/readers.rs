//! The read connections.

use std::{
    path::PathBuf,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use rusqlite::Connection;

use super::{StoreError, open};

/// A few connections that are lent out one query at a time.
pub(super) struct Readers {
    path: PathBuf,
    size: u32,
    stock: Mutex<Stock>,
    returned: Condvar,
}

#[derive(Default)]
struct Stock {
    idle: Vec<Connection>,
    lent: u32,
    closed: bool,
}

/// Brings the connection back whatever happens to its borrower.
struct Loan<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, size: u32) -> Self {
        Self { path, size: size.max(1), stock: Mutex::default(), returned: Condvar::new() }
    }

    /// Runs `query` in one snapshot.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut loan = self.borrow()?;
        let connection = match loan.connection.take() {
            Some(connection) => connection,
            None => open::reader(&self.path)?,
        };
        let connection = loan.connection.insert(connection);
        let snapshot = connection.unchecked_transaction()?;
        query(&snapshot)
    }

    /// Lends nothing more and closes what comes back.
    pub(super) fn close(&self) {
        let mut stock = self.lock();
        stock.closed = true;
        stock.idle.clear();
        self.returned.notify_all();
    }

    fn borrow(&self) -> Result<Loan<'_>, StoreError> {
        let taken =
            |stock: &mut Stock| !stock.closed && stock.idle.is_empty() && stock.lent >= self.size;
        let waited = self.returned.wait_while(self.lock(), taken);
        let mut stock = waited.unwrap_or_else(PoisonError::into_inner);
        if stock.closed {
            return Err(StoreError::Closed);
        }
        stock.lent += 1;
        Ok(Loan { readers: self, connection: stock.idle.pop() })
    }

    fn lock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut stock = self.readers.lock();
        stock.lent -= 1;
        if !stock.closed {
            stock.idle.extend(self.connection.take());
        }
        self.readers.returned.notify_one();
    }
}
