//! What a program writes: kept in its log file, published line by line, looked through for the
//! word that it is up.
//!
//! No more is read at a time than keeps the other daemons of the thread waiting unnoticed; a
//! program that floods its output is held up by its own full pipe.

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    fs::File,
    future::pending,
    io::{self, Read as _, Seek as _, SeekFrom},
    os::fd::OwnedFd,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use log::warn;
use regex_lite::Regex;
use tokio::{net::unix::pipe, sync::Notify, time::sleep};

use super::{
    Options,
    host::Host,
    lines::{Lines, Rate, WINDOW},
};
use crate::{
    domain::Live,
    log_file::{LogFile, Rotation, Turn},
};

/// What is read at a time.
const CHUNK: usize = 64 * 1024;
/// How long to leave a program alone that has filled a whole chunk.
const BREATH: Duration = Duration::from_millis(2);
/// How often to look at a file that a program writes itself.
const FOLLOW: Duration = Duration::from_millis(250);
/// The same while something in it is waited for.
const FOLLOW_CLOSELY: Duration = Duration::from_millis(50);
/// What is still read of a program that has ended.
const REST: usize = 64;

thread_local! {
    /// Shared by all programs of the thread: nothing stays in it.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]);
}

/// The output of one program.
pub(super) struct Output {
    source: Source,
    rotation: Rotation,
    host: Arc<Host>,
    name: String,
    kept: RefCell<Kept>,
    /// What is waited for, until it has come.
    wanted: RefCell<Option<Regex>>,
    found: Notify,
    /// A file is to be set aside.
    full: Notify,
}

enum Source {
    /// The station writes the file.
    Pipe(pipe::Receiver),
    /// The program writes the file, which is read from there on.
    File(PathBuf, Cell<u64>),
}

struct Kept {
    /// None if the program writes the file itself.
    log: Option<LogFile>,
    lines: Lines,
    rate: Rate,
    /// Bytes that could not be written.
    lost: u64,
    /// What was written last did not end a line.
    is_cut: bool,
    /// The file is being set aside.
    turning: bool,
    /// A new file was begun, or could not be, and is taken into use where a line ends.
    turned: Option<bool>,
    /// How much was written into the old one since.
    late: usize,
}

impl Output {
    /// What comes out of `pipe`; or, without one, what is added to the daemon's log from now on.
    ///
    /// # Errors
    /// The pipe cannot be waited for.
    pub(super) fn new(
        options: &Options,
        pipe: Option<OwnedFd>,
        wanted: Option<Regex>,
    ) -> io::Result<Self> {
        let path = options.host.log_file(&options.name);
        let rules = options.program.log;
        let rotation = Rotation {
            max_bytes: rules.max_size,
            backups: rules.backup_count,
            compress: rules.compress,
            max_age: None,
        };
        let (source, log) = match pipe {
            Some(pipe) => {
                let pipe = pipe::Receiver::from_owned_fd(pipe)?;
                (Source::Pipe(pipe), Some(LogFile::closed(path, Some(rotation.clone()))))
            }
            None => (Source::File(path, Cell::new(0)), None),
        };
        let kept = Kept {
            log,
            lines: Lines::default(),
            rate: Rate::new(Instant::now()),
            lost: 0,
            is_cut: false,
            turning: false,
            turned: None,
            late: 0,
        };
        Ok(Self {
            source,
            rotation,
            host: Arc::clone(&options.host),
            name: options.name.clone(),
            kept: RefCell::new(kept),
            wanted: RefCell::new(wanted),
            found: Notify::new(),
            full: Notify::new(),
        })
    }

    /// Where the log of a program that writes it itself is read from.
    pub(super) fn from(self, position: u64) -> Self {
        if let Source::File(_, at) = &self.source {
            at.set(position);
        }
        self
    }

    /// Until what is waited for has been written.
    pub(super) async fn found(&self) {
        while self.wanted.borrow().is_some() {
            self.found.notified().await;
        }
    }

    /// Takes whatever comes, for as long as it is polled.
    pub(super) async fn pump(&self) -> Infallible {
        tokio::select! {
            never = self.read() => never,
            never = self.reopen() => never,
            never = self.set_aside() => never,
        }
    }

    /// Takes what the program has left behind, now that it has ended, and gives the last lines.
    pub(super) fn end(&self) -> Vec<String> {
        for _ in 0..REST {
            match self.read_rest() {
                Ok(1..) => {}
                _ => break,
            }
        }
        let mut kept = self.kept.borrow_mut();
        let Kept { lines, rate, .. } = &mut *kept;
        lines.end(|line| self.tell(rate, line));
        if let Some(count) = rate.rest() {
            self.tell_left_out(count);
        }
        lines.last()
    }

    async fn read(&self) -> Infallible {
        loop {
            let count = match &self.source {
                Source::Pipe(pipe) => {
                    // Or each file would be larger than the last, which is longer compressed.
                    while self.kept.borrow().is_behind() {
                        sleep(BREATH).await;
                    }
                    if pipe.readable().await.is_err() {
                        return pending().await;
                    }
                    self.read_once()
                }
                Source::File(..) => {
                    let closely = self.wanted.borrow().is_some();
                    sleep(if closely { FOLLOW_CLOSELY } else { FOLLOW }).await;
                    self.read_once().map(|count| count.max(1))
                }
            };
            match count {
                Ok(0) => return pending().await, // everybody has closed it
                Ok(CHUNK..) => sleep(BREATH).await,
                Ok(_) => tokio::task::yield_now().await,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => sleep(FOLLOW).await,
            }
        }
    }

