//! Plugins: found, read, and judged together with everything else.
//!
//! A plugin that is wrong is left out as a whole, and so is one that does not fit what is there
//! without it. Nothing that a plugin says can keep the station from starting.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use serde::Deserialize;

use super::{
    Loaded, Sources,
    check::{Checker, Layer},
    daemon::DaemonConfig,
    daemons::{Inspector, Wrong, absolute, entries, resolve},
    document::Mark,
    file::Source,
    fit::{self, Builtins},
    form::Around,
    hook::{HookConfig, in_order},
    hooks,
    host::Host,
    plugin::{Plugin, PluginCommand, PluginStatus},
    problem::{Place, Problem},
    read::read,
    schema::PLUGIN,
    tree::Node,
    types::Config,
    values::Base,
};
use crate::domain::{BUILTINS, Misfit, Plan, same_name};

/// What a directory must have to be a plugin.
const FILE: &str = "plugin.yaml";

/// A plugin under judgement.
pub(super) struct Draft {
    pub(super) plugin: Plugin,
    tree: Node,
    daemons: Vec<DaemonConfig>,
    hooks: Vec<HookConfig>,
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PluginKeys {
    name: String,
    version: Option<String>,
    description: Option<String>,
    enabled: bool,
    daemons: Vec<DaemonConfig>,
    #[serde(deserialize_with = "in_order")]
    hooks: Vec<HookConfig>,
    commands: Vec<PluginCommand>,
}

/// Reads and checks the plugin in the directory `dir`, wherever that is, as one more beside what
/// is `loaded`, or in place of the one of the same name. The error is every problem it has.
pub fn read_plugin(dir: &Path, sources: &Sources, loaded: &Loaded) -> Result<Plugin, Vec<Problem>> {
    let mut config = loaded.config.clone();
    let dir = sources.directory.join(dir);
    let file: Arc<Path> = Arc::from(dir.join(FILE));
    if !file.exists() {
        let message = "there is no such file, which a plugin must have";
        return Err(vec![Problem::error(Place::File(file), "", message)]);
    }
    let mut drafts = [draft(&dir, sources, &config, &mut Host::new(sources))];
    let [draft] = &drafts;
    let replaced = |daemon: &DaemonConfig| {
        daemon.plugin.as_ref().is_some_and(|plugin| same_name(plugin, &draft.plugin.name))
    };
    config.daemons.retain(|daemon| !replaced(daemon));
    judge(&config, &mut drafts);
    let [draft] = drafts;
    if draft.plugin.status == PluginStatus::Broken { Err(draft.problems) } else { Ok(draft.plugin) }
}

/// Reads every plugin there is, each by itself.
pub(super) fn discover(
    sources: &Sources,
    config: &Config,
    host: &mut Host,
    problems: &mut Vec<Problem>,
) -> Vec<Draft> {
    if !config.plugins.auto_discover {
        return Vec::new();
    }
    let directories = match directories(&config.plugins.dir) {
        Ok(directories) => directories,
        Err(error) => {
            let place = Place::File(Arc::from(config.plugins.dir.as_path()));
            let message = format!("cannot be read: {error}, no plugin is used");
            problems.push(Problem::warning(place, "plugins.dir", message));
            return Vec::new();
        }
    };
    let mut drafts: Vec<Draft> = Vec::new();
    for directory in directories {
        let mut draft = draft(&directory, sources, config, host);
        let same = |other: &&Draft| same_name(&other.plugin.name, &draft.plugin.name);
        if let Some(other) = drafts.iter().find(same) {
            let message = format!(
                "{:?} is the name of the plugin in {} too, allowed: a name once",
                draft.plugin.name,
                other.plugin.path.display()
            );
            draft.wrong("name", message);
        }
        drafts.push(draft);
    }
    drafts
}

/// The directories in `dir` that hold a plugin, in name order; hidden ones are left out.
fn directories(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.join(FILE).symlink_metadata().is_ok() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Reads one and checks it by itself.
fn draft(dir: &Path, sources: &Sources, config: &Config, host: &mut Host) -> Draft {
    let begun = Instant::now();
    let path = dir.join(FILE);
    let mut draft = Draft::unread(dir);
    // To open a pipe would take for ever.
    let other = fs::metadata(&path).is_ok_and(|found| !found.is_file());
    let source = if other {
        let message = "is no file, allowed: a file";
        Err(Problem::error(Place::File(Arc::from(path)), "", message))
    } else {
        Source::read(&path)
    };
    match source {
        Ok(source) => draft.check(&source, sources, config, host),
        Err(problem) => draft.problems.push(problem),
    }
    let (took, limit) = (begun.elapsed(), config.plugins.load_timeout);
    if took > limit {
        let message = format!("took {took:.1?} to load, allowed: plugins.load_timeout, {limit:?}");
        draft.wrong("", message);
    }
    if draft.plugin.status == PluginStatus::Loaded && !draft.problems.is_empty() {
        draft.plugin.status = PluginStatus::Broken;
    }
    draft
}

impl Draft {
    fn unread(dir: &Path) -> Self {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let plugin = Plugin {
            name,
            version: None,
            description: None,
            path: dir.to_path_buf(),
            status: PluginStatus::Loaded,
            errors: Vec::new(),
            daemons: Vec::new(),
            hooks: 0,
            commands: Vec::new(),
        };
        Self {
            plugin,
            tree: Node::empty(),
            daemons: Vec::new(),
            hooks: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Something is wrong with it.
    fn wrong(&mut self, key: &str, message: String) {
        let file = Place::File(Arc::from(self.plugin.path.join(FILE)));
        let given = self.tree.at(key).map(|node| node.place.clone());
        let place = given.filter(|place| *place != Place::Default).unwrap_or(file);
        self.problems.push(Problem::error(place, key, message));
        if self.plugin.status == PluginStatus::Loaded {
            self.plugin.status = PluginStatus::Broken;
        }
    }

    fn check(&mut self, source: &Source, sources: &Sources, config: &Config, host: &mut Host) {
        let base = Base {
            workspace: config.station.workspace.clone(),
            start: self.plugin.path.clone(),
            home: sources.home(),
        };
        let around = Around { base: base.clone(), env: &sources.env };
        let mut checker = Checker::new(around, Vec::new());
        let place = |mark: Mark| Source::place(&source.path, mark);
        self.tree = checker.layer(&Layer::File(&place), PLUGIN, &source.yaml);
        if self.tree.place == Place::Default {
            self.tree.place = Place::File(Arc::clone(&source.path));
        }
        checker.complete(&mut self.tree, PLUGIN, "");
        self.problems = checker.problems;
        self.plugin.hooks = self
            .tree
            .at("hooks")
            .map_or(0, |hooks| hooks.children().map(|(_, list)| list.elements().count()).sum());
        if let Some(name) = self.tree.at("name").and_then(Node::text) {
            name.clone_into(&mut self.plugin.name);
        }
        // Without a name it is of no use, and that has been said.
        let Ok(keys) = read::<PluginKeys>(&self.tree, &[]) else { return };
        self.take(keys, &base, config);
        self.inspect(config, host);
    }

    fn take(&mut self, keys: PluginKeys, base: &Base, config: &Config) {
        let PluginKeys {
            name,
            version,
            description,
            enabled,
            mut daemons,
            mut hooks,
            mut commands,
        } = keys;
        fit::switch(&mut daemons, &config.supervisor.enabled);
        for daemon in &mut daemons {
            resolve(daemon, base, Some(&self.plugin.path));
            daemon.directory.get_or_insert_with(|| self.plugin.path.clone());
            daemon.plugin = Some(name.clone());
        }
        for hook in &mut hooks {
            hooks::resolve(hook, base);
            hook.directory = Some(self.plugin.path.clone());
            hook.plugin = Some(name.clone());
        }
        for command in &mut commands {
            absolute(&mut command.command, base);
        }
        self.plugin = Plugin {
            name,
            version,
            description,
            status: if enabled { PluginStatus::Loaded } else { PluginStatus::Disabled },
            daemons: daemons.iter().map(|daemon| daemon.name.clone()).collect(),
            commands,
            ..self.plugin.clone()
        };
        self.daemons = daemons;
        self.hooks = hooks;
    }

    /// Looks at daemons and commands one by one.
    fn inspect(&mut self, config: &Config, host: &mut Host) {
        let mut inspector = Inspector {
            supervisor: &config.supervisor,
            workspace: config.station.workspace.clone(),
            wrong: Wrong::new(&self.problems),
            host,
            problems: Vec::new(),
        };
        for entry in &entries(&self.tree, &self.daemons) {
            inspector.inspect(entry);
        }
        let Inspector { host, mut problems, .. } = inspector;
        problems.extend(hooks::check(&self.tree, &self.hooks, host, &self.problems));
        let commands = &self.plugin.commands;
        let nodes = self.tree.at("commands").into_iter().flat_map(Node::elements);
        for (at, ((index, node), command)) in nodes.zip(commands).enumerate() {
            let mut say = |key: &str, message: String| {
                let place = node.at(key).unwrap_or(node).place.clone();
                problems.push(Problem::error(place, format!("commands[{index}].{key}"), message));
            };
            let name = &command.name;
            if commands[..at].iter().any(|other| same_name(&other.name, name)) {
                say("name", format!("{name:?} is given twice, allowed: a name once"));
            }
            let program = command.command.first();
            let wrong = match program {
                Some(program) => host.program(program, None),
                None => Some("is empty, allowed: a program and its arguments".to_owned()),
            };
            if let Some(message) = wrong {
                say("command", message);
            }
        }
        self.problems.append(&mut problems);
    }

    fn in_use(&self) -> bool {
        self.plugin.status == PluginStatus::Loaded
    }
}

/// Finds the plugins that do not fit `config` or each other, until those left do.
pub(super) fn judge(config: &Config, drafts: &mut [Draft]) {
    let builtins = Builtins::new(config);
    loop {
        let own = builtins.nodes().chain(config.daemons.iter().map(DaemonConfig::node));
        let mut nodes: Vec<_> = own.collect();
        let mut owners = vec![None; nodes.len()];
        for (place, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.in_use()) {
            nodes.extend(draft.daemons.iter().map(DaemonConfig::node));
            owners.extend((0..draft.daemons.len()).map(|daemon| Some((place, daemon))));
        }
        let Err(misfits) = Plan::new(&nodes) else { return };
        let find = |name: &str| {
            let mut known = nodes.iter().zip(&owners).skip(BUILTINS.len());
            known.find_map(|(node, owner)| same_name(node.name, name).then_some(*owner)?)
        };
        // What is said of one of the others is the fault of the plugin that it is about.
        let about = |misfit: &Misfit| match misfit {
            Misfit::Duplicate { second, .. } => find(second),
            Misfit::Unknown { .. } => None,
            Misfit::Disabled { dependency, .. } | Misfit::Endless { dependency, .. } => {
                find(dependency)
            }
            Misfit::Cycle(names) => names.iter().find_map(|name| find(name)),
        };
        let owned = |(index, misfit): (usize, Misfit)| {
            let owner = owners[index].or_else(|| about(&misfit))?;
            Some((owner, misfit))
        };
        let faults: Vec<_> = misfits.into_iter().filter_map(owned).collect();
        if faults.is_empty() {
            // The station's own daemons do not fit each other, and that has been said.
            return;
        }
        for ((place, daemon), misfit) in faults {
            let message = explained(&misfit, drafts);
            let draft = &mut drafts[place];
            let entry = &entries(&draft.tree, &draft.daemons)[daemon];
            let problem = fit::problem(entry, &misfit, message);
            draft.problems.push(problem);
            draft.plugin.status = PluginStatus::Broken;
        }
    }
}

/// A misfit in words; that a daemon is missing may be the fault of another plugin.
fn explained(misfit: &Misfit, drafts: &[Draft]) -> String {
    let Misfit::Unknown { name, dependency, .. } = misfit else { return misfit.to_string() };
    let has = |draft: &&Draft| draft.plugin.daemons.iter().any(|own| same_name(own, dependency));
    let Some(draft) = drafts.iter().find(has) else { return misfit.to_string() };
    let (plugin, disabled) = (&draft.plugin, draft.plugin.status == PluginStatus::Disabled);
    let state = if disabled { "disabled" } else { "broken" };
    format!(
        "daemon {name:?} depends on {dependency:?} of plugin {:?}, which is {state}",
        plugin.name
    )
}

/// Adds the daemons of what is good to `config`. Each plugin that is broken is a warning.
pub(super) fn settle(
    config: &mut Config,
    drafts: Vec<Draft>,
    problems: &mut Vec<Problem>,
) -> Vec<Plugin> {
    let mut plugins = Vec::new();
    for Draft { mut plugin, daemons, hooks, problems: wrong, .. } in drafts {
        plugin.errors = wrong.iter().map(ToString::to_string).collect();
        match (plugin.status, wrong.as_slice()) {
            (PluginStatus::Loaded, _) => {
                config.daemons.extend(daemons);
                config.hooks.extend(hooks);
            }
            (PluginStatus::Broken, [first, rest @ ..]) => {
                let key = if first.key.is_empty() { "" } else { ": " };
                let more = if rest.is_empty() {
                    String::new()
                } else {
                    format!(" (and {} more)", rest.len())
                };
                let message = format!(
                    "plugin {:?} is broken and left out: {}{key}{}{more}",
                    plugin.name, first.key, first.message
                );
                problems.push(Problem::warning(first.place.clone(), "", message));
            }
            _ => {}
        }
        plugins.push(plugin);
    }
    plugins
}
