//! Which layer wins, where values come from, and older forms of configuration.

use std::{fs, os::unix::fs::PermissionsExt};

use log::LevelFilter;

use super::{Bench, path};
use crate::config::{Config, LogFormat, Sources};

#[test]
fn each_layer_wins_over_the_one_before() {
    let mut bench = Bench::new("websocket: {port: 1}\nstation: {workspace: ws}\n");
    let port = |bench: &Bench| (bench.good().config.websocket.port, bench.source("websocket.port"));
    assert_eq!(port(&bench), (1, "s.yaml:1".to_owned()));
    bench.write("conf.d/20.yaml", "\nwebsocket: {port: 3}");
    bench.write("conf.d/10.yaml", "websocket: {port: 2, max_connections: 7}");
    bench.write("conf.d/.30.yaml", "no: configuration");
    bench.write("conf.d/30.txt", "no: configuration");
    assert_eq!(port(&bench), (3, "conf.d/20.yaml:2".to_owned()));
    bench.write("ws/config.d/runtime.yaml", "websocket: {port: 4}");
    assert_eq!(port(&bench), (4, "ws/config.d/runtime.yaml:1".to_owned()));
    bench = bench.env("STATIOND_WEBSOCKET__PORT", "5");
    assert_eq!(port(&bench), (5, "environment STATIOND_WEBSOCKET__PORT".to_owned()));
    bench = bench.set("websocket.port=6").set("websocket.port=7");
    assert_eq!(port(&bench), (7, "--set websocket.port".to_owned()));
    bench.sources = bench.sources.flag("--port", "websocket.port", Some(8));
    assert_eq!(port(&bench), (8, "--port".to_owned()));
    assert_eq!(bench.good().config.websocket.max_connections, 7);
    assert_eq!(bench.source("websocket.max_connections"), "conf.d/10.yaml:1");
    assert_eq!(bench.source("websocket.send_queue"), "default");
}

#[test]
fn the_environment_speaks_in_texts() {
    let config = Bench::new("")
        .env("STATIOND_DATA_DIR", "data")
        .env("STATIOND_LOG_LEVEL", "warning")
        .env("STATIOND_WEBSOCKET__AUTHENTICATE", "1")
        .env("STATIOND_WEBSOCKET__API_KEY", "12345")
        .env("STATIOND_METRICS_ENABLED", "0")
        .env("STATIOND_SYNC_INTERVAL", "90")
        .env("STATIOND_JOB_QUEUE_ENABLED", "false")
        .env("STATIOND_DAEMON_RESTART_MAX", "9")
        .env("STATIOND_DAEMON_HEALTH_INTERVAL", "1m")
        .env("STATIOND_DAEMON_SHUTDOWN_TIMEOUT", "7")
        .env("STATIOND_SECURITY__ALLOWED_HOSTS", "bench, bench.local")
        .env("STATIOND_LOGGING__MODULES__WEBSOCKET", "debug")
        .env("STATIOND_DEVICES", "[{name: a, driver: grbl, port: /dev/a}]")
        .env("STATIOND_DEVICES__0__BAUD_RATE", "9600")
        .env("STATIOND_TOKEN", "x")
        .good();
    assert_eq!(config.warnings, []);
    let config = config.config;
    assert!(config.station.workspace.ends_with("data"));
    assert!(config.station.workspace.is_absolute());
    assert_eq!(config.logging.level, LevelFilter::Warn);
    assert!(config.websocket.api_key.as_ref().is_some_and(|key| key.matches(b"12345")));
    assert_eq!(config.sync.interval.as_secs(), 90);
    assert!(!config.daemon_enabled("job_queue") && !config.daemon_enabled("metrics"));
    assert!(config.daemon_enabled("sync"));
    assert_eq!(config.supervisor.restart.max_restarts, 9);
    assert_eq!(config.supervisor.health_interval.as_secs(), 60);
    assert_eq!(config.queue.shutdown_grace.as_secs(), 7);
    assert_eq!(config.security.allowed_hosts, ["bench", "bench.local"]);
    assert_eq!(config.logging.modules["websocket"], LevelFilter::Debug);
    assert_eq!(config.devices[0].baud_rate, 9600);
}

#[test]
fn set_reaches_into_lists_and_tables() {
    let config = Bench::new("device: {driver: grbl, port: /dev/a}")
        .set("devices[0].port=/dev/b")
        .set("device.timeout=1m")
        .set("devices.1={name: b, driver: grbl, port: sim:grbl}")
        .set("logging.modules.stationd::store=debug")
        .set("sync.targets=[/mnt/nas]")
        .set("websocket.api_key=")
        .good()
        .config;
    assert_eq!(config.devices[0].port, "/dev/b");
    assert_eq!(config.devices[0].timeout.as_secs(), 60);
    assert_eq!(config.devices[1].name, "b");
    assert_eq!(config.logging.modules["stationd::store"], LevelFilter::Debug);
    assert_eq!(config.sync.targets[0].name, "nas");
    assert_eq!(config.sync.targets[0].path, path("/mnt/nas"));
}

