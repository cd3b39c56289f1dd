//! The thread that looks for what is left of programs, and ends it when nobody else will.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use tokio::sync::oneshot;

use super::{
    census::{Census, Family},
    cgroup::Cgroup,
};

/// Between two looks at what was killed.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Between two looks at children that were left to themselves.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// A program that is to be no more.
pub(super) struct Grave {
    pub(super) family: Family,
    pub(super) cgroup: Option<Cgroup>,
    /// Told when nothing is left.
    pub(super) done: Option<oneshot::Sender<()>>,
}

impl Grave {
    /// Nothing is left.
    fn close(&mut self) {
        if let Some(cgroup) = &self.cgroup {
            cgroup.remove();
        }
        if let Some(done) = self.done.take() {
            let _ = done.send(());
        }
    }
}

enum Work {
    Census(u64, oneshot::Sender<Arc<Census>>),
    Bury(Grave),
    Leave(i32),
}

/// The way to the thread, which ends after the last of these, when it has nothing left to do.
#[derive(Clone)]
pub(super) struct Reaper(Sender<Work>);

impl Reaper {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn start() -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let thread = Thread { graves: Vec::new(), left: Vec::new() };
        thread::Builder::new().name("reaper".to_owned()).spawn(move || thread.run(&receiver))?;
        Ok(Self(sender))
    }

    /// Who runs now, with the marks of those that started at `since` or later. Those who ask at
    /// the same time share one walk.
    pub(super) async fn census(&self, since: u64) -> Arc<Census> {
        let (answer, census) = oneshot::channel();
        let _ = self.0.send(Work::Census(since, answer));
        census.await.unwrap_or_default()
    }

    /// Kills a whole family, and reaps it.
    pub(super) fn bury(&self, grave: Grave) {
        let _ = self.0.send(Work::Bury(grave));
    }

    /// Reaps this child when it ends, if nobody else does.
    pub(super) fn leave(&self, pid: i32) {
        let _ = self.0.send(Work::Leave(pid));
    }
}

struct Thread {
    graves: Vec<Grave>,
    left: Vec<i32>,
}

impl Thread {
    fn run(mut self, work: &Receiver<Work>) {
        loop {
            let first = match (self.graves.is_empty(), self.left.is_empty()) {
                (true, true) => work.recv().map_err(|_| RecvTimeoutError::Disconnected),
                (true, false) => work.recv_timeout(LOOK_AFTER),
                (false, _) => work.recv_timeout(LOOK_AGAIN),
            };
            if matches!(first, Err(RecvTimeoutError::Disconnected)) {
                if self.graves.is_empty() {
                    return;
                }
                thread::sleep(LOOK_AGAIN);
            }
            let mut asked = Vec::new();
            for work in first.into_iter().chain(work.try_iter()) {
                match work {
                    Work::Census(since, answer) => asked.push((since, answer)),
                    Work::Bury(grave) => self.graves.push(grave),
                    Work::Leave(pid) => self.left.push(pid),
                }
            }
            self.left.retain(|pid| !reap(*pid));
            self.look(asked);
        }
    }

    fn look(&mut self, asked: Vec<(u64, oneshot::Sender<Arc<Census>>)>) {
        let graves = self.graves.iter().map(|grave| grave.family.main.started);
        let Some(since) = asked.iter().map(|(since, _)| *since).chain(graves).min() else { return };
        let census = Arc::new(Census::take(since).unwrap_or_default());
        for (_, answer) in asked {
            let _ = answer.send(Arc::clone(&census));
        }
        self.graves.retain_mut(|grave| {
            let members = census.members(&grave.family);
            for member in &members {
                member.signal(Signal::SIGKILL);
            }
            let main = grave.family.main.pid;
            let over = members.is_empty() && reap(main);
            if over {
                grave.close();
            }
            !over
        });
    }
}

/// Kills a child of ours at once, and reaps it.
pub(super) fn end_child(pid: i32) {
    let pid = Pid::from_raw(pid);
    // It is ours and has not been reaped, so nobody else can have its number.
    let _ = kill(pid, Signal::SIGKILL);
    let _ = waitpid(pid, None);
}

/// True if this is no living child of ours, or no more.
pub(super) fn reap(pid: i32) -> bool {
    match waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => false,
        Ok(_) | Err(_) => true,
    }
}
