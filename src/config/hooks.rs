//! What is wrong with single hooks: keys that do not go together, and what this computer lacks.

use super::{
    daemons::absolute,
    fit::Names,
    hook::HookConfig,
    host::Host,
    nearest::nearest,
    problem::{Level, Place, Problem},
    tree::{Branch, Node, join},
    values::Base,
};
use crate::domain::{Hook, HookAction, HookEvent, HookOrder, OnFail, same_name};

/// What a hook can do; it says one of them.
const WAYS: [&str; 5] = ["command", "script", "webhook", "websocket", "daemon"];

/// The daemon that does something by itself every so often, and can be told to do it now.
const PERIODIC: &str = "sync";

/// The daemon that runs hooks.
const OWN: &str = "hooks";

/// A hook and where it was given.
struct Entry<'a> {
    hook: &'a HookConfig,
    node: &'a Node,
}

/// Each of `hooks` with where it stands in `tree`. Elements that are wrong have none.
fn entries<'a>(tree: &'a Node, hooks: &'a [HookConfig]) -> impl Iterator<Item = Entry<'a>> {
    let found = move |hook: &'a HookConfig| {
        let event = hook.event.to_string();
        let mut events = tree.at("hooks").into_iter().flat_map(Node::children);
        let (_, list) = events.find(|(name, _)| **name == event)?;
        let Branch::List(items) = &list.content else { return None };
        // Elements without use are left out by whoever reads them.
        let good = items.iter().filter(|item| !matches!(item.content, Branch::Wrong));
        Some(Entry { hook, node: good.into_iter().nth(hook.index)? })
    };
    hooks.iter().filter_map(found)
}

impl Entry<'_> {
    fn has(&self, key: &str) -> bool {
        self.node.at(key).is_some_and(|value| !value.is_nothing())
    }

    fn problem(&self, below: &str, message: impl Into<String>) -> Problem {
        let given = self.node.at(below).filter(|node| node.place != Place::Default);
        let place = given.unwrap_or(self.node).place.clone();
        let key = self.hook.key();
        let key = if below.is_empty() { key } else { join(&key, below) };
        Problem::error(place, key, message)
    }
}

/// Makes a program with a `/` absolute: a relative one lies where `base` starts.
pub(super) fn resolve(hook: &mut HookConfig, base: &Base) {
    if let Some(HookAction::Command(command)) = &mut hook.action {
        absolute(command, base);
    }
}

/// Everything that is wrong with hooks one by one.
pub(super) fn check(
    tree: &Node,
    hooks: &[HookConfig],
    host: &mut Host,
    known: &[Problem],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for entry in entries(tree, hooks) {
        let mut say = |below: &str, message: String| problems.push(entry.problem(below, message));
        // What is wrong with a key of it has been said: it may be the one that is missing.
        let key = entry.hook.key();
        if !known.iter().any(|problem| problem.key.starts_with(&key)) {
            way(&entry, &mut say);
        }
        if entry.has("do") && !entry.has("daemon") {
            let message = "belongs to daemon, which is not given, allowed: both or none";
            say("do", message.to_owned());
        }
        if entry.has("daemon") && !entry.has("do") {
            say("daemon", "needs do, allowed: start, stop, restart, now".to_owned());
        }
        if let Some(hook) = entry.hook.hook() {
            action(&hook, host, &mut say);
        }
        subject(entry.hook, &mut say);
        for name in strangers(entry.hook) {
            let near = nearest(&name, &HookEvent::FACTS);
            let message =
                format!("{{{name}}} stays as it is, the nearest that is known is {{{near}}}");
            problems.push(Problem { level: Level::Warning, ..entry.problem("command", message) });
        }
    }
    problems
}

fn way(entry: &Entry<'_>, say: &mut impl FnMut(&str, String)) {
    let given: Vec<_> = WAYS.into_iter().filter(|way| entry.has(way)).collect();
    let allowed = WAYS.join(", ");
    match given.as_slice() {
        [] => say("", format!("says nothing, allowed: one of {allowed}")),
        [_] => {}
        [first, second, ..] => {
            say("", format!("has {first} and {second}, allowed: one of {allowed}"));
        }
    }
}

