//! A running program with everything that came of it.
//!
//! The program itself is reaped last: as long as its number is its own, so is that of its group,
//! and whoever is signalled by it belongs to it.

use std::{io, os::fd::OwnedFd, sync::Arc, time::Duration};

use log::info;
use nix::{
    errno::Errno,
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{io::unix::AsyncFd, time::sleep};

use super::{
    census::{Family, Member},
    cgroup::Cgroup,
    end::{End, reap},
    reaper::{Grave, Reaper},
};
use crate::sys::pidfd;

/// How soon to look again at what was asked to end, at first and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));

/// A program that was started or found. Dropping it kills everything at once, and has it reaped;
/// but one that is to be left alone is.
pub(super) struct Tree {
    family: Family,
    pidfd: Arc<OwnedFd>,
    cgroup: Option<Cgroup>,
    reaper: Reaper,
    /// Dropping it leaves it alone.
    left_alone: bool,
    /// Nothing is left of it.
    over: bool,
}

impl Tree {
    /// Takes over what `pidfd` stands for.
    pub(super) fn new(
        family: Family,
        pidfd: OwnedFd,
        cgroup: Option<Cgroup>,
        reaper: Reaper,
    ) -> Self {
        let pidfd = Arc::new(pidfd);
        reaper.note(family.main.pid, true);
        Self { family, pidfd, cgroup, reaper, left_alone: false, over: false }
    }

    /// Dropping it is to leave it alone, or not.
    pub(super) fn leave_alone(&mut self, left_alone: bool) {
        self.left_alone = left_alone;
    }

    pub(super) fn is_left_alone(&self) -> bool {
        self.left_alone
    }

    pub(super) fn family(&self) -> &Family {
        &self.family
    }

    pub(super) fn pid(&self) -> i32 {
        self.family.main.pid
    }

    /// What becomes readable when the program itself has ended. For the thread that waits.
    pub(super) fn watch(&self) -> io::Result<Watch> {
        pidfd::watch(Arc::clone(&self.pidfd)).map(Watch)
    }

    /// How the program itself has ended; it is not reaped yet.
    pub(super) fn end(&self) -> End {
        End::of(self.pid())
    }

    /// Signals the program and all in its group.
    pub(super) fn signal(&self, signal: Signal) {
        let sent = killpg(Pid::from_raw(self.pid()), signal);
        if let Err(error) = sent
            && error != Errno::ESRCH
        {
            info!("failed to send {signal} to process group {}: {}", self.pid(), error.desc());
        }
    }

    /// Kills what is known to belong to it, now.
    pub(super) fn kill(&self) {
        if let Some(cgroup) = &self.cgroup {
            cgroup.kill();
        }
        // That it has ended already is fine.
        let _ = pidfd::send(&self.pidfd, Signal::SIGKILL);
        if self.family.leads {
            self.signal(Signal::SIGKILL);
        }
    }

    /// Remembers who belongs to it now: some may not be known by their looks once it has ended.
    pub(super) async fn remember(&mut self) {
        self.family.known = self.members().await;
    }

    /// Ends what is left of it, once the program itself has ended: asked politely at first, and
    /// killed as soon as `is_late`.
    pub(super) async fn clear(&mut self, is_late: impl Fn() -> bool) {
        self.left_alone = false;
        if self.end() == End::Unknown {
            self.family.leads = false; // it is not ours to reap: its number is free
        }
        let (mut asked, mut pause) = (Vec::<Member>::new(), LOOKS.0);
        loop {
            let members = self.members().await;
            if members.is_empty() {
                return;
            }
            let late = is_late();
            for member in members {
                if late {
                    member.signal(Signal::SIGKILL);
                } else if !asked.contains(&member) {
                    member.signal(Signal::SIGTERM);
                    member.signal(Signal::SIGCONT);
                    asked.push(member);
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(LOOKS.1);
        }
    }

    /// Reaps the program: nothing is left of it.
    pub(super) fn finish(mut self) {
        self.over = true;
        self.reaper.note(self.pid(), false); // from here on, the number may be another's
        reap(self.pid());
        if let Some(cgroup) = &self.cgroup {
            cgroup.remove();
        }
    }

    async fn members(&self) -> Vec<Member> {
        if let Some(cgroup) = &self.cgroup
            && self.family.is_ours
        {
            return cgroup.members(); // nobody leaves that, and a walk takes as long as a start
        }
        let census = self.reaper.census(&self.family).await;
        let mut members = census.members(&self.family);
        for member in self.cgroup.iter().flat_map(Cgroup::members) {
            if !members.contains(&member) {
                members.push(member);
            }
        }
        members
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.reaper.note(self.pid(), false);
        if self.over {
        } else if self.left_alone {
            self.reaper.leave(self.pid());
        } else {
            self.kill();
            let (family, cgroup) = (self.family.clone(), self.cgroup.take());
            self.reaper.bury(Grave { family, cgroup, done: None });
        }
    }
}

/// Waits for the end of a program.
pub(super) struct Watch(AsyncFd<Arc<OwnedFd>>);

impl Watch {
    /// Until it has ended.
    pub(super) async fn ended(&self) {
        // An error means that the thread's event loop ends, and this wait with it.
        let _ = self.0.readable().await;
    }
}
