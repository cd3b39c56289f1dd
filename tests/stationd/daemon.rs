//! The life of the process: start, stop, signals, and what it leaves behind.

use std::fs;

use crate::support::Station;

#[test]
fn a_station_starts_and_stops_and_leaves_nothing_in_the_way() {
    let pid_file = tempfile::tempdir().unwrap();
    let pid_file = pid_file.path().join("new/station.pid");
    let mut station = Station::with().arg("--pid-file").arg(&pid_file).start();
    assert_eq!(fs::read_to_string(&pid_file).unwrap(), format!("{}\n", station.pid()));
    let socket = station.workspace().join("stationd.sock");
    assert!(socket.exists());
    assert!(station.workspace().join("stationd.heartbeat").exists(), "before it is ready");
    assert_eq!(station.tcp().get("/health").expect(200)["pid"], station.pid());
    assert_eq!(station.stop(), 0);
    assert!(!socket.exists() && !pid_file.exists());
}
