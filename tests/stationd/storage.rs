//! A full disk, a locked database: the station says so, waits, and goes on.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use rusqlite::Connection;
use serde_json::json;

use crate::support::{Builder, Station, eventually};

/// A small file system as the workspace of a station.
struct Disk(Builder);

impl Disk {
    /// Nothing, with the reason printed, where mounting is not allowed.
    fn mount(size: &str) -> Option<Self> {
        let builder = Station::with();
        let at = builder.workspace();
        fs::create_dir(&at).unwrap();
        let options = format!("size={size},mode=0750");
        match mount(Some("tmpfs"), &at, Some("tmpfs"), MsFlags::empty(), Some(options.as_str())) {
            Ok(()) => Some(Self(builder)),
            Err(error) => {
                eprintln!("skipped: a file system cannot be mounted here: {error}");
                None
            }
        }
    }

    /// How to start a station on it.
    fn station(&self) -> Builder {
        self.0.clone()
    }

    /// Writes until nothing fits any more; removing the file gives the room back.
    fn fill(&self) -> PathBuf {
        let ballast = self.0.workspace().join("ballast");
        let filled = Command::new("dd")
            .args(["if=/dev/zero", "bs=4096"])
            .arg(format!("of={}", ballast.display()))
            .output()
            .unwrap();
        assert!(!filled.status.success(), "the disk does not end");
        ballast
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = umount2(&self.0.workspace(), MntFlags::MNT_DETACH);
    }
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let Some(disk) = Disk::mount("3m") else { return };
    let mut station = disk.station().start();
    let job = json!({"command": ["true"], "hold": true, "labels": {"a": "b".repeat(250)}});
    let kept = station.submit(&job);
    let ballast = disk.fill();
    let client = station.local();
    // What the log of the database has room for still goes.
    let mut more = Vec::new();
    let refused = eventually("the disk is full", || {
        let answer = client.post("/api/v1/jobs", &job);
        if answer.status == 201 {
            more.push(answer.json()["id"].as_str().unwrap().to_owned());
            return None;
        }
        Some(answer)
    });
    let reason = refused.refused(507);
    assert!(reason.contains("full"), "{reason}");
    assert_eq!(client.get("/ready").status, 200);
    let health = client.get("/health");
    assert_eq!(health.status, 200, "alive: {}", health.text());
    assert_eq!(health.json()["status"], "degraded", "{}", health.text());
    assert_eq!(station.job(&kept)["state"], "HELD", "reading goes on");
    for _ in 0..20 {
        client.post("/api/v1/jobs", &job).refused(507);
    }
    assert!(station.has_ended().is_none());

    fs::remove_file(ballast).unwrap();
    let id = eventually("jobs are taken again", || {
        let answer = client.post("/api/v1/jobs", &json!({"command": ["true"]}));
        (answer.status == 201).then(|| answer.json()["id"].as_str().unwrap().to_owned())
    });
    station.await_job(&id, "COMPLETED");
    eventually("it is healthy again", || {
        (client.get("/health").json()["checks"]["database"] == "ok").then_some(())
    });
    for id in more {
        assert_eq!(station.job(&id)["state"], "HELD", "what was acknowledged is there");
    }
    assert_eq!(station.stop(), 0);
    station.again();
    assert_eq!(station.job(&kept)["state"], "HELD");
}

#[test]
fn a_disk_that_fills_up_while_a_program_runs_does_not_lose_its_end() {
    let Some(disk) = Disk::mount("3m") else { return };
    let station = disk.station().start();
    let go = station.home().join("go");
    let script = "while [ ! -e \"$0\" ]; do sleep 0.01; done";
    let id = station.submit(&json!({"command": ["sh", "-c", script, go]}));
    station.await_job(&id, "RUNNING");
    let ballast = fill_up(&disk, &station);
    fs::write(go, "").unwrap();
    fs::remove_file(ballast).unwrap();
    assert_eq!(station.await_job(&id, "COMPLETED")["attempts"], 1);
}