    /// Reads once; 0 at the end.
    fn read_once(&self) -> io::Result<usize> {
        BUFFER.with_borrow_mut(|buffer| {
            let count = match &self.source {
                Source::Pipe(pipe) => pipe.try_read(buffer)?,
                Source::File(path, at) => {
                    let mut file = File::open(path)?;
                    let size = file.metadata()?.len();
                    if size > self.rotation.max_bytes {
                        self.full.notify_one();
                    }
                    if size == at.get() {
                        return Ok(0);
                    }
                    let from = if size < at.get() { 0 } else { at.get() };
                    file.seek(SeekFrom::Start(from))?;
                    let count = file.read(buffer)?;
                    at.set(from + u64::try_from(count).unwrap_or(0));
                    count
                }
            };
            self.take(&buffer[..count]);
            Ok(count)
        })
    }

    /// The same, without asking the event loop whether there is something, which it may not have
    /// heard of yet.
    fn read_rest(&self) -> io::Result<usize> {
        let Source::Pipe(pipe) = &self.source else { return self.read_once() };
        BUFFER.with_borrow_mut(|buffer| {
            let count = nix::unistd::read(pipe, buffer)?; // which never waits: the pipe does not block
            self.take(&buffer[..count]);
            Ok(count)
        })
    }

    fn take(&self, bytes: &[u8]) {
        let mut kept = self.kept.borrow_mut();
        kept.write(bytes, &self.name);
        if kept.to_turn().is_some() {
            self.full.notify_one();
        }
        let Kept { lines, rate, .. } = &mut *kept;
        lines.take(bytes, |line| {
            self.look_for(line);
            self.tell(rate, line);
        });
        if let Some(count) = rate.left_out(Instant::now()) {
            self.tell_left_out(count);
        }
    }

    fn look_for(&self, line: &str) {
        let found = self.wanted.borrow().as_ref().is_some_and(|wanted| wanted.is_match(line));
        if found {
            self.wanted.replace(None);
            self.found.notify_waiters();
        }
    }

    fn tell(&self, rate: &mut Rate, line: &str) {
        if rate.admit(Instant::now()) {
            self.publish(line.to_owned());
        }
    }

    fn tell_left_out(&self, count: u64) {
        self.publish(format!("({count} more lines in {WINDOW:?} are only in the log file)"));
    }

    fn publish(&self, message: String) {
        let target = format!("daemon:{}", self.name);
        self.host.feed.live(&Live::Log { level: "INFO".to_owned(), target, message });
    }

    async fn reopen(&self) -> Infallible {
        let mut asked = self.host.reopening();
        while asked.changed().await.is_ok() {
            if let Some(log) = &mut self.kept.borrow_mut().log {
                // What cannot be opened now is tried again with the next line, and told then.
                let _ = log.reopen();
            }
        }
        pending().await
    }

    async fn set_aside(&self) -> Infallible {
        loop {
            self.full.notified().await;
            let turn = match &self.source {
                Source::Pipe(_) => self.kept.borrow().to_turn(),
                Source::File(path, _) => Some(Turn::of_held(path.clone(), self.rotation.clone())),
            };
            let Some(turn) = turn else { continue };
            self.kept.borrow_mut().turning = true;
            let turned = self.host.turn(turn).await;
            if let (Source::File(_, at), true) = (&self.source, turned) {
                at.set(0);
            }
            let mut kept = self.kept.borrow_mut();
            kept.turning = false;
            kept.turned = Some(turned);
            if !kept.is_cut {
                kept.move_on();
            }
        }
    }
}

impl Kept {
    /// What there is to do if the file has grown too large.
    fn to_turn(&self) -> Option<Turn> {
        self.log.as_ref().filter(|_| self.turned.is_none())?.turn()
    }

    /// More is written than can be set aside.
    fn is_behind(&self) -> bool {
        self.turning && self.log.as_ref().is_some_and(LogFile::is_swollen)
    }

    /// Takes the new file into use.
    fn move_on(&mut self) {
        if let (Some(turned), Some(log)) = (self.turned.take(), &mut self.log) {
            // What cannot be opened now is tried again with the next line, and told then.
            let _ = log.turned(turned);
        }
        self.late = 0;
    }

    /// Writes to the old file up to the end of the line, then to the new one. A line without an
    /// end is cut.
    fn write(&mut self, bytes: &[u8], name: &str) {
        if self.turned.is_none() {
            return self.append(bytes, name);
        }
        let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let (old, new) = bytes.split_at(end.unwrap_or(bytes.len()));
        self.append(old, name);
        self.late += old.len();
        if end.is_some() || self.late > CHUNK {
            self.move_on();
        }
        if !new.is_empty() {
            self.append(new, name);
        }
    }

    /// What cannot be written is lost; that is said once, until it can be again.
    fn append(&mut self, bytes: &[u8], name: &str) {
        let Some(log) = &mut self.log else { return };
        self.is_cut = bytes.last() != Some(&b'\n');
        match log.append(bytes) {
            Ok(()) if self.lost > 0 => {
                warn!("the log of {name} is written again; {} bytes of it are lost", self.lost);
                self.lost = 0;
            }
            Ok(()) => {}
            Err(error) => {
                if self.lost == 0 {
                    warn!("the log of {name} cannot be written, what it says is lost: {error}");
                }
                self.lost += u64::try_from(bytes.len()).unwrap_or(0);
            }
        }
    }
}
