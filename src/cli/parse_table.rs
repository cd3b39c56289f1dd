//! What command lines mean: a table.

use std::ffi::OsString;

use clap::{CommandFactory, Error};

use super::{
    args::{Cli, Command},
    parse::{Invocation, Task, parse},
};
use crate::station::StartOptions;

fn parsed(line: &str) -> Result<Task, Error> {
    parse(std::iter::once("stationd").chain(line.split_whitespace()).map(OsString::from))
}

/// The options that a line starts a station with.
fn start(line: &str) -> StartOptions {
    match parsed(line) {
        Ok(Task::Start(options)) => *options,
        other => panic!("`stationd {line}` is {other:?}"),
    }
}

/// The command that a line is, in the words of the parser.
fn client(line: &str) -> Invocation {
    match parsed(line) {
        Ok(Task::Client(invocation)) => *invocation,
        other => panic!("`stationd {line}` is {other:?}"),
    }
}

fn refusal(line: &str) -> (i32, String) {
    match parsed(line) {
        Err(error) => (error.exit_code(), error.to_string()),
        Ok(task) => panic!("`stationd {line}` is {task:?}"),
    }
}

#[test]
fn the_tree_of_commands_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn many_ways_to_start_mean_the_same() {
    let options = start("start --daemonize --pid-file /run/s.pid -p 9000");
    assert!(options.daemonize);
    assert_eq!(options.port, Some(9000));
    for line in [
        "--daemonize --pid-file /run/s.pid -p 9000",
        "-d --pid-file /run/s.pid --port=9000",
        "daemon --daemonize --pid-file /run/s.pid --port 9000",
        "daemon -d -p9000 --pid-file=/run/s.pid",
        "--daemon --pid-file /run/s.pid --port 9000",
        "--port 9000 start --daemonize --pid-file /run/s.pid",
        "--port 1 start --port 9000 -d --pid-file /run/s.pid --foreground",
    ] {
        assert_eq!(start(line), options, "{line}");
    }
    for line in ["", "start", "daemon", "--foreground"] {
        assert_eq!(start(line), StartOptions::default(), "{line}");
    }
}

#[test]
fn the_table_of_start_options() {
    let text = |text: &str| Some(text.to_owned());
    let list = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(start("-H 0.0.0.0").host, text("0.0.0.0"));
    assert_eq!(start("--host ::1").host, text("::1"));
    assert_eq!(start("-p 0").port, Some(0));
    for line in ["-w /w", "--workspace /w", "--data-dir /w", "start -w /w", "daemon -w /w"] {
        assert_eq!(start(line).workspace, Some("/w".into()), "{line}");
    }
    for line in ["-c /c.yaml", "--config=/c.yaml", "start --config /c.yaml"] {
        assert_eq!(start(line).config, Some("/c.yaml".into()), "{line}");
    }
    assert_eq!(start("-l debug").log_level, text("debug"));
    assert_eq!(start("--log-level warning").log_level, text("warn"));
    assert_eq!(start("--log-level critical").log_level, text("error"));
    assert_eq!(start("--log-format json").log_format, text("json"));
    let options = start("-u plot -g dialout --nice -5");
    assert_eq!(
        (options.user, options.group, options.nice),
        (text("plot"), text("dialout"), Some(-5))
    );
    assert_eq!(start("--daemons sync,METRICS").daemons, list(&["sync", "METRICS"]));
    for line in ["--profile studio", "start --profile=studio", "daemon --profile studio"] {
        assert_eq!(start(line).profile, text("studio"), "{line}");
    }
    assert_eq!(start("").simulate, None);
    for line in ["--simulate", "--simulate start", "start --simulate", "--simulate --port 1"] {
        assert_eq!(start(line).simulate, Some(vec![]), "{line}");
    }
    assert_eq!(start("--simulate grbl,ebb start").simulate, Some(list(&["grbl", "ebb"])));
    for line in [
        "--set a.b=1 --set c=x=y",
        "--set a.b=1 start --set c=x=y",
        "start --set=a.b=1 --set c=x=y",
        "--set=a.b=1 daemon --set c=x=y",
    ] {
        assert_eq!(start(line).set, list(&["a.b=1", "c=x=y"]), "{line}");
    }
}

#[test]
fn relative_paths_are_made_absolute() {
    let here = std::env::current_dir().unwrap();
    let options = start("-w work -c c.yaml --pid-file run/s.pid");
    assert_eq!(options.workspace, Some(here.join("work")));
    assert_eq!(options.config, Some(here.join("c.yaml")));
    assert_eq!(options.pid_file, Some(here.join("run/s.pid")));
}

#[test]
fn hidden_aliases_are_the_commands_they_stand_for() {
    for (alias, command) in [
        ("daemon status --verbose", "status --verbose"),
        ("daemon shutdown --force", "shutdown --force"),
        ("daemon events --follow", "events --follow"),
        ("daemon metrics", "metrics"),
        ("daemon queue show", "queue show"),
        ("daemon config check", "config check"),
        ("daemon restart", "restart"),
        ("daemons list", "daemon list"),
        ("jobs list", "job list"),
        ("devices list", "device list"),
        ("plugins list", "plugin list"),
        ("logs camera -n 5 -f", "logs --lines 5 --follow camera"),
    ] {
        assert_eq!(client(alias), client(command), "{alias}");
    }
    assert_ne!(client("daemon restart sync"), client("restart"));
    assert_ne!(client("daemon restart --all"), client("restart"));
    assert_ne!(client("daemon restart --all --rolling"), client("daemon restart --all"));
    assert_ne!(client("logs camera"), client("logs"));
}

