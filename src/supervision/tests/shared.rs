//! Daemons that share a thread, say themselves when they are up, and speak up by themselves.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use actix::{Actor, ActorContext, Addr, Context, Handler, Message};

use super::support::{backoff, eventually, is_well, ms, policy, seen_as, spec, supervise};
use crate::{
    domain::{DaemonState, Health, HealthStatus},
    supervision::{
        Child, Facts, Link, Policy, Service, Show, Start, Stop, Supervisor, Vitals, child,
    },
};

/// Tells its thread, and is up when told to be.
struct Slow {
    vitals: Arc<Vitals>,
    health: Health,
    threads: Threads,
}

type Threads = Arc<Mutex<Vec<std::thread::ThreadId>>>;

impl Actor for Slow {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.threads.lock().unwrap().push(std::thread::current().id());
    }
}

impl Service for Slow {
    const READY_AT_ONCE: bool = false;

    fn health(&mut self) -> Health {
        self.health.clone()
    }

    fn facts(&self) -> Facts {
        Facts { pid: Some(42), limits: vec!["none".into()] }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
enum Do {
    Rise,
    Feel(Health),
    End,
    Fail,
    Block,
}

impl Handler<Do> for Slow {
    type Result = ();

    fn handle(&mut self, what: Do, ctx: &mut Self::Context) {
        match what {
            Do::Rise => self.vitals.ready(),
            Do::Feel(health) => {
                self.health = health;
                self.vitals.stir();
            }
            Do::End => {
                self.vitals.end(&"exited with 0");
                ctx.stop();
            }
            Do::Fail => {
                self.vitals.leave(vec!["first".into(), "out of ink".into()]);
                self.vitals.fail(&"exited with 3");
                ctx.stop();
            }
            Do::Block => {
                while !self.vitals.is_retired() {
                    std::thread::sleep(ms(5));
                }
            }
        }
    }
}

fn slow(threads: &Threads) -> (Child, Link<Slow>) {
    let threads = threads.clone();
    let (child, link) = child(move |vitals| {
        Ok::<_, String>(Slow { vitals, health: Health::healthy(), threads: threads.clone() })
    });
    (child.shared(), link)
}

#[actix::test]
async fn one_that_says_when_it_is_up_is_starting_until_then() {
    let threads = Threads::default();
    let (child, link) = slow(&threads);
    let (supervisor, seen) = supervise(vec![(spec("a", &[], policy()), child)]);
    link.up().await;
    let view = supervisor.send(Show { name: "a".into() }).await.unwrap().unwrap();
    assert_eq!(view.state, DaemonState::Starting);
    link.tell(Do::Rise).unwrap();
    let view = seen_as(&seen, "a", is_well).await;
    assert_eq!((view.pid, view.limits), (Some(42), vec!["none".to_owned()]));
    // Its health changes by itself, and everybody is told.
    link.tell(Do::Feel(Health::degraded("low on ink"))).unwrap();
    let view = seen_as(&seen, "a", |view| view.health.status == HealthStatus::Degraded).await;
    assert_eq!(view.health.message, "low on ink");
    link.tell(Do::Fail).unwrap();
    let view = seen_as(&seen, "a", |view| view.state == DaemonState::Backoff).await;
    assert_eq!(view.last_error.as_deref(), Some("failed: exited with 3"));
    assert_eq!(view.last_lines, ["first", "out of ink"]);
    assert_eq!(view.why.causes[2].text, "the last that it wrote was: out of ink");
    assert_eq!((view.attempt, view.pid), (1, None));
}

#[actix::test]
async fn one_that_never_comes_up_is_given_up_and_started_again() {
    let threads = Threads::default();
    let (child, link) = slow(&threads);
    let hasty = Policy { start_timeout: ms(50), backoff: backoff(1, 1), ..policy() };
    let (supervisor, seen) = supervise(vec![(spec("a", &[], hasty), child)]);
    let view = seen_as(&seen, "a", |view| view.state == DaemonState::Backoff).await;
    assert_eq!(view.last_error.as_deref(), Some("hung: it did not start in time"));
    eventually("another one is built", async || threads.lock().unwrap().len() >= 2).await;
    eventually("it comes up", async || {
        _ = link.tell(Do::Rise);
        is_well(&supervisor.send(Show { name: "a".into() }).await.unwrap().unwrap())
    })
    .await;
}

#[actix::test]
async fn they_share_one_thread_and_each_ends_alone() {
    let threads = Threads::default();
    let (a, to_a) = slow(&threads);
    let (b, to_b) = slow(&threads);
    let on_failure = Policy { restart: crate::domain::RestartMode::OnFailure, ..policy() };
    let (supervisor, seen) =
        supervise(vec![(spec("a", &[], on_failure), a), (spec("b", &[], policy()), b)]);
    to_a.up().await;
    to_b.up().await;
    to_a.tell(Do::Rise).unwrap();
    to_b.tell(Do::Rise).unwrap();
    seen_as(&seen, "a", is_well).await;
    seen_as(&seen, "b", is_well).await;
    {
        let threads = threads.lock().unwrap();
        assert_eq!(threads[0], threads[1]);
    }
    to_a.tell(Do::End).unwrap();
    let view = seen_as(&seen, "a", |view| view.state == DaemonState::Stopped).await;
    assert!(view.completed);
    assert_eq!(view.last_exit.as_deref(), Some("exited with 0"));
    let done = supervisor.send(Stop { name: "b".into(), force: true }).await.unwrap().unwrap();
    assert_eq!((done.did.as_str(), done.daemon.state), ("stopped", DaemonState::Stopped));
}

#[actix::test]
async fn a_shared_thread_that_stands_still_is_replaced_for_all() {
    let threads = Threads::default();
    let (a, to_a) = slow(&threads);
    let (b, to_b) = slow(&threads);
    let impatient = Policy { silence_limit: ms(300), backoff: backoff(0, 0), ..policy() };
    let daemons = vec![(spec("a", &[], impatient), a), (spec("b", &[], impatient), b)];
    let (_supervisor, seen) = supervise(daemons);
    for (name, link) in [("a", &to_a), ("b", &to_b)] {
        link.up().await;
        link.tell(Do::Rise).unwrap();
        seen_as(&seen, name, is_well).await;
    }
    to_a.tell(Do::Block).unwrap();
    for name in ["a", "b"] {
        seen_as(&seen, name, |view| view.last_error.is_some() && view.restarts >= 1).await;
    }
    eventually("both are up on another thread", async || {
        _ = to_a.tell(Do::Rise);
        _ = to_b.tell(Do::Rise);
        ["a", "b"].iter().all(|name| {
            seen.borrow().iter().any(|it| it.name == *name && it.restarts >= 1 && is_well(it))
        })
    })
    .await;
    let threads = threads.lock().unwrap();
    assert_ne!(threads[0], *threads.last().unwrap());
}

#[actix::test]
async fn a_stop_overrules_a_start_that_is_still_under_way() {
    let threads = Threads::default();
    let (child, link) = slow(&threads);
    let (supervisor, _) = supervise(vec![(spec("a", &[], policy()), child)]);
    link.up().await;
    let start = supervisor.send(Start { name: "a".into() });
    let stop = supervisor.send(Stop { name: "a".into(), force: false });
    let (start, stop) = tokio::join!(start, stop);
    let (start, stop) = (start.unwrap(), stop.unwrap());
    assert_eq!(
        start.map(|done| done.did).map_err(|error| error.to_string()),
        Err("a was told to stop before it was up".to_owned())
    );
    assert_eq!(stop.unwrap().daemon.state, DaemonState::Stopped);
    let view = supervisor.send(Show { name: "a".into() }).await.unwrap().unwrap();
    assert_eq!((view.state, view.attempt), (DaemonState::Stopped, 0));
}

#[actix::test]
async fn a_stop_that_waited_for_others_gives_each_start_its_time() {
    let threads = Threads::default();
    let (child, link) = slow(&threads);
    let (supervisor, _) = supervise(vec![(spec("a", &[], policy()), child)]);
    link.up().await;
    let begun = Instant::now();
    let start = |supervisor: &Addr<Supervisor>| supervisor.send(Start { name: "a".into() });
    let stop =
        |supervisor: &Addr<Supervisor>| supervisor.send(Stop { name: "a".into(), force: false });
    // The first start never ends and is overruled; the second one comes up after a while, when the
    // stop behind it has waited for longer than a start is given.
    let orders = [0, 1].map(|_| (start(&supervisor), stop(&supervisor)));
    let [first, second] = orders;
    let rise = async {
        first.1.await.unwrap().unwrap();
        assert!(begun.elapsed() >= ms(1000));
        link.up().await;
        link.tell(Do::Rise).unwrap();
    };
    let (refused, started, stopped, ()) = tokio::join!(first.0, second.0, second.1, rise);
    assert!(refused.unwrap().is_err());
    assert_eq!(started.unwrap().unwrap().did, "started (PID 42)");
    assert_eq!(stopped.unwrap().unwrap().daemon.state, DaemonState::Stopped);
}
