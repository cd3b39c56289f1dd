//! Daemons as a test describes, watches and orders them, and the traces that they leave in `/proc`.

use std::{
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{Builder, Station, eventually};

/// A process daemon that runs a shell script, with more of its keys.
pub(crate) fn sh(name: &str, script: &str, more: &Value) -> Value {
    let mut daemon = json!({"name": name, "command": ["sh", "-c", script]});
    let more = more.as_object().cloned().unwrap_or_default();
    daemon.as_object_mut().unwrap().extend(more);
    daemon
}

/// A configuration with these daemons; restarts are quick, so that many fit into a test.
pub(crate) fn daemons(daemons: &Value) -> String {
    let restart = json!({"backoff_base": "20ms", "backoff_max": "40ms"});
    json!({"supervisor": {"restart": restart}, "daemons": daemons}).to_string()
}

/// A process that carries the mark of a station's daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marked {
    pub(crate) pid: u32,
    /// Of which daemon.
    pub(crate) daemon: String,
    pub(crate) command: String,
}

/// All processes that the daemons of a station on this workspace have started; zombies have no
/// environment any more, and so no mark.
pub(crate) fn marked(workspace: &Path) -> Vec<Marked> {
    let workspace = fs::canonicalize(workspace).unwrap_or(workspace.to_owned());
    let look = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let environment = fs::read(entry.path().join("environ")).ok()?;
        let variable = |name: &str| {
            let mut lines = environment.split(|byte| *byte == 0);
            lines.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
        };
        if variable("STATIOND_STATION")? != workspace.as_os_str().as_bytes() {
            return None;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\0', " ");
        let command = text(&fs::read(entry.path().join("cmdline")).ok()?);
        Some(Marked { pid, daemon: text(variable("STATIOND_DAEMON")?), command })
    };
    fs::read_dir("/proc").unwrap().flatten().filter_map(look).collect()
}

/// True if there is such a process, and not only its zombie.
pub(crate) fn lives(pid: u64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

impl Builder {
    /// Runs these daemons.
    pub(crate) fn daemons(self, all: &Value) -> Self {
        self.config(&daemons(all))
    }

    /// Where a file of that name lies in the workspace.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.workspace().join(name)
    }
}

impl Station {
    #[track_caller]
    pub(crate) fn daemon(&self, name: &str) -> Value {
        self.local().get(&format!("/api/v1/daemons/{name}")).expect(200)
    }

    /// Every daemon by its name, built-in ones too.
    #[track_caller]
    pub(crate) fn all_daemons(&self) -> Vec<Value> {
        let all = self.local().get("/api/v1/daemons").expect(200)["items"].clone();
        all.as_array().unwrap().clone()
    }

    /// Starts, stops or restarts one; the daemon as it then is.
    #[track_caller]
    pub(crate) fn order(&self, name: &str, verb: &str) -> Value {
        self.local().post(&format!("/api/v1/daemons/{name}/{verb}"), &Value::Null).expect(200)
    }

    /// Waits until a daemon is as wanted.
    #[track_caller]
    pub(crate) fn await_daemon(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        eventually(&format!("{name} {what}"), || Some(self.daemon(name)).filter(&wanted))
    }

    /// Waits until a daemon is in this state.
    #[track_caller]
    pub(crate) fn await_state(&self, name: &str, state: &str) -> Value {
        self.await_daemon(name, &format!("is {state}"), |daemon| daemon["state"] == state)
    }

    /// Waits until a daemon's program runs; its PID.
    #[track_caller]
    pub(crate) fn await_pid(&self, name: &str) -> u64 {
        let up = |daemon: &Value| daemon["state"] == "RUNNING" && daemon["pid"].is_u64();
        self.await_daemon(name, "runs", up)["pid"].as_u64().unwrap()
    }

    /// What the events say of one daemon, oldest first.
    #[track_caller]
    pub(crate) fn events_of(&self, name: &str) -> Vec<Value> {
        let path = format!("/api/v1/events?since=0&limit=1000&resource=daemon:{name}");
        self.local().get(&path).expect(200)["items"].as_array().unwrap().clone()
    }

    /// Waits for an alert about a daemon with these words in its title.
    #[track_caller]
    pub(crate) fn await_alert(&self, name: &str, words: &str) -> Value {
        eventually(&format!("an alert: {name} {words}"), || {
            let is = |event: &Value| {
                let title = event["title"].as_str().unwrap_or_default();
                event["type"] == "system_alert" && title.contains(words)
            };
            self.events_of(name).into_iter().find(is)
        })
    }

    /// Waits until a file of the workspace says something; all of it.
    #[track_caller]
    pub(crate) fn await_file(&self, name: &str) -> String {
        let path = self.workspace().join(name);
        eventually(&format!("{name} is written"), || {
            fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n'))
        })
    }

    /// The processes of its daemons.
    pub(crate) fn marked(&self) -> Vec<Marked> {
        marked(&self.workspace())
    }

    /// Waits until nothing is left of one daemon.
    #[track_caller]
    pub(crate) fn await_nothing_left(&self, daemon: &str) {
        eventually(&format!("nothing is left of {daemon}"), || {
            self.marked().iter().all(|process| process.daemon != daemon).then_some(())
        });
    }
}
