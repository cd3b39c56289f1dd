//! What all process daemons of a station share.

use std::{
    fs, io,
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        mpsc::{self, Sender},
    },
    thread,
};

use nix::sys::signal::Signal;
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    census::{Census, Scope},
    cgroup::{Base, Cgroup},
    reaper::Reaper,
    record::{self, file_name},
    spawner::Spawner,
};
use crate::{feed::Feed, log_file::Turn};

/// How often a sweep looks whether somebody forked meanwhile.
const SWEEPS: usize = 20;

/// A log file's turn, and who is to know how it went.
type TurnOrder = (Turn, tokio::sync::oneshot::Sender<bool>);

/// The station as its programs see it.
pub struct Host {
    /// Where programs work unless told otherwise, and what marks them as this station's.
    pub workspace: PathBuf,
    /// Where their output is kept, as `NAME.log`.
    pub logs: PathBuf,
    /// Where it is written which process is whose, as `NAME.pid`.
    pub run: PathBuf,
    /// Where their output is published, line by line.
    pub feed: Arc<Feed>,
    boot_id: String,
    spawner: Spawner,
    reaper: Reaper,
    cgroups: Option<Base>,
    reopen: watch::Sender<()>,
    turns: OnceLock<Sender<TurnOrder>>,
}

impl Host {
    /// Starts what starts and reaps programs. `workspace` is absolute; all three exist.
    ///
    /// # Errors
    /// No thread can be started, or there is no `/proc`.
    pub fn new(
        workspace: PathBuf,
        logs: PathBuf,
        run: PathBuf,
        feed: Arc<Feed>,
    ) -> io::Result<Arc<Self>> {
        let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
        Ok(Arc::new(Self {
            workspace,
            logs,
            run,
            feed,
            boot_id,
            spawner: Spawner::start()?,
            reaper: Reaper::start()?,
            cgroups: Base::find("daemons"),
            reopen: watch::Sender::new(()),
            turns: OnceLock::new(),
        }))
    }

    /// Where the output of a daemon is kept.
    pub fn log_file(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{}.log", file_name(name)))
    }

    /// Where the PID of a daemon is written.
    pub fn pid_file(&self, name: &str) -> PathBuf {
        self.run.join(format!("{}.pid", file_name(name)))
    }

    /// Has every log opened anew, after somebody else has set it aside.
    pub fn reopen_logs(&self) {
        self.reopen.send_replace(());
    }

    /// Kills every process that an earlier run of this station has left, but for the detached
    /// daemons in `keep`. Returns how many there were.
    ///
    /// # Errors
    /// There is no `/proc`.
    pub fn sweep(&self, keep: &[String]) -> io::Result<usize> {
        let is_kept = |name: &String| keep.contains(name);
        let kept: Vec<_> = record::all(&self.run)
            .into_iter()
            .filter(|record| is_kept(&record.name) && record.process(&self.boot_id).is_some())
            .map(|record| record.name.into_bytes())
            .collect();
        let everything = Scope { is_wide: true, ..Scope::default() };
        let mut killed = Vec::new();
        for _ in 0..SWEEPS {
            let left =
                Census::take(&everything)?.marked(self.workspace.as_os_str().as_bytes(), &kept);
            if left.is_empty() {
                break;
            }
            for member in left {
                member.signal(Signal::SIGKILL);
                if !killed.contains(&member) {
                    killed.push(member);
                }
            }
            thread::yield_now();
        }
        Ok(killed.len())
    }

    pub(super) fn boot_id(&self) -> &str {
        &self.boot_id
    }

    pub(super) fn spawner(&self) -> &Spawner {
        &self.spawner
    }

    pub(super) fn reaper(&self) -> Reaper {
        self.reaper.clone()
    }

    /// The control group of a daemon's program, if there can be one.
    pub(super) fn cgroup(&self, name: &str) -> Option<Cgroup> {
        self.cgroups.as_ref()?.group(&file_name(name)).ok()
    }

    /// Changes whenever logs are to be opened anew.
    pub(super) fn reopening(&self) -> watch::Receiver<()> {
        self.reopen.subscribe()
    }

    /// Sets a log file aside on a thread of its own, for old ones are compressed then; false if
    /// that failed.
    pub(super) async fn turn(&self, turn: Turn) -> bool {
        let turns = self.turns.get_or_init(|| {
            let (sender, orders) = mpsc::channel::<TurnOrder>();
            // Without the thread, logs grow on.
            let _ = thread::Builder::new().name("rotator".to_owned()).spawn(move || {
                for (turn, answer) in orders {
                    let _ = answer.send(turn.run());
                }
            });
            sender
        });
        let (answer, turned) = tokio::sync::oneshot::channel();
        turns.send((turn, answer)).is_ok() && turned.await.unwrap_or(false)
    }
}

/// Marks one run of a program.
pub(super) fn next_run() -> String {
    Uuid::now_v7().simple().to_string()
}
