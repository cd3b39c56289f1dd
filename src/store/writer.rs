//! The one thread that writes.
//!
//! It takes what waits, runs it in one transaction and commits once: under load many callers share
//! one sync of the disk, and a lone caller waits for nobody. Nothing guards the single write on that
//! way. If one fails, the group is taken back and run again with a savepoint around each, so it
//! fails alone; and if even the transaction is lost, one by one.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, TryRecvError},
    },
    time::Instant,
};

use log::error;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{StoreError, Tx, health::Vitals, settings, tx::Ledger};
use crate::feed::Feed;

/// Writes in one transaction at most.
const GROUP: usize = 256;
/// The setting that says whether the station stopped in order.
pub(super) const RUNNING: &str = "store.running";

/// What callers send to the writer.
pub(super) enum Message {
    /// Run this and answer.
    Write(Box<dyn Work>),
    /// Write what was sent before, close the database and answer.
    Close(Closing),
}

/// The end that was asked for.
pub(super) struct Closing {
    /// False if the next start must check the file.
    pub(super) clean: bool,
    pub(super) caller: oneshot::Sender<Result<(), StoreError>>,
}

/// A write whose type of answer is forgotten.
pub(super) trait Work: Send {
    /// Runs it and keeps its answer; an error here is its own.
    fn run(&mut self, tx: &Tx<'_>) -> Result<(), StoreError>;
    /// Answers the caller: with what was kept, unless the commit failed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>, vitals: &Vitals);
}

/// A write as the caller gave it.
pub(super) struct Typed<T, F> {
    pub(super) work: F,
    pub(super) kept: Option<Result<T, StoreError>>,
    pub(super) caller: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Work for Typed<T, F>
where
    T: Send,
    F: Fn(&Tx<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        // Whatever the work left half done is rolled back with its transaction.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)))
            .unwrap_or_else(|panic| Err(StoreError::Panicked(words(panic.as_ref()))));
        let error = outcome.as_ref().err().cloned();
        self.kept = Some(outcome);
        error.map_or(Ok(()), Err)
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>, vitals: &Vitals) {
        let answer = match (committed, self.kept) {
            (Ok(()), Some(kept)) | (Err(_), Some(kept @ Err(_))) => kept,
            (Err(error), _) => Err(error),
            (Ok(()), None) => Err(StoreError::Closed),
        };
        if let Err(error) = &answer {
            vitals.refused(error);
        }
        // A caller that no longer listens has given up its answer, not its write.
        let _ = self.caller.send(answer);
    }
}

/// Why a group came to nothing.
enum Setback {
    /// A write failed; the others may do.
    Work(StoreError),
    /// The transaction could not begin or be committed.
    Transaction(StoreError),
}

pub(super) struct Writer<'c> {
    connection: &'c Connection,
    tx: Tx<'c>,
    feed: Arc<Feed>,
    vitals: Arc<Vitals>,
}

/// Runs the writer until it is asked to close or nobody can ask any more.
pub(super) fn run(
    connection: Connection,
    ledger: Ledger,
    feed: Arc<Feed>,
    vitals: Arc<Vitals>,
    queue: &Receiver<Message>,
) {
    let mut writer =
        Writer { connection: &connection, tx: Tx::new(&connection, ledger), feed, vitals };
    let Some(closing) = writer.serve(queue) else { return };
    let marked = writer.finish(closing.clean);
    drop(writer);
    let closed = connection.close().map_err(|(_, error)| StoreError::from(error));
    let _ = closing.caller.send(marked.and(closed));
}

