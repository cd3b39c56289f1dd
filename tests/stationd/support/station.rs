//! A station in the foreground, as a child of the test.

use std::{
    ffi::OsString,
    fs::{self, File},
    net::SocketAddr,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, ExitStatus},
    sync::Arc,
    thread,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

use super::{Answer, Client, Ran, binary::isolated, eventually, program, run_with};

/// How a station is to be started: on an empty workspace and any free port unless told otherwise.
#[derive(Clone)]
pub(crate) struct Builder {
    directory: Arc<TempDir>,
    port: u16,
    shell: Option<String>,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

impl Builder {
    /// One more argument after `start`.
    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Listens there, instead of on any free port.
    pub(crate) fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Started by a shell script, which ends in `exec "$0" "$@"`.
    pub(crate) fn shell(mut self, script: &str) -> Self {
        self.shell = Some(script.to_owned());
        self
    }

    /// `--set KEY=VALUE`.
    pub(crate) fn set(self, key: &str, value: &str) -> Self {
        self.arg("--set").arg(format!("{key}={value}"))
    }

    /// Simulated machines, one per driver, as devices `sim-DRIVER`.
    pub(crate) fn simulate(self, drivers: &str) -> Self {
        self.arg(format!("--simulate={drivers}"))
    }

    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// What the configuration file says; it is empty otherwise.
    pub(crate) fn config(self, yaml: &str) -> Self {
        fs::write(self.config_file(), yaml).unwrap();
        self
    }

    /// The directory that holds workspace, configuration and log, and goes with the station.
    pub(crate) fn home(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.home().join("workspace")
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.home().join("config.yaml")
    }

    /// The command that starts it.
    pub(crate) fn command(&self) -> std::process::Command {
        let mut command = match &self.shell {
            None => program(self.home()),
            Some(script) => {
                let mut shell = isolated("sh", self.home());
                shell.args(["-c", script, env!("CARGO_BIN_EXE_stationd")]);
                shell
            }
        };
        command.arg("start").arg("--workspace").arg(self.workspace());
        command.arg("--config").arg(self.config_file());
        command.arg("--port").arg(self.port.to_string());
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it to its end, for stations that do not start.
    pub(crate) fn run(&self) -> Ran {
        run_with(&mut self.command())
    }

    /// All that stations started here have written to stdout and stderr.
    fn log(&self) -> PathBuf {
        self.home().join("station.log")
    }

    fn child(&self) -> Child {
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = self.command();
        // It ends with the thread that started it, even if the tests are killed.
        command.arg("--parent").arg(std::process::id().to_string());
        command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    /// Starts it and does not wait.
    pub(crate) fn spawn(self) -> Station {
        Station { child: self.child(), builder: self, ended: None }
    }

    /// Starts it and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(self) -> Station {
        let mut station = self.spawn();
        station.await_ready();
        station
    }
}

/// A running station. Dropped, it is killed with everything it has started; if the test fails,
/// its log is printed. It must be dropped by the thread that started it.
pub(crate) struct Station {
    builder: Builder,
    child: Child,
    ended: Option<ExitStatus>,
}

impl Station {
    /// A station as it is by default.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::with().start()
    }

    /// A station that is to be described further.
    pub(crate) fn with() -> Builder {
        let directory = Arc::new(tempfile::Builder::new().prefix("stationd-").tempdir().unwrap());
        let builder =
            Builder { directory, port: 0, shell: None, args: Vec::new(), env: Vec::new() };
        builder.config("")
    }

    /// Waits until `/ready` is 200.
    #[track_caller]
    pub(crate) fn await_ready(&mut self) {
        let client = self.local();
        eventually("the station is ready", || {
            if let Some(status) = self.has_ended() {
                panic!("the station ended: {status}");
            }
            let answer = client.attempt("GET", "/ready", &[], b"").ok()?;
            (answer.status == 200).then_some(())
        });
    }

    /// How it was started, to start another one like it.
    pub(crate) fn builder(&self) -> Builder {
        self.builder.clone()
    }

    /// How it ended, if it has.
    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.ended = self.ended.or_else(|| self.child.try_wait().unwrap());
        self.ended
    }

