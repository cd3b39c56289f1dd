//! Daemons that depend on each other: started, ordered about and stopped in order.

use std::time::{Duration, Instant};

use actix::Addr;

use super::{
    demo::{Demo, Do, Journal, Stopping, Who, demo, stopping},
    support::{
        Seen, backoff, counted, eventually, is_well, ms, policy, seen_as, spec, states, supervise,
    },
};
use crate::{
    domain::{DaemonState, Health, RestartMode},
    supervision::{
        Done, Link, List, NotReady, Notice, OrderError, Policy, Ready, Restart, Rules, Show,
        Shutdown, Start, Stop, Supervisor,
    },
};

fn named(name: &str) -> String {
    name.to_owned()
}

/// `d` depends on `b` and `c`, both on `a`; given the wrong way round.
fn diamond(journal: &Journal) -> (Addr<Supervisor>, Seen, [Link<Demo>; 4]) {
    let of = |name, on: &[&str]| {
        let (child, link) = demo(name, journal);
        ((spec(name, on, policy()), child), link)
    };
    let (d, link_d) = of("d", &["B", "c", "b"]);
    let (c, link_c) = of("c", &["a"]);
    let (b, link_b) = of("b", &["a"]);
    let (a, link_a) = of("a", &[]);
    let (supervisor, seen) = supervise(vec![d, c, b, a]);
    (supervisor, seen, [link_a, link_b, link_c, link_d])
}

fn place(journal: &Journal, what: &str) -> usize {
    let journal = journal.lock().unwrap();
    journal.iter().position(|line| line == what).unwrap_or_else(|| panic!("{what}: {journal:?}"))
}

#[actix::test]
async fn started_in_order_and_stopped_in_reverse() {
    let journal = Journal::default();
    let (supervisor, seen, _) = diamond(&journal);
    supervisor.send(Ready).await.unwrap().unwrap();
    for (before, after) in [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")] {
        let at = |name| place(&journal, &format!("{name} started"));
        assert!(at(before) < at(after), "{journal:?}");
    }
    let waited = seen.borrow().iter().find(|d| d.name == "d").unwrap().clone();
    assert_eq!(waited.state, DaemonState::Starting);
    assert_eq!(waited.health.message, "waiting for b, c");
    assert_eq!(waited.depends_on, ["b", "c"]);
    assert_eq!(states(&seen, "d"), [DaemonState::Starting, DaemonState::Running]);

    supervisor.send(Shutdown { grace: Duration::from_secs(5) }).await.unwrap();
    for (before, after) in [("d", "b"), ("d", "c"), ("b", "a"), ("c", "a")] {
        let stopped = place(&journal, &format!("{before} stopped"));
        assert!(stopped < place(&journal, &format!("{after} asked to stop")), "{journal:?}");
    }
    let views = supervisor.send(List).await.unwrap();
    assert!(views.iter().all(|view| view.state == DaemonState::Stopped));
    assert_eq!(views.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["d", "c", "b", "a"]);
    let refused = supervisor.send(Start { name: named("a") }).await.unwrap().unwrap_err();
    assert_eq!(refused.to_string(), "a is being stopped with all the others");
    assert_eq!(supervisor.send(Ready).await.unwrap(), Err(NotReady::ShuttingDown));
}

#[actix::test]
async fn a_failing_dependency_is_restarted_alone() {
    let journal = Journal::default();
    let (supervisor, seen, [a, _, _, d]) = diamond(&journal);
    supervisor.send(Ready).await.unwrap().unwrap();
    a.tell(Do::Panic).unwrap();
    seen_as(&seen, "a", |view| view.restarts == 1 && is_well(view)).await;
    assert_eq!(d.ask(Who).await, Ok(1));
    assert_eq!(states(&seen, "b"), [DaemonState::Starting, DaemonState::Running]);
}

