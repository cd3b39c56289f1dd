//! A process daemon as it is configured.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer};

use super::{Restart, RestartPolicy};
use crate::domain::{
    Dependency, HealthCheck, Limits, Node, OnDependencyRestart, OutputRules, Probe, Program,
    Readiness, RestartMode,
};

/// How old a file may be that shows that a program works, if nobody says otherwise.
const MAX_AGE: Duration = Duration::from_mins(1);

/// A program to keep running.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key that people switch")]
pub struct DaemonConfig {
    /// What people call it; unique without regard to case and to `_` or `-`.
    pub name: String,
    /// The same for people's eyes; its name if none.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The group it is shown in.
    pub category: String,
    /// The program and its arguments. A program with a `/` is absolute.
    pub command: Vec<String>,
    /// Where it works; absolute, the workspace if none.
    pub directory: Option<PathBuf>,
    /// Variables besides the few it inherits.
    pub environment: BTreeMap<String, String>,
    /// A file of `KEY=VALUE` lines; absolute.
    pub environment_file: Option<PathBuf>,
    /// The user it becomes.
    pub user: Option<String>,
    /// The group it becomes.
    pub group: Option<String>,
    /// The mask of its file modes.
    pub umask: Option<u32>,
    /// Its scheduling priority.
    pub nice: Option<i32>,
    /// What must be there before it is started.
    pub depends_on: Vec<Dependency>,
    /// What it does when one of those has gone down and is back.
    pub on_dependency_restart: OnDependencyRestart,
    /// The profiles it belongs to, besides those that name it.
    pub profiles: Vec<String>,
    /// True if the station is unhealthy without it.
    pub critical: bool,
    /// True if it is to run from the start; `supervisor.enabled` has had its say.
    pub enabled: bool,
    /// When it is restarted.
    pub restart: RestartMode,
    /// In what it differs from `supervisor.restart`; see [`DaemonConfig::restart`].
    #[serde(deserialize_with = "or_default")]
    pub restart_policy: RestartPolicy,
    /// How long a start may take; as `supervisor` says if none.
    pub start_timeout: Option<Duration>,
    /// How long a stop may take; as `supervisor` says if none.
    pub stop_timeout: Option<Duration>,
    /// The signal that asks it to stop, without `SIG`.
    pub stop_signal: String,
    /// Exit codes that are no failure.
    pub exit_codes: Vec<i32>,
    /// It outlives the station.
    pub detach: bool,
    /// It and its children can never gain privileges.
    pub no_new_privileges: bool,
    /// How often it must say `WATCHDOG=1`.
    pub watchdog: Option<Duration>,
    /// What it may use.
    #[serde(deserialize_with = "or_default")]
    pub limits: Limits,
    /// When it counts as up.
    #[serde(deserialize_with = "readiness")]
    pub ready: Readiness,
    /// How it is watched.
    #[serde(deserialize_with = "health")]
    pub health: Option<HealthCheck>,
    /// How its output is kept.
    pub log: OutputRules,
    /// The plugin it comes from; none for one of the station's own.
    #[serde(skip)]
    pub plugin: Option<String>,
}

impl DaemonConfig {
    /// The program, which may take `stop_timeout` to stop if it does not say.
    pub fn program(&self, stop_timeout: Duration) -> Program {
        Program {
            command: self.command.clone(),
            directory: self.directory.clone(),
            environment: self.environment.clone(),
            environment_file: self.environment_file.clone(),
            user: self.user.clone(),
            group: self.group.clone(),
            umask: self.umask,
            nice: self.nice,
            stop_signal: self.stop_signal.clone(),
            stop_timeout: self.stop_timeout.unwrap_or(stop_timeout),
            exit_codes: self.exit_codes.clone(),
            no_new_privileges: self.no_new_privileges,
            detach: self.detach,
            limits: self.limits,
            log: self.log,
            ready: self.ready.clone(),
            health: self.health.clone(),
            watchdog: self.watchdog,
        }
    }

    /// As far as the others are concerned.
    pub(super) fn node(&self) -> Node<'_> {
        Node {
            name: &self.name,
            enabled: self.enabled,
            restart: self.restart,
            depends_on: &self.depends_on,
        }
    }

    /// How it is restarted: as it says itself, otherwise as `global` does.
    pub fn restart(&self, global: &Restart) -> Restart {
        global.with(&self.restart_policy)
    }
}

/// A section that may be null.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadyKeys {
    delay: Option<Duration>,
    log: Option<String>,
    tcp: Option<String>,
    http: Option<String>,
    command: Option<Vec<String>>,
    file: Option<PathBuf>,
    max_age: Option<Duration>,
    notify: bool,
}

/// That exactly one of the ways is given has been checked.
fn readiness<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Readiness, D::Error> {
    let Some(keys) = Option::<ReadyKeys>::deserialize(deserializer)? else {
        return Ok(Readiness::Spawned);
    };
    let ReadyKeys { delay, log, tcp, http, command, file, max_age, notify } = keys;
    let probe = || probe(tcp, http, command, file, max_age).map(Readiness::Probe);
    let said = notify.then_some(Readiness::Notify);
    let found = delay.map(Readiness::Delay).or(log.map(Readiness::Log)).or_else(probe).or(said);
    Ok(found.unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HealthKeys {
    http: Option<String>,
    tcp: Option<String>,
    command: Option<Vec<String>>,
    file: Option<PathBuf>,
    max_age: Option<Duration>,
    interval: Duration,
    timeout: Duration,
    failures: u32,
}

/// That exactly one of the ways is given has been checked.
fn health<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HealthCheck>, D::Error> {
    let Some(keys) = Option::<HealthKeys>::deserialize(deserializer)? else { return Ok(None) };
    let HealthKeys { http, tcp, command, file, max_age, interval, timeout, failures } = keys;
    let probe = probe(tcp, http, command, file, max_age);
    Ok(probe.map(|probe| HealthCheck { probe, interval, timeout, failures }))
}

fn probe(
    tcp: Option<String>,
    http: Option<String>,
    command: Option<Vec<String>>,
    file: Option<PathBuf>,
    max_age: Option<Duration>,
) -> Option<Probe> {
    let file = file.map(|path| Probe::File { path, max_age: max_age.unwrap_or(MAX_AGE) });
    tcp.map(Probe::Tcp).or(http.map(Probe::Http)).or(command.map(Probe::Command)).or(file)
}