    pub(crate) fn home(&self) -> &Path {
        self.builder.home()
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.builder.workspace()
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.builder.config_file()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A client over the Unix socket, which has the role admin.
    pub(crate) fn local(&self) -> Client {
        Client::unix(self.workspace().join("stationd.sock"))
    }

    /// A client over TCP, which is no more than an operator.
    #[track_caller]
    pub(crate) fn tcp(&self) -> Client {
        Client::tcp(self.address())
    }

    /// Where it listens, as it says in its log at the level info or below.
    #[track_caller]
    pub(crate) fn address(&self) -> SocketAddr {
        let who = format!(" (PID {}, ", self.pid());
        eventually("the station says where it listens", || {
            let log = self.log();
            let (before, _) = log.rsplit_once(&who)?;
            let (_, port) = before.rsplit_once("is ready: http://localhost:")?;
            let port = port.parse().unwrap();
            Some(SocketAddr::from(([127, 0, 0, 1], port)))
        })
    }

    /// All that it has written to stdout and stderr, over restarts.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.builder.log()).unwrap()).into_owned()
    }

    /// Runs a command of the client against it.
    pub(crate) fn cli<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        run_with(program(self.home()).arg("--workspace").arg(self.workspace()).args(args))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(process(self.pid()), signal).unwrap();
    }

    /// Ends it as a power cut would: SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.ended = Some(self.child.wait().unwrap());
    }

    /// Stops it by SIGTERM; its exit code.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> i32 {
        self.signal(Signal::SIGTERM);
        self.exit_code()
    }

    /// Waits until it has ended; its exit code.
    #[track_caller]
    pub(crate) fn exit_code(&mut self) -> i32 {
        let status = eventually("the station ends", || self.has_ended());
        status.code().unwrap_or_else(|| panic!("ended by signal {:?}", status.signal()))
    }

    /// Starts it again on the same workspace, with the same options; it must have ended.
    #[track_caller]
    pub(crate) fn again(&mut self) {
        self.again_at_once();
        self.await_ready();
    }

    /// Starts it again as [`again`](Self::again) does, but does not wait until it is ready.
    pub(crate) fn again_at_once(&mut self) {
        assert!(self.ended.is_some(), "the station still runs");
        self.child = self.builder.child();
        self.ended = None;
    }

    /// Submits a command job over the socket; its id.
    #[track_caller]
    pub(crate) fn submit(&self, job: &Value) -> String {
        let job = self.local().post("/api/v1/jobs", job).expect(201);
        job["id"].as_str().unwrap().to_owned()
    }

    /// Submits a job that is several; answers with their ids.
    pub(crate) fn submit_all(&self, job: &Value) -> Vec<String> {
        let answer = self.local().post("/api/v1/jobs", job).expect(201);
        let items = answer["items"].as_array().unwrap();
        items.iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    pub(crate) fn job(&self, id: &str) -> Value {
        self.local().get(&format!("/api/v1/jobs/{id}")).expect(200)
    }

    /// Each state after the first and who asked for it: as `PAUSED by me`.
    pub(crate) fn moves_of(&self, job: &str) -> Vec<String> {
        let history = self.local().get(&format!("/api/v1/jobs/{job}/history")).expect(200);
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let me = format!("uid:{}", nix::unistd::geteuid());
        let moves = history["items"].as_array().unwrap().iter().skip(1);
        moves
            .map(|it| {
                format!("{} by {}", word(&it["to_state"]), word(&it["actor"]).replace(&me, "me"))
            })
            .collect()
    }

    /// Waits until a job is in this state.
    #[track_caller]
    pub(crate) fn await_job(&self, id: &str, state: &str) -> Value {
        eventually(&format!("job {id} is {state}"), || {
            let job = self.job(id);
            (job["state"] == state).then_some(job)
        })
    }

    /// Asks for an action on a job.
    #[track_caller]
    pub(crate) fn act(&self, id: &str, action: &str) -> Answer {
        self.local().post(&format!("/api/v1/jobs/{id}/{action}"), &Value::Null)
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        kill_all_in(self.home());
        if thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(100).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            eprintln!("--- the station's log\n{}\n---", tail.join("\n"));
        }
    }
}

fn process(pid: u32) -> Pid {
    Pid::from_raw(pid.try_into().unwrap())
}

/// Kills what a killed station has left running: programs that work in its directory.
fn kill_all_in(directory: &Path) {
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let works_here =
            fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(directory));
        if works_here {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}
