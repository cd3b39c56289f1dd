//! Every daemon as it is configured: the built-in ones and the programs, which of them are to
//! run, and by what policy.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::StartError;
use crate::{
    config::{Config, DaemonConfig, HookConfig, Restart},
    daemons::process::{self, Host, KILL_MARGIN, Process},
    domain::{
        BUILTINS, Builtin, DaemonKind, Dependency, HookAction, Node, Plan, nearest_name, same_name,
    },
    supervision::{Child, Policy, Rules, Spec, child},
};
use std::{collections::HashMap, time::Duration};

/// Beyond the grace, time to bring machines to a safe stop and to end programs.
const STOP_MARGIN: Duration = Duration::from_secs(8);

/// Which daemons are to run.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection<'a> {
    /// Those of this profile.
    pub(super) profile: Option<&'a str>,
    /// These.
    pub(super) daemons: &'a [String],
}

/// All daemons in the order in which they are shown; a program comes with what starts it.
pub(super) fn roster(
    config: &Config,
    selection: &Selection<'_>,
    host: &Arc<Host>,
) -> Result<Vec<(Spec, Option<Child>)>, StartError> {
    let children = config.daemons.iter().map(|daemon| Some(child_of(config, daemon, host)));
    let mut all: Vec<_> = specs(config, selection)?
        .into_iter()
        .zip(BUILTINS.map(|_| None).into_iter().chain(children))
        .collect();
    for (spec, _) in all.iter_mut().filter(|(_, child)| child.is_some()) {
        spec.pid_file = Some(host.pid_file(&spec.name).display().to_string());
        spec.log_file = Some(host.log_file(&spec.name).display().to_string());
    }
    Ok(all)
}

/// What all of them are, without the means to start any.
///
/// # Errors
/// What was asked for does not exist.
pub(super) fn specs(config: &Config, selection: &Selection<'_>) -> Result<Vec<Spec>, StartError> {
    let mut all: Vec<_> = BUILTINS.iter().map(|it| built_in(config, it)).collect();
    all.extend(config.daemons.iter().map(|daemon| program(config, daemon)));
    if let Some(wanted) = wanted(config, selection, &all)? {
        for (index, spec) in all.iter_mut().enumerate() {
            spec.enabled &= wanted.contains(&index);
        }
    }
    Ok(all)
}

/// What holds for all of them together.
pub(super) fn rules(config: &Config, restarts_before: HashMap<String, u64>) -> Rules {
    let supervisor = &config.supervisor;
    Rules {
        restarts_per_minute: supervisor.restart.max_per_minute,
        reconcile_interval: supervisor.reconcile_interval,
        max_concurrent: supervisor.max_concurrent,
        restarts_before,
    }
}

fn policy(config: &Config, restart: Restart) -> Policy {
    let supervisor = &config.supervisor;
    Policy {
        backoff: restart.backoff,
        max_restarts: restart.max_restarts,
        stable_after: restart.stable_after,
        start_timeout: supervisor.start_timeout,
        stop_timeout: supervisor.stop_timeout,
        health_interval: supervisor.health_interval,
        health_timeout: supervisor.health_timeout,
        ..Policy::default()
    }
}

fn built_in(config: &Config, builtin: &Builtin) -> Spec {
    let mut policy = policy(config, config.supervisor.restart);
    if matches!(builtin.name, "job-queue" | "device-manager") {
        // Both see what runs to its end, or to a safe stop.
        policy.stop_timeout = config.queue.shutdown_grace + STOP_MARGIN;
    }
    // What these do can be interrupted at any time; jobs and machines cannot.
    let substance = match builtin.name {
        "hooks" => hooks(config),
        "heartbeat" => format!("{:?}", config.heartbeat),
        "metrics" => format!("{:?}", config.metrics.interval),
        "sync" => format!("{:?}", config.sync),
        "watchdog" => format!("{:?}", config.watchdog),
        _ => String::new(),
    };
    Spec {
        substance,
        description: builtin.description.to_owned(),
        category: builtin.category.to_owned(),
        critical: builtin.critical,
        enabled: config.daemon_enabled(builtin.name),
        depends_on: builtin.depends_on.iter().copied().map(Dependency::on).collect(),
        profiles: listed_in(config, builtin.name),
        ..Spec::new(builtin.name, policy)
    }
}

