//! Programs that outlive their station, and those that should not have.

use std::{fs, os::unix::process::CommandExt as _, process::Command, thread};

use actix::System;

use super::support::*;
use crate::{
    daemons::process::{
        census::Member,
        record::{Files, Record},
    },
    domain::{DaemonState, Program},
};

/// A whole life of a station that ends without stopping its program; its PID.
fn earlier_life(place: &Place, program: Program) -> i32 {
    let (place, policy): (&Place, _) = (place, policy());
    thread::scope(|scope| {
        let life = scope.spawn(move || {
            let system = System::new();
            let pid = system.block_on(async {
                let station = place.run_one(program, policy);
                let pid = station.running().await.pid.unwrap();
                System::current().stop();
                pid
            });
            system.run().unwrap();
            i32::try_from(pid).unwrap()
        });
        life.join().unwrap()
    })
}

fn detached() -> Program {
    Program { detach: true, ..shell("echo out; while :; do sleep 0.05; done") }
}

#[actix::test]
async fn one_that_is_not_detached_ends_with_its_station() {
    let place = Place::new();
    let pid = earlier_life(&place, Program { detach: false, ..detached() });
    eventually("it is gone", || is_gone(pid)).await;
    eventually("its files are gone", || fs::read_dir(place.file("run")).unwrap().count() == 0)
        .await;
}

#[actix::test]
async fn a_detached_one_is_found_again_and_can_be_stopped() {
    let place = Place::new();
    let pid = earlier_life(&place, detached());
    assert!(lives(pid));
    let keep = ["it".to_owned()];
    assert_eq!(place.host().sweep(&keep).unwrap(), 0);
    let station = place.run_one(detached(), policy());
    let it = station.running().await;
    assert_eq!(it.pid, u32::try_from(pid).ok());
    assert_eq!(it.health.message, "ok, found running when the station started");
    eventually("it writes its log", || place.read("logs/it.log").starts_with("out\n")).await;
    station.stop().await;
    eventually("it is gone", || is_gone(pid)).await;
    assert_eq!(fs::read_dir(place.file("run")).unwrap().count(), 0);
}

#[actix::test]
async fn an_adopted_one_that_ends_is_a_failure() {
    let place = Place::new();
    let pid = earlier_life(&place, detached());
    let station = place.run_one(detached(), policy());
    assert_eq!(station.running().await.pid, u32::try_from(pid).ok());
    kill(pid);
    let it = station.ended().await;
    assert_eq!(it.state, DaemonState::Failed);
    assert!(it.last_error.is_some());
}

#[actix::test]
async fn a_detached_one_that_nobody_wants_is_swept_away() {
    let place = Place::new();
    let pid = earlier_life(&place, detached());
    assert!(place.host().sweep(&[]).unwrap() >= 1);
    eventually("it is gone", || !lives(pid)).await;
}

#[actix::test]
async fn a_predecessor_is_killed_with_its_tree() {
    let place = Place::new();
    let mut left = Command::new("sh");
    left.args(["-c", "sleep 1000 & echo $! > child; wait"]).current_dir(place.path());
    let mut left = left.process_group(0).spawn().unwrap();
    let child = number_in(place.file("child")).await;
    let process = Member::find(i32::try_from(left.id()).unwrap()).unwrap();
    let host = place.host();
    let record = Record {
        pid: process.pid,
        start_time: process.started,
        boot_id: host.boot_id().to_owned(),
        run: "earlier".to_owned(),
        name: "it".to_owned(),
        program: String::new(),
    };
    Files::of(&place.file("run"), "it").write(&record).unwrap();
    let station = place.run_one(program(&["sleep", "1000"]), policy());
    let it = station.running().await;
    assert_ne!(it.pid, Some(left.id()));
    assert!(!lives(process.pid) && !lives(child));
    let _ = left.wait(); // the station has reaped it, being its parent too
    station.stop().await;
}
