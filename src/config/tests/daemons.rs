//! Process daemons: what is taken, what is said of what is wrong, and how they are switched.

use std::{fmt::Write as _, fs, os::unix::fs::PermissionsExt, time::Duration};

use insta::assert_snapshot;

use super::{Bench, path};
use crate::{
    config::DaemonConfig,
    domain::{
        Condition, Dependency, HealthCheck, OnDependencyRestart, Probe, Readiness, RestartMode,
    },
};

/// Every key, of which none is its default.
const WHOLE: &str = r#"
supervisor: {reconcile_interval: 2s, max_concurrent: 8, restart: {max_per_minute: 0, jitter: 0.5}}
watchdog: {interval: 1m, disk_free_min: 1GB, memory_max: 0.5}
plugins: {auto_discover: false, load_timeout: 1s}
profiles: {studio: [job_queue, Camera]}
station: {workspace: ws}
daemons:
  - name: camera
    title: Bench camera
    description: shows the bench
    category: media
    command: [ustreamer, --device, /dev/video0, ""]
    directory: WORKSPACE/camera
    environment: {TZ: UTC, EMPTY: ""}
    environment_file: camera.env
    user: root
    group: root
    umask: "022"
    nice: -5
    depends_on: [heartbeat, {name: prepare, condition: completed}, {name: gone, required: false}]
    on_dependency_restart: restart
    profiles: [studio]
    critical: true
    restart: always
    restart_policy: {max_restarts: 1, backoff_base: 2s, stable_after: 1m}
    start_timeout: 20s
    stop_timeout: 10s
    stop_signal: SIGINT
    exit_codes: [0, 143]
    detach: true
    no_new_privileges: true
    watchdog: 5s
    limits: {memory: 512MB, cpu: 0.5, open_files: 256, processes: 32}
    ready: {command: [bin/ready, now]}
    health: {file: beat, max_age: 20s, interval: 1s, timeout: 2s, failures: 4}
    log: {max_size: 1MB, backup_count: 2, compress: false}
  - {name: prepare, command: [./prepare], directory: WORKSPACE/camera, restart: never}
"#;

fn whole() -> Bench {
    let bench = Bench::new(WHOLE).programs(&["ustreamer"]);
    for program in ["ws/camera/bin/ready", "ws/camera/prepare"] {
        bench.program(program);
    }
    bench.write("ws/camera.env", "# of the camera\n\nA=b=c\n");
    bench
}

#[test]
fn the_rows_of_the_contract_load() {
    let yaml = r#"
watchdog:   {interval: 10s, disk_free_min: 500MB, memory_max: 0.9}
plugins:    {dir: WORKSPACE/plugins, auto_discover: true, load_timeout: 30s}
daemons:    [{name: camera, description: bench camera, command: [ustreamer, --device, /dev/video0], category: media, depends_on: [], restart: on-failure, critical: false,
              profiles: [studio], user: null, limits: {memory: 512MB}, ready: {tcp: "127.0.0.1:8080"}, health: {http: "http://127.0.0.1:8080/state"}}]
profiles:   {studio: [job-queue, device-manager, camera]}
"#;
    let loaded = Bench::new(yaml).programs(&["ustreamer"]).good();
    assert_eq!(loaded.warnings, []);
    let health = loaded.config.daemons[0].health.clone().expect("a check");
    assert_eq!((health.interval.as_secs(), health.timeout.as_secs(), health.failures), (10, 5, 3));
}

