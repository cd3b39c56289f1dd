//! The thread that writes the log, so that nobody else ever waits for a disk or a terminal.

use std::{
    cell::Cell,
    io::{self, Write as _},
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use log::{Level, warn};

use crate::log_file::LogFile;

/// How many lines may wait for the disk; what comes when it is full is counted and lost.
const QUEUE_LINES: usize = 4096;

type Listener = dyn Fn(Level, &str, &str) + Send + Sync;

/// Where lines go.
pub(super) enum Destination {
    Stdout,
    File(LogFile),
}

impl Destination {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(line).and_then(|()| stdout.flush())
            }
            Self::File(file) => file.write(line),
        }
    }
}

enum Message {
    Line(Vec<u8>),
    Publish(Level, String, String),
    Flush(SyncSender<()>),
    /// Look at what is asked for.
    Wake,
}

/// The way to the thread. Nothing here waits but [`flush`](Self::flush).
#[derive(Clone)]
pub(super) struct Queue {
    sender: SyncSender<Message>,
    asked: Arc<Asked>,
}

/// What is asked of the thread, beside the lines: it must get there even when they do not.
#[derive(Default)]
struct Asked {
    reopen: AtomicBool,
    take_stderr: AtomicBool,
    lost: AtomicU64,
    listener: RwLock<Option<Arc<Listener>>>,
}

thread_local! {
    /// True while this thread tells the listener of a line: what is logged meanwhile is written,
    /// but not told again.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

impl Queue {
    /// Starts the thread, which lives as long as the process.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn start(destination: Destination) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(QUEUE_LINES);
        let asked = Arc::<Asked>::default();
        let writer =
            Writer { destination, asked: Arc::clone(&asked), told_lost: 0, failing: false };
        thread::Builder::new().name("log".to_owned()).spawn(|| writer.run(receiver))?;
        Ok(Self { sender, asked })
    }

    /// Hands over a line, or counts it as lost.
    pub(super) fn line(&self, line: Vec<u8>) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Message::Line(line)) {
            self.asked.lost.fetch_add(1, Relaxed);
        }
    }

    /// Hands over what the listener, if any, is to be told.
    pub(super) fn publish(&self, level: Level, target: &str, message: impl FnOnce() -> String) {
        if self.asked.listener().is_some() && !TELLING.get() {
            // It is a live view: what does not fit is left out.
            let _ = self.sender.try_send(Message::Publish(level, target.to_owned(), message()));
        }
    }

    pub(super) fn listen(&self, listener: Arc<Listener>) {
        *self.asked.listener.write().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    pub(super) fn reopen(&self) {
        self.asked.reopen.store(true, Relaxed);
        self.wake();
    }

    pub(super) fn take_stderr(&self) {
        self.asked.take_stderr.store(true, Relaxed);
        self.wake();
    }

    pub(super) fn lost(&self) -> u64 {
        self.asked.lost.load(Relaxed)
    }

    /// Waits until everything handed over so far is written, but no longer than `limit`.
    pub(super) fn flush(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let (done, written) = sync_channel(1);
        let mut message = Message::Flush(done);
        while let Err(TrySendError::Full(back)) = self.sender.try_send(message) {
            if Instant::now() >= deadline {
                return;
            }
            message = back;
            thread::sleep(Duration::from_millis(2));
        }
        // A time-out is the limit; a thread that is gone writes nothing more.
        let _ = written.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }

    /// A full queue is being worked on, which is as good.
    fn wake(&self) {
        let _ = self.sender.try_send(Message::Wake);
    }
}

impl Asked {
    fn listener(&self) -> Option<Arc<Listener>> {
        self.listener.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Writer {
    destination: Destination,
    asked: Arc<Asked>,
    told_lost: u64,
    failing: bool,
}

impl Writer {
    fn run(mut self, receiver: Receiver<Message>) {
        for message in receiver {
            self.attend();
            match message {
                Message::Line(line) => self.write(&line),
                Message::Publish(level, target, message) => self.tell(level, &target, &message),
                // Whoever waited may have given up.
                Message::Flush(done) => drop(done.try_send(())),
                Message::Wake => {}
            }
        }
    }

    fn attend(&mut self) {
        let Destination::File(file) = &mut self.destination else { return };
        if self.asked.reopen.swap(false, Relaxed)
            && let Err(error) = file.reopen()
        {
            complain(&format!("cannot reopen the log: {error}"));
        }
        if self.asked.take_stderr.swap(false, Relaxed)
            && let Err(error) = file.take_stderr()
        {
            warn!("stderr cannot be sent to the log: {error}");
        }
    }

    fn write(&mut self, line: &[u8]) {
        match self.destination.write(line) {
            Ok(()) => {
                self.failing = false;
                let lost = self.asked.lost.load(Relaxed);
                if lost > self.told_lost {
                    warn!("{} log lines were lost", lost - self.told_lost);
                    self.told_lost = lost;
                }
            }
            Err(error) => {
                self.asked.lost.fetch_add(1, Relaxed);
                self.fall_back(line, &error);
            }
        }
    }

    /// Lines that the file does not take go to stderr; a reader who is just slow, or a stdout
    /// that is gone, is left alone.
    fn fall_back(&mut self, line: &[u8], error: &io::Error) {
        let slow = error.kind() == io::ErrorKind::WouldBlock;
        if let Destination::File(_) = self.destination
            && !slow
        {
            if !self.failing {
                complain(&format!("cannot write the log: {error}"));
            }
            self.failing = true;
            complain(String::from_utf8_lossy(line).trim_end());
        }
    }

    fn tell(&self, level: Level, target: &str, message: &str) {
        if let Some(listener) = self.asked.listener() {
            TELLING.set(true);
            // The panic hook has logged it; the log must go on.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| listener(level, target, message)));
            TELLING.set(false);
        }
    }
}

/// The last resort of a line that the log does not take.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