#[test]
fn global_options_stand_before_and_after_the_command() {
    for (before, after) in [
        ("--json status", "status --json"),
        ("-o json job list", "job list -o json"),
        ("--output=json daemon list", "daemon list --output json"),
        ("-w /w daemon list", "daemon list -w /w"),
        ("--url http://a:1 --token t device list", "device list --url http://a:1 --token t"),
        ("--set a=1 demo --set b=2", "demo --set a=1 --set b=2"),
    ] {
        assert_eq!(client(before), client(after), "{before}");
    }
}

#[test]
fn every_command_is_understood() {
    let id = "0190b6b8-7b3a-7000-8000-000000000001";
    for line in [
        "demo",
        "demo a.gcode --exit-when-done --port 0",
        "health",
        "ready",
        "daemon-status",
        "daemon-status /w",
        "shutdown --timeout 5",
        "reload",
        "submit a.gcode b.gcode --device plotter --driver grbl --priority high --hold --watch",
        &format!("submit - --name n --key k --at 2026-01-31T18:00:00Z --after {id} --priority -5"),
        "run --name n --timeout 1.5 --retries 2 --priority 3 --watch -- ls -l --json",
        "job list --state running --device plotter --limit 10 --cursor x",
        &format!("job watch {id} {id}"),
        &format!("job delete {id}"),
        "queue show --device plotter",
        "device detect",
        "device send plotter $I",
        "device send plotter -- -1",
        "device estop plotter",
        "daemon list --wide --category media --state running",
        "daemon show sync metrics",
        "daemon stop --category media",
        "daemon start --all",
        "daemon list --tree",
        "daemon why camera",
        "daemon why --all",
        "daemon stop camera --force",
        "daemon restart camera web --force",
        "daemon restart --all --rolling",
        "daemon restart --category media --rolling",
        "daemon logs camera web -f -n 20",
        "logs",
        "logs -f",
        "logs -n 0 --follow camera",
        "reconcile",
        "reconcile --all",
        "reconcile camera --json",
        "plugin list",
        "plugin install ./studio",
        "plugins uninstall studio",
        "plugin reload",
        "events -f --type t --resource job:1 --channel jobs --since 1041",
        "metrics",
        "check health --nagios",
        "config check config.yaml",
        "config show --effective --json",
        "config path",
        "config init --force",
        "check config",
        "completions bash",
        "man",
    ] {
        client(line);
    }
    let run = client("run -- ls --set x=1 -h host");
    let Command::Run(args) = run.command else { panic!("{run:?}") };
    assert_eq!(args.command, ["ls", "--set", "x=1", "-h", "host"]);
}

#[test]
fn bad_usage_is_exit_code_2() {
    for line in [
        "frobnicate",
        "--frobnicate",
        "--port 65536",
        "--port x",
        "--log-level loud",
        "--log-format xml",
        "--nice 99",
        "--set novalue",
        "--output xml status",
        "status extra",
        "submit",
        "submit a --priority urgent",
        "submit a --at tomorrow",
        "job",
        "job show",
        "job show 17",
        "job list --state LOST",
        "queue",
        "device",
        "device show",
        "daemon frobnicate",
        "daemon start",
        "daemon stop a --all",
        "daemon why",
        "daemon start a --force",
        "daemon start a --rolling",
        "daemon stop a --rolling",
        "daemon restart --rolling",
        "daemon restart --force",
        "daemon list --wide --tree",
        "daemon logs",
        "daemon logs a -n many",
        "logs a b",
        "logs a -n 10001",
        "reconcile a --all",
        "reconcile a b",
        "plugin",
        "plugin install",
        "plugin uninstall",
        "--profile a --daemons b",
        "run ls",
        "run --timeout 0 -- ls",
        "check",
        "--port 9000 status",
        "--daemonize demo",
        "daemon --port 9000 list",
        "--port 9000 daemon list",
    ] {
        assert_eq!(refusal(line).0, 2, "{line}");
    }
}

#[test]
fn a_bind_address_after_the_help_option_is_a_mistake_that_is_explained() {
    for line in
        ["-h 0.0.0.0", "start -h 0.0.0.0", "daemon -d -h 0.0.0.0 -p 1", "-h0.0.0.0", "-h=0.0.0.0"]
    {
        let (code, text) = refusal(line);
        assert_eq!(code, 2, "{line}");
        assert!(text.contains("-H 0.0.0.0"), "{line}: {text}");
    }
    for line in
        ["-h", "--help", "start -h", "daemon -h", "-h start", "job -h", "help", "-V", "--version"]
    {
        assert_eq!(refusal(line).0, 0, "{line}");
    }
}

#[test]
fn an_option_of_the_station_is_not_ignored_by_another_command() {
    let (_, text) = refusal("--port 9000 demo");
    assert!(text.contains("--port before `demo`"), "{text}");
}
