//! Plugins: good, broken, in each other's way.

use std::{fs, os::unix::fs::PermissionsExt};

use insta::assert_snapshot;
use tempfile::TempDir;

use super::Bench;
use crate::config::{
    Loaded, PluginStatus, read_plugin,
    schema::{Key, Kind, PLUGIN},
};

const DOCUMENTATION: &str = include_str!("../../../docs/plugins.md");

/// A station with a camera, and plugins in `ws/plugins`.
fn bench(plugins: &[(&str, &str)]) -> Bench {
    let yaml = "station: {workspace: ws}\ndaemons: [{name: camera, command: [a]}]\n";
    let bench = Bench::new(yaml).programs(&["a"]);
    for (directory, yaml) in plugins {
        bench.write(&format!("ws/plugins/{directory}/plugin.yaml"), yaml);
    }
    bench
}

/// Each plugin with its status and what is wrong, and the warnings.
fn told(bench: &Bench) -> String {
    let loaded = bench.good();
    let mut lines = Vec::new();
    for plugin in &loaded.plugins {
        lines.push(format!("{} {:?} {:?}", plugin.name, plugin.status, plugin.daemons));
        lines.extend(plugin.errors.iter().map(|line| format!("  {line}")));
    }
    let names: Vec<_> = loaded.config.daemons.iter().map(|daemon| daemon.name.as_str()).collect();
    lines.push(format!("daemons: {}", names.join(", ")));
    lines.push(bench.lines(&loaded.warnings));
    lines.join("\n").replace(&format!("{}/", bench.directory.path().display()), "")
}

fn statuses(loaded: &Loaded) -> Vec<(&str, PluginStatus)> {
    loaded.plugins.iter().map(|plugin| (plugin.name.as_str(), plugin.status)).collect()
}

/// The example of the documentation.
fn example() -> &'static str {
    let (_, rest) = DOCUMENTATION.split_once("```yaml\n").expect("the example");
    rest.split_once("```").expect("its end").0
}

#[test]
fn the_example_is_good() {
    let bench = bench(&[("timelapse", example())]);
    bench.program("ws/plugins/timelapse/bin/timelapse");
    bench.program("ws/plugins/timelapse/bin/film");
    let loaded = bench.good();
    assert_eq!(loaded.warnings, []);
    let plugin = &loaded.plugins[0];
    assert_eq!(plugin.status, PluginStatus::Loaded);
    assert_eq!((plugin.version.as_deref(), plugin.hooks), (Some("1.2"), 1));
    let directory = bench.path("ws/plugins/timelapse");
    assert_eq!(plugin.path, directory);
    let film = directory.join("bin/film").display().to_string();
    assert_eq!(plugin.commands[0].command, [&film, "--day", "{args}"]);
    let [_, daemon] = loaded.config.daemons.as_slice() else { panic!("two daemons") };
    assert_eq!(daemon.command[0], directory.join("bin/timelapse").display().to_string());
    assert_eq!(daemon.directory.as_ref(), Some(&directory));
    assert_eq!((daemon.category.as_str(), daemon.plugin.as_deref()), ("plugin", Some("timelapse")));
}

#[test]
fn every_key_is_documented() {
    let inner = |key: &Key| match key.kind {
        Kind::Sections { keys, .. } if key.name == "commands" => keys,
        _ => &[],
    };
    for key in PLUGIN.iter().chain(PLUGIN.iter().flat_map(inner)) {
        assert!(DOCUMENTATION.contains(&format!("`{}`", key.name)), "{}", key.name);
    }
}

