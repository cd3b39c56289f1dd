//! What an operator wants done when something happens.

use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{DaemonState, DeviceStatus, JobState, Secret, nearest_name};

/// What a hook waits for; `None` is every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookEvent {
    /// A job came to this state: `COMPLETED`, `job:*`.
    Job(Option<JobState>),
    /// A machine came to this status: `device:idle`, `device:*`.
    Device(Option<DeviceStatus>),
    /// A daemon came to this state: `daemon:FAILED`, `daemon:*`.
    Daemon(Option<DaemonState>),
}

/// A text that names no event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "is not an event, the nearest is {nearest}, allowed: a job state as COMPLETED, device:STATUS, \
     daemon:STATE, job:*, device:* or daemon:*"
)]
pub struct NotAnEvent {
    nearest: String,
}

impl HookEvent {
    /// Every event, those that stand for several after their kind.
    pub fn all() -> impl Iterator<Item = Self> {
        let jobs = JobState::ALL.into_iter().map(|state| Self::Job(Some(state)));
        let devices = DeviceStatus::ALL.into_iter().map(|status| Self::Device(Some(status)));
        let daemons = DaemonState::ALL.into_iter().map(|state| Self::Daemon(Some(state)));
        let any = [Self::Job(None), Self::Device(None), Self::Daemon(None)];
        jobs.chain(devices).chain(daemons).chain(any)
    }

    /// What is known of every event, as it stands in arguments.
    pub const FACTS: [&str; 14] = [
        "id",
        "event",
        "event_id",
        "timestamp",
        "resource",
        "state",
        "from_state",
        "reason",
        "job_id",
        "job_name",
        "device",
        "daemon_name",
        "hook",
        "station",
    ];

    /// True if what happened, which is one state, is what this waits for.
    pub fn covers(self, happened: Self) -> bool {
        match (self, happened) {
            (Self::Job(None), Self::Job(_))
            | (Self::Device(None), Self::Device(_))
            | (Self::Daemon(None), Self::Daemon(_)) => true,
            (own, happened) => own == happened,
        }
    }

    /// True for events of jobs.
    pub fn is_of_job(self) -> bool {
        matches!(self, Self::Job(_))
    }

    /// The state alone, as `COMPLETED` or `idle`; `*` for all.
    pub fn state(self) -> &'static str {
        match self {
            Self::Job(state) => state.map_or("*", JobState::as_str),
            Self::Device(status) => status.map_or("*", DeviceStatus::as_str),
            Self::Daemon(state) => state.map_or("*", DaemonState::as_str),
        }
    }
}

impl fmt::Display for HookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Job(Some(_)) => "",
            Self::Job(None) => "job:",
            Self::Device(_) => "device:",
            Self::Daemon(_) => "daemon:",
        };
        write!(f, "{kind}{}", self.state())
    }
}

impl FromStr for HookEvent {
    type Err = NotAnEvent;

    /// Case does not count, and `job:COMPLETED` is `COMPLETED`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = match text.get(..4) {
            Some(kind) if kind.eq_ignore_ascii_case("job:") && text != "job:*" => &text[4..],
            _ => text,
        };
        let is_it = |event: &Self| event.to_string().eq_ignore_ascii_case(plain);
        Self::all().find(is_it).ok_or_else(|| {
            let names: Vec<_> = Self::all().map(|event| event.to_string()).collect();
            let nearest = nearest_name(plain, names.iter().map(String::as_str));
            NotAnEvent { nearest: nearest.unwrap_or_else(|| "COMPLETED".to_owned()) }
        })
    }
}

/// One thing to do at one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// Where it stands, as `COMPLETED[0]` or `PLUGIN/COMPLETED[0]`.
    pub name: String,
    /// What it waits for.
    pub event: HookEvent,
    /// What it is particular about.
    pub when: When,
    /// What it does.
    pub action: HookAction,
    /// How long it may take.
    pub timeout: Duration,
    /// What follows if it fails.
    pub on_fail: OnFail,
    /// Where its programs work; the workspace if none.
    pub directory: Option<PathBuf>,
}

/// What a hook does.
#[derive(Clone, Debug, PartialEq)]
pub enum HookAction {
    /// Runs a program with these arguments, in which `{…}` stands for what is known of the event.
    Command(Vec<String>),
    /// Runs this file; absolute.
    Script(PathBuf),
    /// Posts what is known of the event.
    Webhook(Webhook),
    /// Tells the WebSocket clients that have subscribed to what it is about.
    Websocket,
    /// Orders a daemon about.
    Daemon {
        /// Which, by [`same_name`](super::same_name).
        name: String,
        /// What to do.
        order: HookOrder,
    },
}

impl HookAction {
    /// As it is configured and counted.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Script(_) => "script",
            Self::Webhook(_) => "webhook",
            Self::Websocket => "websocket",
            Self::Daemon { .. } => "daemon",
        }
    }

    /// What it does in a few words, without what is secret: the path of an address often is.
    pub fn target(&self) -> String {
        match self {
            Self::Command(command) => command.join(" "),
            Self::Script(path) => path.display().to_string(),
            Self::Webhook(webhook) => webhook.origin(),
            Self::Websocket => String::new(),
            Self::Daemon { name, order } => format!("{} {name}", order.as_str()),
        }
    }
}

