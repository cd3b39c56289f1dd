//! What the tests of real programs share.

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use actix::{Actor, Addr};
use tempfile::TempDir;

use crate::{
    daemons::process::{Host, Options, Process, census::Member},
    domain::{Backoff, Daemon, DaemonState, Limits, OutputRules, Program, Readiness, RestartMode},
    feed::Feed,
    supervision::{
        List, Notice, OrderError, Policy, Restart, Rules, Shutdown, Spec, Start, Stop, Supervisor,
        child,
    },
};

pub(super) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A shell that runs `script`, and otherwise as little as may be.
pub(super) fn shell(script: &str) -> Program {
    program(&["sh", "-c", script])
}

pub(super) fn program(command: &[&str]) -> Program {
    Program {
        command: command.iter().map(ToString::to_string).collect(),
        directory: None,
        environment: [].into(),
        environment_file: None,
        user: None,
        group: None,
        umask: None,
        nice: None,
        stop_signal: "TERM".to_owned(),
        stop_timeout: Duration::from_secs(20),
        exit_codes: vec![0],
        no_new_privileges: false,
        detach: false,
        limits: Limits::default(),
        log: OutputRules { max_size: 1_000_000, backup_count: 3, compress: true },
        ready: Readiness::Spawned,
        health: None,
        watchdog: None,
    }
}

/// A program that fails is not started again.
pub(super) fn policy() -> Policy {
    Policy {
        restart: RestartMode::Never,
        backoff: Backoff::new(ms(1), 1.0, ms(1), 0.0).unwrap(),
        max_restarts: 1000,
        start_timeout: Duration::from_secs(20),
        stop_timeout: Duration::from_secs(22),
        ..Policy::default()
    }
}

pub(super) fn again() -> Policy {
    Policy { restart: RestartMode::Always, ..policy() }
}

/// A station's directories, for several lives of it.
pub(super) struct Place {
    pub(super) dir: TempDir,
    pub(super) lines: Arc<Mutex<Vec<String>>>,
    feed: Arc<Feed>,
}

impl Place {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["logs", "run"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let (feed, told) = (Feed::new(), lines.clone());
        feed.listen(move |frame| {
            let frame: serde_json::Value = serde_json::from_str(&frame.text).unwrap();
            let message = frame["message"].as_str().unwrap_or_default();
            told.lock().unwrap().push(message.to_owned());
        });
        Self { dir, lines, feed }
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    pub(super) fn host(&self) -> Arc<Host> {
        let at = |name: &str| self.dir.path().join(name);
        let workspace = self.dir.path().to_owned();
        Host::new(workspace, at("logs"), at("run"), self.feed.clone()).unwrap()
    }

    /// A station that runs these programs.
    pub(super) fn run(&self, programs: Vec<(&str, Program, Policy)>) -> Station {
        let host = self.host();
        let daemons = programs.into_iter().map(|(name, program, policy)| {
            let options = Options { name: name.to_owned(), program, host: host.clone() };
            let (child, _) = child(move |vitals| Process::new(options.clone(), vitals));
            (Spec::new(name, policy), child.shared())
        });
        let seen = Rc::<RefCell<Vec<Daemon>>>::default();
        let views = seen.clone();
        let observe = move |notice: Notice<'_>| {
            if let Notice::Changed(view) = notice {
                views.borrow_mut().push(view.clone());
            }
        };
        let rules = Rules { restarts_per_minute: 0, ..Rules::default() };
        let supervisor = Supervisor::new(daemons.collect(), rules, observe).unwrap().start();
        Station { host, supervisor, seen }
    }

    /// A station that runs this one, called `it`.
    pub(super) fn run_one(&self, program: Program, policy: Policy) -> Station {
        self.run(vec![("it", program, policy)])
    }
}

/// A test that fails leaves no program behind either.
impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.host().sweep(&[]);
    }
}

/// Programs under a supervisor.
pub(super) struct Station {
    pub(super) host: Arc<Host>,
    pub(super) supervisor: Addr<Supervisor>,
    pub(super) seen: Rc<RefCell<Vec<Daemon>>>,
}

impl Station {
    pub(super) async fn list(&self) -> Vec<Daemon> {
        self.supervisor.send(List).await.unwrap()
    }

    pub(super) async fn it(&self) -> Daemon {
        self.list().await.remove(0)
    }

    /// Waits until it is seen so.
    pub(super) async fn when(&self, what: &str, wanted: impl Fn(&Daemon) -> bool) -> Daemon {
        let mut last = None;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let it = self.it().await;
            if wanted(&it) {
                return it;
            }
            last = Some(it);
            actix::clock::sleep(ms(2)).await;
        }
        panic!("never {what}: {last:#?}");
    }

    pub(super) async fn running(&self) -> Daemon {
        self.when("running", |it| it.state == DaemonState::Running && it.pid.is_some()).await
    }

    /// Waits until it has ended for good.
    pub(super) async fn ended(&self) -> Daemon {
        self.when("ended", |it| matches!(it.state, DaemonState::Failed | DaemonState::Stopped))
            .await
    }

    pub(super) async fn start(&self) -> Result<Daemon, OrderError> {
        self.supervisor.send(Start { name: "it".to_owned() }).await.unwrap().map(|done| done.daemon)
    }

    pub(super) async fn stop(&self) -> Daemon {
        self.supervisor
            .send(Stop { name: "it".to_owned(), force: false })
            .await
            .unwrap()
            .unwrap()
            .daemon
    }

    pub(super) async fn restart(&self) -> Result<Daemon, OrderError> {
        self.supervisor
            .send(Restart { name: "it".to_owned(), force: false })
            .await
            .unwrap()
            .map(|done| done.daemon)
    }

    pub(super) async fn shut_down(&self, grace: Duration) {
        self.supervisor.send(Shutdown { grace }).await.unwrap();
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

/// Polls until `condition` holds.
pub(super) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        actix::clock::sleep(ms(2)).await;
    }
}

/// The number that a program has written into a file.
pub(super) async fn number_in(path: PathBuf) -> i32 {
    let read = || fs::read_to_string(&path).ok()?.strip_suffix('\n')?.parse().ok();
    eventually(&format!("a number is in {}", path.display()), || read().is_some()).await;
    read().unwrap()
}

/// True if it runs, rather than waits to be reaped.
pub(super) fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    Member::find(pid).is_some() && !stat.contains(") Z ")
}

/// True if not even a zombie is left.
pub(super) fn is_gone(pid: i32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

pub(super) fn kill(pid: i32) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL).unwrap();
}
