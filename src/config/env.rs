//! Which key an environment variable sets.

use super::{
    document::Yaml,
    nearest::nearest,
    schema::{Key, Kind, ROOT},
    tree::segments,
};
use crate::domain::{BUILTINS, Builtin};

/// Variables that programs around the station read, and that set no key.
const OTHERS: &[&str] = &["STATIOND_CONFIG", "STATIOND_TOKEN", "STATIOND_JOB"];

/// Names that do not follow the path of their key.
const SHORT: &[(&str, &str)] = &[
    ("STATIOND_DATA_DIR", "station.workspace"),
    ("STATIOND_SOCKET_PATH", "station.socket_path"),
    ("STATIOND_LOG_LEVEL", "logging.level"),
    ("STATIOND_DAEMON_HEALTH_PORT", "ops.listen"),
    ("STATIOND_DAEMON_RESTART_MAX", "supervisor.restart.max_restarts"),
    ("STATIOND_DAEMON_HEALTH_INTERVAL", "supervisor.health_interval"),
    ("STATIOND_DAEMON_SHUTDOWN_TIMEOUT", "queue.shutdown_grace"),
];

/// The section that holds the options of a built-in daemon, if there is one.
fn options(daemon: &'static str) -> Option<&'static str> {
    let section = if daemon == "job-queue" { "queue" } else { daemon };
    ROOT.iter().any(|key| key.name == section).then_some(section)
}

/// What a variable is for.
pub(super) enum Meaning {
    /// It sets this key.
    Sets(String),
    /// It is none of ours, or read elsewhere.
    Other,
    /// It looks like ours and is not; the nearest name that is.
    Unknown(String),
}

/// What the variable `name` is for.
pub(super) fn meaning(name: &str) -> Meaning {
    let Some(rest) = name.strip_prefix("STATIOND_") else { return Meaning::Other };
    if OTHERS.contains(&name) {
        return Meaning::Other;
    }
    if let Some((_, key)) = SHORT.iter().find(|(short, _)| *short == name) {
        return Meaning::Sets((*key).to_owned());
    }
    let path = rest.to_ascii_lowercase().replace("__", ".");
    if exists(&path) {
        return Meaning::Sets(path);
    }
    let option = BUILTINS.iter().find_map(|Builtin { name: daemon, .. }| {
        let prefix = format!("{}_", capitals(daemon));
        let option = rest.strip_prefix(&prefix)?.to_ascii_lowercase();
        let own = options(daemon).map(|section| format!("{section}.{option}"));
        own.filter(|key| exists(key))
            .or_else(|| (option == "enabled").then(|| format!("supervisor.enabled.{daemon}")))
    });
    // Any other daemon: which there are is known only once everything has been read.
    let other = || {
        let daemon = rest.strip_suffix("_ENABLED").filter(|daemon| !daemon.is_empty())?;
        Some(format!("supervisor.enabled.{}", daemon.to_ascii_lowercase()))
    };
    let key = option.or_else(other);
    key.map_or_else(|| Meaning::Unknown(nearest_variable(name, [].into_iter())), Meaning::Sets)
}

/// The variable most like `name`, also of those that switch `daemons`.
pub(super) fn nearest_variable<'a>(name: &str, daemons: impl Iterator<Item = &'a str>) -> String {
    let mut known = all();
    let builtins = BUILTINS.iter().map(|builtin| builtin.name);
    let switch = |daemon: &str| format!("STATIOND_{}_ENABLED", capitals(daemon));
    known.extend(builtins.map(switch).chain(daemons.map(switch)));
    nearest(name, &known).to_owned()
}

/// The name of a daemon as variables have it.
fn capitals(daemon: &str) -> String {
    daemon.to_ascii_uppercase().replace('-', "_")
}

/// `value` at the key `path`.
pub(super) fn assignment(path: &str, value: &str) -> Yaml {
    Yaml::below(segments(path).into_iter(), Yaml::text(value))
}

/// The variable that sets the key `path`.
pub(super) fn variable(path: &str) -> String {
    format!("STATIOND_{}", path.to_ascii_uppercase().replace('.', "__"))
}

fn exists(path: &str) -> bool {
    let mut keys = ROOT;
    let mut segments = segments(path).into_iter();
    while let Some(segment) = segments.next() {
        let segment = if segment == "device" { "devices" } else { segment };
        let known = |key: &&Key| key.name == segment || key.alias == Some(segment);
        match keys.iter().find(known).map(|key| &key.kind) {
            None => return false,
            Some(Kind::Section(inner)) => keys = inner,
            Some(Kind::Sections { keys: inner, .. }) => {
                keys = inner;
                // The number of an element, or the single device.
                if path.split('.').next() != Some("device")
                    && segments.next().is_some_and(|index| index.parse::<usize>().is_err())
                {
                    return false;
                }
            }
            Some(Kind::Table(_) | Kind::Events(_) | Kind::Short { .. }) => return true,
            Some(Kind::One(_) | Kind::Many(_)) => return segments.next().is_none(),
        }
    }
    true
}

/// Every variable there is, but for those with numbers or free names in them.
fn all() -> Vec<String> {
    let mut names: Vec<_> = OTHERS.iter().map(|name| (*name).to_owned()).collect();
    names.extend(SHORT.iter().map(|(name, _)| (*name).to_owned()));
    paths(ROOT, "", &mut |path| names.push(variable(path)));
    names
}

/// Calls `each` with the path of every key that is not in a list.
pub(super) fn paths(keys: &[Key], below: &str, each: &mut dyn FnMut(&str)) {
    for key in keys {
        let path = super::tree::join(below, key.name);
        if let Kind::Section(inner) = key.kind {
            paths(inner, &path, each);
        } else {
            each(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(name: &str) -> Option<String> {
        match meaning(name) {
            Meaning::Sets(key) => Some(key),
            Meaning::Other | Meaning::Unknown(_) => None,
        }
    }

    #[test]
    fn every_key_has_a_variable() {
        paths(ROOT, "", &mut |path| assert_eq!(sets(&variable(path)).as_deref(), Some(path)));
    }

    #[test]
    fn daemons_have_short_names() {
        for (name, key) in [
            ("STATIOND_HEARTBEAT_INTERVAL", "heartbeat.interval"),
            ("STATIOND_METRICS_ENABLED", "metrics.enabled"),
            ("STATIOND_JOB_QUEUE_ENABLED", "supervisor.enabled.job-queue"),
            ("STATIOND_JOB_QUEUE_RETENTION", "queue.retention"),
            ("STATIOND_DEVICE_MANAGER_ENABLED", "supervisor.enabled.device-manager"),
            ("STATIOND_DAEMON_RESTART_MAX", "supervisor.restart.max_restarts"),
            ("STATIOND_CAMERA_2_ENABLED", "supervisor.enabled.camera_2"),
            ("STATIOND_DEVICES__0__PORT", "devices.0.port"),
            ("STATIOND_DEVICE__PORT", "device.port"),
        ] {
            assert_eq!(sets(name).as_deref(), Some(key), "{name}");
        }
    }

    #[test]
    fn a_misspelt_variable_has_a_nearest_one() {
        let near = |name| match meaning(name) {
            Meaning::Unknown(near) => near,
            Meaning::Sets(_) | Meaning::Other => String::new(),
        };
        assert_eq!(near("STATIOND_WEBSOCKET_PORT"), "STATIOND_WEBSOCKET__PORT");
        assert_eq!(near("STATIOND_LOGLEVEL"), "STATIOND_LOG_LEVEL");
        assert_eq!(near("STATIOND_TOKEN"), "");
        assert_eq!(near("PATH"), "");
    }
}
