//! What is wrong with single daemons: keys that do not go together, and what this computer lacks.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{
    daemon::DaemonConfig,
    host::Host,
    problem::{Place, Problem},
    tree::{Branch, Node, join},
    types::Supervisor,
    values::Base,
};
use crate::domain::{Probe, Readiness};

/// The longest name of a file, less what is appended to a daemon's name.
const LONGEST_NAME: usize = 240;

/// A daemon and where it was given.
pub(super) struct Entry<'a> {
    /// As `daemons[3]`.
    pub(super) key: String,
    pub(super) node: &'a Node,
    pub(super) daemon: &'a DaemonConfig,
}

/// Each of `daemons` with where it stands in `tree`.
pub(super) fn entries<'a>(tree: &'a Node, daemons: &'a [DaemonConfig]) -> Vec<Entry<'a>> {
    let nodes = tree.at("daemons").into_iter().flat_map(Node::elements).zip(daemons);
    nodes
        .map(|((index, node), daemon)| Entry { key: format!("daemons[{index}]"), node, daemon })
        .collect()
}

impl Entry<'_> {
    /// Where the value `below` the daemon was given; where the daemon was, if it was not.
    pub(super) fn place(&self, below: &str) -> Place {
        let given = self.node.at(below).filter(|node| node.place != Place::Default);
        given.unwrap_or(self.node).place.clone()
    }

    pub(super) fn error(&self, below: &str, message: impl Into<String>) -> Problem {
        Problem::error(self.place(below), join(&self.key, below), message)
    }
}

/// Keys that are known to be wrong: what follows from them is not said as well.
pub(super) struct Wrong(BTreeSet<String>);

impl Wrong {
    pub(super) fn new(problems: &[Problem]) -> Self {
        Self(problems.iter().map(|problem| problem.key.clone()).collect())
    }

    /// True if `key` or something in it is wrong.
    fn within(&self, key: &str) -> bool {
        self.0.range(key.to_owned()..).next().is_some_and(|known| known.starts_with(key))
    }
}

/// Makes programs with a `/` absolute: a relative one lies under `start`, or else where the daemon
/// works.
pub(super) fn resolve(daemon: &mut DaemonConfig, base: &Base, start: Option<&Path>) {
    let works = daemon.directory.as_deref().unwrap_or(&base.workspace);
    let base = Base { start: start.unwrap_or(works).to_path_buf(), ..base.clone() };
    let probe = match &mut daemon.ready {
        Readiness::Probe(Probe::Command(command)) => Some(command),
        _ => None,
    };
    let health = match &mut daemon.health {
        Some(health) => match &mut health.probe {
            Probe::Command(command) => Some(command),
            _ => None,
        },
        None => None,
    };
    let commands = [Some(&mut daemon.command), probe, health];
    commands.into_iter().flatten().for_each(|command| absolute(command, &base));
}

/// Makes the program of a command absolute if it has a `/`.
pub(super) fn absolute(command: &mut [String], base: &Base) {
    if let Some(program) = command.first_mut().filter(|program| program.contains('/')) {
        *program = base.path(program).to_string_lossy().into_owned();
    }
}

/// A look at one daemon after the other.
pub(super) struct Inspector<'a> {
    pub(super) supervisor: &'a Supervisor,
    pub(super) workspace: PathBuf,
    pub(super) wrong: Wrong,
    pub(super) host: &'a mut Host,
    pub(super) problems: Vec<Problem>,
}

