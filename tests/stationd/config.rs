//! The configuration from outside: what is wrong is said at once, and where.

use std::{fs, path::Path};

use serde_json::json;

use crate::support::{Ran, Station, program, run, run_with};

/// Checks a file with this text, and starts a station with it.
#[track_caller]
fn refusals(yaml: &str) -> Vec<String> {
    let builder = Station::with().config(yaml);
    let file = builder.config_file();
    let checked = check(builder.home(), &file).exited(78);
    let started = builder.run().exited(78);
    assert!(!builder.workspace().exists(), "nothing is created");
    let lines = |ran: &Ran| {
        let strip = |line: &str| line.replace(&format!("{}:", file.display()), "");
        ran.stderr.lines().map(strip).collect::<Vec<_>>()
    };
    assert_eq!(lines(&checked), lines(&started), "both say the same");
    lines(&started)
}

fn check(home: &Path, file: &Path) -> Ran {
    run(home, ["config".as_ref(), "check".as_ref(), file.as_os_str()])
}

#[test]
fn every_mistake_is_named_with_its_place_and_what_is_allowed() {
    let mut wrong = Vec::new();
    for (yaml, expected) in [
        ("websocket: {prot: 1}", &["1:13: error: websocket.prot: ", "port"][..]),
        ("websokcet: {}", &["1:1: error: websokcet: ", "websocket"]),
        ("websocket:\n  port: seventy", &["2:9: error: websocket.port: ", "65535"]),
        ("websocket:\n  port: 70000", &["2:9: error: websocket.port: ", "65535"]),
        ("websocket: 5", &["1:12: error: websocket: "]),
        ("logging: {level: loud}", &["1:18: error: logging.level: ", "debug"]),
        ("logging: {max_size: 5 parsecs}", &["1:21: error: logging.max_size: ", "MB"]),
        ("heartbeat: {interval: soon}", &["1:23: error: heartbeat.interval: ", "s"]),
        ("heartbeat: {mode: 0999}", &["1:19: error: heartbeat.mode: "]),
        ("queue: {max_concurrent_commands: -1}", &["1:34: error: queue.max_concurrent_commands: "]),
        ("database: {url: postgres://x}", &["1:17: error: database.url: ", "sqlite"]),
        ("devices: [{name: a, port: /dev/x}]", &["error: devices[0].driver: "]),
        (
            "devices: [{name: a, driver: grbl, port: /dev/x}, {name: a, driver: grbl, port: /dev/y}]",
            &["error: devices[1].name: ", "a"],
        ),
        ("supervisor: {restart: {backoff_factor: 0.5}}", &["supervisor.restart.backoff_factor: "]),
        ("sync: {targets: [{name: x}]}", &["error: sync.targets[0].path: "]),
        ("logging: {level: info}\nlogging: {level: warn}", &["2:1: error: logging: "]),
        ("websocket: [", &["error: "]),
        ("\t- x", &["error: "]),
        ("websocket: {authenticate: true}", &["error: websocket.authenticate: ", "api_key"]),
        ("websocket: {host: 0.0.0.0}", &["error: websocket.host: ", "authenticate"]),
    ] {
        let lines = refusals(yaml);
        let all = lines.join("\n");
        if lines.len() != 1 || expected.iter().any(|words| !all.contains(words)) {
            wrong.push(format!("{yaml}\n  expected {expected:?}\n  got {all}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_are_named_at_once() {
    let yaml = "\
station: {nmae: x}
websocket:
  port: many
  max_connections: 0
logging:
  level: loud
queue: {retention: [1]}
heartbeat: {intervall: 5s}
";
    let lines = refusals(yaml);
    for start in [
        "1:11: error: station.nmae: ",
        "3:9: error: websocket.port: ",
        "4:20: error: websocket.max_connections: ",
        "6:10: error: logging.level: ",
        "7:20: error: queue.retention: ",
        "8:13: error: heartbeat.intervall: ",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{start}: {lines:#?}");
    }
    assert_eq!(lines.len(), 6, "{lines:#?}");
}

#[test]
fn mistakes_outside_the_file_are_named_with_their_source() {
    let home = tempfile::tempdir().unwrap();
    let refused = run_with(
        program(home.path())
            .args(["--set", "logging.level=loud", "--set", "no.such=1", "config", "check"])
            .env("STATIOND_WEBSOCKET__PORT", "many"),
    )
    .exited(78);
    for words in ["--set", "logging.level", "no.such", "STATIOND_WEBSOCKET__PORT"] {
        assert!(refused.stderr.contains(words), "{words}: {refused:?}");
    }
    assert_eq!(refused.stderr.lines().count(), 3, "{refused:?}");
    let gone = home.path().join("gone.yaml");
    assert!(check(home.path(), &gone).exited(78).stderr.contains("gone.yaml"));
}

#[test]
fn files_beside_the_file_are_read_in_order() {
    let builder = Station::with().config("station: {name: first}\nlogging: {level: warn}");
    let more = builder.home().join("conf.d");
    fs::create_dir(&more).unwrap();
    fs::write(more.join("20-b.yaml"), "station: {name: third}").unwrap();
    fs::write(more.join("10-a.yaml"), "station: {name: second, timezone: UTC}").unwrap();
    fs::write(more.join("30-c.txt"), "not: [yaml").unwrap();
    let shown = run_with(
        program(builder.home())
            .args(["config", "show", "--json"])
            .arg("--config")
            .arg(builder.config_file()),
    )
    .exited(0)
    .json();
    assert_eq!(shown["station"]["name"], "third");
    assert_eq!(shown["logging"]["level"], "warn");
    fs::write(more.join("20-b.yaml"), "station: {nmae: third}").unwrap();
    let refused = builder.run().exited(78);
    assert!(refused.stderr.contains("20-b.yaml:1:11: error: station.nmae: "), "{refused:?}");
}

#[test]
fn the_shipped_file_is_right_and_says_the_defaults() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/stationd.yaml");
    let home = tempfile::tempdir().unwrap();
    check(home.path(), &shipped).exited(0);
    let show = |args: &[&str]| {
        run_with(program(home.path()).args(["config", "show", "--json"]).args(args))
            .exited(0)
            .json()
    };
    assert_eq!(show(&["--config", shipped.to_str().unwrap()]), show(&[]));
}

#[test]
fn a_first_file_is_written_once_and_found() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".config/stationd/config.yaml");
    run(home.path(), ["config", "init"]).exited(0);
    assert!(file.exists());
    check(home.path(), &file).exited(0);
    let path = run(home.path(), ["config", "path"]).exited(0);
    assert!(path.stdout.contains(file.to_str().unwrap()), "{path:?}");
    fs::write(&file, "station: {name: mine}").unwrap();
    run(home.path(), ["config", "init"]).exited(1);
    assert_eq!(fs::read_to_string(&file).unwrap(), "station: {name: mine}", "not overwritten");
    let shown = run(home.path(), ["config", "show", "--json"]).exited(0).json();
    assert_eq!(shown["station"]["name"], "mine");
}

#[test]
fn a_secret_is_not_shown() {
    let key = "a-key-that-nobody-guesses-0123456789";
    let config = format!("websocket: {{authenticate: true, api_key: {key}}}");
    let builder = Station::with().config(&config);
    for format in ["--json", "--effective"] {
        let mut command = program(builder.home());
        command.args(["config", "show", format]).arg("--config").arg(builder.config_file());
        let shown = run_with(&mut command).exited(0);
        assert!(!shown.stdout.contains(key) && shown.stdout.contains("api_key"), "{shown:?}");
    }
    let station = builder.arg("-l").arg("trace").start();
    station.tcp().get(&format!("/api/v1/status?api_key={key}"));
    station.tcp().with_token(key).get("/api/v1/status").expect(200);
    assert!(!station.log().contains(key));
}

#[test]
fn existing_configurations_load_as_they_are() {
    let builder = Station::with().config(
        "device: {type: grbl, port: sim:grbl}
database: {url: \"sqlite:///workspace/old.db\"}
logging: {level: WARNING, format: \"%(asctime)s %(name)s %(levelname)s %(message)s\"}
heartbeat: {interval: 30}
websocket: {port: 0, host: 127.0.0.1}
",
    );
    let station = builder.start();
    let devices = station.local().get("/api/v1/devices").expect(200);
    let device = &devices["items"][0];
    assert_eq!((&device["name"], &device["driver"]), (&json!("device"), &json!("grbl")));
    assert!(station.workspace().join("old.db").exists());
}