#[actix::test]
async fn what_depends_on_a_daemon_that_is_down_waits_for_it() {
    let journal = Journal::default();
    let (supervisor, seen, [_, b, _, _]) = diamond(&journal);
    supervisor.send(Ready).await.unwrap().unwrap();
    supervisor.send(Stop { name: named("A"), force: false }).await.unwrap().unwrap();
    b.tell(Do::Panic).unwrap();
    seen_as(&seen, "b", |view| view.health.message == "waiting for a").await;
    supervisor.send(Start { name: named("a") }).await.unwrap().unwrap();
    seen_as(&seen, "b", |view| view.restarts == 1 && is_well(view)).await;
}

#[actix::test]
async fn starting_a_daemon_starts_what_it_depends_on_and_disabled_ones_are_left_alone() {
    let journal = Journal::default();
    let of = |name, on: &[&str]| {
        let mut spec = spec(name, on, policy());
        spec.enabled = false;
        (spec, demo(name, &journal).0)
    };
    let daemons = vec![of("c", &["b"]), of("b", &["a"]), of("a", &[]), of("x", &[])];
    let (supervisor, _) = supervise(daemons);
    assert_eq!(supervisor.send(Ready).await.unwrap(), Ok(()));
    assert!(journal.lock().unwrap().is_empty(), "{journal:?}");
    let started = supervisor.send(Start { name: named("C") }).await.unwrap().unwrap().daemon;
    assert_eq!((started.state, started.enabled), (DaemonState::Running, false));
    assert_eq!(*journal.lock().unwrap(), ["a started", "b started", "c started"]);
    let x = supervisor.send(Show { name: named("x") }).await.unwrap().unwrap();
    assert_eq!((x.state, x.health.message.as_str()), (DaemonState::Stopped, "disabled"));
}

#[actix::test]
async fn waiting_in_started_is_part_of_starting() {
    let journal = Journal::default();
    let notes = journal.clone();
    let (warm, _link) = counted(move |id, vitals| {
        let (journal, health, stop) = (notes.clone(), Health::healthy(), Stopping::AtOnce);
        Ok(Demo { id, vitals, name: "warm", journal, health, warm_up: Some(ms(100)), stop })
    });
    let (supervisor, seen) = supervise(vec![
        (spec("warm", &[], policy()), warm),
        (spec("next", &["warm"], policy()), demo("next", &journal).0),
    ]);
    let begun = Instant::now();
    supervisor.send(Ready).await.unwrap().unwrap();
    assert!(begun.elapsed() >= ms(100));
    assert_eq!(states(&seen, "warm"), [DaemonState::Starting, DaemonState::Running]);
}

#[actix::test]
async fn repeating_what_is_done_is_done_at_once() {
    let (child, link) = demo("demo", &Journal::default());
    let (supervisor, seen) = supervise(vec![(spec("demo", &[], policy()), child)]);
    seen_as(&seen, "demo", is_well).await;
    let name = named("demo");
    let view = supervisor.send(Start { name: name.clone() }).await.unwrap().unwrap().daemon;
    assert_eq!(view.restarts, 0);
    for _ in 0..2 {
        let view = supervisor
            .send(Stop { name: name.clone(), force: false })
            .await
            .unwrap()
            .unwrap()
            .daemon;
        assert_eq!(view.state, DaemonState::Stopped);
        assert!(link.ask(Who).await.is_err());
    }
    let view = supervisor.send(Restart { name, force: false }).await.unwrap().unwrap().daemon;
    assert_eq!((view.state, view.restarts), (DaemonState::Running, 1));
    assert!(view.uptime_seconds.is_some() && view.started_at.is_some());
}

