//! Whether the daemons fit together: names, dependencies, switches and profiles.

use std::collections::{HashMap, HashSet};

use super::{
    daemons::Entry,
    env::nearest_variable,
    problem::{Level, Place, Problem},
    tree::{Branch, Node as Given, join},
    types::Config,
};
use crate::domain::{
    BUILTINS, Dependency, Misfit, Node, Plan, RestartMode, did_you_mean, nearest_name, same_name,
};

/// The built-in daemons as far as the others are concerned.
pub(super) struct Builtins(Vec<(&'static str, bool, Vec<Dependency>)>);

impl Builtins {
    pub(super) fn new(config: &Config) -> Self {
        let dependencies =
            |names: &[&'static str]| names.iter().copied().map(Dependency::on).collect();
        let builtins = BUILTINS.iter().map(|builtin| {
            let enabled = config.daemon_enabled(builtin.name);
            (builtin.name, enabled, dependencies(builtin.depends_on))
        });
        Self(builtins.collect())
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.0.iter().map(|(name, enabled, depends_on)| Node {
            name,
            enabled: *enabled,
            restart: RestartMode::Always,
            depends_on,
        })
    }
}

/// Judges the station's own daemons together. `lost` are names of daemons that are wrong
/// themselves.
pub(super) fn check(
    config: &Config,
    tree: &Given,
    entries: &[Entry<'_>],
    lost: &[String],
) -> Vec<Problem> {
    let builtins = Builtins::new(config);
    let nodes: Vec<_> =
        builtins.nodes().chain(config.daemons.iter().map(super::DaemonConfig::node)).collect();
    let Err(misfits) = Plan::new(&nodes) else { return Vec::new() };
    let said = misfits.into_iter().filter(|(_, misfit)| match misfit {
        Misfit::Unknown { dependency, .. } => !lost.iter().any(|lost| same_name(lost, dependency)),
        _ => true,
    });
    said.map(|(index, misfit)| match index.checked_sub(BUILTINS.len()) {
        Some(index) => problem(&entries[index], &misfit, misfit.to_string()),
        None => switched_off(tree, &misfit),
    })
    .collect()
}

/// A misfit as a problem of the daemon that it is about.
pub(super) fn problem(entry: &Entry<'_>, misfit: &Misfit, message: String) -> Problem {
    let other = match misfit {
        Misfit::Duplicate { .. } => return entry.error("name", message),
        Misfit::Unknown { dependency, .. }
        | Misfit::Disabled { dependency, .. }
        | Misfit::Endless { dependency, .. } => dependency.as_str(),
        Misfit::Cycle(names) => names.get(1).map(String::as_str).unwrap_or_default(),
    };
    let named = |item: &&Given| {
        item.at("name").and_then(Given::text).is_some_and(|name| same_name(name, other))
    };
    let list = entry.node.at("depends_on");
    let found = list.and_then(|list| list.elements().map(|(_, item)| item).find(named));
    let place = found.map_or_else(|| entry.place("depends_on"), |item| item.place.clone());
    Problem::error(place, join(&entry.key, "depends_on"), message)
}

/// A misfit of a built-in daemon: somebody has switched off what it needs.
fn switched_off(tree: &Given, misfit: &Misfit) -> Problem {
    let dependency = match misfit {
        Misfit::Disabled { dependency, .. } => dependency.as_str(),
        _ => "",
    };
    let mut switches = tree.at("supervisor.enabled").into_iter().flat_map(Given::children);
    let switch = switches.find(|(name, _)| same_name(name, dependency));
    let place = switch.map_or(Place::Default, |(_, node)| node.place.clone());
    Problem::error(place, join("supervisor.enabled", dependency), misfit.to_string())
}

/// Makes `enabled` of each daemon what `supervisor.enabled` says.
pub(super) fn switch(
    daemons: &mut [super::DaemonConfig],
    switches: &std::collections::BTreeMap<String, bool>,
) {
    let switches: HashMap<_, _> =
        switches.iter().rev().map(|(name, on)| (folded(name), *on)).collect();
    for daemon in daemons {
        if let Some(on) = switches.get(&folded(&daemon.name)) {
            daemon.enabled = *on;
        }
    }
}

/// Every daemon that something may be said of, also of plugins and of what is wrong.
pub(super) struct Names<'a> {
    names: Vec<&'a str>,
    folded: HashSet<String>,
}

impl<'a> Names<'a> {
    /// Those of `others`, and the built-in ones.
    pub(super) fn new(others: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<_> = BUILTINS.iter().map(|builtin| builtin.name).chain(others).collect();
        let folded = names.iter().copied().map(folded).collect();
        Self { names, folded }
    }

    fn has(&self, name: &str) -> bool {
        self.folded.contains(&folded(name))
    }

    /// A variable that would switch a daemon that is none of these.
    fn unknown(&self, variable: &str) -> Problem {
        let near = nearest_variable(variable, self.names.iter().copied());
        let message = format!("is not a known variable, the nearest is {near}");
        Problem::warning(Place::Environment(variable.to_owned()), "", message)
    }

    /// What is wrong with a name that is none of these.
    pub(super) fn missing(&self, name: &str) -> Option<String> {
        (!self.has(name)).then(|| format!("no daemon is called {name:?}{}", self.hint(name)))
    }

    /// The end of a sentence about a name that is none of these.
    fn hint(&self, name: &str) -> String {
        did_you_mean(nearest_name(name, self.names.iter().copied()).as_deref())
    }
}

/// Switches of daemons that do not exist, as warnings.
pub(super) fn switches(tree: &Given, names: &Names<'_>) -> Vec<Problem> {
    let switches = tree.at("supervisor.enabled").into_iter().flat_map(Given::children);
    let unknown = switches.filter(|(name, _)| !names.has(name));
    unknown
        .map(|(name, node)| match &node.place {
            Place::Environment(variable) => names.unknown(variable),
            place => {
                let message = format!("no daemon is called {name:?}{}", names.hint(name));
                Problem::warning(place.clone(), join("supervisor.enabled", name), message)
            }
        })
        .collect()
}

/// A variable that is none of ours is a warning, whatever its value.
pub(super) fn strangers(problems: &mut [Problem], names: &Names<'_>) {
    for problem in problems {
        let switch = problem.key.strip_prefix("supervisor.enabled.");
        if let (Place::Environment(variable), Some(name)) = (&problem.place, switch)
            && !names.has(name)
        {
            *problem = names.unknown(variable);
        }
    }
}

/// Members of profiles that do not exist.
pub(super) fn profiles(tree: &Given, names: &Names<'_>, level: Level) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (profile, members) in tree.at("profiles").into_iter().flat_map(Given::children) {
        for (index, member) in members.elements() {
            let Some(name) = member.text().filter(|name| !names.has(name)) else { continue };
            problems.push(Problem {
                level,
                place: member.place.clone(),
                key: format!("profiles.{profile}[{index}]"),
                message: format!("no daemon is called {name:?}{}", names.hint(name)),
            });
        }
    }
    problems
}

/// Where a layer switches daemons that an earlier one has switched by another spelling, it means
/// the same.
pub(super) fn same_switches(tree: &Given, layer: &mut Given) {
    let Some(before) = tree.at("supervisor.enabled") else { return };
    let Some(Branch::Map(switches)) = layer.at_mut("supervisor.enabled").map(|n| &mut n.content)
    else {
        return;
    };
    for (name, _) in switches {
        if let Some((known, _)) = before.children().find(|(known, _)| same_name(known, name)) {
            known.clone_into(name);
        }
    }
}

/// Equal for names that mean the same.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}
