//! The sample and the documentation say what the program does.

use super::{Bench, path};
use crate::config::{
    LogFormat, Rotate, SAMPLE, Synchronous,
    env::{paths, variable},
    schema::{Key, Kind, ROOT},
};

const DOCUMENTATION: &str = include_str!("../../../docs/configuration.md");

/// The sample with every key in it, none commented out.
fn uncommented() -> String {
    let line = |line: &str| match line.trim_start().strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => {
            format!("{}{rest}\n", &line[..line.len() - rest.len() - 1])
        }
        _ => format!("{line}\n"),
    };
    SAMPLE.lines().map(line).collect()
}

#[test]
fn the_sample_says_the_defaults() {
    let defaults = Bench::new("").good();
    for text in [SAMPLE.to_owned(), uncommented()] {
        let sample = Bench::new(&text).good();
        assert_eq!(sample.config, defaults.config);
        assert_eq!(sample.document(), defaults.document());
        assert_eq!(sample.warnings, []);
    }
}

#[test]
fn the_sample_has_every_key() {
    let bench = Bench::new(&uncommented());
    for setting in bench.good().effective() {
        assert_ne!(setting.source, "default", "{} is not in the sample", setting.key);
    }
    each_inner(ROOT, &mut |key| {
        assert!(SAMPLE.contains(&format!("{}:", key.name)), "{} is not in the sample", key.name);
    });
}

#[test]
fn the_documentation_has_every_key_and_its_variable() {
    paths(ROOT, "", &mut |path| {
        assert!(DOCUMENTATION.contains(&format!("`{path}`")), "{path} is not documented");
    });
    each_inner(ROOT, &mut |key| {
        assert!(DOCUMENTATION.contains(&format!("`{}`", key.name)), "{} is missing", key.name);
    });
    assert!(DOCUMENTATION.contains(&variable("websocket.max_connections")));
}

/// Calls `each` for every key of sections in lists.
fn each_inner(keys: &[Key], each: &mut dyn FnMut(&Key)) {
    for key in keys {
        match &key.kind {
            Kind::Section(inner) => each_inner(inner, each),
            Kind::Sections { keys, .. } | Kind::Events(Kind::Sections { keys, .. }) => {
                keys.iter().for_each(&mut *each);
            }
            _ => {}
        }
    }
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let config = Bench::new("").good().config;
    assert_eq!(config.station.name, "bench-1");
    assert_eq!(config.station.workspace, path("/home/ann/.local/share/stationd"));
    assert_eq!(config.station.socket_path, path("/home/ann/.local/share/stationd/stationd.sock"));
    assert_eq!((config.websocket.host.as_str(), config.websocket.port), ("localhost", 8766));
    assert_eq!(config.websocket.max_connections, 100);
    assert_eq!(config.websocket.send_queue, 256);
    assert_eq!(config.database.path, path("/home/ann/.local/share/stationd/stationd.db"));
    assert_eq!(config.database.synchronous, Synchronous::Full);
    assert_eq!(config.database.event_retention.as_secs(), 30 * 86_400);
    assert_eq!(config.logging.level, log::LevelFilter::Info);
    assert_eq!(config.logging.format, LogFormat::Text);
    assert_eq!(config.logging.rotate, Rotate::Internal);
    assert_eq!(config.logging.max_size, 10_000_000);
    assert_eq!(config.supervisor.restart.max_restarts, 5);
    assert_eq!(config.supervisor.restart.backoff, crate::domain::Backoff::default());
    assert_eq!(config.queue.command_timeout, None);
    assert_eq!(config.queue.max_output, 10_000_000);
    assert_eq!(config.queue.max_file_size, 256_000_000);
    assert_eq!(config.heartbeat.mode, 0o644);
    assert!(config.devices.is_empty());
    assert!(config.sync.targets.is_empty());
}

#[test]
fn the_example_of_a_device_is_good() {
    let from = SAMPLE.find("#   - name: plotter").expect("the example");
    let lines = SAMPLE[from..].lines().map_while(|line| line.strip_prefix("#  "));
    let yaml: Vec<_> = ["devices:"].into_iter().chain(lines).collect();
    let config = Bench::new(&yaml.join("\n")).good().config;
    assert_eq!(config.devices[0].on_stop, ["M5"]);
    assert_eq!(config.devices[0].envelope.and_then(|envelope| envelope.z), Some(50.0));
}

#[test]
fn the_example_of_a_daemon_is_good() {
    let from = SAMPLE.find("#   - name: camera").expect("the example");
    let lines = SAMPLE[from..].lines().map_while(|line| line.strip_prefix("#  "));
    let yaml: Vec<_> = ["daemons:"].into_iter().chain(lines).collect();
    let yaml = yaml.join("\n");
    let loaded = Bench::new(&yaml).programs(&["ustreamer"]).good();
    let daemon = &loaded.config.daemons[0];
    assert_eq!(daemon.category, "media");
    assert_eq!(daemon.limits.processes, Some(32));
    let first = "daemons[0].name";
    let given = loaded.effective().into_iter().skip_while(|setting| setting.key != first);
    for setting in given.take_while(|setting| setting.key.starts_with("daemons")) {
        let way =
            ["ready.", "health.", "depends_on"].iter().any(|section| setting.key.contains(section));
        assert!(way || setting.source != "default", "{} is not in the example", setting.key);
    }
}
