//! The thread that looks for what is left of programs, and ends it when nobody else will.

use std::{
    collections::HashSet,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use nix::sys::signal::Signal;
use tokio::sync::oneshot;

use super::{
    census::{Census, Family, Member, Scope},
    cgroup::Cgroup,
    end::reap,
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

/// Somebody who wants to know who runs.
struct Asked {
    main: Member,
    is_ours: bool,
    answer: oneshot::Sender<Arc<Census>>,
}

enum Work {
    Census(Asked),
    Bury(Grave),
    Leave(i32),
}

/// The way to the thread, which ends after the last of these, when it has nothing left to do.
#[derive(Clone)]
pub(super) struct Reaper {
    work: Sender<Work>,
    /// The programs that run.
    mains: Mains,
}

type Mains = Arc<Mutex<HashSet<i32>>>;

impl Reaper {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn start() -> io::Result<Self> {
        let (work, orders) = mpsc::channel();
        let mains = Mains::default();
        let thread = Thread { graves: Vec::new(), left: Vec::new(), mains: Arc::clone(&mains) };
        thread::Builder::new().name("reaper".to_owned()).spawn(move || thread.run(&orders))?;
        Ok(Self { work, mains })
    }

    /// Who runs now, as far as it matters to this family. Those who ask at the same time share
    /// one walk.
    pub(super) async fn census(&self, family: &Family) -> Arc<Census> {
        let (answer, census) = oneshot::channel();
        let asked = Asked { main: family.main, is_ours: family.is_ours, answer };
        let _ = self.work.send(Work::Census(asked));
        census.await.unwrap_or_default()
    }

    /// Notes that this program runs, or does no more.
    pub(super) fn note(&self, pid: i32, runs: bool) {
        let mut mains = self.mains.lock().unwrap_or_else(PoisonError::into_inner);
        if runs {
            mains.insert(pid);
        } else {
            mains.remove(&pid);
        }
    }

    /// Kills a whole family, and reaps it.
    pub(super) fn bury(&self, grave: Grave) {
        let _ = self.work.send(Work::Bury(grave));
    }

    /// Reaps this child when it ends, if nobody else does.
    pub(super) fn leave(&self, pid: i32) {
        let _ = self.work.send(Work::Leave(pid));
    }
}

struct Thread {
    graves: Vec<Grave>,
    left: Vec<i32>,
    mains: Mains,
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
                    Work::Census(who) => asked.push(who),
                    Work::Bury(grave) => self.graves.push(grave),
                    Work::Leave(pid) => self.left.push(pid),
                }
            }
            self.left.retain(|pid| !reap(*pid));
            self.look(asked);
        }
    }

    fn look(&mut self, asked: Vec<Asked>) {
        let families = || {
            let graves = self.graves.iter().map(|grave| (grave.family.main, false));
            asked.iter().map(|asked| (asked.main, asked.is_ours)).chain(graves)
        };
        let Some(since) = families().map(|(main, _)| main.started).min() else { return };
        let mut left_out = self.mains.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (main, _) in families() {
            left_out.remove(&main.pid);
        }
        let is_wide = families().any(|(_, is_ours)| !is_ours);
        let census = Census::take(&Scope { since, is_wide, left_out });
        let census = Arc::new(census.unwrap_or_default());
        for Asked { answer, .. } in asked {
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
