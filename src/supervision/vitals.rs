//! What an incarnation and its supervisor know of each other while it lives.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Waker,
    time::{Duration, Instant},
};

use futures_util::task::AtomicWaker;
use thiserror::Error;

/// How an incarnation ended.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Exit {
    /// It stopped of its own accord or was asked to.
    #[error("stopped")]
    Stopped,
    /// The same, with what there is to say about it: `exited with 0`.
    #[error("{0}")]
    Ended(String),
    /// It could not be built, or reported an error.
    #[error("failed: {0}")]
    Failed(String),
    /// Its construction, a handler, a future, a hook or a destructor panicked.
    #[error("panicked: {0}")]
    Panicked(String),
    /// It was given up.
    #[error("hung: {0}")]
    Hung(Late),
}

/// What an incarnation did not do in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Late {
    /// Its start.
    #[error("it did not start in time")]
    Start,
    /// A beat: its event loop stands still.
    #[error("its event loop stood still")]
    Beat,
    /// An answer to a health request.
    #[error("it did not answer a health request in time")]
    Health,
    /// Its end.
    #[error("it did not stop in time")]
    Stop,
}

/// Signs of life shared by the supervisor and one incarnation.
#[derive(Debug)]
pub struct Vitals {
    born: Instant,
    last_beat_ms: AtomicU64,
    retired: AtomicBool,
    ready: AtomicBool,
    stirred: AtomicBool,
    waker: AtomicWaker,
    cause: Mutex<Option<Exit>>,
    last_lines: Mutex<Vec<String>>,
}

impl Vitals {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            born: Instant::now(),
            last_beat_ms: AtomicU64::new(0),
            retired: AtomicBool::new(false),
            ready: AtomicBool::new(false),
            stirred: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            cause: Mutex::new(None),
            last_lines: Mutex::default(),
        })
    }

    /// True once the supervisor has given this incarnation up. A daemon that blocks should check
    /// this after each blocking call, before any further effect, and `ctx.terminate()` if so.
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Records why the daemon is about to stop, so that stopping counts as a failure.
    pub fn fail(&self, error: &impl fmt::Display) {
        self.record(Exit::Failed(error.to_string()));
    }

    /// Records how the daemon is about to end, which is no failure by itself.
    pub fn end(&self, how: &impl fmt::Display) {
        self.record(Exit::Ended(how.to_string()));
    }

    /// Leaves the last lines of its output to whoever asks why it ended.
    pub fn leave(&self, last_lines: Vec<String>) {
        *self.last_lines.lock().unwrap_or_else(PoisonError::into_inner) = last_lines;
    }

    /// Says that the daemon is up: needed once, unless it is [`READY_AT_ONCE`].
    ///
    /// [`READY_AT_ONCE`]: super::Service::READY_AT_ONCE
    pub fn ready(&self) {
        self.ready.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Has the daemon asked how it is, and everybody told, as soon as may be: for one whose
    /// health has changed by itself.
    pub fn stir(&self) {
        self.stirred.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(super) fn last_lines(&self) -> Vec<String> {
        self.last_lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// True once after each [`stir`](Self::stir).
    pub(super) fn take_stirred(&self) -> bool {
        self.stirred.swap(false, Ordering::AcqRel)
    }

    /// Whom to wake when something is said.
    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// The first cause stands: what follows is its consequence.
    pub(super) fn record(&self, cause: Exit) {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
    }

    /// Why the incarnation ended, now that it has.
    pub(super) fn verdict(&self) -> Exit {
        let cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        cause.clone().unwrap_or(Exit::Stopped)
    }

    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    pub(super) fn born(&self) -> Instant {
        self.born
    }

    /// When the incarnation last showed that its event loop turns.
    pub(super) fn last_beat(&self) -> Instant {
        self.born + Duration::from_millis(self.last_beat_ms.load(Ordering::Relaxed))
    }

    pub(super) fn beat(&self) {
        let ms = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_beat_ms.store(ms, Ordering::Relaxed);
    }
}