impl Inspector<'_> {
    /// Everything that is wrong with a daemon by itself.
    pub(super) fn inspect(&mut self, entry: &Entry<'_>) {
        self.name(entry);
        self.variables(entry);
        self.times(entry);
        self.ways(entry, "ready", &["delay", "log", "tcp", "http", "command", "file", "notify"]);
        self.ways(entry, "health", &["http", "tcp", "command", "file"]);
        if entry.daemon.command.is_empty() {
            let message = "is empty, allowed: a program and its arguments";
            self.say(entry, "command", message.to_owned());
        }
        if entry.daemon.enabled {
            self.surroundings(entry);
        }
    }

    /// Says what is wrong, unless the value itself is known to be.
    fn say(&mut self, entry: &Entry<'_>, below: &str, message: String) {
        if !self.wrong.within(&join(&entry.key, below)) {
            self.problems.push(entry.error(below, message));
        }
    }

    /// Names become names of files.
    fn name(&mut self, entry: &Entry<'_>) {
        let name = &entry.daemon.name;
        let wrong = if name.eq_ignore_ascii_case("stationd") {
            "is the station itself, allowed: another name"
        } else if name.starts_with('.') {
            "begins with a dot, allowed: another name"
        } else if name.len() > LONGEST_NAME {
            "is too long for the name of a file, allowed: a shorter name"
        } else {
            return;
        };
        self.say(entry, "name", format!("{name:?} {wrong}"));
    }

    fn variables(&mut self, entry: &Entry<'_>) {
        let bad = |name: &&String| name.is_empty() || name.contains(['=', '\0']);
        if let Some(name) = entry.daemon.environment.keys().find(bad) {
            let message = format!("{name:?} is no name of a variable, allowed: a text without =");
            self.say(entry, "environment", message);
        }
    }

    fn times(&mut self, entry: &Entry<'_>) {
        let DaemonConfig { ready, start_timeout, .. } = entry.daemon;
        let restart = entry.daemon.restart(&self.supervisor.restart);
        let own = &entry.daemon.restart_policy;
        let given = own.backoff_base.is_some() || own.backoff_max.is_some();
        if given && !restart.grows() {
            let message = "has a backoff_max shorter than backoff_base, allowed: at least that";
            self.say(entry, "restart_policy", message.to_owned());
        }
        let limit = start_timeout.unwrap_or(self.supervisor.start_timeout);
        if let Readiness::Delay(delay) = ready
            && *delay >= limit
        {
            let message = "is not shorter than start_timeout, allowed: less than that";
            self.say(entry, "ready.delay", message.to_owned());
        }
    }

    /// Of a section that names one of several ways.
    fn ways(&mut self, entry: &Entry<'_>, section: &str, ways: &[&str]) {
        let Some(node) = entry.node.at(section).filter(|node| !node.is_nothing()) else { return };
        let given = |way: &&&str| node.at(way).is_some_and(|value| !value.is_nothing());
        let given: Vec<_> = ways.iter().filter(given).copied().collect();
        let allowed = ways.join(", ");
        match given.as_slice() {
            [] => self.say(entry, section, format!("says nothing, allowed: one of {allowed}")),
            [_] => {}
            [first, second, ..] => {
                let message = format!("has {first} and {second}, allowed: one of {allowed}");
                self.say(entry, section, message);
            }
        }
        let has = |key: &str| node.at(key).is_some_and(|value| !value.is_nothing());
        if has("max_age") && !has("file") {
            let message = "belongs to file, which is not given, allowed: both or none";
            self.say(entry, &format!("{section}.max_age"), message.to_owned());
        }
        if let Some(Branch::List(items)) = node.at("command").map(|node| &node.content)
            && items.is_empty()
        {
            let message = "is empty, allowed: a program and its arguments";
            self.say(entry, &format!("{section}.command"), message.to_owned());
        }
    }

    /// What this computer must have for the daemon.
    fn surroundings(&mut self, entry: &Entry<'_>) {
        let daemon = entry.daemon;
        let directory = daemon.directory.as_deref();
        if let Some(directory) = directory.filter(|path| **path != self.workspace && !path.is_dir())
        {
            let message =
                format!("\"{}\" is no directory, allowed: one that exists", directory.display());
            self.say(entry, "directory", message);
        }
        let mut path = daemon.environment.get("PATH").cloned();
        if let Some(file) = &daemon.environment_file {
            match self.host.variables(file) {
                Ok(variables) => {
                    let named = variables.iter().rev().find(|(name, _)| name == "PATH");
                    path = path.or_else(|| named.map(|(_, value)| value.clone()));
                }
                Err(message) => {
                    let message = message.clone();
                    self.say(entry, "environment_file", message);
                }
            }
        }
        self.program(entry, "command", &daemon.command, path.as_deref());
        if let Readiness::Probe(Probe::Command(command)) = &daemon.ready {
            self.program(entry, "ready.command", command, path.as_deref());
        }
        if let Some(Probe::Command(command)) = daemon.health.as_ref().map(|health| &health.probe) {
            self.program(entry, "health.command", command, path.as_deref());
        }
        let user = daemon.user.as_deref().and_then(|user| self.host.user(user));
        let group = daemon.group.as_deref().and_then(|group| self.host.group(group));
        for (key, message) in [("user", user), ("group", group)] {
            if let Some(message) = message {
                self.say(entry, key, message);
            }
        }
    }

    fn program(&mut self, entry: &Entry<'_>, key: &str, command: &[String], path: Option<&str>) {
        let program = command.first();
        if let Some(message) = program.and_then(|program| self.host.program(program, path)) {
            self.say(entry, key, message);
        }
    }
}