#[actix::test]
async fn orders_on_one_daemon_are_carried_out_one_after_another() {
    let journal = Journal::default();
    let (child, _link) = stopping("demo", &journal, Stopping::After(ms(30)));
    let (supervisor, seen) = supervise(vec![(spec("demo", &[], policy()), child)]);
    seen_as(&seen, "demo", is_well).await;
    let name = || named("demo");
    let (restarted, stopped, started) = tokio::join!(
        supervisor.send(Restart { name: name(), force: false }),
        supervisor.send(Stop { name: name(), force: false }),
        supervisor.send(Start { name: name() }),
    );
    let state = |done: Result<Result<Done, OrderError>, _>| done.unwrap().unwrap().daemon.state;
    let (up, down) = (DaemonState::Running, DaemonState::Stopped);
    assert_eq!([state(restarted), state(stopped), state(started)], [up, down, up]);
    let round = [DaemonState::Stopping, down, DaemonState::Starting, up];
    assert_eq!(states(&seen, "demo"), [&[DaemonState::Starting, up][..], &round, &round].concat());
}

#[actix::test]
async fn an_unknown_name_is_refused_with_the_nearest() {
    let (supervisor, _, _) = diamond(&Journal::default());
    let error =
        supervisor.send(Stop { name: named("e"), force: false }).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "no daemon is called \"e\"");
    let (supervisor, _) = supervise(vec![(
        spec("job-queue", &[], policy()),
        demo("job-queue", &Journal::default()).0,
    )]);
    let error = supervisor.send(Show { name: named("JOBQUEUE") }).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "no daemon is called \"JOBQUEUE\", did you mean \"job-queue\"?");
}

/// A daemon that cannot be built until `from` attempts were made.
fn broken(from: u32) -> (crate::supervision::Child, Link<Demo>) {
    counted(move |id, vitals| {
        if id < from {
            return Err("port busy".to_owned());
        }
        let journal = Journal::default();
        let (name, health, stop) = ("broken", Health::healthy(), Stopping::AtOnce);
        Ok(Demo { id, vitals, name, journal, health, warm_up: None, stop })
    })
}

#[actix::test]
async fn failed_after_the_last_restart_until_started_by_hand() {
    let policy = Policy { max_restarts: 2, backoff: backoff(1, 4), ..policy() };
    let (child, link) = broken(5);
    let (supervisor, seen) = supervise(vec![(spec("broken", &[], policy), child)]);
    let not_ready = supervisor.send(Ready).await.unwrap().unwrap_err();
    assert_eq!(not_ready.to_string(), "broken did not start: failed: port busy");
    let told = seen_as(&seen, "broken", |view| view.state == DaemonState::Failed).await;
    assert_eq!(told.restarts, 2);
    assert_eq!(told.last_error.as_deref(), Some("failed: port busy"));
    assert_eq!(told.health.message, "given up after 3 failures in a row: failed: port busy");
    assert!(!told.health.healthy && told.next_restart_at.is_none());
    let name = || named("broken");
    let kept = supervisor.send(Stop { name: name(), force: false }).await.unwrap().unwrap().daemon;
    assert_eq!(kept.state, DaemonState::Failed);

    let error = supervisor.send(Start { name: name() }).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "broken did not start: failed: port busy");
    supervisor.send(Ready).await.unwrap().unwrap(); // the first restart finds the port free
    assert_eq!(link.ask(Who).await, Ok(5));
}

#[actix::test]
async fn a_start_that_waits_for_a_broken_daemon_says_so() {
    let journal = Journal::default();
    let never = Policy { restart: RestartMode::Never, ..policy() };
    let (supervisor, _) = supervise(vec![
        (spec("b", &["a"], policy()), demo("b", &journal).0),
        (spec("a", &[], never), broken(u32::MAX).0),
    ]);
    let error = supervisor.send(Start { name: named("b") }).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "a did not start: failed: port busy");
    let not_ready = supervisor.send(Ready).await.unwrap().unwrap_err();
    assert_eq!(not_ready.to_string(), "a did not start: failed: port busy");
    supervisor.send(Stop { name: named("b"), force: false }).await.unwrap().unwrap();
    supervisor.send(Shutdown { grace: ms(1000) }).await.unwrap();
}

