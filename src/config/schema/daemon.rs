//! The keys of a process daemon and of a plugin.

use super::{
    super::form::Form, FROM_ZERO, HOOKS, INTERVAL, Key, Kind, MANY, count, many, must, one,
    optional, section, sections, table,
};

/// A daemon of the station.
pub(super) const DAEMON: &[Key] = &daemon("process");

/// A directory with `plugin.yaml`.
pub(in crate::config) const PLUGIN: &[Key] = &[
    must("name", Form::Name),
    one("version", Form::Text, "null"),
    one("description", Form::Text, "null"),
    one("enabled", Form::Flag, "true"),
    sections("daemons", &daemon("plugin")),
    HOOKS,
    sections(
        "commands",
        &[
            must("name", Form::Name),
            one("description", Form::Text, "null"),
            Key { name: "command", alias: None, kind: Kind::Many(Form::Argument), default: None },
        ],
    ),
];

/// A daemon, which is shown in `category` unless it says otherwise.
const fn daemon(category: &'static str) -> [Key; 30] {
    [
        must("name", Form::Name),
        one("title", Form::Text, "null"),
        one("description", Form::Text, "null"),
        one("category", Form::Text, category),
        Key { name: "command", alias: None, kind: Kind::Many(Form::Argument), default: None },
        one("directory", Form::Path, "null"),
        table("environment", &Kind::One(Form::Argument)),
        one("environment_file", Form::Path, "null"),
        one("user", Form::Text, "null"),
        one("group", Form::Text, "null"),
        one("umask", Form::Umask, "null"),
        one("nice", Form::Integer { min: -20, max: 19 }, "null"),
        Key {
            name: "depends_on",
            alias: None,
            kind: Kind::Sections { keys: DEPENDENCY, shorthand: Some("name") },
            default: Some("[]"),
        },
        one("on_dependency_restart", Form::Word(&["keep", "restart"]), "keep"),
        many("profiles", Form::Name),
        one("critical", Form::Flag, "false"),
        one("enabled", Form::Flag, "true"),
        one("restart", Form::Word(&["always", "on-failure", "never"]), "on-failure"),
        optional("restart_policy", RESTART_POLICY),
        one("start_timeout", INTERVAL, "null"),
        one("stop_timeout", INTERVAL, "null"),
        one("stop_signal", Form::Signal, "TERM"),
        Key {
            name: "exit_codes",
            alias: None,
            kind: Kind::Many(count(0, 255)),
            default: Some("[0]"),
        },
        one("detach", Form::Flag, "false"),
        one("no_new_privileges", Form::Flag, "false"),
        one("watchdog", INTERVAL, "null"),
        optional("limits", LIMITS),
        optional("ready", READY),
        optional("health", HEALTH),
        section("log", LOG),
    ]
}

const DEPENDENCY: &[Key] = &[
    must("name", Form::Name),
    one("condition", Form::Word(&["started", "healthy", "completed"]), "started"),
    one("required", Form::Flag, "true"),
];

/// Like `supervisor.restart`, which fills in what is not given.
const RESTART_POLICY: &[Key] = &[
    one("max_restarts", count(0, MANY), "null"),
    one("backoff_base", FROM_ZERO, "null"),
    one("backoff_factor", Form::Real { min: 1.0, max: 100.0 }, "null"),
    one("backoff_max", FROM_ZERO, "null"),
    one("jitter", Form::Real { min: 0.0, max: 1.0 }, "null"),
    one("stable_after", FROM_ZERO, "null"),
];

const LIMITS: &[Key] = &[
    one("memory", Form::Size { min: MANY }, "null"),
    one("cpu", Form::Real { min: 0.01, max: 1024.0 }, "null"),
    one("open_files", count(3, MANY), "null"),
    one("processes", count(1, MANY), "null"),
];

const READY: &[Key] = &[
    one("delay", FROM_ZERO, "null"),
    one("log", Form::Pattern, "null"),
    one("tcp", Form::Address, "null"),
    one("http", Form::Url, "null"),
    Key { name: "command", alias: None, kind: Kind::Many(Form::Argument), default: Some("null") },
    one("file", Form::Path, "null"),
    one("max_age", INTERVAL, "null"),
    one("notify", Form::Flag, "false"),
];

const HEALTH: &[Key] = &[
    one("http", Form::Url, "null"),
    one("tcp", Form::Address, "null"),
    Key { name: "command", alias: None, kind: Kind::Many(Form::Argument), default: Some("null") },
    one("file", Form::Path, "null"),
    one("max_age", INTERVAL, "null"),
    one("interval", INTERVAL, "10s"),
    one("timeout", INTERVAL, "5s"),
    one("failures", count(1, 1_000), "3"),
];

const LOG: &[Key] = &[
    one("max_size", Form::Size { min: 1_000 }, "10MB"),
    one("backup_count", count(0, 1_000), "5"),
    one("compress", Form::Flag, "true"),
];
