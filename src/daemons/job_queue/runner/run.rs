//! One program that runs, or that has ended and of which something may be left.

use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, killpg},
    unistd::{Pid, read},
};

use super::{Ended, How, Task, Why, forks::Mark, output::Output, start::Started};
use crate::daemons::programs::{
    census::{Census, Family, Marks, Member},
    cgroup::Cgroup,
    end::{End, reap},
};

/// What is read at a time.
pub(super) const CHUNK: usize = 64 * 1024;
/// How long to leave a program alone that has filled a whole chunk.
const BREATH: Duration = Duration::from_millis(1);
/// What is still read of a program that has ended.
const REST: usize = 64;
/// How soon to look again at what was asked to end, at first and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));
/// So many of those that were left behind are named.
const NAMED: usize = 8;

/// See above.
pub(super) struct Run {
    pub(super) task: Box<Task>,
    pub(super) pid: i32,
    pub(super) pidfd: OwnedFd,
    pub(super) pipe: OwnedFd,
    pub(super) output: Output,
    /// Before it was started.
    pub(super) mark: Mark,
    pub(super) begun: Instant,
    /// Its pipe is not looked at until then.
    pub(super) breath: Option<Instant>,
    cgroup: Option<Cgroup>,
    why: Option<Why>,
    /// It is asked to end then.
    deadline: Option<Instant>,
    /// It is killed then.
    kill_at: Option<Instant>,
    paused: Option<Instant>,
    is_killed: bool,
    /// Seen to belong to it when it was asked to end.
    known: Vec<Member>,
    over: Option<Over>,
}

/// The program itself has ended, and is not reaped, so that its number stays its own.
struct Over {
    end: End,
    at: Instant,
    asked: Vec<Member>,
    look_at: Instant,
    pause: Duration,
}

impl Run {
    pub(super) fn new(task: Box<Task>, started: Started, output: Output, mark: Mark) -> Self {
        let begun = Instant::now();
        Self {
            pid: started.pid,
            pidfd: started.pidfd,
            pipe: started.output,
            output,
            mark,
            begun,
            breath: None,
            cgroup: started.cgroup,
            why: None,
            deadline: task.timeout.and_then(|limit| begun.checked_add(limit)),
            kill_at: None,
            paused: None,
            is_killed: false,
            known: Vec::new(),
            over: None,
            task,
        }
    }

    /// Reads once what it has written; false if nobody can write any more.
    pub(super) fn read(&mut self, buffer: &mut [u8], now: Instant) -> bool {
        match read(&self.pipe, buffer) {
            Ok(0) => return false,
            Ok(count) => {
                self.output.take(&buffer[..count]);
                if count == buffer.len() {
                    self.breath = Some(now + BREATH);
                }
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(_) => return false,
        }
        true
    }

    /// Reads what is left.
    fn read_rest(&mut self, buffer: &mut [u8]) {
        for _ in 0..REST {
            match read(&self.pipe, buffer) {
                Ok(count @ 1..) => self.output.take(&buffer[..count]),
                _ => break,
            }
        }
        self.output.end();
    }

    /// Signals it and all in its group. Its number is its own until it is reaped.
    fn signal(&self, signal: Signal) {
        // That there is nobody left is fine, and nobody else can be meant.
        let _ = killpg(Pid::from_raw(self.pid), signal);
    }

    /// Holds it still; the clock of its time-out stands still too.
    pub(super) fn pause(&mut self, now: Instant) {
        if self.why.is_none() {
            self.signal(Signal::SIGSTOP);
            self.paused.get_or_insert(now);
        }
    }

    /// Lets it go on.
    pub(super) fn resume(&mut self, now: Instant) {
        if let Some(since) = self.paused.take() {
            self.deadline = self.deadline.map(|at| at + now.saturating_duration_since(since));
        }
        self.signal(Signal::SIGCONT);
    }

    /// True if it has not been asked to end yet.
    pub(super) fn is_left_alone(&self) -> bool {
        self.why.is_none()
    }

    /// Asks it to end. `known` are those that are seen to belong to it.
    pub(super) fn ask(&mut self, why: Why, known: Vec<Member>, now: Instant) {
        (self.why, self.known) = (Some(why), known);
        self.kill_at = now.checked_add(self.task.surroundings.stop_timeout());
        self.signal(Signal::SIGTERM);
        self.signal(Signal::SIGCONT); // a stopped one could not end
    }

    /// Kills it now.
    pub(super) fn kill(&mut self, now: Instant) {
        self.kill_at = Some(now);
        self.is_killed = true;
        if let Some(cgroup) = &self.cgroup {
            cgroup.kill();
        }
        self.signal(Signal::SIGKILL);
    }

    /// True if it has to be asked to end now, for it takes too long.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        let is_late = self.deadline.is_some_and(|at| at <= now);
        is_late && self.why.is_none() && self.over.is_none() && self.paused.is_none()
    }

