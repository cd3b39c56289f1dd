//! How a station comes to life: in the foreground, or detached with a parent that waits.
//!
//! ```text
//!   parent   pipe ── fork ── wait for the word on the pipe ──────────── exit with the child's code
//!   child              setsid, fork ── body: claim, bind, drop root, start … ── "ready", or why not
//! ```
//! The fork comes before any thread, runtime, lock or file, so that only the child ever holds
//! them. The parent says what the child says: 0 once the station is ready, else the reason on
//! stderr and its code; silence means that the child died.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::fd::AsRawFd as _,
    panic::{self, AssertUnwindSafe},
    path::Path,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use daemonize::{Daemonize, Outcome, Stdio};
use log::error;
use nix::{
    fcntl::OFlag,
    unistd::{dup2_stderr, pipe2},
};

use super::{LogHandle, Notifier, StartError, exit, panics, privileges};
use crate::sys::process::close_inherited;

/// How to start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Launch {
    /// Detach from terminal and parent; all paths must be absolute by then.
    pub daemonize: bool,
    /// Scheduling priority, -20 (first) to 19.
    pub nice: Option<i32>,
}

/// The word that start-up is over, to be given by the body when `/ready` answers 200.
#[derive(Debug)]
pub struct Ready {
    report: Report,
    notifier: Notifier,
}

impl Ready {
    /// How to speak to the service manager.
    pub fn notifier(&self) -> Notifier {
        self.notifier.clone()
    }

    /// Start-up is over. Tells the service manager (`announcement` is the status shown) and lets
    /// the waiting parent, if any, print `announcement` and exit with 0; then nothing inherited
    /// is open any more, and what is written to stderr goes to the log.
    pub fn ready(self, announcement: &str, log: Option<&LogHandle>) {
        if let Some(pipe) = self.report.take() {
            leave_stderr();
            if let Some(log) = log {
                log.capture_stderr();
            }
            self.notifier.ready(announcement);
            tell(pipe, exit::DONE, announcement);
        } else {
            self.notifier.ready(announcement);
        }
    }
}

/// Runs `body` here, or in a detached process while this one waits for its word; gives the code
/// to exit with. A reason is printed on stderr, on one line.
///
/// To be called from `main` before anything else is opened or started. Whatever makes `body` end
/// before it called [`Ready::ready`] is why the station did not start.
pub fn launch(launch: Launch, body: impl FnOnce(Ready) -> Result<(), StartError>) -> ExitCode {
    panics::install_hook();
    if launch.daemonize {
        detach(launch, body)
    } else {
        match run(launch, Report::default(), body) {
            Ok(()) => exit::DONE.into(),
            Err(error) => fail(error.code(), &error.to_string()),
        }
    }
}

fn run(
    launch: Launch,
    report: Report,
    body: impl FnOnce(Ready) -> Result<(), StartError>,
) -> Result<(), StartError> {
    privileges::restrict_file_modes();
    if let Some(nice) = launch.nice {
        privileges::set_nice(nice)?;
    }
    let ready = Ready { report, notifier: Notifier::take_from_env() };
    panic::catch_unwind(AssertUnwindSafe(|| body(ready))).unwrap_or_else(|_| {
        let message = panics::last().unwrap_or_else(|| "a panic without a message".to_owned());
        Err(StartError::Internal(message))
    })
}

fn detach(launch: Launch, body: impl FnOnce(Ready) -> Result<(), StartError>) -> ExitCode {
    let (reader, writer) = match pipe2(OFlag::O_CLOEXEC) {
        Ok((reader, writer)) => (File::from(reader), File::from(writer)),
        Err(error) => return fail(exit::INTERNAL, &format!("cannot make a pipe: {error}")),
    };
    let daemon = Daemonize::new().working_directory("/").umask(0o027).stderr(Stdio::keep());
    match daemon.execute() {
        Outcome::Parent(Ok(_)) => {
            drop(writer);
            wait_for_word(reader)
        }
        Outcome::Parent(Err(error)) => fail(exit::INTERNAL, &format!("cannot detach: {error}")),
        Outcome::Child(Ok(_)) => {
            drop(reader);
            close_inherited(writer.as_raw_fd());
            let report = Report::to(writer);
            let result = run(launch, report.clone(), body);
            end(&report, result)
        }
        Outcome::Child(Err(error)) => {
            tell(writer, exit::INTERNAL, &format!("cannot detach: {error}"));
            exit::INTERNAL.into()
        }
    }
}

/// The end of the detached process: before it was ready the parent is told, afterwards the log.
fn end(report: &Report, result: Result<(), StartError>) -> ExitCode {
    let (code, reason) = match result {
        Ok(()) => (exit::DONE, "it was stopped before it was ready".to_owned()),
        Err(error) => (error.code(), error.to_string()),
    };
    match report.take() {
        Some(pipe) => tell(pipe, if code == exit::DONE { exit::INTERNAL } else { code }, &reason),
        None if code != exit::DONE => error!("{reason}"),
        None => {}
    }
    code.into()
}

fn wait_for_word(mut reader: File) -> ExitCode {
    let mut word = String::new();
    if let Err(error) = reader.read_to_string(&mut word) {
        return fail(exit::INTERNAL, &format!("cannot hear from the station: {error}"));
    }
    match word.split_once('\n').map(|(code, text)| (code.parse::<u8>(), text)) {
        Some((Ok(exit::DONE), announcement)) => {
            if !announcement.is_empty() {
                // A closed stdout does not make a running station a failure.
                let _ = writeln!(io::stdout(), "{announcement}");
            }
            exit::DONE.into()
        }
        Some((Ok(code), reason)) => fail(code, reason),
        _ => fail(exit::INTERNAL, "the station died before it was ready"),
    }
}

fn fail(code: u8, reason: &str) -> ExitCode {
    // There is nobody else to tell when stderr is closed.
    let _ = writeln!(io::stderr(), "stationd: {reason}");
    code.into()
}

fn tell(mut pipe: File, code: u8, text: &str) {
    // A parent that is gone has no use for the word.
    let _ = pipe.write_all(format!("{code}\n{text}").as_bytes());
}

fn leave_stderr() {
    let null = OpenOptions::new().write(true).open(Path::new("/dev/null"));
    if let Err(error) = null.and_then(|null| dup2_stderr(null).map_err(Into::into)) {
        error!("cannot let go of stderr: {error}");
    }
}

/// The pipe to the waiting parent, until one word has been said.
#[derive(Clone, Debug, Default)]
struct Report(Arc<Mutex<Option<File>>>);

impl Report {
    fn to(pipe: File) -> Self {
        Self(Arc::new(Mutex::new(Some(pipe))))
    }

    fn take(&self) -> Option<File> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