#[test]
fn every_key_is_taken() {
    let bench = whole();
    let loaded = bench.good();
    assert_eq!(loaded.warnings, []);
    let [camera, prepare] = loaded.config.daemons.as_slice() else { panic!("two daemons") };
    let program = camera.program(Duration::from_secs(30));
    assert_eq!(program.command, ["ustreamer", "--device", "/dev/video0", ""]);
    assert_eq!(program.directory, Some(bench.path("ws/camera")));
    assert_eq!((program.umask, program.nice), (Some(0o022), Some(-5)));
    assert_eq!((program.stop_signal.as_str(), program.stop_timeout.as_secs()), ("INT", 10));
    assert_eq!(
        (program.exit_codes, program.watchdog),
        (vec![0, 143], Some(Duration::from_secs(5)))
    );
    assert_eq!((program.limits.memory, program.limits.cpu), (Some(512_000_000), Some(0.5)));
    assert_eq!((program.log.max_size, program.log.backup_count), (1_000_000, 2));
    let ready = bench.path("ws/camera/bin/ready").display().to_string();
    let command = Probe::Command(vec![ready, "now".to_owned()]);
    assert_eq!(program.ready, Readiness::Probe(command));
    let [interval, timeout, max_age] = [1, 2, 20].map(Duration::from_secs);
    let probe = Probe::File { path: bench.path("ws/beat"), max_age };
    assert_eq!(program.health, Some(HealthCheck { probe, interval, timeout, failures: 4 }));
    let completed = Dependency { condition: Condition::Completed, ..Dependency::on("prepare") };
    let soft = Dependency { required: false, ..Dependency::on("gone") };
    assert_eq!(camera.depends_on, [Dependency::on("heartbeat"), completed, soft]);
    assert_eq!(camera.on_dependency_restart, OnDependencyRestart::Restart);
    assert_eq!((camera.restart, prepare.restart), (RestartMode::Always, RestartMode::Never));
    assert_eq!(prepare.command, [bench.path("ws/camera/prepare").display().to_string()]);
    assert_eq!(prepare.program(Duration::from_secs(30)).stop_timeout.as_secs(), 30);
    assert_eq!((prepare.category.as_str(), prepare.exit_codes.as_slice()), ("process", &[0][..]));
    assert_eq!(loaded.config.supervisor.max_concurrent, 8);
    assert_eq!(loaded.config.watchdog.disk_free_min, 1_000_000_000);
    assert_eq!(loaded.config.profiles["studio"], ["job_queue", "Camera"]);
    assert_eq!(bench.source("daemons[0].exit_codes[1]"), "s.yaml:29");
}

#[test]
fn a_daemon_restarts_by_its_own_policy_where_it_has_one() {
    let loaded = whole().good().config;
    let global = &loaded.supervisor.restart;
    let own = loaded.daemons[0].restart(global);
    assert_eq!((own.max_restarts, own.stable_after.as_secs()), (1, 60));
    // Base and stability are its own, factor, cap and jitter are everybody's.
    let delays = [0, 1, 2, 3, 4].map(|attempt| own.backoff.delay(attempt, 0.0).as_secs());
    assert_eq!(delays, [2, 4, 8, 16, 16]);
    assert_eq!(own.backoff.delay(0, 1.0), Duration::from_secs(1));
    assert_eq!(loaded.daemons[1].restart(global), *global);
}

#[test]
fn the_ways_to_be_ready() {
    let ready = |text: &str| {
        let yaml = format!("daemons: [{{name: a, command: [a], ready: {text}}}]");
        Bench::new(&yaml).programs(&["a"]).good().config.daemons[0].ready.clone()
    };
    assert_eq!(ready("null"), Readiness::Spawned);
    assert_eq!(ready("{delay: 500ms}"), Readiness::Delay(Duration::from_millis(500)));
    assert_eq!(ready("{log: '^up: \\d+$'}"), Readiness::Log("^up: \\d+$".to_owned()));
    assert_eq!(ready("{tcp: '[::1]:80'}"), Readiness::Probe(Probe::Tcp("[::1]:80".to_owned())));
    assert_eq!(ready("{notify: true}"), Readiness::Notify);
    let http = Probe::Http("http://localhost:8080/state".to_owned());
    assert_eq!(ready("{http: 'http://localhost:8080/state'}"), Readiness::Probe(http));
    let max_age = Duration::from_mins(1);
    let file = Probe::File { path: path("/run/a").to_path_buf(), max_age };
    assert_eq!(ready("{file: /run/a}"), Readiness::Probe(file));
}