fn action(hook: &Hook, host: &mut Host, say: &mut impl FnMut(&str, String)) {
    let missing = |host: &mut Host, program: &str| host.program(program, None);
    match &hook.action {
        HookAction::Command(command) => match command.first() {
            None => say("command", "is empty, allowed: a program and its arguments".to_owned()),
            Some(program) if program.contains('{') => {
                let wrong = "is taken from the event, allowed: a program that is known now";
                say("command", format!("{program:?} {wrong}"));
            }
            Some(program) => {
                if let Some(wrong) = missing(host, program) {
                    say("command", wrong);
                }
            }
        },
        HookAction::Script(path) => {
            if let Some(wrong) = missing(host, &path.to_string_lossy()) {
                say("script", wrong);
            }
        }
        HookAction::Webhook(webhook) => {
            if let Some(path) = webhook.ca_file.as_ref().filter(|path| !path.is_file()) {
                let wrong = "is no file, allowed: a file of certificates (PEM)";
                say("webhook.ca_file", format!("\"{}\" {wrong}", path.display()));
            }
            let is_letter = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            let bad = |name: &&String| name.is_empty() || !name.chars().all(is_letter);
            if let Some(name) = webhook.headers.keys().find(bad) {
                let wrong = "is no name of a header, allowed: letters, digits and -";
                say("webhook.headers", format!("{name:?} {wrong}"));
            }
        }
        HookAction::Websocket => {}
        HookAction::Daemon { name, order } => {
            if *order == HookOrder::Now && !same_name(name, PERIODIC) {
                say(
                    "do",
                    format!("\"now\" is known by {PERIODIC} alone, allowed: start, stop, restart"),
                );
            }
            if same_name(name, OWN) {
                say("daemon", format!("{name:?} is what runs hooks, allowed: another daemon"));
            }
        }
    }
}

/// What it is particular about must be about what happens.
fn subject(hook: &HookConfig, say: &mut impl FnMut(&str, String)) {
    let when = &hook.when;
    let event = hook.event;
    let [job, device, daemon] = match event {
        HookEvent::Job(_) => [true, true, false],
        HookEvent::Device(_) => [false, true, false],
        HookEvent::Daemon(_) => [false, false, true],
    };
    let asked = [
        ("when.job_name", when.job_name.is_some(), job),
        ("when.labels", !when.labels.is_empty(), job),
        ("when.device", when.device.is_some(), device),
        ("when.daemon", when.daemon.is_some(), daemon),
    ];
    for (key, _, _) in asked.into_iter().filter(|(_, given, known)| *given && !known) {
        say(key, format!("is not known of {event}, allowed: what the event is about"));
    }
    if hook.on_fail == OnFail::AbortJob && !event.is_of_job() {
        say("on_fail", format!("{event} is about no job, allowed: ignore, warn"));
    }
}

/// What looks like a value to be filled in, and is none.
fn strangers(hook: &HookConfig) -> Vec<String> {
    let Some(HookAction::Command(command)) = &hook.action else { return Vec::new() };
    let mut found = Vec::new();
    for argument in command.iter().skip(1) {
        for part in argument.split('{').skip(1) {
            let name = part.split_once('}').map_or("", |(name, _)| name);
            let is_name =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            if is_name && !HookEvent::FACTS.contains(&name) {
                found.push(name.to_owned());
            }
        }
    }
    found
}

/// Daemons that hooks name and that do not exist.
pub(super) fn daemons(
    tree: &Node,
    hooks: &[HookConfig],
    names: &Names<'_>,
    level: Level,
) -> Vec<Problem> {
    let unknown = |entry: Entry<'_>| {
        let Some(HookAction::Daemon { name, .. }) = &entry.hook.action else { return None };
        let wrong = names.missing(name)?;
        Some(Problem { level, ..entry.problem("daemon", wrong) })
    };
    entries(tree, hooks).filter_map(unknown).collect()
}