#[test]
fn output_that_does_not_fit_is_lost_and_that_is_said() {
    let Some(disk) = Disk::mount("4m") else { return };
    let station = disk.station().start();
    let [go, written] = ["go", "written"].map(|name| station.home().join(name));
    let script = "echo before; while [ ! -e \"$0\" ]; do sleep 0.01; done
        head -c 600000 /dev/zero | tr '\\0' x; echo > \"$1\"
        while [ ! -e \"$0.2\" ]; do sleep 0.01; done; echo after";
    let id = station.submit(&json!({"command": ["sh", "-c", script, go, written]}));
    let log = format!("/api/v1/jobs/{id}/log");
    let client = station.local();
    eventually("it writes", || (client.get(&log).text() == "before\n").then_some(()));
    let ballast = disk.fill();
    fs::write(&go, "").unwrap();
    eventually("it is not held up", || written.exists().then_some(()));
    assert_eq!(station.job(&id)["state"], "RUNNING");
    fs::remove_file(ballast).unwrap();
    fs::write(station.home().join("go.2"), "").unwrap();
    station.await_job(&id, "COMPLETED");
    let text = client.get(&log).text();
    // The last of it may have been read when there was room again. What is there and what is said to
    // be lost is all that was written; of a piece that was half written, both are said.
    let all = text.strip_prefix("before\n").and_then(|text| text.strip_suffix("after\n")).unwrap();
    let kept = all.matches('x').count();
    let said = all.lines().filter_map(|line| line.strip_prefix("[stationd] "));
    let lost: usize = said
        .map(|line| {
            line.strip_suffix(" bytes could not be kept").unwrap().parse::<usize>().unwrap()
        })
        .sum();
    assert!(lost > 0 && kept + lost >= 600_000, "{kept} and {lost}");
    assert!(
        all.lines().all(|line| line.starts_with("[stationd] ") || line.chars().all(|it| it == 'x'))
    );
    assert!(station.log().contains("cannot be kept"));
}

#[test]
fn a_start_on_a_full_disk_says_so() {
    let Some(disk) = Disk::mount("1m") else { return };
    let ballast = disk.fill();
    let refused = disk.station().run();
    assert!(matches!(refused.code, Some(65 | 74)), "{refused:?}");
    assert!(refused.stderr.contains("space") || refused.stderr.contains("full"), "{refused:?}");
    fs::remove_file(ballast).unwrap();
    drop(disk.station().start());
}

#[test]
fn a_database_that_another_process_has_locked_is_waited_for_and_then_told() {
    let mut station = Station::start();
    let kept = station.submit(&json!({"command": ["true"], "hold": true}));
    let other = Connection::open(station.workspace().join("stationd.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let client = station.local();
    let begun = Instant::now();
    let answer = client.post("/api/v1/jobs", &json!({"command": ["true"]}));
    assert!(answer.header("retry-after").is_some(), "{}", answer.text());
    let reason = answer.refused(503);
    assert!(reason.contains("locked") || reason.contains("busy"), "{reason}");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(station.job(&kept)["state"], "HELD", "reading goes on");
    assert!(station.has_ended().is_none());
    // A short lock is not noticed at all.
    other.execute_batch("ROLLBACK; BEGIN IMMEDIATE").unwrap();
    let id = thread::scope(|scope| {
        let submitted = scope.spawn(|| client.post("/api/v1/jobs", &json!({"command": ["true"]})));
        thread::sleep(Duration::from_millis(300)); // as long as the lock lasts
        other.execute_batch("ROLLBACK").unwrap();
        submitted.join().unwrap().expect(201)["id"].as_str().unwrap().to_owned()
    });
    station.await_job(&id, "COMPLETED");
}

#[test]
fn no_more_is_lost_than_was_promised_when_the_disk_is_full_and_the_station_killed() {
    let Some(disk) = Disk::mount("3m") else { return };
    let mut station = disk.station().start();
    let ballast = disk.fill();
    let job = json!({"command": ["true"], "hold": true});
    let mut acknowledged = Vec::new();
    eventually("the disk is full", || {
        let answer = station.local().post("/api/v1/jobs", &job);
        if answer.status == 201 {
            acknowledged.push(answer.json()["id"].as_str().unwrap().to_owned());
        }
        (answer.status == 507).then_some(())
    });
    station.kill();
    fs::remove_file(ballast).unwrap();
    station.again();
    for id in acknowledged {
        assert_eq!(station.job(&id)["state"], "HELD");
    }
}

#[test]
fn a_program_is_cancelled_on_a_full_disk_and_that_is_told() {
    let Some(disk) = Disk::mount("3m") else { return };
    let station = disk.station().start();
    let id = station.submit(&json!({"command": ["sleep", "1000"]}));
    station.await_job(&id, "RUNNING");
    let ballast = fill_up(&disk, &station);
    let cancel = || station.local().post(&format!("/api/v1/jobs/{id}/cancel"), &json!({}));
    for _ in 0..2 {
        let reason = cancel().refused(507);
        assert!(reason.contains("its program has ended") && reason.contains("full"), "{reason}");
    }
    fs::remove_file(ballast).unwrap();
    station.await_job(&id, "CANCELLED");
    assert_eq!(cancel().expect(200)["state"], "CANCELLED");
}

#[test]
fn a_start_that_cannot_note_what_was_running_fails_at_once() {
    let Some(disk) = Disk::mount("3m") else { return };
    let mut station = disk.station().start();
    let id = station.submit(&json!({"command": ["sleep", "1000"]}));
    station.await_job(&id, "RUNNING");
    let ballast = fill_up(&disk, &station);
    station.kill();
    let refused = disk.station().run();
    assert_eq!(refused.code, Some(74), "{refused:?}");
    assert!(refused.stderr.contains("full"), "{refused:?}");
    fs::remove_file(ballast).unwrap();
    station.again();
    station.await_job(&id, "RUNNING");
}

/// Until not even the log of the database has room.
fn fill_up(disk: &Disk, station: &Station) -> PathBuf {
    let ballast = disk.fill();
    let hold = json!({"command": ["true"], "hold": true});
    eventually("the disk is full", || {
        (station.local().post("/api/v1/jobs", &hold).status == 507).then_some(())
    });
    ballast
}
