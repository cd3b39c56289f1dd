//! How the run before this one ended: a small record that each run writes at its start and at its
//! end, and the verdict on the one that is found.
//!
//! A run that was killed cannot write anything. What it did not write, and what the kernel
//! remembers, tells how it went.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use log::{info, warn};
use nix::{libc, sys::signal::Signal};
use serde::{Deserialize, Serialize};

use super::{Paths, StartError};
use crate::{
    domain::{LastRun, Timestamp, Verdict},
    sys::crash,
};

/// Bytes of a record, whatever it says.
const ROOM: usize = 4096;

/// Characters of a reason that are kept: fewer than there is room for.
const LONGEST: usize = 600;

/// What a run leaves behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    pid: u32,
    /// Of the host, so that its restart is told from a kill.
    boot_id: String,
    /// Milliseconds since 1970.
    started_ms: i64,
    /// Nothing while it runs.
    end: Option<End>,
}

/// How a run ended that could say so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    at_ms: i64,
    /// Why it did not end well.
    trouble: Option<String>,
}

/// The record of this run.
#[derive(Debug)]
pub(super) struct Run {
    file: PathBuf,
    record: Record,
}

/// What there is to be found out about a run that said nothing at its end.
#[derive(Clone, Debug, Default)]
struct Traces {
    boot_id: String,
    /// The signal that it left word of.
    signal: Option<i32>,
    /// The kernel says that it killed it for want of memory.
    out_of_memory: bool,
    /// Its last sign of life.
    last_seen: Option<Timestamp>,
}

impl Run {
    /// Judges the run before, and begins the record of this one.
    pub(super) fn begin(paths: &Paths, heartbeat: &Path) -> (Self, LastRun) {
        let file = paths.root.join(".run.json");
        let word = paths.root.join(".run.crash");
        let boot_id = boot_id();
        let before = read(&file);
        let silent = before.as_ref().filter(|it| it.end.is_none() && it.boot_id == boot_id);
        let traces = Traces {
            boot_id: boot_id.clone(),
            signal: fs::read_to_string(&word).ok().and_then(|text| text.trim().parse().ok()),
            out_of_memory: silent.is_some_and(|record| killed_for_memory(record.pid)),
            last_seen: modified(heartbeat),
        };
        let verdict = judge(before.as_ref(), &traces);
        match verdict.verdict {
            Verdict::Clean | Verdict::First => info!("last run: {}", verdict.detail),
            _ => warn!("last run: {}", verdict.detail),
        }
        let started_ms = Timestamp::now().as_ms();
        let record = Record { pid: std::process::id(), boot_id, started_ms, end: None };
        let run = Self { file, record };
        run.write();
        if let Err(error) = create(&word).and_then(crash::leave_word_in) {
            warn!("a crash will leave no word in {}: {error}", word.display());
        }
        (run, verdict)
    }

    /// Completes the record.
    pub(super) fn end(mut self, trouble: Option<&StartError>) {
        let trouble = trouble.map(|trouble| trouble.to_string().chars().take(LONGEST).collect());
        self.record.end = Some(End { at_ms: Timestamp::now().as_ms(), trouble });
        self.write();
    }

    /// Always as many bytes, into the same file: a disk that has filled up meanwhile has room for
    /// the end of a run whose beginning it has taken.
    fn write(&self) {
        let text = serde_json::to_string(&self.record).map_err(io::Error::from);
        let written = text.and_then(|text| {
            let mut options = File::options();
            options.write(true).create(true).truncate(false).mode(0o640);
            let mut file = options.open(&self.file)?;
            file.write_all(format!("{text:<ROOM$}").as_bytes())?;
            file.set_len(u64::try_from(text.len().max(ROOM)).unwrap_or(0))?;
            file.sync_all()
        });
        if let Err(error) = written {
            warn!("failed to write {}: {error}", self.file.display());
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o640).open(path)
}

fn read(path: &Path) -> Option<Record> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map(|id| id.trim().to_owned()).unwrap_or_default()
}

fn modified(path: &Path) -> Option<Timestamp> {
    let at = fs::metadata(path).ok()?.modified().ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_ms(i64::try_from(since.as_millis()).ok()?))
}

