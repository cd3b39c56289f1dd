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
/// to exit with (one of [`exit`]). The reason is printed on stderr.
///
/// To be called from `main` before anything else is opened or started. Whatever makes `body` end
/// before it called [`Ready::ready`] is why the station did not start.
pub fn launch(launch: Launch, body: impl FnOnce(Ready) -> Result<(), StartError>) -> u8 {
    panics::install_hook();
    if launch.daemonize {
        detach(launch, body)
    } else {
        match run(launch, Report::default(), body) {
            Ok(()) => exit::DONE,
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

fn detach(launch: Launch, body: impl FnOnce(Ready) -> Result<(), StartError>) -> u8 {
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
            exit::INTERNAL
        }
    }
}

/// The end of the detached process: before it was ready the parent is told, afterwards the log.
fn end(report: &Report, result: Result<(), StartError>) -> u8 {
    let (code, reason) = match result {
        Ok(()) => (exit::DONE, "it was stopped before it was ready".to_owned()),
        Err(error) => (error.code(), error.to_string()),
    };
    match report.take() {
        Some(pipe) => tell(pipe, if code == exit::DONE { exit::INTERNAL } else { code }, &reason),
        None if code != exit::DONE => error!("{reason}"),
        None => {}
    }
    code
}

fn wait_for_word(mut reader: File) -> u8 {
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
            exit::DONE
        }
        Some((Ok(code), reason)) => fail(code, reason),
        _ => fail(exit::INTERNAL, "the station died before it was ready"),
    }
}

fn fail(code: u8, reason: &str) -> u8 {
    // There is nobody else to tell when stderr is closed.
    let _ = writeln!(io::stderr(), "stationd: {reason}");
    code
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

#[cfg(test)]
mod tests {
    use std::{
        env, fs,
        os::fd::IntoRawFd as _,
        path::{Path, PathBuf},
        process::{self, Output},
    };

    use nix::unistd::{getpid, getsid};
    use tempfile::tempdir;

    use super::{Launch, Ready, launch};
    use crate::station::{
        StartError,
        testing::{eventually, rerun},
    };

    /// Runs `body` in a process of its own that daemonizes, and gives what its parent saw.
    fn daemonize(test: &str, directory: &Path) -> Output {
        rerun(test).env("STATIOND_TEST_DIR", directory).output().unwrap()
    }

    fn as_daemon(body: impl FnOnce(Ready, PathBuf) -> Result<(), StartError>) -> bool {
        let Some(directory) = env::var_os("STATIOND_TEST_DIR").map(PathBuf::from) else {
            return false;
        };
        // Something that a careless caller left open across exec.
        let _ = nix::unistd::dup(fs::File::open("/dev/zero").unwrap()).unwrap().into_raw_fd();
        let options =
            Launch { daemonize: env::var_os("STATIOND_TEST_FOREGROUND").is_none(), nice: Some(3) };
        let code = launch(options, |ready| body(ready, directory));
        #[expect(clippy::disallowed_methods, clippy::exit, reason = "the harness must not go on")]
        process::exit(code.into())
    }

    #[test]
    fn the_parent_returns_when_the_daemon_is_ready() {
        let is_child = as_daemon(|ready, directory| {
            ready.ready("listening on nothing", None);
            let open: Vec<String> = fs::read_dir("/proc/self/fd")
                .unwrap()
                .flatten()
                .filter_map(|fd| fs::read_link(fd.path()).ok())
                .map(|target| target.display().to_string())
                .filter(|target| !target.starts_with("/proc/"))
                .collect();
            let status = fs::read_to_string("/proc/self/stat").unwrap();
            let leads = getsid(None) == Ok(getpid());
            let nice = status.rsplit(')').next().unwrap().split(' ').nth(17).unwrap().to_owned();
            let cwd = env::current_dir().unwrap();
            let seen = format!("{open:?} leads={leads} nice={nice} cwd={}", cwd.display());
            fs::write(directory.join("part"), seen).unwrap();
            fs::rename(directory.join("part"), directory.join("seen")).unwrap();
            Ok(())
        });
        assert!(!is_child);
        let directory = tempdir().unwrap();
        let output = daemonize(
            "station::launch::tests::the_parent_returns_when_the_daemon_is_ready",
            directory.path(),
        );
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("listening on nothing\n"));
        let seen = eventually("the daemon writes what it sees", || {
            fs::read_to_string(directory.path().join("seen")).ok()
        });
        let null = r#"["/dev/null", "/dev/null", "/dev/null"]"#;
        assert_eq!(seen, format!("{null} leads=false nice=3 cwd=/"));
    }

    #[test]
    fn the_parent_repeats_why_the_daemon_did_not_start() {
        as_daemon(|_, _| Err(StartError::Database("the database is newer".to_owned())));
        let directory = tempdir().unwrap();
        let test = "station::launch::tests::the_parent_repeats_why_the_daemon_did_not_start";
        let output = daemonize(test, directory.path());
        assert_eq!(output.status.code(), Some(65), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "stationd: the database is newer\n");
        let output = rerun(test)
            .env("STATIOND_TEST_DIR", directory.path())
            .env("STATIOND_TEST_FOREGROUND", "1")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(65), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "stationd: the database is newer\n");
    }

    #[test]
    fn a_panic_is_a_reason() {
        as_daemon(|_, _| panic!("on\npurpose"));
        let directory = tempdir().unwrap();
        let output = daemonize("station::launch::tests::a_panic_is_a_reason", directory.path());
        assert_eq!(output.status.code(), Some(70), "{output:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.lines().all(|line| line.ends_with("on purpose")), "{stderr}");
    }

    #[test]
    fn silence_is_death() {
        as_daemon(|_, _| process::abort());
        let directory = tempdir().unwrap();
        let output = daemonize("station::launch::tests::silence_is_death", directory.path());
        assert_eq!(output.status.code(), Some(70), "{output:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(stderr, "stationd: the station died before it was ready\n");
    }

    #[test]
    fn an_early_stop_is_no_success() {
        as_daemon(|_, _| Ok(()));
        let directory = tempdir().unwrap();
        let output =
            daemonize("station::launch::tests::an_early_stop_is_no_success", directory.path());
        assert_eq!(output.status.code(), Some(70), "{output:?}");
    }
}
