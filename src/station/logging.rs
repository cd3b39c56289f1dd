//! The log of the station, behind the macros of the `log` crate.
//!
//! Records are formatted where they arise and written by a thread of its own, so a full disk, a
//! stuck terminal or a reader that is gone costs lines, which are counted, and never holds up
//! anything else.

#[cfg(test)]
mod tests;

use std::{
    env, fmt, fs,
    io::{self, Write as _},
    os::linux::fs::MetadataExt as _,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use env_logger::{Builder, Target, WriteStyle};
use log::{Level, LevelFilter, Log, Metadata, Record};

use super::{
    LogFormat, StartError,
    log_format::message,
    log_writer::{Destination, Queue},
    panics,
};

pub use crate::log_file::Rotation;
use crate::{domain::Timestamp, log_file::LogFile};

/// How long the end of the program waits for the last lines to be written.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// Libraries that tell at `info` what is of no use to people; an entry in `modules` overrides it.
const TALKATIVE: [&str; 4] = ["actix_http", "actix_server", "actix_web", "refinery_core"];

/// What to log, how and where.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// The least important level that is logged.
    pub level: LevelFilter,
    /// Other levels for targets that begin with these words; the longest match counts.
    pub modules: Vec<(String, LevelFilter)>,
    /// How a record is written.
    pub format: LogFormat,
    /// The log file, or stdout.
    pub file: Option<PathBuf>,
    /// When to begin a new file; `None` leaves it to others, who send HUP or USR1.
    pub rotation: Option<Rotation>,
}

/// The running log. Dropping it waits a moment for the last lines; the log itself goes on.
#[derive(Debug)]
pub struct Logging {
    handle: LogHandle,
}

impl Logging {
    /// Opens the log, starts its thread and makes it the log of this process. Only after the
    /// fork, as the user who is to own the file. Call it once.
    ///
    /// # Errors
    /// The log file cannot be opened, or no thread can be started.
    pub fn start(options: &LogOptions) -> Result<Self, StartError> {
        let handle = LogHandle::open(options)?;
        log::set_boxed_logger(Box::new(handle.clone()))
            .map_err(|error| StartError::Internal(format!("cannot start the log: {error}")))?;
        handle.set_max_level();
        panics::install_hook();
        Ok(Self { handle })
    }

    /// The way to the running log.
    pub fn handle(&self) -> LogHandle {
        self.handle.clone()
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.handle.queue.flush(FLUSH_LIMIT);
    }
}

/// The way to the running log, for whoever reloads, rotates or listens.
#[derive(Clone)]
pub struct LogHandle {
    current: Arc<RwLock<Arc<env_logger::Logger>>>,
    queue: Queue,
    journal: bool,
}

impl LogHandle {
    fn open(options: &LogOptions) -> Result<Self, StartError> {
        let destination = match &options.file {
            None => Destination::Stdout,
            Some(path) => {
                let file = LogFile::open(path.clone(), options.rotation.clone());
                Destination::File(file.map_err(|error| {
                    StartError::storage(format!("cannot open log file {}", path.display()), error)
                })?)
            }
        };
        let journal = options.file.is_none() && stdout_is_journal();
        let queue = Queue::start(destination).map_err(|error| {
            StartError::Internal(format!("cannot start the log's thread: {error}"))
        })?;
        let logger = Arc::new(logger(options, &queue, journal));
        Ok(Self { current: Arc::new(RwLock::new(logger)), queue, journal })
    }

    /// Takes level, modules and format of `options` from now on. File and rotation stay as they
    /// were started with.
    pub fn reload(&self, options: &LogOptions) {
        let logger = Arc::new(logger(options, &self.queue, self.journal));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = logger;
        self.set_max_level();
    }

    /// Opens the log file anew, after somebody moved it away. Returns at once.
    pub fn reopen(&self) {
        self.queue.reopen();
    }

    /// Calls `listener` with level, target and message of every line logged from now on, on the
    /// log's own thread. What it logs itself, there, is not told to it again.
    pub fn on_line(&self, listener: impl Fn(Level, &str, &str) + Send + Sync + 'static) {
        self.queue.listen(Arc::new(listener));
    }

    /// Lines lost since the start, because they could not be written, or not fast enough.
    pub fn lost(&self) -> u64 {
        self.queue.lost()
    }

    /// From now on, what is written to stderr goes to the log file, if there is one.
    pub(super) fn capture_stderr(&self) {
        self.queue.take_stderr();
    }

    fn set_max_level(&self) {
        log::set_max_level(self.current().filter());
    }

    /// No lock is held while a record is formatted: what it shows may log or panic itself.
    fn current(&self) -> Arc<env_logger::Logger> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Log for LogHandle {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.current().enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let logger = self.current();
        if logger.matches(record) {
            logger.log(record);
            self.queue.publish(record.level(), record.target(), || message(record));
        }
    }

    fn flush(&self) {
        self.queue.flush(FLUSH_LIMIT);
    }
}

impl fmt::Debug for LogHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogHandle").field("lost", &self.lost()).finish_non_exhaustive()
    }
}

fn logger(options: &LogOptions, queue: &Queue, journal: bool) -> env_logger::Logger {
    let mut builder = Builder::new();
    builder.filter_level(options.level);
    if options.level < LevelFilter::Debug {
        for library in TALKATIVE {
            builder.filter_module(library, options.level.min(LevelFilter::Warn));
        }
    }
    for (module, level) in &options.modules {
        builder.filter_module(module, *level);
    }
    let format = options.format.clone();
    builder
        .write_style(WriteStyle::Never)
        .target(Target::Pipe(Box::new(ToQueue(queue.clone()))))
        .format(move |out, record| {
            if journal {
                out.write_all(priority(record.level()).as_bytes())?;
            }
            format.write(out, Timestamp::now(), record)
        })
        .build()
}

/// `sd-daemon(3)`: how important a line is, for the journal.
fn priority(level: Level) -> &'static str {
    match level {
        Level::Error => "<3>",
        Level::Warn => "<4>",
        Level::Info => "<6>",
        Level::Debug | Level::Trace => "<7>",
    }
}

/// `JOURNAL_STREAM` names the journal's end of stdout, if nobody has redirected it since.
fn stdout_is_journal() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else { return false };
    fs::metadata("/proc/self/fd/1")
        .is_ok_and(|stdout| format!("{}:{}", stdout.st_dev(), stdout.st_ino()) == stream)
}

/// One whole line at a time, as `env_logger` hands them over.
struct ToQueue(Queue);

impl io::Write for ToQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.line(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
