//! Misbehaviour on request, whatever the daemon.

use actix::Addr;

use super::{
    demo::{Demo, Journal, Who, demo},
    support::{Seen, backoff, eventually, ms, policy, seen_as, spec, supervise},
};
use crate::{
    domain::DaemonState,
    supervision::{At, Fault, Inject, Link, Policy, Ready, Restart, Stop, Supervisor},
};

async fn rig() -> (Addr<Supervisor>, Link<Demo>, Seen) {
    let policy = Policy { backoff: backoff(0, 0), silence_limit: ms(300), ..policy() };
    let (child, link) = demo("demo", &Journal::default());
    let (supervisor, seen) = supervise(vec![(spec("demo", &[], policy), child)]);
    supervisor.send(Ready).await.unwrap().unwrap();
    (supervisor, link, seen)
}

fn inject(fault: Fault) -> Inject {
    Inject { name: "DEMO".into(), fault }
}

#[actix::test]
async fn every_fault_strikes_once_and_is_survived() {
    for (fault, error) in [
        (Fault::Panic(At::Handler), "panicked: injected in a handler"),
        (Fault::Panic(At::Stopping), "panicked: injected in stopping"),
        (Fault::PanicTwice, "panicked: injected in a handler"),
        (Fault::Error, "failed: injected error"),
        (Fault::Hang, "hung: its event loop stood still"),
    ] {
        let (supervisor, link, seen) = rig().await;
        supervisor.send(inject(fault)).await.unwrap().unwrap();
        let told = seen_as(&seen, "demo", |d| d.state == DaemonState::Backoff).await;
        assert_eq!(told.last_error.as_deref(), Some(error));
        eventually("the replacement answers", async || link.ask(Who).await == Ok(2)).await;
    }
}

#[actix::test]
async fn a_panic_at_the_start_strikes_the_next_start() {
    let (supervisor, link, seen) = rig().await;
    supervisor.send(inject(Fault::Panic(At::Started))).await.unwrap().unwrap();
    assert_eq!(link.ask(Who).await, Ok(1));
    let error =
        supervisor.send(Restart { name: "demo".into(), force: false }).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "demo did not start: panicked: injected in started");
    seen_as(&seen, "demo", |d| d.restarts == 2 && d.state == DaemonState::Running).await;
}

#[actix::test]
async fn what_does_not_run_cannot_misbehave() {
    let (supervisor, _, _) = rig().await;
    supervisor.send(Stop { name: "demo".into(), force: false }).await.unwrap().unwrap();
    let refused = supervisor.send(inject(Fault::Hang)).await.unwrap().unwrap_err();
    assert_eq!(refused.to_string(), "demo is not running");
}
