//! Every key there is: its name, what it may hold and its default.
//!
//! To add a key: a row here, a field of the same name in `types`, a line in `config/stationd.yaml`
//! and one in `docs/configuration.md`. The tests find what is missing.

mod daemon;
mod hook;

pub(super) use daemon::PLUGIN;

use super::form::Form;
use daemon::DAEMON;
use hook::HOOKS;

/// A key of a section.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// Another name by which existing files know it.
    pub(super) alias: Option<&'static str>,
    pub(super) kind: Kind,
    /// In YAML; a key without one must be given. `null` may be given for a key whose default it is.
    pub(super) default: Option<&'static str>,
}

/// What a key may hold.
pub(super) enum Kind {
    /// One value.
    One(Form),
    /// Values.
    Many(Form),
    /// Keys of known names.
    Section(&'static [Key]),
    /// Sections in a list; a bare text stands for the section with that text under `shorthand`,
    /// named by itself or by its last part.
    Sections { keys: &'static [Key], shorthand: Option<&'static str> },
    /// Names that people choose, each with the same kind of value.
    Table(&'static Self),
    /// Names of events, each with the same kind of value.
    Events(&'static Self),
    /// A section; a bare text stands for the section with that text under `shorthand`.
    Short { keys: &'static [Key], shorthand: &'static str },
}

/// What this version reads, checks for its shape and does not act on. A later version deletes the
/// row and adds the field.
pub(super) const WITHOUT_EFFECT: &[&str] = &[
    "station.max_memory",
    "ops",
    "websocket.idle_timeout",
    "database.max_overflow",
    "database.auto_compact",
    "security.tokens_file",
    "security.trust_local_socket",
    "security.tls",
    "fleet",
];

const fn one(name: &'static str, form: Form, default: &'static str) -> Key {
    Key { name, alias: None, kind: Kind::One(form), default: Some(default) }
}

const fn must(name: &'static str, form: Form) -> Key {
    Key { name, alias: None, kind: Kind::One(form), default: None }
}

const fn many(name: &'static str, form: Form) -> Key {
    Key { name, alias: None, kind: Kind::Many(form), default: Some("[]") }
}

const fn lines(name: &'static str, default: &'static str) -> Key {
    Key { name, alias: None, kind: Kind::Many(Form::Line), default: Some(default) }
}

const fn section(name: &'static str, keys: &'static [Key]) -> Key {
    Key { name, alias: None, kind: Kind::Section(keys), default: Some("{}") }
}

const fn optional(name: &'static str, keys: &'static [Key]) -> Key {
    Key { name, alias: None, kind: Kind::Section(keys), default: Some("null") }
}

const fn sections(name: &'static str, keys: &'static [Key]) -> Key {
    Key { name, alias: None, kind: Kind::Sections { keys, shorthand: None }, default: Some("[]") }
}

const fn table(name: &'static str, kind: &'static Kind) -> Key {
    Key { name, alias: None, kind: Kind::Table(kind), default: Some("{}") }
}

const fn count(min: u64, max: u64) -> Form {
    Form::Count { min, max }
}

/// A duration that may be nothing at all.
const FROM_ZERO: Form = Form::Duration { min_ms: 0 };
/// A duration between two of the same thing.
const INTERVAL: Form = Form::Duration { min_ms: 100 };
const MANY: u64 = 1_000_000;
/// mm/min or mm/s².
const SPEED: Form = Form::Real { min: 1e-3, max: 1e6 };

/// All of it, in the order in which it is shown.
pub(super) const ROOT: &[Key] = &[
    section(
        "station",
        &[
            one("name", Form::Name, "bench-1"),
            one("workspace", Form::Workspace, "null"),
            one("socket_path", Form::Path, "WORKSPACE/stationd.sock"),
            one("socket_group", Form::Text, "null"),
            one("max_memory", Form::Size { min: MANY }, "null"),
            one("timezone", Form::Zone, "local"),
        ],
    ),
    section(
        "websocket",
        &[
            one("enabled", Form::Flag, "true"),
            one("host", Form::Host, "localhost"),
            one("port", count(0, 65_535), "8766"),
            one("authenticate", Form::Flag, "false"),
            one("api_key", Form::Secret, "null"),
            one("max_connections", count(1, MANY), "100"),
            one("heartbeat_interval", INTERVAL, "30s"),
            many("allowed_origins", Form::Origin),
            one("message_rate_limit", count(1, MANY), "100"),
            one("idle_timeout", FROM_ZERO, "5m"),
            one("send_queue", count(1, MANY), "256"),
        ],
    ),
    section("ops", &[one("listen", Form::Listen, "null")]),
    section(
        "security",
        &[
            one("tokens_file", Form::Path, "null"),
            one("allow_unauthenticated", Form::Flag, "false"),
            many("allowed_hosts", Form::Host),
            one("trust_local_socket", Form::Flag, "true"),
            section(
                "tls",
                &[
                    one("enabled", Form::Flag, "false"),
                    one("cert_file", Form::Path, "null"),
                    one("key_file", Form::Path, "null"),
                ],
            ),
        ],
    ),
    section(
        "database",
        &[
            one("url", Form::Database, "sqlite:///stationd.db"),
            one("pool_size", count(1, 64), "4"),
            one("max_overflow", count(0, 64), "0"),
            one("synchronous", Form::Word(&["full", "extra", "normal"]), "full"),
            one("auto_compact", Form::Flag, "true"),
            one("event_retention", FROM_ZERO, "30d"),
        ],
    ),
    section(
        "logging",
        &[
            one("level", Form::Level, "info"),
            one("format", Form::LogFormat, "text"),
            one("file", Form::Path, "null"),
            one("max_size", Form::Size { min: 1_000 }, "10MB"),
            one("backup_count", count(0, 1_000), "5"),
            one("max_age", FROM_ZERO, "14d"),
            one("compress", Form::Flag, "true"),
            one("rotate", Form::Word(&["internal", "external"]), "internal"),
            table("modules", &Kind::One(Form::Level)),
            one("audit", Form::Flag, "true"),
            one("security_events", Form::Flag, "true"),
        ],
    ),
    section(
        "supervisor",
        &[
            one("reconcile_interval", INTERVAL, "5s"),
            one("health_interval", INTERVAL, "30s"),
            one("health_timeout", INTERVAL, "5s"),
            one("start_timeout", INTERVAL, "30s"),
            one("stop_timeout", INTERVAL, "30s"),
            one("max_concurrent", count(1, 1_000), "5"),
            section(
                "restart",
                &[
                    one("max_restarts", count(0, MANY), "5"),
                    one("backoff_base", FROM_ZERO, "1s"),
                    one("backoff_factor", Form::Real { min: 1.0, max: 100.0 }, "2"),
                    one("backoff_max", FROM_ZERO, "16s"),
                    one("jitter", Form::Real { min: 0.0, max: 1.0 }, "0.0"),
                    one("stable_after", FROM_ZERO, "60s"),
                    one("max_per_minute", count(0, MANY), "600"),
                ],
            ),
            table("enabled", &Kind::One(Form::Flag)),
        ],
    ),
    section(
        "queue",
        &[
            one("max_concurrent_commands", count(1, 1_000), "2"),
            one("command_timeout", INTERVAL, "null"),
            one("max_output", Form::Size { min: 4096 }, "10MB"),
            one("shutdown_grace", FROM_ZERO, "30s"),
            one("retention", FROM_ZERO, "30d"),
            one("max_file_size", Form::Size { min: 1 }, "256MB"),
            one("max_storage", Form::Size { min: 1 }, "10GB"),
            table("groups", &Kind::One(count(1, 1_000))),
            section(
                "retry",
                &[
                    one("base", FROM_ZERO, "1s"),
                    one("factor", Form::Real { min: 1.0, max: 100.0 }, "2"),
                    one("max", FROM_ZERO, "16s"),
                    one("jitter", Form::Real { min: 0.0, max: 1.0 }, "0.1"),
                ],
            ),
        ],
    ),
    section(
        "heartbeat",
        &[
            one("interval", INTERVAL, "30s"),
            one("file", Form::Path, "WORKSPACE/stationd.heartbeat"),
            one("mode", Form::Mode, "\"0644\""),
        ],
    ),
    section(
        "simulator",
        &[
            one("speed", Form::Real { min: 0.0, max: 1e6 }, "1"),
            one("baud_rate", count(0, 4_000_000), "0"),
        ],
    ),
    section(
        "metrics",
        &[
            one("enabled", Form::Flag, "true"),
            one("interval", INTERVAL, "1s"),
            one("history", INTERVAL, "1h"),
        ],
    ),
    section(
        "watchdog",
        &[
            one("interval", INTERVAL, "10s"),
            one("disk_free_min", Form::Size { min: 0 }, "500MB"),
            one("memory_max", Form::Real { min: 0.0, max: 1.0 }, "0.9"),
        ],
    ),
    section("sync", &[one("interval", INTERVAL, "5m"), SYNC_TARGETS]),
    section(
        "plugins",
        &[
            one("dir", Form::Path, "WORKSPACE/plugins"),
            one("auto_discover", Form::Flag, "true"),
            one("load_timeout", INTERVAL, "30s"),
        ],
    ),
    sections("devices", DEVICE),
    sections("daemons", DAEMON),
    table("profiles", &Kind::Many(Form::Name)),
    HOOKS,
    section(
        "fleet",
        &[
            one("enabled", Form::Flag, "false"),
            one("url", Form::Text, "nats://127.0.0.1:4222"),
            one("name", Form::Name, "workshop"),
        ],
    ),
];

const SYNC_TARGETS: Key = Key {
    name: "targets",
    alias: None,
    kind: Kind::Sections {
        keys: &[must("name", Form::Name), must("path", Form::Path)],
        shorthand: Some("path"),
    },
    default: Some("[]"),
};

/// A machine.
pub(super) const DEVICE: &[Key] = &[
    must("name", Form::Name),
    Key { name: "driver", alias: Some("type"), kind: Kind::One(Form::Driver), default: None },
    must("port", Form::Port),
    one("baud_rate", count(50, 4_000_000), "115200"),
    one("timeout", INTERVAL, "30s"),
    optional(
        "envelope",
        &[must("x", Form::Length), must("y", Form::Length), one("z", Form::Length, "null")],
    ),
    optional(
        "motion",
        &[
            one("acceleration", SPEED, "null"),
            one("z_acceleration", SPEED, "null"),
            one("junction_deviation", Form::Real { min: 1e-4, max: 10.0 }, "null"),
            one("rapid", SPEED, "null"),
            one("z_rapid", SPEED, "null"),
            one("max_feed", SPEED, "null"),
        ],
    ),
    many("deny", Form::Command),
    many("allow", Form::Command),
    one("require_confirmation", Form::Flag, "false"),
    many("start_lines", Form::Line),
    many("end_lines", Form::Line),
    many("on_stop", Form::Line),
    section(
        "ebb",
        &[
            one("pen_up", PERCENT, "60"),
            one("pen_down", PERCENT, "30"),
            one("raise", FROM_ZERO, "250ms"),
            one("lower", FROM_ZERO, "250ms"),
            one("speed_down", PEN_SPEED, "60"),
            one("speed_up", PEN_SPEED, "200"),
            one("acceleration", Form::Real { min: 1.0, max: 100_000.0 }, "800"),
            one("junction_deviation", Form::Real { min: 0.0, max: 10.0 }, "0.02"),
            one("steps_per_mm", Form::Real { min: 0.1, max: 10_000.0 }, "80"),
            one("y_down", Form::Flag, "true"),
        ],
    ),
    section(
        "hpgl",
        &[
            one("handshake", Form::Word(&["poll", "xonxoff", "rtscts"]), "poll"),
            one("buffer", count(64, 1 << 20), "null"),
            one("single_pen", Form::Flag, "false"),
            one("pens", count(1, 64), "6"),
        ],
    ),
    section(
        "line",
        &[
            one("ack", Form::Pattern, "\"^ok\""),
            one("error", Form::Pattern, "\"^(?i:error|!!)\""),
            one("busy", Form::Pattern, "null"),
            one("banner", Form::Pattern, "null"),
            one("eol", Form::Word(&["lf", "cr", "crlf"]), "lf"),
            one("settle", FROM_ZERO, "2s"),
            many("pause", Form::Line),
            many("resume", Form::Line),
            many("halt", Form::Line),
            many("estop", Form::Line),
        ],
    ),
    section(
        "plot",
        &[
            one("tolerance_mm", Form::Real { min: 0.001, max: 10.0 }, "0.05"),
            one("join_mm", Form::Real { min: 0.0, max: 10.0 }, "0.05"),
            one("optimise", Form::Flag, "true"),
            one("feed_mm_per_min", Form::Real { min: 1.0, max: 1e6 }, "1500"),
            lines("pen_up", "[G0 Z5]"),
            lines("pen_down", "[G1 Z0 F600]"),
            one("stop_between_layers", Form::Flag, "true"),
        ],
    ),
];

const PERCENT: Form = Form::Real { min: 0.0, max: 100.0 };
/// In mm/s.
const PEN_SPEED: Form = Form::Real { min: 0.1, max: 10_000.0 };