/// What hooks are made of, their secrets included, which are not shown.
fn hooks(config: &Config) -> String {
    let mut secrets = Sha256::new();
    for hook in config.hooks.iter().filter_map(HookConfig::hook) {
        if let HookAction::Webhook(webhook) = &hook.action {
            for secret in webhook.secret.iter().chain(webhook.headers.values()) {
                secrets.update(secret.expose());
                secrets.update([0]);
            }
        }
    }
    format!("{:?} {:?}", config.hooks, secrets.finalize())
}

fn program(config: &Config, daemon: &DaemonConfig) -> Spec {
    let program = daemon.program(config.supervisor.stop_timeout);
    let policy = Policy {
        restart: daemon.restart,
        start_timeout: daemon.start_timeout.unwrap_or(config.supervisor.start_timeout),
        stop_timeout: program.stop_timeout + KILL_MARGIN,
        ..policy(config, daemon.restart(&config.supervisor.restart))
    };
    let mut profiles = listed_in(config, &daemon.name);
    profiles.extend(
        daemon.profiles.iter().filter(|own| !profiles.contains(own)).cloned().collect::<Vec<_>>(),
    );
    Spec {
        title: daemon.title.clone().unwrap_or_else(|| daemon.name.clone()),
        kind: DaemonKind::Process,
        description: daemon.description.clone().unwrap_or_default(),
        category: daemon.category.clone(),
        critical: daemon.critical,
        enabled: config.daemon_enabled(&daemon.name),
        depends_on: daemon.depends_on.clone(),
        on_dependency_restart: daemon.on_dependency_restart,
        profiles,
        survives: program.detach,
        substance: format!("{program:?}"),
        ..Spec::new(daemon.name.clone(), policy)
    }
}

/// What starts a program.
fn child_of(config: &Config, daemon: &DaemonConfig, host: &Arc<Host>) -> Child {
    let program = daemon.program(config.supervisor.stop_timeout);
    let options = process::Options { name: daemon.name.clone(), program, host: host.clone() };
    let (child, _) = child(move |vitals| Process::new(options.clone(), vitals));
    child.shared()
}

/// The profiles that name a daemon.
fn listed_in(config: &Config, name: &str) -> Vec<String> {
    let names = |members: &Vec<String>| members.iter().any(|member| same_name(member, name));
    config.profiles.iter().filter(|(_, it)| names(it)).map(|(profile, _)| profile.clone()).collect()
}

/// The places of those that were asked for and of what they need; `None` if nothing was.
fn wanted(
    config: &Config,
    selection: &Selection<'_>,
    all: &[Spec],
) -> Result<Option<Vec<usize>>, StartError> {
    let Selection { profile, daemons } = selection;
    if profile.is_none() && daemons.is_empty() {
        return Ok(None);
    }
    let wrong = |text: String| Err(StartError::Configuration(text));
    let mut wanted = Vec::new();
    for name in *daemons {
        let Some(index) = all.iter().position(|spec| same_name(&spec.name, name)) else {
            let known = || all.iter().map(|spec| spec.name.as_str());
            let names = known().collect::<Vec<_>>().join(", ");
            let near = nearest(name, known());
            return wrong(format!(
                "--daemons: no daemon is called \"{name}\"{near}: there are {names}"
            ));
        };
        wanted.push(index);
    }
    if let Some(profile) = profile {
        let members = |spec: &Spec| spec.profiles.iter().any(|it| it == profile);
        let found: Vec<_> = (0..all.len()).filter(|&index| members(&all[index])).collect();
        if found.is_empty() {
            let mut known: Vec<_> = all.iter().flat_map(|spec| spec.profiles.clone()).collect();
            known.extend(config.profiles.keys().cloned());
            known.sort();
            known.dedup();
            return wrong(match known.as_slice() {
                [] => format!("--profile: no profile is called \"{profile}\": there are none"),
                known => format!(
                    "--profile: no profile is called \"{profile}\"{}: there are {}",
                    nearest(profile, known.iter().map(String::as_str)),
                    known.join(", ")
                ),
            });
        }
        wanted.extend(found);
    }
    // What fits together when all of them are to run fits together when some are.
    let nodes: Vec<_> = all.iter().map(|spec| Node { enabled: true, ..spec.node() }).collect();
    match Plan::new(&nodes) {
        Ok(plan) => Ok(Some(plan.closure(wanted))),
        Err(problems) => {
            let lines: Vec<_> = problems.iter().map(|(_, misfit)| misfit.to_string()).collect();
            wrong(lines.join("; "))
        }
    }
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest_name(name, known).map(|near| format!(", the nearest is \"{near}\"")).unwrap_or_default()
}
