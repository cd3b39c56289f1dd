//! The store as everyone else holds it.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
};

use log::{error, warn};
use rusqlite::{Connection, InterruptHandle};
use tokio::sync::oneshot;

use super::{
    Integrity, Pending, StoreError, StoreHealth, StoreOptions, StoreStats, Tx, backup,
    files::Files,
    health::Vitals,
    migrate,
    open::{self, FileId},
    readers::Readers,
    settings,
    tx::Ledger,
    writer::{self, Closing, Message, Typed},
};
use crate::feed::Feed;

/// Writes that may wait before more are refused; each may hold a job file of 64 KiB.
const WAITING: u64 = 2048;

/// The station's database. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    opened: FileId,
    queue: Sender<Message>,
    readers: Readers,
    files: Files,
    vitals: Arc<Vitals>,
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    writer: Option<JoinHandle<()>>,
    check: Option<(JoinHandle<()>, InterruptHandle)>,
}

impl Store {
    /// Opens the database, brings its schema up to date and starts the writer. After a stop that was
    /// not clean, a check of the file runs in the background: see [`Store::integrity`].
    pub fn open(options: StoreOptions, feed: Arc<Feed>) -> Result<Self, StoreError> {
        let path = options.path.clone();
        Self::start(options, feed).map_err(|error| open::explain(&path, error))
    }

    fn start(options: StoreOptions, feed: Arc<Feed>) -> Result<Self, StoreError> {
        let path = options.path.clone();
        let mut connection = open::writer(&options)?;
        migrate::run(&mut connection, &options, migrate::runner())?;
        let clean = settings::get(&connection, writer::RUNNING)?.is_none_or(|value| value == "no");
        settings::put(&connection, writer::RUNNING, "yes")?;
        let ledger = Ledger::load(&connection)?;
        feed.go_on_from(ledger.newest_event());

        let opened = FileId::of(&path).map_err(|error| StoreError::io(&path, error))?;
        let vitals = Arc::new(Vitals::default());
        let mut threads = Threads::default();
        if !clean {
            threads.check = Some(check_in_background(&path, Arc::clone(&vitals))?);
        }
        let (queue, waiting) = mpsc::channel();
        let told = Arc::clone(&vitals);
        let body = move || writer::run(connection, ledger, feed, told, &waiting);
        threads.writer = Some(spawn(&path, "store-writer", body)?);
        Ok(Self(Arc::new(Inner {
            opened,
            queue,
            readers: Readers::new(path.clone(), options.pool_size),
            files: Files::new(options.files),
            vitals,
            threads: Mutex::new(threads),
            path,
        })))
    }

    /// Queues `work`; it runs on the writer's thread, in one transaction with what else waits, and
    /// may run more than once (a failed group is taken back and tried one by one), so it must touch
    /// nothing but the transaction. Never blocks; refused with [`StoreError::Overloaded`] when too
    /// much waits. A panic in it fails this write alone.
    pub fn write<T, F>(&self, work: F) -> Pending<T>
    where
        T: Send + 'static,
        F: Fn(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.queue(work, WAITING)
    }

    /// As [`Store::write`], but never refused for load: for what has already happened.
    pub fn record<T, F>(&self, work: F) -> Pending<T>
    where
        T: Send + 'static,
        F: Fn(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.queue(work, u64::MAX)
    }

    /// Runs `query` on a read-only connection, in one snapshot. Blocks while all are in use.
    pub fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.0.readers.read(query)
    }

    /// The large job files beside the database.
    pub fn files(&self) -> &Files {
        &self.0.files
    }

    /// How the store is. Cheap.
    pub fn health(&self) -> StoreHealth {
        self.0.vitals.health()
    }

    /// What is known of the file's inner order. Cheap.
    pub fn integrity(&self) -> Integrity {
        self.0.vitals.integrity()
    }

    /// The writer's figures. Cheap.
    pub fn stats(&self) -> StoreStats {
        self.0.vitals.stats()
    }

    /// Looks whether the file that was opened is still the one of that name; if not, the store has
    /// failed: what is written would be lost. To be called every few seconds.
    pub fn check_file(&self) -> StoreHealth {
        let inner = &self.0;
        if FileId::of(&inner.path).ok() != Some(inner.opened) && inner.vitals.failure().is_none() {
            let reason = format!("{} was deleted or replaced while in use", inner.path.display());
            error!("{reason}");
            inner.vitals.fail(&reason);
        }
        self.health()
    }

    /// Copies the database as it is now to `to`, while it is in use. Blocks; replaces `to` only
    /// with a whole copy.
    pub fn snapshot(&self, to: &Path) -> Result<(), StoreError> {
        // A connection of its own: a long copy must not keep one of the few from the others.
        backup::snapshot(&open::reader(&self.0.path)?, to)
    }

    /// Waits for the queued writes, marks the stop as clean and closes the database. Blocks. Later
    /// reads and writes fail with [`StoreError::Closed`].
    pub fn close(&self) -> Result<(), StoreError> {
        let inner = &self.0;
        let mut threads = inner.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(writer) = threads.writer.take() else { return Ok(()) };
        // What was found damaged, or was not looked at to the end, is checked again.
        let clean = matches!(self.integrity(), Integrity::Unknown | Integrity::Ok);
        if let Some((check, interrupt)) = threads.check.take() {
            interrupt.interrupt();
            let _ = check.join();
        }
        inner.readers.close();
        let (caller, closed) = oneshot::channel();
        let sent = inner.queue.send(Message::Close(Closing { clean, caller }));
        let answer = Pending::new(closed).wait();
        let _ = writer.join();
        sent.map_err(|_| StoreError::Closed)?;
        answer
    }

    fn queue<T, F>(&self, work: F, limit: u64) -> Pending<T>
    where
        T: Send + 'static,
        F: Fn(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let vitals = &self.0.vitals;
        if vitals.queued() >= limit {
            vitals.unqueued(1);
            let _ = caller.send(Err(StoreError::Overloaded));
        } else if self
            .0
            .queue
            .send(Message::Write(Box::new(Typed { work, kept: None, caller })))
            .is_err()
        {
            // The writer is gone and with it the caller's end: the answer reads as closed.
            vitals.unqueued(1);
        }
        Pending::new(answer)
    }
}

/// A whole check before the start would cost seconds on a large database.
fn check_in_background(
    path: &Path,
    vitals: Arc<Vitals>,
) -> Result<(JoinHandle<()>, InterruptHandle), StoreError> {
    let connection = open::reader(path)?;
    let interrupt = connection.get_interrupt_handle();
    vitals.set_integrity(Integrity::Checking);
    let check = spawn(path, "store-check", move || {
        vitals.set_integrity(match backup::check(&connection, "quick_check") {
            Ok(None) => Integrity::Ok,
            Ok(Some(damage)) => {
                error!("the database is damaged: {damage}");
                Integrity::Damaged(damage)
            }
            Err(error) if error.is_fatal() => {
                error!("the database is damaged: {error}");
                Integrity::Damaged(error.to_string())
            }
            Err(error) => {
                warn!("the check of the database was not finished: {error}");
                Integrity::Unknown
            }
        });
    })?;
    Ok((check, interrupt))
}

fn spawn(
    path: &Path,
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StoreError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(body);
    spawned.map_err(|error| StoreError::io(path, error))
}
