//! `daemon-status` and `check health`: what the heartbeat file alone says.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use super::{
    args::Global,
    discover::default_workspace,
    failure::{Failure, plain},
    print::{Out, duration, note, print_json, print_line, print_text},
};
use crate::config;

const FILE: &str = "stationd.heartbeat";
const INTERVAL: Duration = Duration::from_secs(30);

/// What a heartbeat file says.
#[derive(Clone, Debug, PartialEq)]
enum Pulse {
    /// There is none.
    Missing,
    /// It cannot be made sense of; why.
    Unreadable(String),
    /// It was written so many seconds ago.
    Beat {
        /// Whole seconds; negative if it was written in the future.
        age: i64,
        /// By this process.
        pid: Option<u64>,
        /// Which had been running for so long.
        uptime: Duration,
    },
}

impl Pulse {
    fn read(file: &Path, now: SystemTime) -> Self {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::Missing,
            Err(error) => return Self::Unreadable(format!("{}: {error}", file.display())),
        };
        let beat: Value = match serde_json::from_str(&text) {
            Ok(beat) => beat,
            Err(error) => return Self::Unreadable(format!("{}: {error}", file.display())),
        };
        let Some(written) = written(&beat) else {
            return Self::Unreadable(format!("{}: no time in it", file.display()));
        };
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let uptime = beat["uptime_seconds"].as_f64().unwrap_or_default();
        Self::Beat {
            age: whole(now - written),
            pid: beat["pid"].as_u64(),
            uptime: Duration::try_from_secs_f64(uptime).unwrap_or_default(),
        }
    }
}

/// When a heartbeat was written, in seconds since 1970. The `timestamp` is local time without a
/// zone and has an hour twice a year that means two moments: `unix_time` is better.
fn written(beat: &Value) -> Option<f64> {
    beat["unix_time"].as_f64().or_else(|| {
        let local: jiff::civil::DateTime = beat["timestamp"].as_str()?.parse().ok()?;
        let moment = local.to_zoned(jiff::tz::TimeZone::system()).ok()?;
        Some(moment.timestamp().as_duration().as_secs_f64())
    })
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, and no age is near the limit")]
fn whole(seconds: f64) -> i64 {
    seconds.floor() as i64
}

/// What is said of a station, with an exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    code: u8,
    word: &'static str,
    message: String,
}

/// By the rule of `daemon-status`: twice the interval is too old.
fn verdict(pulse: &Pulse, interval: Duration) -> Verdict {
    let limit = i64::try_from(interval.as_secs().saturating_mul(2)).unwrap_or(i64::MAX);
    let (code, word, message) = match pulse {
        Pulse::Unreadable(reason) => {
            (2, "ERROR", format!("Heartbeat unreadable: {}", plain(reason)))
        }
        Pulse::Missing => (1, "UNHEALTHY", "No heartbeat file found".to_owned()),
        Pulse::Beat { age, .. } if *age < -limit => {
            (1, "UNHEALTHY", format!("Last heartbeat {}s in the future: check the clock", -age))
        }
        Pulse::Beat { age, .. } if *age > limit => {
            (1, "UNHEALTHY", format!("Last heartbeat {age}s ago, more than {limit}s"))
        }
        Pulse::Beat { age, .. } => (0, "HEALTHY", format!("Last heartbeat {}s ago", age.max(&0))),
    };
    Verdict { code, word, message }
}

/// By the rule for Nagios: a warning over 60 s, critical over 120 s.
fn nagios(pulse: &Pulse) -> Verdict {
    const WARNING: i64 = 60;
    const CRITICAL: i64 = 120;
    let (code, word, message) = match pulse {
        Pulse::Missing => (2, "CRITICAL", "No heartbeat file found".to_owned()),
        Pulse::Unreadable(reason) => {
            (3, "UNKNOWN", format!("Heartbeat unreadable: {}", plain(reason)))
        }
        Pulse::Beat { age, .. } if *age < -WARNING => {
            (3, "UNKNOWN", format!("Last heartbeat {}s in the future: check the clock", -age))
        }
        Pulse::Beat { age, .. } => {
            let age = age.max(&0);
            let (code, word) = match age {
                ..=WARNING => (0, "OK"),
                ..=CRITICAL => (1, "WARNING"),
                _ => (2, "CRITICAL"),
            };
            let figures = format!("heartbeat_age={age}s;{WARNING};{CRITICAL}");
            (code, word, format!("Last heartbeat {age}s ago | {figures}"))
        }
    };
    Verdict { code, word, message }
}

