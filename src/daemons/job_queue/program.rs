//! One program of a command job: spawned without a shell, in a process group of its own, its output
//! in the job's directory.
//!
//! Dropping a [`Program`] kills the whole group, so a queue that goes down leaves nothing running;
//! what a killed station leaves behind is found by the cookie in its environment.

use std::{
    fs::{self, File},
    io,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use log::info;
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use tokio::process::{Child, Command};

use crate::domain::JobId;

/// Names the job in the environment of its program, and so finds orphans.
pub(super) const COOKIE: &str = "STATIOND_JOB";

/// What of the station's environment a program gets to see.
const INHERITED: [&str; 9] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "XDG_RUNTIME_DIR"];

/// After SIGTERM a program has that long to end before SIGKILL.
pub(super) const TERM_GRACE: Duration = Duration::from_secs(5);

/// A running program.
pub(super) struct Program {
    child: Child,
    group: Pid,
}

impl Program {
    /// Starts `command` for the job in `dir`, which is created; output goes to `output.log` there.
    pub(super) fn spawn(id: JobId, command: &[String], dir: &Path) -> io::Result<Self> {
        let [program, arguments @ ..] = command else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no program to run"));
        };
        fs::create_dir_all(dir)?;
        let output = File::options().create(true).append(true).open(dir.join("output.log"))?;
        let child = Command::new(program)
            .args(arguments)
            .current_dir(dir)
            .env_clear()
            .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .env(COOKIE, id.to_string())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .map_err(|error| named(program, &error))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        let group = Pid::from_raw(pid.ok_or(io::ErrorKind::NotFound)?);
        Ok(Self { child, group })
    }

    /// Waits until it ends.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// The handle by which it can be signalled while somebody else waits for it.
    pub(super) fn group(&self) -> Group {
        Group(self.group)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.group().signal(Signal::SIGKILL);
    }
}

/// The process group of a program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group(Pid);

impl Group {
    /// Signals every process of the group; one that is gone already is no error.
    pub(super) fn signal(self, signal: Signal) {
        if let Err(error) = killpg(self.0, signal)
            && error != Errno::ESRCH
        {
            info!("failed to send {signal} to process group {}: {error}", self.0);
        }
    }
}

fn named(program: &str, error: &io::Error) -> io::Error {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "no such program".to_owned(),
        _ => error.to_string(),
    };
    io::Error::new(error.kind(), format!("failed to start \"{program}\": {why}"))
}

/// How a program ended, for people and for the job: its exit code and what is wrong with it.
pub(super) fn verdict(status: ExitStatus) -> (Option<i32>, Option<String>) {
    match (status.code(), status.signal()) {
        (Some(0), _) => (Some(0), None),
        (Some(code), _) => (Some(code), Some(format!("the program exited with {code}"))),
        (None, Some(signal)) => {
            let name = Signal::try_from(signal)
                .map_or_else(|_| signal.to_string(), |name| name.to_string());
            (None, Some(format!("the program was killed by {name}")))
        }
        (None, None) => (None, Some("the program ended in an unknown way".to_owned())),
    }
}

/// Kills every process that carries the cookie of one of these jobs: what a station that was killed
/// has left behind. Returns how many there were.
pub(super) fn kill_orphans(jobs: &[JobId]) -> io::Result<usize> {
    let cookies: Vec<_> = jobs.iter().map(|id| format!("{COOKIE}={id}")).collect();
    let mut killed = 0;
    for entry in fs::read_dir("/proc")? {
        let Ok(entry) = entry else { continue };
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(environment) = fs::read(entry.path().join("environ")) else { continue };
        let mut variables = environment.split(|byte| *byte == 0);
        if variables.any(|variable| cookies.iter().any(|cookie| cookie.as_bytes() == variable))
            && kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok()
        {
            killed += 1;
        }
    }
    Ok(killed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[actix::test]
    async fn output_exit_code_and_cookie() {
        let (dir, id) = (tempfile::tempdir().unwrap(), JobId::new());
        let script = "echo out; echo err >&2; echo $STATIOND_JOB; pwd; exit 3";
        let command = ["sh", "-c", script].map(str::to_owned);
        let mut program = Program::spawn(id, &command, &dir.path().join("job")).unwrap();
        let (code, error) = verdict(program.wait().await.unwrap());
        assert_eq!((code, error.as_deref()), (Some(3), Some("the program exited with 3")));
        let at = dir.path().join("job");
        let log = fs::read_to_string(at.join("output.log")).unwrap();
        assert_eq!(log, format!("out\nerr\n{id}\n{}\n", at.canonicalize().unwrap().display()));
    }

    #[actix::test]
    async fn a_missing_program_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = Program::spawn(JobId::new(), &words("no-such-program-here"), dir.path()).err();
        let text = error.map(|error| error.to_string());
        assert_eq!(
            text.as_deref(),
            Some("failed to start \"no-such-program-here\": no such program")
        );
    }

    #[actix::test]
    async fn orphans_are_found_by_their_cookie_alone() {
        let (dir, id, other) = (tempfile::tempdir().unwrap(), JobId::new(), JobId::new());
        let mut mine = Program::spawn(id, &words("sleep 60"), dir.path()).unwrap();
        let mut theirs = Program::spawn(other, &words("sleep 60"), dir.path()).unwrap();
        assert_eq!(kill_orphans(&[id]).unwrap(), 1);
        let killed = verdict(mine.wait().await.unwrap()).1;
        assert_eq!(killed.as_deref(), Some("the program was killed by SIGKILL"));
        assert!(theirs.child.try_wait().unwrap().is_none());
    }
}