fn judge(before: Option<&Record>, traces: &Traces) -> LastRun {
    let Some(record) = before else {
        let detail = "there was no run before this one".to_owned();
        return LastRun { verdict: Verdict::First, detail, ended_at: None };
    };
    if let Some(End { at_ms, trouble }) = &record.end {
        let (verdict, detail) = match trouble {
            None => (Verdict::Clean, "it was stopped in order".to_owned()),
            Some(trouble) => (Verdict::Crashed, format!("it ended by itself: {trouble}")),
        };
        return LastRun { verdict, detail, ended_at: Some(Timestamp::from_ms(*at_ms)) };
    }
    let pid = record.pid;
    let (verdict, detail) = if record.boot_id != traces.boot_id {
        (Verdict::PowerLoss, "the host went down while it ran".to_owned())
    } else if traces.out_of_memory {
        (Verdict::OutOfMemory, format!("the kernel killed process {pid} for want of memory"))
    } else if let Some(signal) = traces.signal {
        let name =
            Signal::try_from(signal).map_or_else(|_| signal.to_string(), |it| it.to_string());
        (Verdict::Crashed, format!("process {pid} crashed by {name}"))
    } else {
        (Verdict::Killed, format!("process {pid} was killed without a chance to stop in order"))
    };
    let started = Timestamp::from_ms(record.started_ms);
    let ended_at = traces.last_seen.filter(|seen| *seen >= started);
    LastRun { verdict, detail, ended_at }
}

/// True if the kernel's log, where we may read it, tells that it killed `pid` for want of memory.
fn killed_for_memory(pid: u32) -> bool {
    let Ok(mut log) = File::options().read(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg")
    else {
        return false;
    };
    let mut record = vec![0; 8192];
    loop {
        match log.read(&mut record) {
            Ok(0) => return false,
            Ok(length) if tells_of(&String::from_utf8_lossy(&record[..length]), pid) => {
                return true;
            }
            Ok(_) => {}
            Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {} // some were overwritten
            Err(_) => return false,
        }
    }
}

/// A line of the kernel's log (`mm/oom_kill.c`).
fn tells_of(line: &str, pid: u32) -> bool {
    line.contains("ut of memory") && line.contains(&format!("Killed process {pid} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(end: Option<End>) -> Record {
        Record { pid: 7, boot_id: "a".into(), started_ms: 1_000, end }
    }

    fn traces() -> Traces {
        Traces { boot_id: "a".into(), ..Traces::default() }
    }

    fn verdict(before: Option<&Record>, traces: &Traces) -> (Verdict, String) {
        let LastRun { verdict, detail, .. } = judge(before, traces);
        (verdict, detail)
    }

    #[test]
    fn each_end_has_its_verdict() {
        let end = |trouble: Option<&str>| End { at_ms: 2, trouble: trouble.map(str::to_owned) };
        let silent = record(None);
        assert_eq!(verdict(None, &traces()).0, Verdict::First);
        assert_eq!(verdict(Some(&record(Some(end(None)))), &traces()).0, Verdict::Clean);
        let crashed = record(Some(end(Some("no disk"))));
        assert_eq!(
            verdict(Some(&crashed), &traces()),
            (Verdict::Crashed, "it ended by itself: no disk".into())
        );
        assert_eq!(verdict(Some(&silent), &traces()).0, Verdict::Killed);
        let signal = Traces { signal: Some(6), ..traces() };
        assert_eq!(
            verdict(Some(&silent), &signal),
            (Verdict::Crashed, "process 7 crashed by SIGABRT".into())
        );
        let memory = Traces { out_of_memory: true, ..traces() };
        assert_eq!(verdict(Some(&silent), &memory).0, Verdict::OutOfMemory);
        let booted = Traces { boot_id: "b".into(), ..memory };
        assert_eq!(verdict(Some(&silent), &booted).0, Verdict::PowerLoss);
    }

    #[test]
    fn a_sign_of_life_from_before_the_run_tells_nothing() {
        let seen = |ms| Traces { last_seen: Some(Timestamp::from_ms(ms)), ..traces() };
        assert_eq!(judge(Some(&record(None)), &seen(999)).ended_at, None);
        let after = Timestamp::from_ms(1_500);
        assert_eq!(judge(Some(&record(None)), &seen(1_500)).ended_at, Some(after));
    }

    #[test]
    fn a_record_is_of_one_size_and_replaced_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(".run.json");
        let run = Run { file: file.clone(), record: record(None) };
        run.write();
        let length = fs::metadata(&file).unwrap().len();
        assert_eq!(read(&file), Some(record(None)));
        let long = StartError::Internal("x\"".repeat(10_000));
        run.end(Some(&long));
        let end = read(&file).unwrap().end.unwrap();
        assert!(end.trouble.unwrap().len() < ROOM);
        assert_eq!(fs::metadata(&file).unwrap().len(), length);
    }

    #[test]
    fn the_kernels_words() {
        let line = "3,1200,9,-;Memory cgroup out of memory: Killed process 7 (stationd) total-vm:1";
        assert!(tells_of(line, 7));
        assert!(tells_of("3,1,2,-;Out of memory: Killed process 7 (stationd), UID 0", 7));
        assert!(!tells_of(line, 70) && !tells_of("6,1,1,-;process 7 started", 7));
    }
}