/// `daemon-status [WORKSPACE]`
pub(super) fn daemon_status(
    global: &Global,
    out: Out,
    directory: Option<&Path>,
) -> Result<(), Failure> {
    let (file, interval) = expected(global, directory)?;
    let pulse = Pulse::read(&file, SystemTime::now());
    let verdict = verdict(&pulse, interval);
    if out.is_json() {
        print_json(&document(&pulse, &verdict))?;
    } else {
        print_text(&described(&pulse, &verdict))?;
        if let Some(pid) = gone(&pulse, &verdict) {
            note(format_args!(
                "note: no process {pid} runs here: the station may have been killed"
            ))?;
        }
    }
    ended(&verdict)
}

/// `check health [--nagios]`
pub(super) fn check_health(global: &Global, out: Out, for_nagios: bool) -> Result<(), Failure> {
    if !for_nagios {
        return daemon_status(global, out, None);
    }
    let verdict = match expected(global, None) {
        Ok((file, _)) => nagios(&Pulse::read(&file, SystemTime::now())),
        Err(error) => Verdict { code: 3, word: "UNKNOWN", message: error.to_string() },
    };
    print_line(format_args!("{} - {}", verdict.word, verdict.message))?;
    ended(&verdict)
}

/// Where the heartbeat is expected, and how often. A configuration that cannot be read is another
/// matter: the defaults will do then.
fn expected(global: &Global, directory: Option<&Path>) -> Result<(PathBuf, Duration), Failure> {
    let sources = global.sources();
    let heartbeat = config::load(&sources).ok().map(|loaded| loaded.config.heartbeat);
    let interval = heartbeat.as_ref().map_or(INTERVAL, |heartbeat| heartbeat.interval);
    let file = match (directory.or(global.workspace.as_deref()), heartbeat) {
        (Some(named), _) => Some(named.join(FILE)),
        (None, Some(heartbeat)) => Some(heartbeat.file),
        (None, None) => default_workspace(&sources).map(|directory| directory.join(FILE)),
    };
    let homeless = "there is no home directory: name the workspace";
    file.map(|file| (file, interval)).ok_or_else(|| Failure::Usage(homeless.to_owned()))
}

/// The process of a heartbeat that is still fresh, if it is not seen. That does not change the
/// verdict: the file may be that of a station in a container or on another host.
fn gone(pulse: &Pulse, verdict: &Verdict) -> Option<u64> {
    let Pulse::Beat { pid: Some(pid), .. } = pulse else { return None };
    let is_there = Path::new("/proc").join(pid.to_string()).exists();
    (verdict.code == 0 && !is_there).then_some(*pid)
}

fn ended(verdict: &Verdict) -> Result<(), Failure> {
    if verdict.code == 0 { Ok(()) } else { Err(Failure::Verdict(verdict.code)) }
}

fn described(pulse: &Pulse, verdict: &Verdict) -> String {
    let mark = if verdict.code == 0 { "✅" } else { "❌" };
    let mut text =
        format!("{mark} Daemon Status: {}\nMessage: {}\n", verdict.word, verdict.message);
    if let Pulse::Beat { pid, uptime, .. } = pulse {
        if let Some(pid) = pid {
            _ = writeln!(text, "PID: {pid}");
        }
        _ = writeln!(text, "Uptime: {}", duration(*uptime, 2));
    }
    text
}

