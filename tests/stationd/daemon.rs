//! The life of the process: start, stop, signals, and what it leaves behind.

mod background;
mod refusals;
mod signals;
mod surroundings;

use std::fs;

use serde_json::json;

use crate::support::{Station, WebSocket};

#[test]
fn a_station_starts_and_stops_and_leaves_nothing_in_the_way() {
    let directory = tempfile::tempdir().unwrap();
    let pid_file = directory.path().join("new/station.pid");
    let mut station = Station::with().arg("--pid-file").arg(&pid_file).start();
    assert_eq!(fs::read_to_string(&pid_file).unwrap(), format!("{}\n", station.pid()));
    let socket = station.workspace().join("stationd.sock");
    assert!(socket.exists());
    let heartbeat = fs::read(station.workspace().join("stationd.heartbeat")).unwrap();
    let heartbeat: serde_json::Value = serde_json::from_slice(&heartbeat).unwrap();
    assert_eq!(heartbeat["pid"], station.pid(), "written before the station is ready");
    assert_eq!(station.tcp().get("/health").expect(200)["pid"], station.pid());
    assert_eq!(station.stop(), 0);
    assert!(!socket.exists() && !pid_file.exists());
    assert!(!station.workspace().join("stationd.db-wal").exists(), "the database is closed");
}

#[test]
fn what_runs_may_end_and_clients_are_told_before_the_station_goes() {
    let mut station = Station::start();
    let marker = station.home().join("go");
    let script = "while [ ! -e \"$0\" ]; do sleep 0.01; done";
    let id = station.submit(&json!({"command": ["sh", "-c", script, marker]}));
    let waiting = station.submit(&json!({"command": ["true"], "depends_on": [id]}));
    station.await_job(&id, "RUNNING");
    let mut socket = WebSocket::subscribed(&station.tcp(), &["jobs"]);
    station.signal(nix::sys::signal::Signal::SIGTERM);
    crate::support::eventually("it is not ready any more", || {
        (station.local().get("/ready").status == 503).then_some(())
    });
    fs::write(marker, "").unwrap();
    socket.until(|event| event["job_id"] == *id && event["to_state"] == "COMPLETED");
    assert_eq!(socket.end(), Some(1001));
    assert_eq!(station.exit_code(), 0);
    station.again();
    assert_eq!(station.job(&id)["attempts"], 1);
    station.await_job(&waiting, "COMPLETED");
}
