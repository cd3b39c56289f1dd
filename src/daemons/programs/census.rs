//! Who is running: one walk over `/proc`, and whose family each process belongs to.
//!
//! A process belongs to a program's family if it descends from it, is a member of its group or
//! session, or carries its marks in its environment: those are inherited across `fork`, `setsid`
//! and the death of a parent.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::{self, Read as _},
    os::fd::OwnedFd,
    process,
};

use nix::{
    fcntl::{OFlag, open, openat},
    sys::{signal::Signal, stat::Mode},
};

use crate::sys::pidfd;

/// Marks every process of a station's programs with its workspace.
pub(in crate::daemons) const STATION: &str = "STATIOND_STATION";
/// Marks every process of a program with the name of its daemon.
pub(in crate::daemons) const DAEMON: &str = "STATIOND_DAEMON";
/// Marks every process of one run of a program.
pub(in crate::daemons) const RUN: &str = "STATIOND_RUN";

/// Marks every process of a job's program with the id of the job.
pub(in crate::daemons) const JOB: &str = "STATIOND_JOB";

/// In the flags of a process: it is a thread of the kernel.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// What a process carries in its environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::daemons) struct Marks {
    pub(in crate::daemons) station: Vec<u8>,
    pub(in crate::daemons) daemon: Vec<u8>,
    pub(in crate::daemons) run: Vec<u8>,
    /// The job, if it is of one; then nothing else matters.
    pub(in crate::daemons) job: Vec<u8>,
}

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::daemons) struct Entry {
    pub(in crate::daemons) member: Member,
    pub(in crate::daemons) parent: i32,
    pub(in crate::daemons) group: i32,
    pub(in crate::daemons) session: i32,
    /// It runs no more, and has not been reaped.
    pub(in crate::daemons) ended: bool,
    pub(in crate::daemons) marks: Option<Marks>,
}

/// A process for good: its number may come to mean another, which started at another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::daemons) struct Member {
    pub(in crate::daemons) pid: i32,
    /// In ticks since the machine started.
    pub(in crate::daemons) started: u64,
}

impl Member {
    /// The process that `pid` means now.
    pub(in crate::daemons) fn find(pid: i32) -> Option<Self> {
        read_stat(pid).map(|entry| entry.member)
    }

    /// True while it runs: one that waits to be reaped does no more.
    pub(in crate::daemons) fn lives(self) -> bool {
        read_stat(self.pid).is_some_and(|entry| entry.member == self && !entry.ended)
    }

    /// Signals this process, and no other.
    pub(in crate::daemons) fn signal(self, signal: Signal) {
        if let Ok(fd) = pidfd::open(self.pid)
            && Self::find(self.pid) == Some(self)
        {
            // Whoever may not be signalled, or has ended, is no worry of this signal's.
            let _ = pidfd::send(fd, signal);
        }
    }
}

/// What makes a process one of a program's.
#[derive(Clone, Debug)]
pub(in crate::daemons) struct Family {
    /// The program itself, whose number is also that of its group, and of its session if it is
    /// detached.
    pub(in crate::daemons) main: Member,
    /// False if the number of the group may have come to mean another.
    pub(in crate::daemons) leads: bool,
    /// What its processes carry; any run if that is empty.
    pub(in crate::daemons) marks: Marks,
    /// Processes that were seen to belong to it.
    pub(in crate::daemons) known: Vec<Member>,
    /// This station has started it.
    pub(in crate::daemons) is_ours: bool,
}

impl Family {
    /// True by the process alone, without its parents.
    pub(in crate::daemons) fn claims(&self, entry: &Entry) -> bool {
        entry.member.started >= self.main.started
            && (entry.member == self.main
                || self.leads && [entry.group, entry.session].contains(&self.main.pid)
                || self.known.contains(&entry.member)
                || entry.marks.as_ref().is_some_and(|marks| self.marks.cover(marks)))
    }
}

impl Marks {
    /// True if who carries `other` is of the same run, or of a check on it.
    fn cover(&self, other: &Self) -> bool {
        if !self.job.is_empty() {
            return self.job == other.job;
        }
        let of_this_run = || {
            other.run.strip_prefix(self.run.as_slice()).is_some_and(|rest| {
                self.run.is_empty() || rest.is_empty() || rest.first() == Some(&b'.')
            })
        };
        self.station == other.station && self.daemon == other.daemon && of_this_run()
    }
}

/// What is looked at in a [`Census`].
#[derive(Clone, Debug, Default)]
pub(in crate::daemons) struct Scope {
    /// The marks of processes that started then or later are read, in ticks since the machine
    /// started: those of one family are no older than its program.
    pub(in crate::daemons) since: u64,
    /// They are read whoever the parent is. Else only where it is one of our ancestors, or we are:
    /// that is where the kernel puts orphans of what we have started.
    pub(in crate::daemons) is_wide: bool,
    /// The programs of other families, which cost a look each, for nothing.
    pub(in crate::daemons) left_out: HashSet<i32>,
}

