//! The keys of a hook.

use super::{super::form::Form, INTERVAL, Key, Kind, count, must, one, section, table};

/// What is done at each event.
pub(super) const HOOKS: Key = Key {
    name: "hooks",
    alias: None,
    kind: Kind::Events(&Kind::Sections { keys: HOOK, shorthand: None }),
    default: Some("{}"),
};

/// One thing to do.
const HOOK: &[Key] = &[
    Key { name: "command", alias: None, kind: Kind::Many(Form::Argument), default: Some("null") },
    one("script", Form::Beside, "null"),
    Key {
        name: "webhook",
        alias: None,
        kind: Kind::Short { keys: WEBHOOK, shorthand: "url" },
        default: Some("null"),
    },
    one("websocket", Form::Flag, "null"),
    one("daemon", Form::Name, "null"),
    one("do", Form::Word(&["start", "stop", "restart", "now"]), "null"),
    one("timeout", INTERVAL, "null"),
    one("on_fail", Form::Word(&["ignore", "warn", "abort_job"]), "warn"),
    section("when", WHEN),
];

const WEBHOOK: &[Key] = &[
    must("url", Form::Webhook),
    one("secret", Form::Secret, "null"),
    one("timeout", INTERVAL, "null"),
    one("retries", count(0, 100), "12"),
    one("ca_file", Form::Path, "null"),
    table("headers", &Kind::One(Form::Header)),
];

const WHEN: &[Key] = &[
    one("job_name", Form::Text, "null"),
    one("device", Form::Text, "null"),
    one("daemon", Form::Text, "null"),
    table("labels", &Kind::One(Form::Line)),
];
