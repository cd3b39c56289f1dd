//! Layers become one configuration: read, checked, merged, completed, checked together.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_yaml::Value;

use super::{
    check::{Checker, Layer},
    cross,
    daemons::{Inspector, Wrong, entries, resolve},
    document::{Mark, Yaml},
    env::{Meaning, assignment, meaning},
    file::{Source, beside},
    fit::{self, Names},
    form::Around,
    hooks,
    host::Host,
    loaded::Loaded,
    plugin::PluginStatus,
    plugins::{self, Draft},
    problem::{Level, Place, Problem},
    read::read,
    schema::{ROOT, WITHOUT_EFFECT},
    sources::Sources,
    tree::Node,
    types::Config,
    values::{Base, tidy},
};

/// Where `config set` keeps what it was told, in the workspace.
pub fn runtime_file(workspace: &Path) -> PathBuf {
    workspace.join("config.d/runtime.yaml")
}

/// Reads everything that `sources` names. The error is every problem there is, warnings too.
pub fn load(sources: &Sources) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut files = files(sources, &mut problems);
    let named = files.first().map(|source| source.path.to_path_buf());
    let words = words(sources, &mut problems);
    let workspace = workspace(sources, &files, &words, &mut problems);
    let runtime = runtime_file(&workspace);
    if runtime.exists() {
        keep(Source::read(&runtime), &mut files, &mut problems);
    }
    let base = Base { start: workspace.clone(), workspace, home: sources.home() };
    let around = Around { base, env: &sources.env };
    let mut checker = Checker::new(around, problems);
    let mut tree = Node::empty();
    checker.complete(&mut tree, ROOT, "");
    let defaults = tree.clone();
    for source in &files {
        let place = |mark: Mark| Source::place(&source.path, mark);
        let mut node = checker.layer(&Layer::File(&place), ROOT, &source.yaml);
        secrecy(source, &node, &mut checker.problems);
        let file = Place::File(Arc::clone(&source.path));
        if *source.path != *runtime && tree.join_named(&mut node, "daemons").is_err() {
            // Elements are sections, which always merge.
            checker.problems.push(Problem::error(file.clone(), "daemons", "cannot be merged"));
        }
        lay(&mut tree, node, file, &mut checker.problems);
    }
    for (place, yaml) in words {
        let node = checker.layer(&Layer::Words(place.clone()), ROOT, &yaml);
        lay(&mut tree, node, place, &mut checker.problems);
    }
    checker.complete(&mut tree, ROOT, "");
    let idle = effects(&tree, &defaults);
    checker.problems.extend(idle);
    finish(sources, tree, checker, named)
}

/// The typed configuration, and the last checks.
fn finish(
    sources: &Sources,
    tree: Node,
    checker: Checker<'_>,
    file: Option<PathBuf>,
) -> Result<Loaded, Vec<Problem>> {
    let Checker { around, mut problems, lost, .. } = checker;
    let mut config = match typed(&tree) {
        Ok(config) => config,
        Err(error) => {
            problems.push(Problem::error(Place::Default, "", error.to_string()));
            return Err(in_order(problems));
        }
    };
    cross::check(&config, &tree, &mut problems);
    let mut host = Host::new(sources);
    fit::switch(&mut config.daemons, &config.supervisor.enabled);
    config.daemons.iter_mut().for_each(|daemon| resolve(daemon, &around.base, None));
    daemons(&config, &tree, &lost, &mut host, &mut problems);
    config.hooks.iter_mut().for_each(|hook| hooks::resolve(hook, &around.base));
    let wrong = hooks::check(&tree, &config.hooks, &mut host, &problems);
    problems.extend(wrong);
    let mut drafts = plugins::discover(sources, &config, &mut host, &mut problems);
    plugins::judge(&config, &mut drafts);
    names(&config, &tree, &lost, &drafts, &mut problems);
    let plugins = plugins::settle(&mut config, drafts, &mut problems);
    let warnings = in_order(problems);
    if warnings.iter().all(|problem| problem.level == Level::Warning) {
        Ok(Loaded { config, warnings, plugins, file, tree })
    } else {
        Err(warnings)
    }
}

/// The station's own daemons, one by one and together.
fn daemons(
    config: &Config,
    tree: &Node,
    lost: &[String],
    host: &mut Host,
    problems: &mut Vec<Problem>,
) {
    let entries = entries(tree, &config.daemons);
    let mut inspector = Inspector {
        supervisor: &config.supervisor,
        workspace: config.station.workspace.clone(),
        wrong: Wrong::new(problems),
        host,
        problems: Vec::new(),
    };
    for entry in &entries {
        inspector.inspect(entry);
    }
    problems.append(&mut inspector.problems);
    problems.extend(fit::check(config, tree, &entries, lost));
}

/// Names of daemons in switches and profiles.
fn names(
    config: &Config,
    tree: &Node,
    lost: &[String],
    drafts: &[Draft],
    problems: &mut Vec<Problem>,
) {
    let own = config.daemons.iter().map(|daemon| daemon.name.as_str());
    let others = drafts.iter().flat_map(|draft| &draft.plugin.daemons).chain(lost);
    let names = Names::new(own.chain(others.map(String::as_str)));
    fit::strangers(problems, &names);
    problems.extend(fit::switches(tree, &names));
    // It may be that a plugin that cannot be read has the daemon.
    let broken = drafts.iter().any(|draft| draft.plugin.status == PluginStatus::Broken);
    let level = if broken { Level::Warning } else { Level::Error };
    problems.extend(fit::profiles(tree, &names, level));
    problems.extend(hooks::daemons(tree, &config.hooks, &names, level));
}