/// All processes at one moment.
#[derive(Debug, Default)]
pub(in crate::daemons) struct Census(Vec<Entry>);

impl Census {
    /// Walks over `/proc`, and looks at what `scope` needs.
    ///
    /// # Errors
    /// There is no `/proc`.
    pub(in crate::daemons) fn take(scope: &Scope) -> io::Result<Self> {
        let proc = open("/proc", OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
        let mut census = Self::default();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            if !scope.left_out.contains(&pid) {
                census.0.extend(stat_at(&proc, pid));
            }
        }
        let spared = census.spared();
        for entry in &mut census.0 {
            let may_be_an_orphan = scope.is_wide || spared.contains(&entry.parent);
            if may_be_an_orphan && !entry.ended && entry.member.started >= scope.since {
                entry.marks = read_marks(entry.member.pid);
            }
        }
        Ok(census)
    }

    /// The living members of a family; never this process, one of its ancestors or PID 1.
    pub(in crate::daemons) fn members(&self, family: &Family) -> Vec<Member> {
        self.with_descendants(|entry| family.claims(entry))
    }

    /// The living processes of these jobs.
    pub(in crate::daemons) fn of_jobs(&self, jobs: &[Vec<u8>]) -> Vec<Member> {
        let spared = self.spared();
        let left = self.0.iter().filter(|entry| {
            let marks = entry.marks.as_ref();
            marks.is_some_and(|it| jobs.contains(&it.job)) && !entry.ended
        });
        let left = left.map(|entry| entry.member);
        left.filter(|member| !spared.contains(&member.pid)).collect()
    }

    /// The living processes of a station's programs, without those of the daemons in `kept`.
    pub(in crate::daemons) fn marked(&self, station: &[u8], kept: &[Vec<u8>]) -> Vec<Member> {
        let spared = self.spared();
        let left = self.0.iter().filter(|entry| {
            let marks = entry.marks.as_ref();
            marks.is_some_and(|it| it.station == station && !kept.contains(&it.daemon))
        });
        let left = left.filter(|entry| !entry.ended && !spared.contains(&entry.member.pid));
        left.map(|entry| entry.member).collect()
    }

    /// The living processes that `is_meant` and all that descend from them, under the same rule.
    pub(in crate::daemons) fn with_descendants(
        &self,
        is_meant: impl Fn(&Entry) -> bool,
    ) -> Vec<Member> {
        let spared = self.spared();
        let others = || self.0.iter().filter(|entry| !spared.contains(&entry.member.pid));
        let mut found: HashSet<_> =
            others().filter(|entry| is_meant(entry)).map(|entry| entry.member.pid).collect();
        if found.is_empty() {
            return Vec::new();
        }
        loop {
            let before = found.len();
            let children = others().filter(|entry| found.contains(&entry.parent));
            let children: Vec<_> = children.map(|entry| entry.member.pid).collect();
            found.extend(children);
            if found.len() == before {
                break;
            }
        }
        let living = others().filter(|entry| !entry.ended && found.contains(&entry.member.pid));
        living.map(|entry| entry.member).collect()
    }

    /// This process, its ancestors and PID 1.
    fn spared(&self) -> HashSet<i32> {
        let own = i32::try_from(process::id()).unwrap_or(1);
        let parents: HashMap<_, _> =
            self.0.iter().map(|entry| (entry.member.pid, entry.parent)).collect();
        let mut spared = HashSet::from([0, 1]);
        let mut pid = own;
        while spared.insert(pid) {
            pid = parents.get(&pid).copied().unwrap_or(0);
        }
        spared
    }
}

/// Reads `/proc/PID/stat`; none if there is no such process, or it is the kernel's.
pub(in crate::daemons) fn read_stat(pid: i32) -> Option<Entry> {
    stat_of(File::open(format!("/proc/{pid}/stat")).ok()?)
}

fn stat_at(proc: &OwnedFd, pid: i32) -> Option<Entry> {
    let path = format!("{pid}/stat");
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    stat_of(openat(proc, path.as_str(), flags, Mode::empty()).ok()?.into())
}

fn stat_of(mut file: File) -> Option<Entry> {
    let mut text = [0; 1024];
    let length = file.read(&mut text).ok()?;
    parse_stat(text.get(..length)?)
}

/// Reads what a process carries; none if it carries nothing of ours, or may not be looked at.
pub(in crate::daemons) fn read_marks(pid: i32) -> Option<Marks> {
    parse_marks(&fs::read(format!("/proc/{pid}/environ")).ok()?)
}

