//! Whatever a program does, nothing is left of it.

use std::{thread, time::Duration};

use super::support::*;
use crate::{
    daemons::process::{
        Options,
        launch::{Launch, Launched, Sink},
    },
    domain::{Program, Readiness},
};

/// Says `up` when all is set.
fn stubborn() -> Program {
    Program {
        ready: Readiness::Log("^up$".to_owned()),
        stop_timeout: ms(100),
        ..shell("trap '' TERM; echo up; while :; do sleep 1000; done")
    }
}

/// Writes the number of a process into `escaped` that no group, session or parent leads to.
const ESCAPE: &str = "(setsid sh -c 'echo $$ > escaped.new; mv escaped.new escaped; exec sleep 1000' &); \
                      while [ ! -e escaped ]; do sleep 0.01; done";

fn launch(place: &Place, command: &[&str]) -> Launch {
    let program = program(command);
    let command = program.command.clone();
    let options = Options { name: "it".to_owned(), program, host: place.host() };
    let (run, sink) = ("r1".to_owned(), Sink::Nowhere);
    Launch { options, command, run, input: None, sink, notify: None, is_main: true }
}

#[actix::test]
async fn one_that_ignores_the_signal_is_killed() {
    let place = Place::new();
    let station = place.run_one(stubborn(), policy());
    let pid = i32::try_from(station.running().await.pid.unwrap()).unwrap();
    let stopped = station.stop().await;
    let expected = "was killed: it did not stop within 0.1 s";
    assert_eq!(stopped.last_exit.as_deref(), Some(expected));
    assert!(is_gone(pid));
}

#[actix::test]
async fn a_second_earlier_deadline_hastens() {
    let place = Place::new();
    let patient = Program { stop_timeout: Duration::from_secs(20), ..stubborn() };
    let station = place.run_one(patient, policy());
    let pid = i32::try_from(station.running().await.pid.unwrap()).unwrap();
    let stopping =
        station.supervisor.send(crate::supervision::Shutdown { grace: Duration::from_secs(20) });
    let hurried = station.shut_down(ms(200));
    let (first, ()) = futures_util::future::join(stopping, hurried).await;
    first.unwrap();
    eventually("it is gone", || is_gone(pid)).await;
}

#[actix::test]
async fn the_signal_is_the_one_that_was_configured() {
    let place = Place::new();
    let script = "trap 'echo bye; exit 0' INT; echo up; while :; do sleep 0.01; done";
    let program = Program {
        stop_signal: "INT".to_owned(),
        ready: Readiness::Log("up".to_owned()),
        ..shell(script)
    };
    let station = place.run_one(program, policy());
    station.running().await;
    let stopped = station.stop().await;
    assert_eq!(stopped.last_exit.as_deref(), Some("exited with 0"));
    assert_eq!(place.read("logs/it.log"), "up\nbye\n");
}

#[actix::test]
async fn one_that_has_forked_twice_and_left_the_session_is_found() {
    let place = Place::new();
    let script = format!("{ESCAPE}; echo up; exec sleep 1000");
    let program = Program { ready: Readiness::Log("up".to_owned()), ..shell(&script) };
    let station = place.run_one(program, policy());
    station.running().await;
    let escaped = number_in(place.file("escaped")).await;
    assert!(lives(escaped));
    station.stop().await;
    assert!(!lives(escaped));
}

#[actix::test]
async fn what_a_program_leaves_behind_is_ended_before_it_is_started_again() {
    let place = Place::new();
    let station = place.run_one(shell(&format!("{ESCAPE}; exit 1")), policy());
    let it = station.ended().await;
    assert_eq!(it.last_error.as_deref(), Some("failed: exited with 1"));
    assert!(!lives(number_in(place.file("escaped")).await));
}

#[actix::test]
async fn dropping_it_kills_the_whole_tree_and_leaves_no_zombie() {
    let place = Place::new();
    let script = format!("trap '' TERM; sleep 1000 & {ESCAPE}; sleep 1000");
    let launch = launch(&place, &["sh", "-c", &script]);
    let launched = launch.options.host.spawner().spawn(launch.clone()).await.unwrap();
    let pid = launched.tree.pid();
    let escaped = number_in(place.file("escaped")).await;
    assert!(lives(pid) && lives(escaped));
    drop(launched);
    eventually("all is gone", || is_gone(pid) && !lives(escaped)).await;
}

#[actix::test]
async fn a_program_ends_with_the_thread_that_started_it() {
    let place = Place::new();
    let launch = launch(&place, &["sleep", "1000"]);
    let launched = thread::spawn(move || launch.carry_out()).join().unwrap();
    let Launched { tree, .. } = launched.unwrap();
    tree.watch().unwrap().ended().await;
    assert_eq!(tree.end().to_string(), "was killed by SIGKILL");
    tree.finish();
}

#[actix::test]
async fn what_an_earlier_life_has_left_is_swept_away() {
    let place = Place::new();
    let launch = launch(&place, &["sleep", "1000"]);
    let launched = launch.options.host.spawner().spawn(launch.clone()).await.unwrap();
    let elsewhere = Place::new().host();
    assert_eq!(elsewhere.sweep(&[]).unwrap(), 0);
    assert_eq!(launch.options.host.sweep(&["it".to_owned()]).unwrap(), 1); // not recorded
    launched.tree.watch().unwrap().ended().await;
    launched.tree.finish();
}
