//! What process daemons use of memory and processor, read from proc(5) when somebody asks.

use std::{
    collections::HashMap,
    fs,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use nix::unistd::{SysconfVar, sysconf};

use crate::domain::{Daemon, DaemonState};

/// Nearer to each other, two questions tell too little.
const SHORTEST: Duration = Duration::from_millis(500);
/// Further apart, two questions tell nothing of the present.
const LONGEST: Duration = Duration::from_mins(1);

/// What each process had used when it was last asked about.
#[derive(Default)]
pub struct Usage(Mutex<HashMap<u32, Reading>>);

/// What a process had used at some moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    ticks: Ticks,
    /// Its share of a core up to then.
    share: f64,
}

/// Times of a process in the kernel's ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    /// Spent on a processor.
    spent: u64,
    /// When it was started, since the host was.
    started: u64,
}

impl Usage {
    /// Puts memory and load into every daemon that has a process of its own.
    pub fn overlay(&self, daemons: &mut [Daemon]) {
        if daemons.iter().all(|daemon| daemon.pid.is_none()) {
            return;
        }
        let now = Instant::now();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, reading| now.duration_since(reading.at) <= LONGEST);
        for daemon in daemons {
            // The process of one that is down is gone, and its number may be another's by now.
            let Some(pid) = daemon.pid.filter(|_| is_up(daemon.state)) else { continue };
            daemon.memory_bytes = resident(pid);
            daemon.cpu_usage = ticks(pid).map(|ticks| {
                let reading = Reading::next(known.get(&pid), ticks, now, life);
                known.insert(pid, reading);
                reading.share
            });
        }
    }
}

fn is_up(state: DaemonState) -> bool {
    matches!(state, DaemonState::Starting | DaemonState::Running | DaemonState::Stopping)
}

impl Reading {
    /// The share since the last reading, if that was of the same process and long enough ago;
    /// else what was said then, or what comes of its whole `life`.
    fn next(
        last: Option<&Self>,
        ticks: Ticks,
        at: Instant,
        life: impl Fn(Ticks) -> Option<Duration>,
    ) -> Self {
        let last = last.filter(|last| last.ticks.started == ticks.started);
        let between = last.map(|last| (last, at.duration_since(last.at)));
        match between {
            Some((last, between)) if between < SHORTEST => *last,
            Some((last, between)) if between <= LONGEST => {
                let spent = ticks.spent.saturating_sub(last.ticks.spent);
                Self { at, ticks, share: share(spent, between) }
            }
            _ => {
                let share = life(ticks).map_or(0.0, |life| share(ticks.spent, life));
                Self { at, ticks, share }
            }
        }
    }
}

fn share(spent: u64, over: Duration) -> f64 {
    // A process younger than a tick has no share yet.
    if over.is_zero() { 0.0 } else { seconds(spent) / over.as_secs_f64() }
}

/// For how long a process has been there.
fn life(ticks: Ticks) -> Option<Duration> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    let host: f64 = text.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(host - seconds(ticks.started)).ok()
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / system(SysconfVar::CLK_TCK, 100) as f64
}

/// Resident bytes of a process; none if it is gone.
fn resident(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * system(SysconfVar::PAGE_SIZE, 4096))
}

fn ticks(pid: u32) -> Option<Ticks> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads `/proc/PID/stat`. The name of the program, in brackets, may hold anything.
fn parse(text: &str) -> Option<Ticks> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11); // from utime, the 14th of all
    let mut number = || fields.next()?.parse::<u64>().ok();
    let (user, system) = (number()?, number()?);
    let mut fields = fields.skip(6); // to starttime, the 22nd of all
    Some(Ticks { spent: user + system, started: fields.next()?.parse().ok()? })
}

fn system(variable: SysconfVar, usual: u64) -> u64 {
    sysconf(variable).ok().flatten().and_then(|it| u64::try_from(it).ok()).unwrap_or(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "4242 (a) b (c) S 1 4242 4242 0 -1 4194304 500 0 3 0 70 30 5 6 20 0 1 0 \
                        123456 9000000 250 18446744073709551615";

    #[test]
    fn the_kernels_line_is_read_whatever_the_program_is_called() {
        assert_eq!(parse(STAT), Some(Ticks { spent: 100, started: 123_456 }));
        assert_eq!(parse("4242 (a) S 1"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn the_share_is_that_since_the_last_question() {
        let start = Instant::now();
        let life = |_| Some(Duration::from_secs(100));
        let ticks =
            |seconds| Ticks { spent: seconds * system(SysconfVar::CLK_TCK, 100), started: 7 };
        let at = |ms| start + Duration::from_millis(ms);
        let share = |reading: Reading| format!("{:.1}", reading.share);
        let first = Reading::next(None, ticks(10), at(0), life);
        assert_eq!(share(first), "0.1", "over its life");
        let second = Reading::next(Some(&first), ticks(12), at(4000), life);
        assert_eq!(share(second), "0.5", "2 s of 4 s");
        let again = Reading::next(Some(&second), ticks(12), at(4100), life);
        assert_eq!((share(again).as_str(), again.at), ("0.5", second.at), "too soon to tell");
        let late = Reading::next(Some(&second), ticks(20), at(90_000), life);
        assert_eq!(share(late), "0.2", "too late: over its life");
        let other = Ticks { started: 8, ..ticks(20) };
        assert_eq!(
            share(Reading::next(Some(&second), other, at(5000), life)),
            "0.2",
            "another one"
        );
    }

    #[test]
    fn a_process_that_lives_has_figures_and_one_that_is_gone_has_none() {
        let own = std::process::id();
        assert!(resident(own) > Some(100_000));
        assert!(ticks(own).and_then(life).is_some());
        assert_eq!((resident(u32::MAX), ticks(u32::MAX)), (None, None));
    }
}