/// Where an event is posted to.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// An `http://` or `https://` address.
    pub url: String,
    /// What the body is signed with.
    pub secret: Option<Secret>,
    /// How often it is tried again.
    pub retries: u32,
    /// Certificates by which its server may be known, besides those of the public authorities.
    pub ca_file: Option<PathBuf>,
    /// Headers besides the usual.
    pub headers: BTreeMap<String, Secret>,
}

impl Webhook {
    /// The address without its path.
    fn origin(&self) -> String {
        let host = self.url.find("://").map_or(0, |at| at + 3);
        let rest = &self.url[host..];
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let more = if rest[end..].len() > 1 { "/…" } else { "" };
        format!("{}{more}", &self.url[..host + end])
    }
}

/// What a daemon is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HookOrder {
    /// To start.
    Start,
    /// To stop.
    Stop,
    /// To stop and start.
    Restart,
    /// To do at once what it does every so often.
    Now,
}

impl HookOrder {
    /// As it is configured.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Now => "now",
        }
    }
}

/// What follows if a hook fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFail {
    /// It is written down.
    Ignore,
    /// An alert is raised.
    #[default]
    Warn,
    /// An alert is raised, and the job is cancelled if it waits or runs.
    AbortJob,
}

/// What an event must be like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The job's name.
    pub job_name: Option<Glob>,
    /// The machine's name.
    pub device: Option<Glob>,
    /// The daemon's name.
    pub daemon: Option<Glob>,
    /// Labels that the job must have.
    pub labels: BTreeMap<String, Glob>,
}

impl When {
    /// True if it asks for nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A pattern in which `*` stands for any text and `?` for one character.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Glob(String);

impl Glob {
    /// A pattern.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// True if the whole text is like this. Takes a time of at most their lengths' product.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text): (Vec<_>, Vec<_>) = (self.0.chars().collect(), text.chars().collect());
        let (mut p, mut t) = (0, 0);
        // After the last star: where the pattern goes on, and what the star has taken so far.
        let mut star: Option<(usize, usize)> = None;
        while t < text.len() {
            match pattern.get(p) {
                Some('*') => {
                    star = Some((p + 1, t));
                    p += 1;
                }
                Some(c) if *c == '?' || *c == text[t] => (p, t) = (p + 1, t + 1),
                _ => {
                    let Some((after, taken)) = star else { return false };
                    star = Some((after, taken + 1));
                    (p, t) = (after, taken + 1);
                }
            }
        }
        pattern[p..].iter().all(|c| *c == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_read_as_it_is_written() {
        for event in HookEvent::all() {
            assert_eq!(event.to_string().parse(), Ok(event));
        }
        assert_eq!("job:completed".parse(), Ok(HookEvent::Job(Some(JobState::Completed))));
        assert_eq!("Daemon:failed".parse(), Ok(HookEvent::Daemon(Some(DaemonState::Failed))));
        let wrong = "COMPLETE".parse::<HookEvent>().unwrap_err().to_string();
        assert!(
            wrong.starts_with("is not an event, the nearest is COMPLETED, allowed: "),
            "{wrong}"
        );
        for wrong in ["", "é", "jobé", "job:", "*", "device:", "device:RUNNINGX"] {
            assert!(wrong.parse::<HookEvent>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_star_covers_its_kind_alone() {
        let failed = HookEvent::Daemon(Some(DaemonState::Failed));
        assert!(HookEvent::Daemon(None).covers(failed));
        assert!(!HookEvent::Job(None).covers(failed));
        assert!(!HookEvent::Daemon(Some(DaemonState::Running)).covers(failed));
    }

    #[test]
    fn globs_match_the_whole_text() {
        for (pattern, text, expected) in [
            ("*.gcode", "part.gcode", true),
            ("*.gcode", "part.gcode.bak", false),
            ("p?rt", "part", true),
            ("p?rt", "prt", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "a12b3bc", true),
            ("a*b*c", "a12b3b", false),
            ("[a]", "a", false),
            ("ü*", "über", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} {text}");
        }
        let slow = Glob::new("*a".repeat(200));
        assert!(!slow.matches(&"a".repeat(150)));
    }

    #[test]
    fn an_address_is_shown_without_its_path() {
        let shown = |url: &str| {
            let (url, headers) = (url.to_owned(), BTreeMap::new());
            HookAction::Webhook(Webhook { url, secret: None, retries: 0, ca_file: None, headers })
                .target()
        };
        assert_eq!(shown("https://hooks.example/T0/B1/token"), "https://hooks.example/…");
        assert_eq!(shown("http://[::1]:9000"), "http://[::1]:9000");
        assert_eq!(shown("http://a/"), "http://a");
    }
}
