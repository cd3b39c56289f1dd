//! Programs that speak of themselves. The one that speaks is this very file, run as a program.

use std::{
    env,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    },
    time::Duration,
};

use super::support::*;
use crate::domain::{DaemonState, HealthStatus, Program, Readiness};

/// Sends what is in `SPEAK`, if this is the program that is to.
#[test]
fn speaker() {
    let (Ok(words), Ok(name)) = (env::var("SPEAK"), env::var("NOTIFY_SOCKET")) else { return };
    let address = SocketAddr::from_abstract_name(name.trim_start_matches('@')).unwrap();
    UnixDatagram::unbound().unwrap().send_to_addr(words.as_bytes(), &address).unwrap();
}

/// A shell in which `speak WORDS` says them.
fn speaking(script: &str) -> Program {
    let function = "speak() { SPEAK=$(printf \"$1\") \"$BINARY\" --exact \
                    daemons::process::tests::notify::speaker > /dev/null; }";
    let mut program = shell(&format!("{function}; {script}"));
    let binary = env::current_exe().unwrap().display().to_string();
    program.environment.insert("BINARY".to_owned(), binary);
    program
}

#[actix::test]
async fn ready_and_a_status_are_heard() {
    let place = Place::new();
    let script = "speak 'STATUS=loading\\n'; while [ ! -e go ]; do sleep 0.01; done; \
                  speak 'READY=1\\nSTATUS=3 clients'; while [ -e go ]; do sleep 0.01; done; \
                  speak 'STATUS=4 clients'; sleep 1000";
    let program = Program { ready: Readiness::Notify, ..speaking(script) };
    let station = place.run_one(program, policy());
    station.when("started", |it| it.state == DaemonState::Starting).await;
    std::fs::write(place.file("go"), "").unwrap();
    let it = station.running().await;
    assert_eq!(
        (it.health.status, it.health.message.as_str()),
        (HealthStatus::Healthy, "3 clients")
    );
    std::fs::remove_file(place.file("go")).unwrap();
    station.when("seen with its status", |it| it.health.message == "4 clients").await;
    station.stop().await;
}

#[actix::test]
async fn a_program_that_falls_silent_is_ended() {
    let place = Place::new();
    let script = "[ $WATCHDOG_PID = $$ ] && [ $WATCHDOG_USEC = 3000000 ] && speak WATCHDOG=1; \
                  echo spoken; sleep 1000";
    let program = Program { watchdog: Some(Duration::from_secs(3)), ..speaking(script) };
    let station = place.run_one(program, policy());
    let it = station.ended().await;
    assert_eq!(it.last_error.as_deref(), Some("failed: did not say WATCHDOG=1 for 3 s"));
    assert_eq!(place.read("logs/it.log"), "spoken\n");
}

#[actix::test]
async fn one_that_ends_without_a_word_was_not_ready() {
    let place = Place::new();
    let program = Program { ready: Readiness::Notify, ..speaking("speak ERRNO=13; exit 4") };
    let it = place.run_one(program, policy()).ended().await;
    let expected = "failed: exited with 4 before it was ready: permission denied";
    assert_eq!(it.last_error.as_deref(), Some(expected));
}
