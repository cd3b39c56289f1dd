//! Dependencies that are more or less than "it must run".

use actix::Addr;

use super::{
    demo::{Demo, Do, Journal, demo},
    support::{Seen, backoff, is_well, policy, seen_as, spec, states, supervise},
};
use crate::{
    domain::{Condition, DaemonState, Dependency, Health, OnDependencyRestart, RestartMode},
    supervision::{Child, Link, Policy, Show, Spec, Start, Stop, Supervisor},
};

fn tame() -> Policy {
    Policy { restart: RestartMode::OnFailure, ..policy() }
}

fn needing(name: &str, on: &str, condition: Condition, required: bool) -> Spec {
    let mut spec = spec(name, &[], tame());
    spec.depends_on = vec![Dependency { name: on.into(), condition, required }];
    spec
}

/// `second`, which needs `first` so.
fn pair(condition: Condition, required: bool) -> (Addr<Supervisor>, Seen, Link<Demo>) {
    let journal = Journal::default();
    let (first, link) = demo("first", &journal);
    let second: (Spec, Child) =
        (needing("second", "first", condition, required), demo("second", &journal).0);
    let (supervisor, seen) = supervise(vec![second, (spec("first", &[], tame()), first)]);
    (supervisor, seen, link)
}

#[actix::test]
async fn what_needs_a_completed_one_waits_for_its_end() {
    let (supervisor, seen, first) = pair(Condition::Completed, true);
    let waiting = seen_as(&seen, "second", |view| view.state == DaemonState::Starting).await;
    assert_eq!(waiting.health.message, "waiting for first to be completed");
    assert_eq!(waiting.dependencies.len(), 1);
    assert!(!waiting.dependencies[0].met);
    first.up().await;
    first.tell(Do::Quit).unwrap();
    seen_as(&seen, "second", is_well).await;
    let first = supervisor.send(Show { name: "first".into() }).await.unwrap().unwrap();
    assert!(first.completed);
    assert_eq!(first.why.causes[0].text, "it has done its work");
    let again = supervisor.send(Start { name: "second".into() }).await.unwrap().unwrap();
    assert_eq!(again.did, "was running already");
    let first = supervisor.send(Show { name: "first".into() }).await.unwrap().unwrap();
    assert_eq!(first.state, DaemonState::Stopped, "what has done its work is not run once more");
}

#[actix::test]
async fn what_needs_a_healthy_one_waits_until_it_is() {
    let journal = Journal::default();
    let (first, link) = super::support::counted({
        let journal = journal.clone();
        move |id, vitals| {
            let (journal, health) = (journal.clone(), Health::degraded("warming up"));
            let stop = super::demo::Stopping::AtOnce;
            Ok(Demo { id, vitals, name: "first", journal, health, warm_up: None, stop })
        }
    });
    let second = (needing("second", "first", Condition::Healthy, true), demo("second", &journal).0);
    let (supervisor, seen) = supervise(vec![(spec("first", &[], tame()), first), second]);
    seen_as(&seen, "first", |view| view.state == DaemonState::Running).await;
    let refused = supervisor.send(Start { name: "second".into() }).await.unwrap().unwrap_err();
    assert!(refused.to_string().starts_with("first did not start"), "{refused}");
    link.tell(Do::Feel(Health::healthy())).unwrap();
    let checked = crate::supervision::CheckOne { name: "first".into() };
    assert!(is_well(&supervisor.send(checked).await.unwrap().unwrap()));
    seen_as(&seen, "second", is_well).await;
}

#[actix::test]
async fn what_is_not_required_comes_first_but_holds_nobody_up() {
    let (_, seen, _) = pair(Condition::Started, false);
    seen_as(&seen, "second", is_well).await;
    let order: Vec<_> =
        seen.borrow().iter().filter(|view| is_well(view)).map(|v| v.name.clone()).collect();
    assert_eq!(order, ["first", "second"]);

    let journal = Journal::default();
    let broken = super::support::counted(|_, _| Err::<Demo, _>("no paper".to_owned())).0;
    let never = Policy { restart: RestartMode::Never, ..policy() };
    let second =
        (needing("second", "first", Condition::Healthy, false), demo("second", &journal).0);
    let (_, seen) = supervise(vec![second, (spec("first", &[], never), broken)]);
    seen_as(&seen, "second", is_well).await;
    assert_eq!(states(&seen, "first").last(), Some(&DaemonState::Failed));
}

#[actix::test]
async fn the_chain_of_causes_leads_to_the_one_that_failed() {
    let journal = Journal::default();
    let broken = super::support::counted(|_, _| Err::<Demo, _>("no paper".to_owned())).0;
    let never = Policy { restart: RestartMode::Never, ..policy() };
    let (c, b) = (demo("c", &journal).0, demo("b", &journal).0);
    let (supervisor, seen) = supervise(vec![
        (spec("c", &["b"], policy()), c),
        (spec("b", &["a"], policy()), b),
        (spec("a", &[], never), broken),
    ]);
    seen_as(&seen, "a", |view| view.state == DaemonState::Failed).await;
    let view = supervisor.send(Show { name: "c".into() }).await.unwrap().unwrap();
    let texts: Vec<_> = view.why.causes.iter().map(|cause| cause.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "it waits for b",
            "b: it waits for a",
            "a: it failed, and is not restarted by itself",
            "a: its last run ended: failed: no paper",
        ]
    );
    assert_eq!(view.why.next, "it is started as soon as what it needs is there");
    let a = supervisor.send(Show { name: "a".into() }).await.unwrap().unwrap();
    assert_eq!(a.why.next, "nothing, until somebody starts it: stationd daemon start a");
    let timeline: Vec<_> = a.timeline.iter().map(|moment| moment.state).collect();
    assert_eq!(timeline.last(), Some(&DaemonState::Failed));
}

#[actix::test]
async fn one_that_is_back_takes_along_those_that_want_that() {
    let journal = Journal::default();
    let (first, link) = demo("first", &journal);
    let (eager, calm) = (demo("eager", &journal).0, demo("calm", &journal).0);
    let mut wants = spec("eager", &["first"], policy());
    wants.on_dependency_restart = OnDependencyRestart::Restart;
    let (supervisor, seen) = supervise(vec![
        (spec("first", &[], Policy { backoff: backoff(0, 0), ..policy() }), first),
        (wants, eager),
        (spec("calm", &["first"], policy()), calm),
    ]);
    seen_as(&seen, "eager", is_well).await;
    link.tell(Do::Panic).unwrap();
    seen_as(&seen, "eager", |view| view.restarts == 1 && is_well(view)).await;
    let calm = supervisor.send(Show { name: "calm".into() }).await.unwrap().unwrap();
    assert_eq!((calm.state, calm.restarts), (DaemonState::Running, 0));
    let eager = supervisor.send(Show { name: "eager".into() }).await.unwrap().unwrap();
    assert_eq!(eager.last_error, None, "its restart was no failure");
    // A stop alone is no return.
    supervisor.send(Stop { name: "first".into(), force: false }).await.unwrap().unwrap();
    let eager = supervisor.send(Show { name: "eager".into() }).await.unwrap().unwrap();
    assert_eq!((eager.state, eager.restarts), (DaemonState::Running, 1));
}
