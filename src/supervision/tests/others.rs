//! Other daemons than before, at run time; and what is meant to run against what does.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use actix::{Actor, Addr};

use super::{
    demo::{Demo, Do, Journal, demo},
    support::{Seen, backoff, counted, eventually, is_well, policy, seen_as, spec, supervise},
};
use crate::{
    domain::{DaemonState, RestartMode},
    supervision::{
        Child, Configure, InOrder, Link, List, Notice, Policy, Reconcile, Rules, Show, Spec, Stop,
        Supervisor,
    },
};

type Others = Vec<(Spec, Option<Child>)>;

async fn configure(supervisor: &Addr<Supervisor>, daemons: Others) -> Vec<String> {
    let configure = Configure { daemons, rules: Rules::default() };
    supervisor.send(configure).await.unwrap().unwrap()
}

fn substance(name: &str, substance: &str) -> Spec {
    Spec { substance: substance.into(), ..spec(name, &[], policy()) }
}

async fn names(supervisor: &Addr<Supervisor>) -> Vec<String> {
    supervisor.send(List).await.unwrap().into_iter().map(|view| view.name).collect()
}

#[actix::test]
async fn exactly_what_has_changed_is_started_stopped_or_restarted() {
    let journal = Journal::default();
    let of = |name: &'static str, what: &str| (substance(name, what), demo(name, &journal).0);
    let (supervisor, seen) = supervise(vec![
        of("kept", "1"),
        of("changed", "1"),
        of("dropped", "1"),
        of("renamed", "1"),
    ]);
    for name in ["kept", "changed", "dropped", "renamed"] {
        seen_as(&seen, name, is_well).await;
    }
    journal.lock().unwrap().clear();
    let some = |(spec, child)| (spec, Some(child));
    let mut renamed = of("renamed", "1");
    renamed.0.description = "another".into();
    let mut off = of("off", "1");
    off.0.enabled = false;
    let all = vec![
        some(of("kept", "1")),
        some(of("changed", "2")),
        some(renamed),
        some(of("new", "1")),
        some(off),
    ];
    let changes = configure(&supervisor, all).await;
    assert_eq!(
        changes,
        [
            "dropped: stopped, it is no longer configured",
            "changed: restarted, its configuration has changed",
            "renamed: changed, and goes on",
            "new: new, started",
            "off: new, not enabled",
        ]
    );
    seen_as(&seen, "new", is_well).await;
    seen_as(&seen, "changed", |view| view.restarts == 1 && is_well(view)).await;
    eventually("what was dropped is forgotten", async || {
        names(&supervisor).await == ["kept", "changed", "renamed", "new", "off"]
    })
    .await;
    let mut happened = journal.lock().unwrap().clone();
    happened.sort();
    assert_eq!(
        happened,
        [
            "changed asked to stop",
            "changed started",
            "changed stopped",
            "dropped asked to stop",
            "dropped stopped",
            "new started",
        ]
    );
    let view = supervisor.send(Show { name: "renamed".into() }).await.unwrap().unwrap();
    assert_eq!((view.description.as_str(), view.restarts), ("another", 0));
}

#[actix::test]
async fn the_same_again_changes_nothing_and_nonsense_is_refused_as_a_whole() {
    let journal = Journal::default();
    let (supervisor, seen) = supervise(vec![(substance("a", "1"), demo("a", &journal).0)]);
    seen_as(&seen, "a", is_well).await;
    assert!(configure(&supervisor, vec![(substance("a", "1"), None)]).await.is_empty());
    let looped = Spec { substance: "2".into(), ..spec("a", &["a"], policy()) };
    let wrong = Configure { daemons: vec![(looped, None)], rules: Rules::default() };
    assert!(supervisor.send(wrong).await.unwrap().is_err());
    let view = supervisor.send(Show { name: "a".into() }).await.unwrap().unwrap();
    assert_eq!((view.state, view.restarts), (DaemonState::Running, 0));
    assert_eq!(*journal.lock().unwrap(), ["a started"]);
}