#[test]
fn existing_configurations_load_as_they_are() {
    let bench = Bench::new(
        "
device: {type: grbl, port: tcp://127.0.0.1:2300, timeout: 2.5}
database: {url: sqlite:///workspace/plots.db}
logging:
  level: warning
  format: '%(asctime)s - %(name)s - %(levelname)s - %(message)s'
  modules: {a: critical}
websocket:
station: {workspace: ws}
",
    );
    let config = bench.good().config;
    assert_eq!(config.devices[0].name, "device");
    assert_eq!(config.devices[0].driver, "grbl");
    assert_eq!(config.devices[0].timeout.as_millis(), 2_500);
    assert_eq!(config.devices[0].baud_rate, 115_200);
    assert_eq!(config.database.path, bench.path("ws/plots.db"));
    assert_eq!(config.logging.level, LevelFilter::Warn);
    assert_eq!(config.logging.modules["a"], LevelFilter::Error);
    assert!(matches!(config.logging.format, LogFormat::Template(_)));
    assert_eq!(bench.source("devices[0].port"), "s.yaml:2");
}

#[test]
fn a_named_file_must_exist() {
    let mut bench = Bench::new("");
    bench.sources.file = Some("other.yaml".into());
    assert_eq!(bench.report(), "other.yaml: error: there is no such file");
    bench.sources.file = Some("".into());
    assert!(bench.report().ends_with("is a directory, allowed: a file"));
}

#[test]
fn anchors_repeat_a_value() {
    let config = Bench::new("a: &a\n").report();
    assert!(config.contains("is not a known key"));
    let config = Bench::new("queue: {retention: &t 3d}\ndatabase: {event_retention: *t}").good();
    assert_eq!(config.config.database.event_retention.as_secs(), 3 * 86_400);
}

#[test]
fn no_secret_is_ever_shown() {
    let bench = Bench::new("websocket: {authenticate: true, api_key: swordfish}");
    let loaded = bench.good();
    let shown = [
        format!("{loaded:?}"),
        serde_json::to_string(&loaded.effective()).unwrap(),
        serde_yaml::to_string(&loaded.document()).unwrap(),
        Bench::new("websocket: {api_key: 'sword fish', prot: swordfish}").report(),
    ];
    for text in shown {
        assert!(!text.contains("sword"), "{text}");
    }
    assert!(serde_json::to_string(&loaded.document()).unwrap().contains("\"api_key\":\"***\""));
}

#[test]
fn a_secret_may_lie_elsewhere() {
    let key = |config: &Config| config.websocket.api_key.clone().map(|key| key.expose().to_owned());
    let yaml = |key: &str| format!("websocket: {{authenticate: true, api_key: '{key}'}}");
    let bench = Bench::new(&yaml("file:workspace/key")).env("STATIOND_DATA_DIR", ".");
    bench.write("key", "swordfish\n");
    assert_eq!(key(&bench.good().config).as_deref(), Some("swordfish"));
    fs::set_permissions(bench.path("key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(bench.report().contains("which others can read (chmod 600)"));
    let bench = Bench::new(&yaml("env:KEY")).env("KEY", "swordfish");
    assert_eq!(key(&bench.good().config).as_deref(), Some("swordfish"));
    let bench = Bench::new(&yaml("credential:key"));
    bench.write("key", "swordfish");
    let directory = bench.path("").display().to_string();
    let bench = bench.env("CREDENTIALS_DIRECTORY", &directory);
    assert_eq!(key(&bench.good().config).as_deref(), Some("swordfish"));
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    let mode = |mode| {
        let bench = Bench::new("websocket: {authenticate: true, api_key: swordfish}");
        fs::set_permissions(bench.path("s.yaml"), fs::Permissions::from_mode(mode)).unwrap();
        bench.report()
    };
    assert_eq!(mode(0o600), "");
    assert_eq!(
        mode(0o606),
        "s.yaml: error: others may write to it (mode 0606), allowed: chmod go-w"
    );
    assert_eq!(
        mode(0o644),
        "s.yaml:1:42: warning: websocket.api_key: lies in a file that everybody can read \
         (chmod 600)"
    );
}

#[test]
fn the_usual_places_are_looked_at() {
    let bench = Bench::new("");
    let home = bench.path("home").display().to_string();
    let mut sources = Sources { directory: "/".into(), ..Sources::default() };
    assert_eq!(sources.default_workspace(), None);
    sources.env.insert("HOME".into(), home.clone());
    let user = bench.path("home/.config/stationd/config.yaml");
    assert_eq!(sources.new_file(), Some(user.clone()));
    bench.write("home/.config/stationd/config.yaml", "station: {name: at-home}");
    assert_eq!(sources.path(), Some(user));
    let loaded = super::load(&sources).unwrap();
    assert_eq!(loaded.config.station.name, "at-home");
    assert_eq!(loaded.config.station.workspace, bench.path("home/.local/share/stationd"));
    sources.env.insert("XDG_CONFIG_HOME".into(), "relative/is/ignored".into());
    assert_eq!(super::load(&sources).unwrap().config.station.name, "at-home");
    sources.env.insert("XDG_DATA_HOME".into(), "/data".into());
    assert_eq!(sources.default_workspace().as_deref(), Some(path("/data/stationd")));
    sources.root = true;
    assert_eq!(sources.default_workspace().as_deref(), Some(path("/var/lib/stationd")));
    sources.env.insert("STATIOND_CONFIG".into(), "named.yaml".into());
    let problems = super::load(&sources).unwrap_err();
    assert_eq!(problems[0].to_string(), "/named.yaml: error: there is no such file");
}
