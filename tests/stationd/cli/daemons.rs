//! Daemons from the command line: orders, reasons, logs; and plug-ins.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    sync::mpsc,
    thread,
};

use serde_json::Value;

use crate::support::{Station, eventually, program};

#[test]
fn an_order_says_in_a_line_what_was_done_with_each() {
    let station = Station::start();
    let stopped = station.cli(["daemon", "stop", "SYNC", "metrics"]).exited(0);
    assert_eq!(stopped.stdout, "sync: stopped\nmetrics: stopped\n");
    let started = station.cli(["daemon", "start", "--category", "monitoring"]).exited(0).stdout;
    let lines: Vec<&str> = started.lines().collect();
    assert_eq!(lines[0], "heartbeat: was running already");
    assert!(lines[1].starts_with("metrics: started"), "{started}");
    assert_eq!(lines[2..], ["watchdog: was running already"]);
    let restarted =
        station.cli(["daemon", "restart", "sync", "--force", "--json"]).exited(0).json();
    assert_eq!(restarted["items"][0]["daemon"]["state"], "RUNNING");
    let rolled = station.cli(["daemon", "restart", "--all", "--rolling"]).exited(0).stdout;
    let order: Vec<&str> = rolled.lines().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(order.len(), 7);
    let place = |name: &str| order.iter().position(|it| *it == name).unwrap();
    assert!(place("device-manager") < place("job-queue"), "{rolled}");
}

#[test]
fn an_unknown_name_is_exit_code_5_and_the_others_are_not_held_up() {
    let station = Station::start();
    let both = station.cli(["daemon", "stop", "synk", "sync"]).exited(5);
    assert_eq!(both.stdout, "sync: stopped\n");
    assert!(both.stderr.contains("did you mean \"sync\"?"), "{both:?}");
    assert_eq!(both.stderr.lines().count(), 1);
    for command in [
        &["daemon", "start", "--category", "food"][..],
        &["daemon", "restart", "sync", "synk", "--rolling"],
        &["daemon", "show", "synk"],
        &["daemon", "why", "synk"],
        &["daemon", "logs", "synk"],
        &["logs", "synk"],
        &["reconcile", "synk"],
        &["plugin", "uninstall", "synk"],
    ] {
        let gone = station.cli(command).exited(5);
        assert_eq!((gone.stdout.as_str(), gone.stderr.lines().count()), ("", 1), "{gone:?}");
    }
    let state = station.cli(["daemon", "list", "--state", "dancing"]).exited(1);
    assert!(state.stderr.contains("BACKOFF"), "{state:?}");
}

#[test]
fn a_daemon_is_explained_and_shown() {
    let station = Station::start();
    station.cli(["daemon", "stop", "sync"]).exited(0);
    let why = station.cli(["daemon", "why", "Sync"]).exited(0).stdout;
    assert!(why.starts_with("sync: STOPPED since "), "{why}");
    let why = station.cli(["daemon", "why", "sync", "--json"]).exited(0).json();
    assert_eq!((&why["name"], &why["state"]), (&"sync".into(), &"STOPPED".into()));
    assert!(why["why"]["causes"].is_array(), "{why}");
    let shown = station.cli(["daemon", "show", "job-queue"]).exited(0).stdout;
    for line in ["category: core", "state: RUNNING", "depends_on: device-manager"] {
        assert!(shown.lines().any(|it| it == line), "{line}: {shown}");
    }
    assert!(shown.contains("\nwhy:\n  job-queue: RUNNING since "), "{shown}");
    let tree = station.cli(["daemon", "list", "--tree"]).exited(0).stdout;
    let below = "\n  device-manager: RUNNING (healthy)\n    job-queue: RUNNING (healthy)\n";
    assert!(tree.starts_with("Daemon Status:\n") && tree.contains(below), "{tree}");
}

#[test]
fn a_log_is_printed_or_it_is_said_where_it_is() {
    let station = Station::start();
    let builtin = station.cli(["daemon", "logs", "sync"]).exited(5);
    assert!(builtin.stderr.contains("the station"), "{builtin:?}");
    let nowhere = station.cli(["logs"]).exited(1);
    assert!(nowhere.stderr.contains("logs/stationd.log"), "{nowhere:?}");
    assert!(nowhere.stderr.contains("standard output"), "{nowhere:?}");
    let file = station.workspace().join("logs/stationd.log");
    std::fs::write(&file, "one\ntwo\nthree\u{1b}[2J\n").unwrap();
    let last = station.cli(["logs", "-n", "2"]).exited(0).stdout;
    assert_eq!(last, "two\nthree\\u{1b}[2J\n");
    let json = station.cli(["logs", "-n", "1", "--json"]).exited(0).json();
    assert_eq!(json["message"], "three\u{1b}[2J");
}

#[test]
fn the_stations_log_is_followed_even_if_it_is_kept_nowhere() {
    let mut station = Station::start();
    let mut command = program(station.home());
    command.arg("--workspace").arg(station.workspace()).args(["logs", "-f"]);
    let mut follower = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| tell.send(line)));
    let line = eventually("a line is heard", || {
        station.cli(["daemon", "restart", "sync"]).exited(0); // it may not listen yet
        told.try_iter().find(|line| line.contains("sync is"))
    });
    let parts: Vec<&str> = line.splitn(4, " - ").collect();
    assert!(parts[0].ends_with('Z') && parts[2] == "INFO", "{line}");
    assert!(parts[3].starts_with("sync is"), "{line}");
    station.stop();
    assert_eq!(follower.wait().unwrap().code(), Some(3));
}

#[test]
fn all_is_compared_on_request() {
    let station = Station::start();
    let all = station.cli(["reconcile"]).exited(0).stdout;
    assert!(all.ends_with(" checked, nothing to mend\n"), "{all}");
    let one = station.cli(["reconcile", "sync"]).exited(0).stdout;
    assert_eq!(one, "1 checked, nothing to mend\n");
    let json = station.cli(["reconcile", "--all", "--json"]).exited(0).json();
    assert_eq!(json["mended"], Value::Array(Vec::new()));
}

#[test]
fn plug_ins_are_listed() {
    let station = Station::start();
    let list = station.cli(["plugins", "list"]).exited(0).stdout;
    assert_eq!(list, "NAME  VERSION  STATUS  DAEMONS  HOOKS  DESCRIPTION\n");
    let json = station.cli(["plugin", "list", "--json"]).exited(0).json();
    assert_eq!(json["items"], Value::Array(Vec::new()));
}
