//! Programs start, end and are stopped.

use super::support::*;
use crate::domain::{DaemonState, HealthStatus};

#[actix::test]
async fn a_program_starts_stops_and_starts_again() {
    let place = Place::new();
    let station = place.run_one(program(&["sleep", "1000"]), policy());
    let first = station.running().await;
    let pid = i32::try_from(first.pid.unwrap()).unwrap();
    assert_eq!((first.health.status, first.health.message.as_str()), (HealthStatus::Healthy, "ok"));
    assert_eq!(place.read("run/it.pid"), format!("{pid}\n"));
    let stopped = station.stop().await;
    assert_eq!(stopped.state, DaemonState::Stopped);
    assert_eq!(stopped.last_exit.as_deref(), Some("was killed by SIGTERM"));
    assert!(is_gone(pid) && !place.file("run/it.pid").exists());
    assert!(!place.file("run/it.json").exists());
    let second = station.start().await.unwrap();
    assert_ne!(second.pid, first.pid);
    let third = station.restart().await.unwrap();
    assert_ne!(third.pid, second.pid);
    station.shut_down(ms(10_000)).await;
    assert!(is_gone(i32::try_from(third.pid.unwrap()).unwrap()));
}

#[actix::test]
async fn how_a_program_ended_is_told_with_its_last_lines() {
    let place = Place::new();
    let script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; echo oh >&2; exit 3";
    let station = place.run_one(shell(script), policy());
    let it = station.ended().await;
    assert_eq!(it.state, DaemonState::Failed);
    assert_eq!(it.last_error.as_deref(), Some("failed: exited with 3"));
    assert_eq!(it.last_lines.len(), 10);
    assert_eq!(it.last_lines[8..], ["line 12", "oh"]);
    assert!(place.read("logs/it.log").starts_with("line 1\nline 2\n"));
}

#[actix::test]
async fn a_program_that_was_killed_is_replaced() {
    let place = Place::new();
    let station = place.run_one(program(&["sleep", "1000"]), again());
    let first = station.running().await;
    let pid = i32::try_from(first.pid.unwrap()).unwrap();
    kill(pid);
    let second = station.when("replaced", |it| it.pid.is_some() && it.pid != first.pid).await;
    assert_eq!(second.last_error.as_deref(), Some("failed: was killed by SIGKILL"));
    assert!(is_gone(pid));
    station.shut_down(ms(10_000)).await;
}
