//! Daemons that stand still, fail on their own account, or quit.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use actix::Addr;

use super::{
    demo::{Demo, Do, Journal, Who, demo},
    support::{
        Seen, backoff, eventually, first, is_well, ms, policy, seen_as, spec, states, supervise,
    },
};
use crate::{
    domain::{DaemonState, Health, HealthStatus, RestartMode},
    supervision::{CheckHealth, Link, Policy, Supervisor, Unavailable},
};

async fn rig(policy: Policy) -> (Addr<Supervisor>, Link<Demo>, Seen) {
    let (child, link) = demo("demo", &Journal::default());
    let (supervisor, seen) = supervise(vec![(spec("demo", &[], policy), child)]);
    seen_as(&seen, "demo", is_well).await;
    (supervisor, link, seen)
}

fn impatient() -> Policy {
    Policy { silence_limit: ms(300), backoff: backoff(0, 0), ..policy() }
}

/// Waits until incarnation `id` or a later one answers.
async fn answers(link: &Link<Demo>, id: u32) {
    eventually(&format!("incarnation {id} answers"), async || {
        link.ask(Who).await.is_ok_and(|n| n >= id)
    })
    .await;
}

#[actix::test]
async fn a_blocked_handler_is_replaced_and_the_zombie_is_fenced() {
    let (_supervisor, link, seen) = rig(impatient()).await;
    let touched = Arc::new(AtomicU32::new(0));
    let zombie = Arc::downgrade(&touched);
    link.tell(Do::Block(ms(800))).unwrap();
    for _ in 0..5 {
        link.tell(Do::Touch(touched.clone())).unwrap();
    }
    let count = touched.clone();
    drop(touched);
    answers(&link, 2).await;
    let told = seen_as(&seen, "demo", |d| d.state == DaemonState::Backoff).await;
    assert_eq!(told.last_error.as_deref(), Some("hung: its event loop stood still"));
    // Its mailbox is gone once nobody but us holds the counter.
    eventually("the zombie is gone", async || zombie.strong_count() == 1).await;
    assert_eq!(count.load(Ordering::SeqCst), 0, "queued work ran in the retired incarnation");
    assert_eq!(link.ask(Who).await, Ok(2), "the zombie's end is not its successor's");
}

#[actix::test]
async fn an_actor_that_waits_for_ever_is_replaced() {
    let (_supervisor, link, _) = rig(impatient()).await;
    link.ask(Do::WaitForEver).await.unwrap();
    answers(&link, 2).await;
}

#[actix::test]
async fn a_question_to_a_stuck_daemon_ends_when_it_is_given_up() {
    let policy = Policy { backoff: backoff(60_000, 60_000), ..impatient() };
    let (_supervisor, link, seen) = rig(policy).await;
    assert_eq!(link.ask(Do::Block(ms(1500))).await, Err(Unavailable));
    assert_eq!(states(&seen, "demo").last(), Some(&DaemonState::Backoff));
}

#[actix::test]
async fn a_busy_but_living_daemon_is_left_alone() {
    let (supervisor, link, _) = rig(Policy { silence_limit: ms(2000), ..impatient() }).await;
    for _ in 0..20 {
        link.ask(Do::Block(ms(20))).await.unwrap();
    }
    assert_eq!(first(&supervisor).await.restarts, 0);
}

#[actix::test]
async fn whoever_does_not_say_how_it_is_is_replaced() {
    let policy = Policy { health_interval: ms(20), health_timeout: ms(300), ..impatient() };
    let (_supervisor, link, seen) = rig(Policy { silence_limit: ms(5000), ..policy }).await;
    link.ask(Do::WaitForEver).await.unwrap();
    let told = seen_as(&seen, "demo", |d| d.state == DaemonState::Backoff).await;
    let error = told.last_error.unwrap();
    assert_eq!(error, "hung: it did not answer a health request in time");
    answers(&link, 2).await;
}

#[actix::test]
async fn a_change_of_health_is_seen_and_a_check_on_request_is_up_to_date() {
    let (supervisor, link, seen) = rig(policy()).await;
    let before = first(&supervisor).await.health.checked_at.unwrap();
    link.ask(Do::Feel(Health::degraded("2 sync errors").with("errors_count", 2))).await.unwrap();
    let now = supervisor.send(CheckHealth).await.unwrap().remove(0);
    assert_eq!(now.health.status, HealthStatus::Degraded);
    assert_eq!(now.health.message, "2 sync errors");
    assert_eq!(now.health.details["errors_count"], 2);
    assert!(now.health.checked_at.unwrap() >= before);
    assert_eq!(seen.borrow().last().unwrap().health.status, HealthStatus::Degraded);
    let count = seen.borrow().len();
    supervisor.send(CheckHealth).await.unwrap();
    assert_eq!(seen.borrow().len(), count, "nothing new to see");
}

#[actix::test]
async fn health_is_asked_for_by_itself() {
    let (_supervisor, link, seen) = rig(Policy { health_interval: ms(10), ..policy() }).await;
    link.ask(Do::Feel(Health::unhealthy("no paper"))).await.unwrap();
    let told = seen_as(&seen, "demo", |d| d.health.status == HealthStatus::Unhealthy).await;
    assert_eq!(told.state, DaemonState::Running);
    link.ask(Do::Feel(Health::healthy())).await.unwrap();
    eventually("it is well again", async || is_well(seen.borrow().last().unwrap())).await;
}

#[actix::test]
async fn a_check_of_health_does_not_wait_for_ever() {
    let policy = Policy { health_timeout: ms(400), ..impatient() };
    let (supervisor, link, _) = rig(Policy { silence_limit: ms(5000), ..policy }).await;
    link.tell(Do::Block(ms(200))).unwrap(); // what follows is there when it goes on
    link.tell(Do::WaitForEver).unwrap();
    let views = supervisor.send(CheckHealth).await.unwrap();
    assert_ne!(views[0].state, DaemonState::Running);
}

#[actix::test]
async fn quitting_is_final_when_only_failures_restart() {
    let policy = Policy { restart: RestartMode::OnFailure, ..impatient() };
    let (_supervisor, link, seen) = rig(policy).await;
    link.ask(Do::Quit).await.unwrap();
    let told = seen_as(&seen, "demo", |d| d.state == DaemonState::Stopped).await;
    assert_eq!((told.last_exit.as_deref(), told.last_error), (Some("stopped"), None));
    assert_eq!(link.ask(Who).await, Err(Unavailable));
}

#[actix::test]
async fn a_reported_failure_restarts_even_when_only_failures_do() {
    let policy = Policy { restart: RestartMode::OnFailure, ..impatient() };
    let (_supervisor, link, seen) = rig(policy).await;
    link.ask(Do::Fail("cable pulled")).await.unwrap();
    let told = seen_as(&seen, "demo", |d| d.state == DaemonState::Backoff).await;
    assert_eq!(told.last_error.as_deref(), Some("failed: cable pulled"));
    assert_eq!(told.health.message, "failed: cable pulled");
    answers(&link, 2).await;
}

#[actix::test]
async fn a_full_mailbox_refuses_however_many_links_there_are() {
    let (_supervisor, link, _) = rig(policy()).await;
    link.tell(Do::Block(ms(100))).unwrap();
    let accepted = (0..200).filter(|_| link.clone().tell(Do::Quit).is_ok()).count();
    assert!(accepted <= 20, "{accepted} accepted");
}
