//! `--daemonize`: the parent speaks for the station, and the station lets go of everything.

use std::{fs, net::TcpListener, path::Path, process};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

use crate::support::{Builder, Client, Station, eventually, run};

/// A station in the background, killed in the end by the number in its PID file.
struct Background {
    builder: Builder,
    pid: Pid,
}

impl Background {
    /// Starts it by the script; everything is asked of it at once, without waiting.
    fn start(builder: Builder) -> Self {
        let pid_file = builder.home().join("station.pid");
        let builder = builder.arg("--daemonize").arg("--pid-file").arg(&pid_file);
        let parent = builder.run().exited(0);
        assert_eq!(parent.stderr, "");
        let text = fs::read_to_string(pid_file).unwrap();
        let background = Self { builder, pid: Pid::from_raw(text.trim_end().parse().unwrap()) };
        assert_eq!(background.client().get("/ready").expect(200), json!({"ready": true}));
        background
    }

    fn client(&self) -> Client {
        Client::unix(self.builder.workspace().join("stationd.sock"))
    }

    fn proc(&self, name: &str) -> std::path::PathBuf {
        Path::new("/proc").join(self.pid.to_string()).join(name)
    }

    fn cli(&self, args: &[&str]) -> crate::support::Ran {
        let workspace = self.builder.workspace();
        run(self.builder.home(), [&["--workspace", workspace.to_str().unwrap()], args].concat())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if fs::read_link(self.proc("exe")).is_ok_and(|exe| exe.ends_with("stationd")) {
            let _ = kill(self.pid, Signal::SIGKILL);
        }
    }
}

#[test]
fn the_parent_returns_when_the_station_is_ready_and_lends_it_nothing() {
    let builder = Station::with();
    let marker = builder.home().join("open-in-the-parent");
    fs::write(&marker, "").unwrap();
    let script = format!("exec 9<'{}'; exec \"$0\" \"$@\"", marker.display());
    let station = Background::start(builder.shell(&script));
    assert_eq!(station.client().get("/health").expect(200)["pid"], station.pid.as_raw());
    let open: Vec<_> = fs::read_dir(station.proc("fd"))
        .unwrap()
        .filter_map(|fd| fs::read_link(fd.unwrap().path()).ok())
        .collect();
    assert!(!open.contains(&marker), "{open:?}");
    let standard = [0, 1].map(|fd| fs::read_link(station.proc(&format!("fd/{fd}"))).unwrap());
    assert!(standard.iter().all(|file| file == Path::new("/dev/null")), "{standard:?}");
    assert_eq!(fs::read_link(station.proc("cwd")).unwrap(), Path::new("/"));
    let log = station.builder.workspace().join("logs/stationd.log");
    assert!(fs::read_to_string(log).unwrap().contains("is ready: http://"));

    let done = station.cli(&["shutdown"]).exited(0);
    assert_eq!(done.stdout, "Station stopped\n");
    assert_eq!(kill(station.pid, None), Err(Errno::ESRCH), "gone when the command returns");
    assert!(!station.builder.home().join("station.pid").exists());
    station.cli(&["status"]).exited(3);
}

#[test]
fn the_parent_gives_code_and_reason_of_a_station_that_does_not_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let builder = Station::with().port(port).arg("--daemonize");
    let refused = builder.run().exited(69);
    assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    for words in [port.to_string(), format!("PID {}", process::id())] {
        assert!(refused.stderr.contains(&words), "{refused:?}");
    }
    let refused = Station::with().config("websocket: {prot: 1}").arg("-d").run().exited(78);
    assert!(refused.stderr.contains("websocket.prot"), "{refused:?}");
    let station = Station::start();
    let refused = station.builder().arg("--daemonize").run().exited(75);
    assert!(refused.stderr.contains(&format!("PID {}", station.pid())), "{refused:?}");
}

#[test]
fn a_restart_in_the_background_keeps_the_process_and_the_queue() {
    let station = Background::start(Station::with());
    let job = json!({"command": ["true"], "hold": true});
    let job = station.client().post("/api/v1/jobs", &job).expect(201);
    let before = station.client().get("/api/v1/status").expect(200);
    assert_eq!(station.cli(&["restart"]).exited(0).stdout, "Station restarted\n");
    let after = station.client().get("/api/v1/status").expect(200);
    assert_eq!(after["pid"], before["pid"]);
    assert_eq!(after["queue_length"], 1);
    let id = job["id"].as_str().unwrap();
    assert_eq!(station.client().get(&format!("/api/v1/jobs/{id}")).expect(200)["state"], "HELD");
    let log = station.builder.workspace().join("logs/stationd.log");
    eventually("the log goes on in its file", || {
        (fs::read_to_string(&log).unwrap().matches("is ready: ").count() == 2).then_some(())
    });
    assert_eq!(fs::read_link(station.proc("fd/1")).unwrap(), Path::new("/dev/null"));
    station.cli(&["shutdown", "--force"]).exited(0);
}