#[actix::test]
async fn a_start_and_a_stop_that_take_too_long_are_timed_out() {
    let journal = Journal::default();
    let (child, _link) = counted(|id, _| {
        std::thread::sleep(ms(if id == 1 { 400 } else { 0 }));
        Err::<Demo, _>("later".to_owned())
    });
    let slow = Policy { start_timeout: ms(100), backoff: backoff(5000, 5000), ..policy() };
    let stubborn = Policy { stop_timeout: ms(100), ..policy() };
    let (supervisor, seen) = supervise(vec![
        (spec("slow", &[], slow), child),
        (spec("stubborn", &[], stubborn), stopping("stubborn", &journal, Stopping::Never).0),
    ]);
    let error = supervisor.send(Start { name: named("slow") }).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "slow did not start within 0.1 s");
    seen_as(&seen, "stubborn", is_well).await;
    let error =
        supervisor.send(Stop { name: named("stubborn"), force: false }).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "stubborn did not stop within 0.1 s");
    let view = supervisor.send(Show { name: named("stubborn") }).await.unwrap().unwrap();
    assert_eq!(view.state, DaemonState::Stopped);
    assert_eq!(view.last_exit.as_deref(), Some("hung: it did not stop in time"));
    let view = supervisor
        .send(Stop { name: named("stubborn"), force: false })
        .await
        .unwrap()
        .unwrap()
        .daemon;
    assert_eq!(view.state, DaemonState::Stopped, "it is down by now");
}

#[actix::test]
async fn the_view_while_backing_off_says_when_and_why() {
    let slow = Policy { backoff: backoff(60_000, 60_000), ..policy() };
    let (child, link) = demo("demo", &Journal::default());
    let (supervisor, seen) = supervise(vec![(spec("demo", &[], slow), child)]);
    seen_as(&seen, "demo", is_well).await;
    link.tell(Do::Panic).unwrap();
    let view = seen_as(&seen, "demo", |view| view.state == DaemonState::Backoff).await;
    let wait = crate::domain::Timestamp::now().until(view.next_restart_at.unwrap());
    assert!(wait > ms(50_000) && wait <= ms(60_000), "{wait:?}");
    assert_eq!((view.started_at, view.uptime_seconds), (None, None));
    // A person need not wait.
    let begun = Instant::now();
    let view = supervisor.send(Start { name: named("demo") }).await.unwrap().unwrap().daemon;
    assert!(begun.elapsed() < ms(5000));
    assert_eq!((view.state, view.next_restart_at), (DaemonState::Running, None));
    assert_eq!(view.last_error.as_deref(), Some("panicked: told to"));
}

#[actix::test]
async fn restarts_wait_as_long_as_the_schedule_says() {
    let policy = Policy { max_restarts: 3, backoff: backoff(40, 160), ..policy() };
    let seen_at = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let times = seen_at.clone();
    let daemons = vec![(spec("broken", &[], policy), broken(u32::MAX).0)];
    let note = move |notice: Notice<'_>| {
        if let Notice::Changed(view) = notice {
            times.borrow_mut().push((view.state, Instant::now()));
        }
    };
    let _supervisor =
        actix::Actor::start(Supervisor::new(daemons, Rules::default(), note).unwrap());
    let has_failed = || seen_at.borrow().last().is_some_and(|(s, _)| *s == DaemonState::Failed);
    eventually("it has failed", async || has_failed()).await;
    let seen = seen_at.borrow();
    let waits = seen.windows(2).filter(|pair| pair[0].0 == DaemonState::Backoff);
    let waits = waits.map(|pair| pair[1].1 - pair[0].1).collect::<Vec<_>>();
    assert_eq!(waits.len(), 3);
    for (wait, least) in waits.iter().zip([40, 80, 160]) {
        assert!(*wait >= ms(least - 1) && *wait < ms(least + 1000), "{waits:?}");
    }
}
