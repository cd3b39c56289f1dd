//! Signals, and the commands that ask for the same: stop, reload, reopen, restart.

use std::{
    fs,
    os::unix::net::UnixDatagram,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{DEADLINE, Station, eventually};

/// The grace of the queue is 30 s by default, so whatever is quicker was not waiting for it.
const AT_ONCE: Duration = Duration::from_secs(15);

#[test]
fn a_second_signal_stops_at_once_but_in_order() {
    let mut station = Station::start();
    let socket = station.workspace().join("stationd.sock");
    let id = station.submit(&json!({"command": ["sleep", "600"], "max_attempts": 1}));
    station.await_job(&id, "RUNNING");
    let begun = Instant::now();
    station.signal(Signal::SIGTERM);
    eventually("the stop has begun", || {
        (station.local().get("/ready").status == 503).then_some(())
    });
    assert!(station.has_ended().is_none(), "it waits for the program");
    station.signal(Signal::SIGTERM);
    assert_eq!(station.exit_code(), 0);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert!(!socket.exists());
    station.again();
    let job = station.job(&id);
    assert_eq!(job["state"], "INTERRUPTED", "{job}");
}

#[test]
fn an_interrupt_from_the_keyboard_is_a_clean_stop() {
    let mut station = Station::start();
    station.signal(Signal::SIGINT);
    assert_eq!(station.exit_code(), 0);
}

#[test]
fn a_forced_shutdown_does_not_wait_for_programs() {
    let mut station = Station::start();
    let id = station.submit(&json!({"command": ["sleep", "600"]}));
    station.await_job(&id, "RUNNING");
    let begun = Instant::now();
    let refused = station.tcp().post("/api/v1/shutdown", &json!({"force": true})).refused(403);
    assert!(refused.contains("admin"), "{refused}");
    station.local().post("/api/v1/shutdown", &json!({"force": true})).expect(200);
    assert_eq!(station.exit_code(), 0);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[test]
fn a_reload_takes_effect_as_a_whole_or_not_at_all() {
    let station = Station::with().config("logging: {level: error}").start();
    let infos = || station.log().matches(" - INFO - job ").count();
    let run = || {
        let id = station.submit(&json!({"command": ["true"]}));
        station.await_job(&id, "COMPLETED");
    };
    run();
    assert_eq!(infos(), 0);
    fs::write(station.config_file(), "logging: {level: info}").unwrap();
    let done = station.cli(["reload"]).exited(0);
    assert!(done.stdout.contains("logging"), "{done:?}");
    run();
    eventually("the new level counts", || (infos() > 0).then_some(()));

    fs::write(station.config_file(), "logging: {level: loud}\nwebsocket: {prot: 1}").unwrap();
    let refused = station.cli(["reload"]).exited(1);
    for key in ["logging.level", "websocket.prot"] {
        assert!(refused.stderr.contains(key), "{refused:?}");
    }
    assert_eq!(station.local().get("/ready").status, 200);
    let before = infos();
    run();
    eventually("the old level still counts", || (infos() > before).then_some(()));

    let reloads = || station.log().matches("reloaded: logging").count();
    let before = reloads();
    fs::write(station.config_file(), "logging: {level: debug}").unwrap();
    station.signal(Signal::SIGHUP);
    eventually("a signal is a request to reload", || (reloads() > before).then_some(()));
    assert!(station.log().contains(" - ERROR - not reloaded: "), "what failed is in the log");
}

#[test]
fn a_moved_log_is_opened_anew_on_request() {
    for signal in [Signal::SIGUSR1, Signal::SIGHUP] {
        let builder = Station::with();
        let log = builder.home().join("own.log");
        let mut station = builder.set("logging.file", log.to_str().unwrap()).start();
        eventually("the log is written", || {
            fs::read_to_string(&log).ok()?.contains("is ready: ").then_some(())
        });
        let moved = log.with_extension("1");
        fs::rename(&log, &moved).unwrap();
        station.signal(signal);
        eventually("there is a log again", || log.exists().then_some(()));
        assert_eq!(station.stop(), 0);
        assert!(fs::read_to_string(&log).unwrap().contains("stopping"));
        assert!(!fs::read_to_string(&moved).unwrap().contains("stopping"));
    }
}

#[test]
fn a_storm_of_signals_does_not_hide_the_stop() {
    let mut station = Station::start();
    for _ in 0..2000 {
        station.signal(Signal::SIGHUP);
    }
    station.signal(Signal::SIGPIPE);
    assert_eq!(station.local().get("/ready").status, 200);
    for _ in 0..100 {
        station.signal(Signal::SIGHUP);
    }
    assert_eq!(station.stop(), 0);
}

#[test]
fn a_restart_keeps_the_process_and_the_queue() {
    let mut station = Station::start();
    let held = station.submit(&json!({"command": ["true"], "hold": true}));
    let before = station.local().get("/api/v1/status").expect(200);
    station.cli(["restart"]).exited(0);
    let after = station.local().get("/api/v1/status").expect(200);
    assert_eq!((&before["pid"], before["queue_length"].as_u64()), (&after["pid"], Some(1)));
    assert_eq!(station.job(&held)["state"], "HELD");
    assert!(station.has_ended().is_none(), "it is the same process");
    assert_eq!(station.stop(), 0);
}

#[test]
fn a_shutdown_is_over_when_the_command_returns() {
    let mut station = Station::start();
    // The command waits for the process to be gone, and for that somebody has to reap it.
    std::thread::scope(|scope| {
        let (workspace, home) = (station.workspace(), station.home().to_owned());
        let asked = scope.spawn(move || {
            let workspace = workspace.to_str().unwrap();
            crate::support::run(&home, ["--workspace", workspace, "shutdown"])
        });
        assert_eq!(station.exit_code(), 0);
        asked.join().unwrap().exited(0);
    });
    let gone = station.cli(["shutdown"]).exited(3);
    assert!(gone.stderr.contains("stationd.sock"), "what was tried is named: {gone:?}");
}

#[test]
fn the_service_manager_hears_of_ready_reload_and_stop() {
    let builder = Station::with();
    let path = builder.home().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let hear = |wanted: &str| {
        let mut heard = Vec::new();
        loop {
            let mut word = [0; 1024];
            let length = manager.recv(&mut word).unwrap_or_else(|e| panic!("{e}: {heard:?}"));
            let word = String::from_utf8_lossy(&word[..length]).into_owned();
            if word.lines().any(|line| line.starts_with(wanted)) {
                return word;
            }
            heard.push(word);
        }
    };
    let mut station = builder.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "400000").spawn();
    assert!(hear("READY=1").contains("STATUS="));
    assert_eq!(station.local().get("/ready").status, 200, "ready means ready");
    hear("WATCHDOG=1");
    let id = station.submit(&json!({"command": ["env"]}));
    station.await_job(&id, "COMPLETED");
    let output = station.local().get(&format!("/api/v1/jobs/{id}/log")).text();
    assert!(!output.contains("NOTIFY_SOCKET"), "{output}");
    station.signal(Signal::SIGHUP);
    hear("RELOADING=1");
    hear("READY=1");
    station.signal(Signal::SIGTERM);
    hear("STOPPING=1");
    assert_eq!(station.exit_code(), 0);
}