/// `PID (NAME) STATE PARENT GROUP SESSION …`, where the name may contain anything.
fn parse_stat(text: &[u8]) -> Option<Entry> {
    let name = text.iter().position(|byte| *byte == b'(')?;
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let pid = str::from_utf8(text.get(..name)?).ok()?.trim_end().parse().ok()?;
    let mut fields = str::from_utf8(text.get(end + 1..)?).ok()?.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let mut number = || fields.next()?.parse::<i32>().ok();
    let (parent, group, session) = (number()?, number()?, number()?);
    let flags: u64 = fields.nth(2)?.parse().ok()?;
    (flags & KERNEL_THREAD == 0).then_some(())?;
    let started = fields.nth(12)?.parse().ok()?;
    Some(Entry { member: Member { pid, started }, parent, group, session, ended, marks: None })
}

fn parse_marks(environment: &[u8]) -> Option<Marks> {
    let mut marks = Marks::default();
    for variable in environment.split(|byte| *byte == 0) {
        let value = |name: &str| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"=");
        if let Some(station) = value(STATION) {
            marks.station = station.to_vec();
        } else if let Some(daemon) = value(DAEMON) {
            marks.daemon = daemon.to_vec();
        } else if let Some(run) = value(RUN) {
            marks.run = run.to_vec();
        } else if let Some(job) = value(JOB) {
            marks.job = job.to_vec();
        }
    }
    let is_of_daemon = !marks.station.is_empty() && !marks.daemon.is_empty();
    (is_of_daemon || !marks.job.is_empty()).then_some(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(pid: i32, parent: i32, group: i32) -> Entry {
        let member = Member { pid, started: 100 };
        Entry { member, parent, group, session: 1, ended: false, marks: None }
    }

    fn marks(run: &str) -> Marks {
        Marks { station: b"/w".to_vec(), daemon: b"web".to_vec(), run: run.into(), job: Vec::new() }
    }

    fn family(main: i32) -> Family {
        let main = Member { pid: main, started: 100 };
        Family { main, leads: true, marks: marks("r1"), known: Vec::new(), is_ours: true }
    }

    fn pids(members: &[Member]) -> Vec<i32> {
        members.iter().map(|member| member.pid).collect()
    }

    #[test]
    fn a_line_of_stat_is_read_whatever_the_name() {
        let line = b"42 (a) b (c) S 7 40 39 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 5005 9 8 7";
        let read = parse_stat(line).unwrap();
        assert_eq!(read.member, Member { pid: 42, started: 5005 });
        assert_eq!((read.parent, read.group, read.session, read.ended), (7, 40, 39, false));
        let kernel = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0";
        assert_eq!(parse_stat(kernel), None);
        for cut in 0..line.len() - 8 {
            let _ = parse_stat(&line[..cut]); // never panics
        }
    }

    #[test]
    fn marks_are_read_from_an_environment() {
        let environment = b"PATH=/bin\0STATIOND_STATION=/w\0STATIOND_DAEMON=web\0STATIOND_RUN=r1\0";
        assert_eq!(parse_marks(environment), Some(marks("r1")));
        assert_eq!(parse_marks(b"STATIOND_STATION=/w\0"), None);
    }

    #[test]
    fn a_family_is_its_descendants_its_group_and_who_carries_its_marks() {
        let marked = |run: &str, pid| Entry { marks: Some(marks(run)), ..entry(pid, 1, pid) };
        let census = Census(vec![
            entry(900_010, 1, 900_010),
            entry(900_011, 900_010, 900_010),
            entry(900_012, 900_011, 900_012),
            entry(900_013, 1, 900_010),
            marked("r1", 900_014),
            marked("r1.7", 900_015),
            marked("r10", 900_016),
            marked("r2", 900_017),
            entry(900_018, 1, 900_018),
            Entry { ended: true, ..entry(900_019, 900_010, 900_010) },
        ]);
        let found = pids(&census.members(&family(900_010)));
        let expected: Vec<_> = (900_010..=900_015).collect();
        assert_eq!(found, expected);
        let mut any_run = family(900_010);
        any_run.marks.run.clear();
        any_run.leads = false;
        assert!(pids(&census.members(&any_run)).contains(&900_017));
        assert!(!pids(&census.members(&any_run)).contains(&900_013));
    }

    #[test]
    fn this_process_and_its_ancestors_are_spared() {
        let own = i32::try_from(process::id()).unwrap();
        let census = Census::take(&Scope { since: u64::MAX, ..Scope::default() }).unwrap();
        let spared = census.spared();
        assert!(spared.contains(&own) && spared.contains(&1), "{spared:?}");
        let parent = nix::unistd::getppid().as_raw();
        assert!(spared.contains(&parent));
        assert!(pids(&census.with_descendants(|_| true)).iter().all(|pid| !spared.contains(pid)));
    }
}