#[actix::test]
async fn one_that_was_dropped_may_come_back_before_it_is_gone() {
    let journal = Journal::default();
    let (supervisor, seen) = supervise(vec![(substance("a", "1"), demo("a", &journal).0)]);
    seen_as(&seen, "a", is_well).await;
    let none = supervisor.send(Configure { daemons: vec![], rules: Rules::default() });
    let back = vec![(substance("a", "2"), Some(demo("a", &journal).0))];
    let back = supervisor.send(Configure { daemons: back, rules: Rules::default() });
    let (none, back) = (none.await, back.await);
    none.unwrap().unwrap();
    back.unwrap().unwrap();
    seen_as(&seen, "a", |view| view.restarts == 1 && is_well(view)).await;
    assert_eq!(names(&supervisor).await, ["a"]);
}

#[actix::test]
async fn a_change_of_what_was_given_up_is_a_new_chance() {
    let broken = counted(|_, _| Err::<Demo, _>("no paper".to_owned())).0;
    let never = Policy { restart: RestartMode::Never, ..policy() };
    let (supervisor, seen) = supervise(vec![(spec("a", &[], never), broken)]);
    seen_as(&seen, "a", |view| view.state == DaemonState::Failed).await;
    let whole = (substance("a", "2"), Some(demo("a", &Journal::default()).0));
    assert_eq!(configure(&supervisor, vec![whole]).await, ["a: started"]);
    seen_as(&seen, "a", is_well).await;
}

#[actix::test]
async fn dependencies_may_change_under_way() {
    let journal = Journal::default();
    let of = |name: &'static str, on: &[&str]| {
        (Spec { substance: "1".into(), ..spec(name, on, policy()) }, Some(demo(name, &journal).0))
    };
    let (a, b) = (of("a", &["b"]), of("b", &[]));
    let both = vec![(a.0, a.1.unwrap()), (b.0, b.1.unwrap())];
    let (supervisor, seen) = supervise(both);
    seen_as(&seen, "a", is_well).await;
    assert_eq!(supervisor.send(InOrder).await.unwrap(), ["b", "a"]);
    configure(&supervisor, vec![of("a", &[]), of("b", &["a"]), of("c", &["b"])]).await;
    assert_eq!(supervisor.send(InOrder).await.unwrap(), ["a", "b", "c"]);
    seen_as(&seen, "c", is_well).await;
}

#[actix::test]
async fn restarts_of_earlier_runs_count_and_too_many_at_once_are_held_back() {
    super::support::hush();
    let (child, link): (Child, Link<Demo>) = demo("a", &Journal::default());
    let policy = Policy { backoff: backoff(0, 0), ..policy() };
    let rules = Rules {
        restarts_per_minute: 2,
        restarts_before: HashMap::from([("a".to_owned(), 7)]),
        ..Rules::default()
    };
    let seen = Seen::default();
    let held: Rc<RefCell<u32>> = Rc::default();
    let (views, holds) = (seen.clone(), held.clone());
    let supervisor =
        Supervisor::new(vec![(spec("a", &[], policy), child)], rules, move |notice| match notice {
            Notice::Changed(view) => views.borrow_mut().push(view.clone()),
            Notice::HeldBack { name: "a", per_minute: 2 } => *holds.borrow_mut() += 1,
            _ => {}
        })
        .unwrap()
        .start();
    for n in 0..3 {
        let up = seen_as(&seen, "a", |view| view.restarts == n && is_well(view));
        assert_eq!(up.await.restarts_total, 7 + n);
        link.up().await;
        link.tell(Do::Panic).unwrap();
    }
    eventually("the third restart is held back", async || *held.borrow() > 0).await;
    let view = supervisor.send(Show { name: "a".into() }).await.unwrap().unwrap();
    assert_eq!(view.state, DaemonState::Backoff);
    assert!(view.next_restart_at.is_some());
}

#[actix::test]
async fn what_is_meant_to_run_and_does_not_is_found() {
    let (supervisor, seen) =
        supervise(vec![(spec("a", &[], policy()), demo("a", &Journal::default()).0)]);
    seen_as(&seen, "a", is_well).await;
    let reconcile = || supervisor.send(Reconcile { name: None });
    assert_eq!(reconcile().await.unwrap().unwrap(), [], "all is as it should be");
    supervisor.send(Stop { name: "a".into(), force: false }).await.unwrap().unwrap();
    assert_eq!(reconcile().await.unwrap().unwrap(), [], "what a person stopped stays so");
    let unknown = supervisor.send(Reconcile { name: Some("b".into()) }).await.unwrap();
    assert!(unknown.is_err());
}