/// Everything that can be wrong with daemons, at once.
const BROKEN: &str = r#"
supervisor: {enabled: {device-manager: false, camrea: true}}
profiles: {studio: [camera, camrea, 5, heartbeet]}
daemons:
  - {name: camera, command: [ustreamer], depends_on: [camra, [a], broken, heartbeat]}
  - {name: CAMERA, command: [a]}
  - {name: heart_beat, command: [a], depends_on: [Heart-Beat]}
  - {name: broken, command: a}
  - {command: [a]}
  - just a name
  - {name: one, command: [a], depends_on: [{name: two, condition: up}]}
  - {name: two, command: [a], depends_on: [three]}
  - {name: three, command: [a], depends_on: [heartbeat, one]}
  - {name: waits, command: [a], depends_on: [off, {name: metrics, condition: completed}]}
  - {name: "off", command: [missing], directory: /missing, enabled: false}
  - {name: empty, command: [], ready: {}, health: {command: []}}
  - {name: ways, command: [a], ready: {tcp: "a:1", http: "http://a"}, health: {interval: 1s}}
  - {name: ages, command: [a], ready: {delay: 30s, max_age: 1s}, health: {tcp: here}}
  - {name: shapes, command: [a], umask: 022, nice: 20, stop_signal: STOP, exit_codes: [256, ok]}
  - {name: more, command: [a], umask: "0o7", nice: fast, restart: sometimes, limits: {cpu: 0}}
  - {name: forms, command: [a], ready: {log: "("}, health: {http: "https://a"}, watchdog: soon}
  - {name: missing, command: [nothing, a], directory: none, environment_file: none.env}
  - {name: lies, command: [bin/plain], environment_file: bad.env, user: nobody-here, group: none-here}
  - {name: others, command: [/bin], user: daemon, group: daemon}
  - {name: vars, command: [a], environment: {"A=B": c, D: 5}, environmnt: {}}
  - {name: .hidden, command: [a], restart_policy: {backoff_base: 1m}}
  - {name: stationd, command: [""]}
"#;

#[test]
fn everything_wrong_is_said_at_once_with_its_place() {
    let bench = Bench::new(BROKEN).programs(&["a", "ustreamer"]).env("STATIOND_DATA_DIR", "ws");
    bench.write("ws/bad.env", "A=b\nexport secret\n");
    bench.write("ws/bin/plain", "");
    fs::set_permissions(bench.path("ws/bin/plain"), fs::Permissions::from_mode(0o600)).unwrap();
    let own = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).unwrap().unwrap().name;
    let own_group = nix::unistd::Group::from_gid(nix::unistd::Gid::effective()).unwrap().unwrap();
    let report = bench.report().replace(&bench.path("").display().to_string(), "./");
    let report = report.replace(&format!("{own:?}"), "\"ann\"");
    assert_snapshot!(report.replace(&format!("{:?}", own_group.name), "\"ann\""));
}

#[test]
fn the_environment_switches_daemons() {
    let yaml = "
supervisor: {enabled: {night-watch: true}}
daemons:
- {name: camera, command: [a]}
- {name: Night-Watch, command: [a], enabled: false}
- {name: spare, command: [missing], enabled: false}
- {name: off-air, command: [missing]}
";
    let bench = Bench::new(yaml).programs(&["a"]).env("STATIOND_OFF_AIR_ENABLED", "0");
    let loaded = bench.good();
    assert_eq!(loaded.warnings, []);
    let enabled = |config: &crate::config::Config| {
        let names = ["camera", "night_watch", "spare", "off-air"];
        let by_name = names.map(|name| config.daemon_enabled(name));
        let own: Vec<_> =
            config.daemons.iter().map(|daemon: &DaemonConfig| daemon.enabled).collect();
        assert_eq!(own, by_name);
        by_name
    };
    assert_eq!(enabled(&loaded.config), [true, true, false, false]);
    let bench = bench.env("STATIOND_CAMERA_ENABLED", "0").env("STATIOND_NIGHT_WATCH_ENABLED", "no");
    assert_eq!(enabled(&bench.good().config), [false, false, false, false]);
    let bench = bench.set("supervisor.enabled.night_watch=true");
    assert_eq!(enabled(&bench.good().config), [false, true, false, false]);
}