#[test]
fn a_broken_plugin_is_reported_and_left_out() {
    let bench = bench(&[
        ("a-yaml", "name: [1"),
        ("b-keys", "nme: b\ndaemons: [{name: b, command: [a]}]"),
        ("c-program", "name: c\ndaemons: [{name: c, command: [bin/c]}, {name: c2, command: [c]}]"),
        ("d-double", "name: d\ndaemons: [{name: Camera, command: [a]}]"),
        ("e-unknown", "name: e\ndaemons: [{name: e, command: [a], depends_on: [camra]}]"),
        ("f-off", "name: f\nenabled: false\ndaemons: [{name: f, command: [a]}]"),
        ("g-good", "name: g\ndaemons: [{name: g, command: [a], depends_on: [camera]}]"),
        ("h-same", "name: G\ndaemons: [{name: h, command: [a]}]"),
        ("i-needs-b", "name: i\ndaemons: [{name: i, command: [a], depends_on: [c]}]"),
        ("j-needs-i", "name: j\ndaemons: [{name: j, command: [a], depends_on: [i]}]"),
        ("k-needs-l", "name: k\ndaemons: [{name: k, command: [a], depends_on: [l]}]"),
        ("l-good", "name: l\ndaemons: [{name: l, command: [a]}]"),
        (
            "m-round",
            "name: m\ndaemons: [{name: m, command: [a], depends_on: [n]}, {name: n, command: [a], depends_on: [m]}]",
        ),
        ("n-commands", "name: n\ncommands: [{name: x, command: [b]}, {name: X, command: []}]"),
        ("o-list", "- name"),
        ("p-empty", ""),
        (".hidden", "name: [1"),
    ]);
    fs::create_dir_all(bench.path("ws/plugins/no-plugin")).unwrap();
    fs::create_dir_all(bench.path("ws/plugins/q-directory/plugin.yaml")).unwrap();
    assert_snapshot!(told(&bench));
}

#[test]
fn a_plugin_that_others_may_write_is_refused() {
    let bench = bench(&[("a", "name: a")]);
    let file = bench.path("ws/plugins/a/plugin.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    assert_snapshot!(told(&bench));
    bench.write("ws/plugins/a/plugin.yaml", "#".repeat((1 << 20) + 1));
    assert!(told(&bench).contains("the file is larger than 1048576 bytes"));
}

#[test]
fn a_plugin_that_draws_the_station_into_a_circle_is_broken() {
    let bench = bench(&[
        ("a", "name: a\ndaemons: [{name: a, command: [a], depends_on: [camera]}]"),
        ("b", "name: b\ndaemons: [{name: b, command: [a], restart: always}]"),
    ]);
    bench.write(
        "s.yaml",
        "
station: {workspace: ws}
daemons:
- {name: camera, command: [a], depends_on: [{name: a, required: false},
     {name: b, required: false, condition: completed}]}
profiles: {studio: [a, camera, elsewhere]}
",
    );
    assert_snapshot!(told(&bench));
}

#[test]
fn plugins_and_their_daemons_are_switched() {
    let plugins = [("a", "name: a\ndaemons: [{name: a-b, command: [missing]}]")];
    let bench = bench(&plugins).env("STATIOND_A_B_ENABLED", "0");
    let loaded = bench.good();
    assert_eq!(
        (statuses(&loaded), &loaded.warnings[..]),
        (vec![("a", PluginStatus::Loaded)], &[][..])
    );
    assert!(!loaded.config.daemons[1].enabled && !loaded.config.daemon_enabled("a_b"));
    let loaded = bench.set("plugins.auto_discover=false").good();
    assert!(loaded.plugins.is_empty() && loaded.config.daemons.len() == 1);
}

#[test]
fn a_directory_is_judged_before_it_is_installed() {
    let bench = bench(&[("a", "name: a\ndaemons: [{name: a, command: [a]}]")]);
    let loaded = bench.good();
    let elsewhere = TempDir::new().unwrap();
    let judge = |yaml: &str| {
        fs::write(elsewhere.path().join("plugin.yaml"), yaml).unwrap();
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(elsewhere.path().join("plugin.yaml"), mode).unwrap();
        read_plugin(elsewhere.path(), &bench.sources, &loaded).map_err(|problems| {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            lines.join("\n").replace(&format!("{}/", elsewhere.path().display()), "")
        })
    };
    assert_eq!(
        read_plugin(elsewhere.path(), &bench.sources, &loaded).unwrap_err()[0].message,
        "there is no such file, which a plugin must have"
    );
    let plugin = judge("name: b\ndaemons: [{name: b, command: [a], depends_on: [a]}]").unwrap();
    assert_eq!((plugin.name.as_str(), plugin.daemons.as_slice()), ("b", &["b".to_owned()][..]));
    // It replaces the plugin of its name.
    assert!(judge("name: A\ndaemons: [{name: a, command: [a]}]").is_ok());
    assert_eq!(
        judge("name: b\ndaemons: [{name: a, command: [a]}]").unwrap_err(),
        "plugin.yaml:2:18: error: daemons[0].name: daemon \"a\" has the same name as \"a\""
    );
    assert_eq!(
        judge("name: b\nhooks: 5").unwrap_err(),
        "plugin.yaml:2:8: error: hooks: is not a section, allowed: names with a value each"
    );
}
