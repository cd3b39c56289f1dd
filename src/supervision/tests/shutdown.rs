//! Daemons are asked to stop, and abandoned when the grace is over.

use std::time::{Duration, Instant};

use actix::Addr;

use super::{
    demo::{Demo, Do, Journal, Stopping, Who, demo, stopping},
    support::{eventually, ms, policy, spec, supervise},
};
use crate::{
    domain::{Daemon, DaemonState},
    supervision::{Link, List, Policy, Ready, Restart, Shutdown, Start, Supervisor},
};

/// Two daemons, `b` depending on `a`, both up.
async fn rig(policy: Policy) -> (Addr<Supervisor>, Link<Demo>, Link<Demo>, Journal) {
    let journal = Journal::default();
    let ((a, link_a), (b, link_b)) = (demo("a", &journal), demo("b", &journal));
    let (supervisor, _) =
        supervise(vec![(spec("a", &[], policy), a), (spec("b", &["a"], policy), b)]);
    supervisor.send(Ready).await.unwrap().unwrap();
    journal.lock().unwrap().clear();
    (supervisor, link_a, link_b, journal)
}

async fn is_busy(journal: &Journal) {
    let begun = || journal.lock().unwrap().contains(&"b busy".to_owned());
    eventually("b is busy", async || begun()).await;
}

async fn exits(supervisor: &Addr<Supervisor>) -> Vec<String> {
    let exit = |daemon: Daemon| {
        assert_eq!(daemon.state, DaemonState::Stopped);
        daemon.last_exit.unwrap()
    };
    supervisor.send(List).await.unwrap().into_iter().map(exit).collect()
}

#[actix::test]
async fn a_dependent_stops_first_and_completely() {
    let (supervisor, a, _, journal) = rig(policy()).await;
    supervisor.send(Shutdown { grace: Duration::from_secs(5) }).await.unwrap();
    let steps = ["b asked to stop", "b stopped", "a asked to stop", "a stopped"];
    assert_eq!(*journal.lock().unwrap(), steps);
    assert_eq!(exits(&supervisor).await, ["stopped", "stopped"]);
    assert!(a.ask(Who).await.is_err());
}

#[actix::test]
async fn work_in_hand_is_finished_within_the_grace() {
    let (supervisor, _, b, journal) = rig(policy()).await;
    b.tell(Do::Block(ms(100))).unwrap();
    is_busy(&journal).await;
    supervisor.send(Shutdown { grace: Duration::from_secs(5) }).await.unwrap();
    assert_eq!(journal.lock().unwrap().last().unwrap(), "a stopped");
    assert_eq!(exits(&supervisor).await, ["stopped", "stopped"]);
}

#[actix::test]
async fn independent_ones_stop_at_the_same_time() {
    let journal = Journal::default();
    let slow = |name| {
        let (child, _) = stopping(name, &journal, Stopping::After(ms(100)));
        (spec(name, &[], policy()), child)
    };
    let (supervisor, _) = supervise(vec![slow("a"), slow("b"), slow("c")]);
    supervisor.send(Ready).await.unwrap().unwrap();
    supervisor.send(Shutdown { grace: Duration::from_secs(5) }).await.unwrap();
    let journal = journal.lock().unwrap();
    let last_asked = journal.iter().rposition(|line| line.ends_with("asked to stop"));
    assert!(last_asked < journal.iter().position(|line| line.ends_with("stopped")), "{journal:?}");
}

#[actix::test]
async fn whoever_does_not_stop_in_time_is_abandoned() {
    for (busy, policy, grace) in [
        (Do::Block(ms(1500)), policy(), 200),
        (Do::WaitForEver, policy(), 200),
        (Do::WaitForEver, Policy { stop_timeout: ms(200), ..policy() }, 60_000),
    ] {
        let (supervisor, _, b, journal) = rig(policy).await;
        b.tell(busy).unwrap();
        is_busy(&journal).await;
        let asked = Instant::now();
        supervisor.send(Shutdown { grace: ms(grace) }).await.unwrap();
        let took = asked.elapsed();
        assert!(took >= ms(200) && took < ms(1200), "{took:?}");
        assert_eq!(exits(&supervisor).await[1], "hung: it did not stop in time");
        assert!(!journal.lock().unwrap().contains(&"b stopped".to_owned()));
        if grace > 200 {
            assert_eq!(exits(&supervisor).await[0], "stopped", "it had its own time");
        }
    }
}

#[actix::test]
async fn a_second_request_may_shorten_the_grace() {
    let (supervisor, _, b, _) = rig(policy()).await;
    b.ask(Do::WaitForEver).await.unwrap();
    let first = supervisor.send(Shutdown { grace: Duration::MAX });
    let second = supervisor.send(Shutdown { grace: Duration::ZERO });
    let asked = Instant::now();
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.unwrap(), second.unwrap()), ((), ()));
    assert!(asked.elapsed() < Duration::from_secs(1));
}

#[actix::test]
async fn what_was_ordered_before_is_refused() {
    let journal = Journal::default();
    let (child, _link) = stopping("slow", &journal, Stopping::After(ms(50)));
    let (supervisor, _) = supervise(vec![(spec("slow", &[], policy()), child)]);
    supervisor.send(Ready).await.unwrap().unwrap();
    let (restarted, started, closed) = tokio::join!(
        supervisor.send(Restart { name: "slow".into(), force: false }),
        supervisor.send(Start { name: "slow".into() }),
        supervisor.send(Shutdown { grace: Duration::from_secs(5) }),
    );
    closed.unwrap();
    for answer in [restarted, started] {
        let refused = answer.unwrap().unwrap_err().to_string();
        assert_eq!(refused, "slow is being stopped with all the others");
    }
    assert_eq!(*journal.lock().unwrap(), ["slow started", "slow asked to stop", "slow stopped"]);
}

#[actix::test]
async fn nothing_is_launched_any_more() {
    let journal = Journal::default();
    let (child, _link) = super::support::counted(|_, _| Err::<Demo, _>("never".to_owned()));
    let (supervisor, _) = supervise(vec![
        (spec("broken", &[], policy()), child),
        (spec("waiting", &["broken"], policy()), demo("waiting", &journal).0),
    ]);
    supervisor.send(Shutdown { grace: ms(1000) }).await.unwrap();
    let views = supervisor.send(List).await.unwrap();
    assert!(views.iter().all(|view| view.state == DaemonState::Stopped), "{views:?}");
    assert!(journal.lock().unwrap().is_empty());
}
