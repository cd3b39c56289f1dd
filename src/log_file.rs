//! A log file: appended to, rotated by size, reopened on demand.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use file_rotate::{ContentLimit, FileRotate, compression::Compression, suffix::AppendCount};
use nix::{libc, unistd::dup2_stderr};

/// How long to leave a log alone that cannot be opened.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// When to begin a new file, and what to keep of the old ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// A file that has grown beyond this is set aside; a line is never cut.
    pub max_bytes: u64,
    /// How many old files are kept, as `FILE.1` (the newest) and so on.
    pub backups: usize,
    /// Compress all old files but the newest, which then end in `.gz`.
    pub compress: bool,
    /// Old files beyond this age are removed.
    pub max_age: Option<Duration>,
}

/// A log file that may come and go.
pub(crate) struct LogFile {
    path: PathBuf,
    rotation: Option<Rotation>,
    file: Option<File>,
    /// Bytes in the file, as far as the next rotation is concerned.
    size: u64,
    /// When opening was tried last.
    tried: Option<Instant>,
    /// What is written to stderr goes to this file.
    takes_stderr: bool,
}

impl LogFile {
    /// Opens `path` for appending, mode 0640.
    ///
    /// # Errors
    /// It cannot be opened now; [`write`](Self::write) would try again.
    pub(crate) fn open(path: PathBuf, rotation: Option<Rotation>) -> io::Result<Self> {
        let mut log = Self::closed(path, rotation);
        log.reopen()?;
        Ok(log)
    }

    /// One that is opened by the first that is written to it.
    pub(crate) fn closed(path: PathBuf, rotation: Option<Rotation>) -> Self {
        Self { path, rotation, file: None, size: 0, tried: None, takes_stderr: false }
    }

    /// Opens what the path names now, which may be another file after an outside rotation.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        self.file = None;
        self.tried = Some(Instant::now());
        let file = options().open(&self.path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            self.rotation = None;
        }
        self.size = found.len();
        if self.takes_stderr {
            dup2_stderr(&file)?;
        }
        self.file = Some(file);
        self.remove_aged();
        Ok(())
    }

    /// From now on, what is written to stderr goes to this file.
    pub(crate) fn take_stderr(&mut self) -> io::Result<()> {
        self.takes_stderr = true;
        self.file.as_ref().map_or(Ok(()), |file| dup2_stderr(file).map_err(Into::into))
    }

    /// Appends `line`, after setting aside a file that has grown too large.
    pub(crate) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if let Some(turn) = self.turn() {
            let turned = turn.run();
            self.turned(turned)?;
        }
        self.append(line)
    }

    /// Appends `bytes`, whatever the size of the file.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            if self.tried.is_some_and(|tried| tried.elapsed() < REOPEN_AFTER) {
                return Err(io::ErrorKind::NotFound.into());
            }
            self.reopen()?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
            // What is lost takes no room: a full disk must not push old files out.
            self.size += u64::try_from(bytes.len()).unwrap_or(0);
        }
        Ok(())
    }

    /// What there is to do, by whatever thread, if the file has grown too large. Until it is said
    /// to be [`turned`](Self::turned), the old file is written on.
    pub(crate) fn turn(&self) -> Option<Turn> {
        let rotation = self.rotation.as_ref().filter(|rotation| self.size > rotation.max_bytes)?;
        Some(Turn { path: self.path.clone(), rotation: rotation.clone(), is_held: false })
    }

    /// True if the file is twice as large as it may be.
    pub(crate) fn is_swollen(&self) -> bool {
        self.rotation.as_ref().is_some_and(|rotation| self.size / 2 > rotation.max_bytes)
    }

    /// Writes to the new file from now on. If there is none, the old one is written on, and the
    /// next attempt comes after as many bytes again.
    pub(crate) fn turned(&mut self, turned: bool) -> io::Result<()> {
        self.reopen()?;
        if !turned {
            self.size = 0;
        }
        Ok(())
    }

    fn remove_aged(&self) {
        let Some(max_age) = self.rotation.as_ref().and_then(|rotation| rotation.max_age) else {
            return;
        };
        let (Some(directory), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return;
        };
        let prefix = format!("{}.", name.to_string_lossy());
        let is_old_log = |name: &str| {
            name.strip_prefix(&prefix)
                .map(|suffix| suffix.strip_suffix(".gz").unwrap_or(suffix))
                .is_some_and(|count| count.parse::<usize>().is_ok())
        };
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let is_aged = || {
                let age = SystemTime::now().duration_since(entry.metadata().ok()?.modified().ok()?);
                Some(age.ok()? > max_age)
            };
            if entry.file_name().to_str().is_some_and(is_old_log) && is_aged() == Some(true) {
                // Another attempt comes with the next rotation.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// A file that is to be set aside, and a new one begun.
pub(crate) struct Turn {
    path: PathBuf,
    rotation: Rotation,
    is_held: bool,
}

impl Turn {
    /// Of a file that another process holds open and appends to: the file stays and is emptied,
    /// and a copy is set aside. What is written at the very moment is lost.
    pub(crate) fn of_held(path: PathBuf, rotation: Rotation) -> Self {
        Self { path, rotation, is_held: true }
    }

    /// Does so, which takes its time if old files are copied or compressed; false if it failed.
    pub(crate) fn run(self) -> bool {
        match (self.is_held, self.rotation.backups) {
            (false, _) => self.rotate(),
            (true, 0) => self.empty().is_ok(),
            (true, _) => self.rotate() && self.give_back().is_ok(),
        }
    }

    fn rotate(&self) -> bool {
        let Self { path, rotation, .. } = self;
        // The crate asserts what others may do to its files in the middle of a rotation.
        let rotated = panic::catch_unwind(AssertUnwindSafe(|| {
            FileRotate::new(
                path,
                AppendCount::new(rotation.backups),
                ContentLimit::None,
                if rotation.compress { Compression::OnRotate(1) } else { Compression::None },
                Some(options()),
            )
            .rotate()
        }));
        matches!(rotated, Ok(Ok(())))
    }

    /// The file that was set aside comes back, and its copy takes its place.
    fn give_back(&self) -> io::Result<()> {
        let aside = self.path.with_added_extension("1");
        let copy = self.path.with_added_extension("copy");
        let copied = fs::copy(&aside, &copy);
        fs::rename(&aside, &self.path)?;
        copied?;
        fs::rename(&copy, &aside)?;
        self.empty()
    }

    fn empty(&self) -> io::Result<()> {
        OpenOptions::new().write(true).open(&self.path)?.set_len(0)
    }
}

/// A pipe or terminal in place of the file must not make anybody wait.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o640).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    options
}
