//! Programs that run, but not well.

use std::{fs, net::TcpListener, time::Duration};

use super::support::*;
use crate::domain::{HealthCheck, HealthStatus, Probe, Program};

fn check(probe: Probe, failures: u32) -> HealthCheck {
    HealthCheck { probe, interval: ms(20), timeout: Duration::from_secs(10), failures }
}

#[actix::test]
async fn a_program_that_fails_its_check_is_restarted() {
    let place = Place::new();
    fs::write(place.file("well"), "").unwrap();
    let probe = Probe::Command(["test", "-e", "well"].map(str::to_owned).to_vec());
    let program = Program { health: Some(check(probe, 3)), ..shell("sleep 1000") };
    let station = place.run_one(program, again());
    let first = station.when("well", |it| it.health.status == HealthStatus::Healthy).await;
    fs::remove_file(place.file("well")).unwrap();
    let second = station.when("replaced", |it| it.pid.is_some() && it.pid != first.pid).await;
    let expected = "failed: failed its health check 3 times: the check exited with 1";
    assert_eq!(second.last_error.as_deref(), Some(expected));
    let was_degraded = station.seen.borrow().iter().any(|it| {
        it.health.status == HealthStatus::Degraded && it.health.message == "the check exited with 1"
    });
    assert!(was_degraded);
    station.shut_down(Duration::from_secs(10)).await;
}

#[actix::test]
async fn failures_count_only_in_a_row() {
    let place = Place::new();
    let once_in_three = "printf . >> asked; [ $(($(wc -c < asked) % 3)) = 1 ]";
    let probe = Probe::Command(["sh", "-c", once_in_three].map(str::to_owned).to_vec());
    let asked_often = "touch asked; while [ $(wc -c < asked) -lt 12 ]; do sleep 0.01; done";
    let program = Program { health: Some(check(probe, 3)), ..shell(asked_often) };
    let station = place.run_one(program, policy());
    let ended = station.ended().await;
    assert_eq!(ended.last_exit.as_deref(), Some("exited with 0"), "{ended:?}");
    station.stop().await;
}

#[actix::test]
async fn what_is_wrong_is_said() {
    let place = Place::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    for (probe, why) in [
        (Probe::Tcp(address.clone()), "connection refused".to_owned()),
        (Probe::Http(format!("http://{address}/")), "connection refused".to_owned()),
        (
            Probe::Command(vec!["no-such".into()]),
            "failed to start \"no-such\": no such program".into(),
        ),
        (
            Probe::File { path: "/no/beat".into(), max_age: ms(1000) },
            "/no/beat: no such file or directory".into(),
        ),
    ] {
        let health = Some(check(probe, u32::MAX));
        let station = place.run_one(Program { health, ..shell("sleep 1000") }, policy());
        let it = station.when("degraded", |it| it.health.status == HealthStatus::Degraded).await;
        assert_eq!(it.health.message, why);
        station.stop().await;
    }
}

#[actix::test]
async fn a_check_that_does_not_end_is_killed_with_its_tree() {
    let place = Place::new();
    let script = "echo $$ > check.new; mv check.new check; sleep 1000 & wait";
    let probe = Probe::Command(["sh", "-c", script].map(str::to_owned).to_vec());
    let health = HealthCheck { timeout: ms(500), ..check(probe, 1) };
    let station = place.run_one(Program { health: Some(health), ..shell("sleep 1000") }, policy());
    let check = number_in(place.file("check")).await;
    let it = station.ended().await;
    let expected = "failed: failed its health check once: no answer within 0.5 s";
    assert_eq!(it.last_error.as_deref(), Some(expected));
    eventually("the check is gone", || is_gone(check)).await;
}
