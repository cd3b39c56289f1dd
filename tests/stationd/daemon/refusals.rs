//! What a station refuses to start on, with which code, and what it repairs instead.

use std::{
    fs,
    net::TcpListener,
    process::{self, Child, Stdio},
};

use rusqlite::Connection;

use crate::support::{Ran, Station, eventually};

#[test]
fn a_second_station_on_the_workspace_is_refused_and_told_who_has_it() {
    let station = Station::start();
    let refused = station.builder().run().exited(75);
    assert!(refused.stderr.contains(&format!("PID {}", station.pid())), "{refused:?}");
    assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    assert_eq!(station.local().get("/ready").status, 200, "the first one is not disturbed");
}

#[test]
fn of_several_that_start_at_once_one_wins() {
    let mut station = Station::with().spawn();
    let mut others: Vec<Child> = (0..5)
        .map(|_| {
            let mut command = station.builder().command();
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut running = usize::MAX;
    eventually("all but one have ended", || {
        running = usize::from(station.has_ended().is_none());
        for child in &mut others {
            running += usize::from(child.try_wait().unwrap().is_none());
        }
        (running <= 1).then_some(())
    });
    assert_eq!(running, 1);
    let ready = eventually("the winner is ready", || {
        station.local().attempt("GET", "/health", &[], b"").ok()
    });
    let winner = ready.json()["pid"].clone();
    for mut child in others {
        if winner == child.id() {
            child.kill().unwrap();
            child.wait().unwrap();
            continue;
        }
        Ran::from(child.wait_with_output().unwrap()).exited(75);
    }
    if let Some(status) = station.has_ended() {
        assert_eq!(status.code(), Some(75));
    }
}

#[test]
fn a_port_in_use_is_refused_and_told_whose_it_is() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let builder = Station::with().port(port);
    let owner = format!("PID {}", process::id());
    eventually("its owner is told", || {
        let refused = builder.run().exited(69);
        for words in [&port.to_string(), "--port"] {
            assert!(refused.stderr.contains(words), "{words}: {refused:?}");
        }
        // A program that another test starts holds everything of ours until it is executed.
        refused.stderr.contains(&owner).then_some(())
    });
    assert!(!builder.workspace().join("stationd.db").exists());
    drop(taken);
    drop(builder.start());
}

#[test]
fn a_bad_configuration_creates_nothing() {
    let builder = Station::with().config("logging: {level: loud}\nqueue: {retention: never}\n");
    let refused = builder.run().exited(78);
    assert_eq!(refused.stderr.lines().count(), 2, "{refused:?}");
    assert!(!builder.workspace().exists());
    let builder = Station::with().set("logging.level", "loud");
    assert!(builder.run().exited(78).stderr.contains("logging.level"));
    assert!(!builder.workspace().exists());
    let builder = Station::with();
    fs::remove_file(builder.config_file()).unwrap();
    let refused = builder.run().exited(78);
    assert!(refused.stderr.contains("config.yaml"), "a named file must exist: {refused:?}");
}

#[test]
fn the_world_is_not_let_in_without_a_key() {
    for host in ["0.0.0.0", "::"] {
        let refused = Station::with().arg("--host").arg(host).run().exited(78);
        assert!(refused.stderr.contains("authenticate"), "{refused:?}");
    }
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let mut station = Station::start();
    assert_eq!(station.stop(), 0);
    let path = station.workspace().join("stationd.db");
    let database = Connection::open(&path).unwrap();
    let sql = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
        SELECT 900, 'from_the_future', applied_on, checksum FROM refinery_schema_history LIMIT 1";
    assert_eq!(database.execute(sql, []).unwrap(), 1);
    database.close().unwrap();
    let before = fs::read(&path).unwrap();
    let refused = station.builder().run().exited(65);
    assert!(refused.stderr.contains("900") && refused.stderr.contains("newer"), "{refused:?}");
    assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    assert!(fs::read(&path).unwrap() == before, "the database is as it was");
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let mut station = Station::start();
    assert_eq!(station.stop(), 0);
    let path = station.workspace().join("stationd.db");
    let whole = fs::read(&path).unwrap();
    let other = b"not a database at all, ".repeat(1000);
    let mut broken = whole.clone();
    broken[100..5000].fill(0xA5);
    for (what, bytes) in [
        ("garbage", &other[..]),
        ("cut short within a page", &whole[..whole.len() - 100]),
        ("cut short within its header", &whole[..50]),
        ("broken in the middle", &broken[..]),
    ] {
        fs::write(&path, bytes).unwrap();
        let refused = station.builder().run();
        assert_eq!(refused.code, Some(65), "{what}: {refused:?}");
        assert!(refused.stderr.contains("stationd.db"), "{what}: {refused:?}");
        assert!(fs::read(&path).unwrap() == bytes, "{what}: it was written to");
    }
}

#[test]
fn what_a_killed_station_leaves_does_not_stand_in_the_way() {
    let builder = Station::with();
    let pid_file = builder.home().join("station.pid");
    let mut station = builder.arg("--pid-file").arg(&pid_file).start();
    let first = station.pid();
    station.kill();
    let socket = station.workspace().join("stationd.sock");
    assert!(socket.exists() && pid_file.exists(), "a kill leaves both");
    station.again();
    assert_ne!(station.pid(), first);
    assert_eq!(fs::read_to_string(&pid_file).unwrap(), format!("{}\n", station.pid()));
    // A number that somebody else has by now is no reason either.
    station.kill();
    fs::write(&pid_file, format!("{}\n", process::id())).unwrap();
    station.again();
    assert_eq!(station.stop(), 0);
}

#[test]
fn a_live_pid_file_is_refused_and_left_alone() {
    let builder = Station::with();
    let pid_file = builder.home().join("station.pid");
    let station = builder.arg("--pid-file").arg(&pid_file).start();
    let refused = Station::with().arg("--pid-file").arg(&pid_file).run().exited(75);
    assert!(refused.stderr.contains(&format!("PID {}", station.pid())), "{refused:?}");
    assert_eq!(fs::read_to_string(&pid_file).unwrap(), format!("{}\n", station.pid()));
}

#[test]
fn a_socket_path_that_cannot_be_is_told_clearly() {
    let builder = Station::with();
    let deep = builder.home().join("x".repeat(120));
    let refused = builder.set("station.socket_path", deep.to_str().unwrap()).run().exited(78);
    let reason = "station.socket_path: is a path of ";
    assert!(refused.stderr.contains(reason) && refused.stderr.contains("107"), "{refused:?}");
}