#[test]
fn a_switch_of_no_daemon_is_a_warning() {
    let bench = Bench::new("daemons: [{name: camera, command: [a]}]").programs(&["a"]);
    let bench = bench.env("STATIOND_CAMRA_ENABLED", "0").env("STATIOND_WEBSOCKET_ENABLED", "0");
    let bench = bench.env("STATIOND_HOOK_ENABLED", "maybe");
    let bench = bench.set("supervisor.enabled.metric=false");
    assert_snapshot!(bench.report());
}

#[test]
fn dependencies_may_be_texts_everywhere() {
    let bench = Bench::new("daemons: [{name: a, command: [a]}, {name: b, command: [a]}]");
    let bench = bench.programs(&["a"]).set("daemons[0].depends_on=b, heartbeat");
    let bench = bench.set("daemons.1.depends_on=[{name: sync, required: false}]");
    let config = bench.good().config;
    assert_eq!(config.daemons[0].depends_on, ["b", "heartbeat"].map(Dependency::on));
    assert!(!config.daemons[1].depends_on[0].required);
}

#[test]
fn a_program_is_found_where_the_daemon_will_look() {
    let yaml =
        |environment: &str| format!("daemons: [{{name: a, command: [camera], {environment}}}]");
    let bench = Bench::new(&yaml("critical: false"));
    bench.program("else/camera");
    assert!(bench.report().contains("\"camera\" is not a program in PATH (/usr/local/sbin:"));
    let directory = bench.path("else").display().to_string();
    bench.write("s.yaml", yaml(&format!("environment: {{PATH: {directory}}}")));
    bench.good();
    bench.write("s.yaml", yaml(&format!("environment_file: {directory}/env")));
    bench.write("else/env", format!("PATH={directory}\n"));
    bench.good();
}

#[test]
fn a_thousand_daemons_load() {
    let mut yaml = "daemons:\n".to_owned();
    for number in 0..1000 {
        let before = if number == 0 { "heartbeat".to_owned() } else { format!("d{}", number - 1) };
        writeln!(yaml, "- name: d{number}\n  command: [a, --number, '{number}']").unwrap();
        writeln!(yaml, "  depends_on: [{before}]\n  ready: {{tcp: '127.0.0.1:8080'}}").unwrap();
    }
    let config = Bench::new(&yaml).programs(&["a"]).good().config;
    assert_eq!(config.daemons.len(), 1000);
    assert_eq!(config.daemons[999].depends_on, [Dependency::on("d998")]);
}

#[test]
fn daemons_of_several_files_come_together() {
    let bench = Bench::new("daemons: [{name: a, command: [/bin/true], category: one}]");
    bench.write(
        "conf.d/10-more.yaml",
        "daemons: [{name: b, command: [sh, -c, \"echo one\\necho two\"]}, {name: A, command: [/bin/true], critical: true}]",
    );
    bench.write("conf.d/20-last.yaml", "daemons: [{name: c, command: [/bin/false]}]");
    let config = bench.good().config;
    let names: Vec<_> = config.daemons.iter().map(|daemon| daemon.name.as_str()).collect();
    assert_eq!(names, ["A", "b", "c"]);
    let first = &config.daemons[0];
    assert_eq!((first.category.as_str(), first.critical), ("one", true), "key by key");
    assert_eq!(config.daemons[1].command[2], "echo one\necho two", "a script has lines");
    let replaced = Bench::new("daemons: [{name: a, command: [/bin/true]}]")
        .set("daemons=[{name: z, command: [/bin/true]}]");
    assert_eq!(replaced.good().config.daemons.len(), 1, "on the command line it is the list");
}