fn document(pulse: &Pulse, verdict: &Verdict) -> Value {
    let mut document = json!({"status": verdict.word, "message": verdict.message});
    if let Pulse::Beat { age, pid, uptime } = pulse {
        document["heartbeat_age_seconds"] = json!(age);
        document["pid"] = json!(pid);
        document["uptime_seconds"] = json!(uptime.as_secs_f64());
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn pulse(content: &str) -> Pulse {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("stationd.heartbeat");
        fs::write(&file, content).unwrap();
        Pulse::read(&file, UNIX_EPOCH + Duration::from_secs(NOW))
    }

    fn beat(age: f64) -> Pulse {
        #[expect(clippy::cast_precision_loss, reason = "the number is small")]
        let time = NOW as f64 - age;
        pulse(&format!(r#"{{"pid":12345,"uptime_seconds":5400.7,"unix_time":{time}}}"#))
    }

    fn judged(pulse: &Pulse) -> (u8, String) {
        let verdict = verdict(pulse, Duration::from_secs(30));
        (verdict.code, described(pulse, &verdict))
    }

    fn for_nagios(pulse: &Pulse) -> (u8, String) {
        let verdict = nagios(pulse);
        (verdict.code, format!("{} - {}", verdict.word, verdict.message))
    }

    #[test]
    fn a_fresh_heartbeat_is_healthy() {
        let (code, text) = judged(&beat(15.2));
        assert_eq!(code, 0);
        insta::assert_snapshot!(text, @r"
        ✅ Daemon Status: HEALTHY
        Message: Last heartbeat 15s ago
        PID: 12345
        Uptime: 1h 30m
        ");
        assert_eq!(judged(&beat(60.9)).0, 0, "twice the interval is not more than twice");
    }

    #[test]
    fn a_fresh_heartbeat_of_a_dead_process_is_remarked_on() {
        let judged = |pid: u32, age: f64| {
            let pulse = beat(age);
            let Pulse::Beat { age, uptime, .. } = pulse else { panic!("no beat") };
            let pulse = Pulse::Beat { age, pid: Some(pid.into()), uptime };
            let verdict = verdict(&pulse, Duration::from_secs(30));
            (verdict.code, gone(&pulse, &verdict))
        };
        assert_eq!(judged(std::process::id(), 15.0), (0, None));
        // No process has a number beyond the kernel's own limit.
        assert_eq!(judged(u32::MAX, 15.0), (0, Some(u64::from(u32::MAX))));
        assert_eq!(judged(u32::MAX, 120.0), (1, None));
    }

    #[test]
    fn an_old_or_missing_heartbeat_is_unhealthy() {
        let (code, text) = judged(&beat(61.0));
        assert_eq!(code, 1);
        assert!(text.starts_with("❌ Daemon Status: UNHEALTHY\nMessage: Last heartbeat 61s ago"));
        let missing = Pulse::read(Path::new("/nonexistent/stationd.heartbeat"), UNIX_EPOCH);
        let (code, text) = judged(&missing);
        assert_eq!(code, 1);
        assert!(text.contains("Message: No heartbeat file found\n"), "{text}");
        assert_eq!(judged(&beat(-3600.0)).0, 1, "the clock was set back");
    }

    #[test]
    fn an_unreadable_heartbeat_is_an_error() {
        for content in ["", "{\"pid\": 1", "[]", r#"{"pid":1}"#, r#"{"timestamp":"yesterday"}"#] {
            let (code, text) = judged(&pulse(content));
            assert_eq!(code, 2, "{content}");
            assert!(text.starts_with("❌ Daemon Status: ERROR\nMessage: Heartbeat unreadable"));
        }
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(judged(&Pulse::read(directory.path(), UNIX_EPOCH)).0, 2, "a directory");
    }

    #[test]
    fn a_local_time_without_a_zone_will_do() {
        let now = jiff::Timestamp::from_second(NOW.cast_signed()).unwrap();
        let local = now.to_zoned(jiff::tz::TimeZone::system()).datetime();
        let pulse = pulse(&format!(r#"{{"timestamp":"{local:.6}","pid":1,"uptime_seconds":1}}"#));
        assert!(matches!(pulse, Pulse::Beat { age: 0, .. }), "{pulse:?}");
    }

    #[test]
    fn nagios_is_told_by_code_word_and_figure() {
        for (age, code, line) in [
            (15.2, 0, "OK - Last heartbeat 15s ago | heartbeat_age=15s;60;120"),
            (60.0, 0, "OK - Last heartbeat 60s ago | heartbeat_age=60s;60;120"),
            (61.0, 1, "WARNING - Last heartbeat 61s ago | heartbeat_age=61s;60;120"),
            (121.0, 2, "CRITICAL - Last heartbeat 121s ago | heartbeat_age=121s;60;120"),
        ] {
            assert_eq!(for_nagios(&beat(age)), (code, line.to_owned()));
        }
        assert_eq!(for_nagios(&Pulse::Missing), (2, "CRITICAL - No heartbeat file found".into()));
        assert_eq!(for_nagios(&pulse("{")).0, 3);
    }
}