    /// True if it has to be killed now.
    pub(super) fn is_due_to_be_killed(&self, now: Instant) -> bool {
        !self.is_killed && self.over.is_none() && self.kill_at.is_some_and(|at| at <= now)
    }

    /// The program itself has ended; what is left of it is looked for next.
    pub(super) fn ended(&mut self, now: Instant) {
        let (end, pause) = (End::of(self.pid), LOOKS.0);
        self.over = Some(Over { end, at: now, asked: Vec::new(), look_at: now, pause });
        self.kill_at = self.kill_at.or(now.checked_add(self.task.surroundings.stop_timeout()));
    }

    /// True if it is time to look for what is left.
    pub(super) fn is_to_be_cleared(&self, now: Instant) -> bool {
        self.over.as_ref().is_some_and(|over| over.look_at <= now)
    }

    /// True if whoever belongs to it can be told without a look at all processes.
    pub(super) fn has_cgroup(&self) -> bool {
        self.cgroup.is_some()
    }

    /// Who belongs to it and lives; none if it cannot be looked for.
    pub(super) fn members(&self, census: Option<&Census>) -> Vec<Member> {
        if let Some(cgroup) = &self.cgroup {
            return cgroup.members();
        }
        let (Some(census), Some(main)) = (census, Member::find(self.pid)) else {
            return Vec::new();
        };
        let marks = Marks { job: self.task.id.to_string().into_bytes(), ..Marks::default() };
        let known = self.known.clone();
        census.members(&Family { main, leads: true, marks, known, is_ours: true })
    }

    /// Ends what is left of it: asked at first, and killed when it is late. True if nothing is.
    pub(super) fn clear(&mut self, members: Vec<Member>, now: Instant) -> bool {
        let Some(over) = &mut self.over else { return false };
        if members.is_empty() {
            return true;
        }
        let is_late = self.kill_at.is_none_or(|at| at <= now);
        for member in &members {
            if is_late {
                member.signal(Signal::SIGKILL);
            } else if !over.asked.contains(member) {
                member.signal(Signal::SIGTERM);
                member.signal(Signal::SIGCONT);
            }
        }
        let is_first = over.asked.is_empty();
        over.asked = members;
        over.look_at = now + over.pause;
        over.pause = (over.pause * 2).min(LOOKS.1);
        if is_first && self.why.is_none() {
            let note = left_behind(&over.asked);
            self.output.note(&note);
        }
        false
    }

    /// When something is to be done about it without a word from outside.
    pub(super) fn wakes_at(&mut self) -> Option<Instant> {
        let own = match &self.over {
            Some(over) => Some(over.look_at),
            None if self.is_killed => None,
            None if self.why.is_some() => self.kill_at,
            None if self.paused.is_some() => None,
            None => self.deadline,
        };
        [own, self.breath, self.output.word().due()].into_iter().flatten().min()
    }

    /// Reaps it: nothing of it is left.
    pub(super) fn finish(mut self, buffer: &mut [u8]) -> Ended {
        self.read_rest(buffer);
        reap(self.pid);
        if let Some(cgroup) = &self.cgroup {
            cgroup.remove();
        }
        let (end, at) = match &self.over {
            Some(over) => (over.end, over.at),
            None => (End::Unknown, Instant::now()),
        };
        Ended {
            id: self.task.id,
            how: How::Ran(end),
            why: self.why,
            ran: at.saturating_duration_since(self.begun),
            progress: self.output.progress(),
        }
    }
}

fn left_behind(members: &[Member]) -> String {
    let name = |member: &Member| {
        let name = std::fs::read_to_string(format!("/proc/{}/comm", member.pid));
        format!("{} ({})", member.pid, name.unwrap_or_default().trim_end())
    };
    let mut names: Vec<_> = members.iter().take(NAMED).map(name).collect();
    if members.len() > NAMED {
        names.push(format!("{} more", members.len() - NAMED));
    }
    let what = if members.len() == 1 { "a process" } else { "processes" };
    format!("the program ended and left {what} behind, which is ended too: {}", names.join(", "))
}