impl Writer<'_> {
    fn serve(&mut self, queue: &Receiver<Message>) -> Option<Closing> {
        let mut group = Vec::with_capacity(GROUP);
        loop {
            let mut next = queue.recv().ok();
            let closing = loop {
                match next {
                    Some(Message::Write(work)) => group.push(work),
                    Some(Message::Close(closing)) => break Some(Some(closing)),
                    None => break Some(None),
                }
                if group.len() == GROUP {
                    break None;
                }
                next = match queue.try_recv() {
                    Ok(message) => Some(message),
                    Err(TryRecvError::Empty) => break None,
                    Err(TryRecvError::Disconnected) => None,
                };
            };
            self.vitals.unqueued(group.len());
            self.write(&mut group);
            if let Some(end) = closing {
                return end;
            }
        }
    }

    /// Writes a group and answers everyone in it.
    fn write(&mut self, group: &mut Vec<Box<dyn Work>>) {
        if group.is_empty() {
            return;
        }
        if let Some(failure) = self.vitals.failure() {
            return self.answer(group, &Err(failure));
        }
        let mut result = self.attempt(group, false);
        if group.len() > 1 && matches!(&result, Err(Setback::Work(error)) if !error.is_fatal()) {
            result = self.attempt(group, true);
        }
        match result {
            Ok(()) => self.answer(group, &Ok(())),
            Err(Setback::Work(error) | Setback::Transaction(error)) if error.is_fatal() => {
                let failure = self.fail(&error);
                self.answer(group, &Err(failure));
            }
            // What one write could not have, for want of space, a smaller one may.
            Err(Setback::Work(_) | Setback::Transaction(StoreError::Full)) if group.len() > 1 => {
                for work in std::mem::take(group) {
                    self.write(&mut vec![work]);
                }
            }
            Err(Setback::Work(error) | Setback::Transaction(error)) => {
                self.answer(group, &Err(error));
            }
        }
    }

    /// Runs a group in one transaction, with a savepoint around each if `alone`.
    fn attempt(&self, group: &mut [Box<dyn Work>], alone: bool) -> Result<(), Setback> {
        let begun = Instant::now();
        let before = self.tx.mark();
        self.execute("BEGIN IMMEDIATE").map_err(Setback::Transaction)?;
        let done = group
            .iter_mut()
            .try_for_each(|work| if alone { self.run_alone(work) } else { self.run(work) })
            .map_err(Setback::Work)
            .and_then(|()| self.commit().map_err(Setback::Transaction));
        if done.is_err() {
            self.tx.rewind(before);
            self.roll_back();
            return done;
        }
        self.vitals.committed(group.len(), begun.elapsed());
        self.publish();
        Ok(())
    }

    fn run(&self, work: &mut Box<dyn Work>) -> Result<(), StoreError> {
        work.run(&self.tx)?;
        // SQLite takes some errors as the end of the transaction, whatever the work made of them.
        if self.connection.is_autocommit() { Err(StoreError::Full) } else { Ok(()) }
    }

    /// An error of the work is kept for its caller; only the loss of the transaction is passed on.
    fn run_alone(&self, work: &mut Box<dyn Work>) -> Result<(), StoreError> {
        let before = self.tx.mark();
        self.execute("SAVEPOINT alone")?;
        if let Err(error) = self.run(work) {
            if error.is_fatal() || self.connection.is_autocommit() {
                return Err(error);
            }
            self.tx.rewind(before);
            self.execute("ROLLBACK TO alone")?;
        }
        self.execute("RELEASE alone")
    }

    fn commit(&self) -> Result<(), StoreError> {
        self.tx.flush()?;
        self.execute("COMMIT")
    }

    fn roll_back(&self) {
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.execute("ROLLBACK") {
            self.fail(&error);
        }
    }

    fn publish(&self) {
        for frame in self.tx.take_frames() {
            let delivered = catch_unwind(AssertUnwindSafe(|| self.feed.durable(frame)));
            if let Err(panic) = delivered {
                error!("a listener of events panicked: {}", words(panic.as_ref()));
            }
        }
    }

    fn answer(&self, group: &mut Vec<Box<dyn Work>>, committed: &Result<(), StoreError>) {
        for work in group.drain(..) {
            work.answer(committed.clone(), &self.vitals);
        }
    }

    /// After a failed write or sync nobody knows what lies on the disk: no further write is tried.
    fn fail(&self, cause: &StoreError) -> StoreError {
        let reason = match cause {
            // The extended code tells the call that failed.
            StoreError::Sql(error) => match error.sqlite_error() {
                Some(code) => format!("{error} ({code})"),
                None => error.to_string(),
            },
            other => other.to_string(),
        };
        error!("the database has failed, nothing more is written: {reason}");
        self.vitals.fail(&reason)
    }

    fn finish(&self, clean: bool) -> Result<(), StoreError> {
        if let Some(failure) = self.vitals.failure() {
            return Err(failure);
        }
        if clean {
            settings::put(self.connection, RUNNING, "no")?;
        }
        // A reader that is still out keeps the log from being emptied; the next start does it then.
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