/// By file, line and column; the others, which have none, after them as they are.
fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_cached_key(|problem| match &problem.place {
        Place::Line { file, line, column } => (false, Some(Arc::clone(file)), *line, *column),
        _ => (true, None, 0, 0),
    });
    problems
}

/// What the checks let through always fits the types; the tests see to that.
pub(super) fn typed(tree: &Node) -> Result<Config, serde_yaml::Error> {
    read(tree, WITHOUT_EFFECT)
}

/// The configuration file and those beside it.
fn files(sources: &Sources, problems: &mut Vec<Problem>) -> Vec<Source> {
    let mut files = Vec::new();
    let Some(path) = sources.named_file().or_else(|| sources.found_file()) else { return files };
    keep(Source::read(&path), &mut files, problems);
    match beside(&path) {
        Ok(paths) => paths.iter().for_each(|path| keep(Source::read(path), &mut files, problems)),
        Err(problem) => problems.push(problem),
    }
    files
}

fn keep(read: Result<Source, Problem>, files: &mut Vec<Source>, problems: &mut Vec<Problem>) {
    match read {
        Ok(source) => files.push(source),
        Err(problem) => problems.push(problem),
    }
}

/// Assignments from the environment, `--set` and other options, in the order in which they win.
fn words(sources: &Sources, problems: &mut Vec<Problem>) -> Vec<(Place, Yaml)> {
    let mut words = Vec::new();
    for (name, value) in sources.env.iter().filter(|(_, value)| !value.is_empty()) {
        let place = Place::Environment(name.clone());
        match meaning(name) {
            Meaning::Sets(key) => words.push((place, assignment(&key, value))),
            Meaning::Other => {}
            Meaning::Unknown(near) => {
                let message = format!("is not a known variable, the nearest is {near}");
                problems.push(Problem::warning(place, "", message));
            }
        }
    }
    for text in &sources.set {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                let key = key.trim();
                words.push((Place::Set(key.to_owned()), assignment(key, value.trim())));
            }
            _ => problems.push(Problem::error(
                Place::Set(text.clone()),
                "",
                "is no assignment, allowed: KEY=VALUE",
            )),
        }
    }
    for flag in &sources.flags {
        let place = Place::Flag(flag.flag.to_owned());
        words.push((place, assignment(flag.key, &flag.value)));
    }
    if let Some(workspace) = &sources.workspace {
        let place = Place::Flag("--workspace".to_owned());
        words.push((place, assignment("station.workspace", &workspace.to_string_lossy())));
    }
    words
}

/// The workspace that the last layer names. It must be known before anything else is checked,
/// since paths start there.
fn workspace(
    sources: &Sources,
    files: &[Source],
    words: &[(Place, Yaml)],
    problems: &mut Vec<Problem>,
) -> PathBuf {
    let named = |yaml: &Yaml| match &yaml.get("station")?.get("workspace")?.content {
        super::document::Content::Scalar(Value::String(text)) if !text.is_empty() => {
            Some(text.clone())
        }
        _ => None,
    };
    let from_words =
        || words.iter().rev().find_map(|(_, yaml)| Some((named(yaml)?, sources.directory.clone())));
    let from_files = || {
        files.iter().rev().find_map(|source| {
            let directory = sources.directory.join(source.path.parent()?);
            Some((named(&source.yaml)?, directory))
        })
    };
    if let Some(workspace) = &sources.workspace {
        return tidy(&sources.directory.join(workspace));
    }
    match from_words().or_else(from_files) {
        Some((text, directory)) => match (text.strip_prefix("~/"), sources.home()) {
            (Some(below), Some(home)) => tidy(&home.join(below)),
            _ => tidy(&directory.join(text)),
        },
        None => sources.default_workspace().unwrap_or_else(|| {
            let message = "has no default without a home directory, allowed: an absolute path";
            problems.push(Problem::error(Place::Default, "station.workspace", message));
            PathBuf::from("/")
        }),
    }
}

/// Lays a layer upon the ones before it.
fn lay(tree: &mut Node, mut node: Node, place: Place, problems: &mut Vec<Problem>) {
    fit::same_switches(tree, &mut node);
    if let Err(index) = tree.merge(node) {
        let message =
            format!("there is no element {index} to change, allowed: one that exists or the next");
        problems.push(Problem::error(place, "", message));
    }
}

/// A secret in a file that anybody can read is not much of a secret.
fn secrecy(source: &Source, node: &Node, problems: &mut Vec<Problem>) {
    let key = "websocket.api_key";
    let text = source.yaml.get("websocket").and_then(|section| section.get("api_key"));
    let direct = text.is_some_and(|yaml| match &yaml.content {
        super::document::Content::Scalar(Value::String(text)) => {
            !["file:", "env:", "credential:"].iter().any(|scheme| text.starts_with(scheme))
        }
        _ => false,
    });
    if let (true, true, Some(found)) = (source.public, direct, node.at(key)) {
        let message = "lies in a file that everybody can read (chmod 600)";
        problems.push(Problem::warning(found.place.clone(), key, message));
    }
}

/// A warning for each of [`WITHOUT_EFFECT`] that somebody set to other than its default.
fn effects(tree: &Node, defaults: &Node) -> Vec<Problem> {
    let warn = |path: &&str| {
        let mut leaves = Vec::new();
        tree.at(path)?.leaves(path, &mut leaves);
        let changed = leaves.into_iter().find(|(path, leaf)| {
            let given = leaf.place != Place::Default;
            given && defaults.at(path).is_none_or(|default| default.value() != leaf.value())
        })?;
        let message = "has no effect in this version";
        Some(Problem::warning(changed.1.place.clone(), *path, message))
    };
    WITHOUT_EFFECT.iter().filter_map(warn).collect()
}
