//! What the tests of real actors share.

use std::{
    cell::RefCell,
    panic,
    rc::Rc,
    sync::{
        Arc, Once,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix::{Actor, Addr};

use crate::{
    domain::{Backoff, Daemon, DaemonState, Dependency, HealthStatus, RestartMode},
    supervision::{
        Child, Link, List, Notice, Policy, Rules, Service, Spec, Supervisor, Vitals, child,
    },
};

/// What an observer has seen, in order.
pub(super) type Seen = Rc<RefCell<Vec<Daemon>>>;

pub(super) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(super) fn backoff(first: u64, longest: u64) -> Backoff {
    Backoff::new(ms(first), 2.0, ms(longest), 0.0).unwrap()
}

/// Quick restarts, and patience long enough for a loaded machine.
pub(super) fn policy() -> Policy {
    Policy {
        restart: RestartMode::Always,
        backoff: backoff(20, 200),
        max_restarts: 1000,
        stable_after: Duration::from_mins(1),
        start_timeout: Duration::from_secs(5),
        stop_timeout: Duration::from_secs(5),
        silence_limit: Duration::from_secs(5),
        health_interval: Duration::from_mins(1),
        health_timeout: Duration::from_secs(5),
    }
}

pub(super) fn spec(name: &str, depends_on: &[&str], policy: Policy) -> Spec {
    Spec {
        description: format!("the {name}"),
        category: "test".into(),
        depends_on: depends_on.iter().copied().map(Dependency::on).collect(),
        ..Spec::new(name, policy)
    }
}

/// Spares the log the many panics of daemons, and their backtraces' time.
pub(super) fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let of_a_daemon = thread::current().name().is_some_and(|name| name.contains("arbiter"));
            if !of_a_daemon {
                loud(info);
            }
        }));
    });
}

/// A supervisor over `daemons`, and what its observer sees.
pub(super) fn supervise(daemons: Vec<(Spec, Child)>) -> (Addr<Supervisor>, Seen) {
    hush();
    let seen = Seen::default();
    let views = seen.clone();
    let observer = move |notice: Notice<'_>| {
        if let Notice::Changed(view) = notice {
            views.borrow_mut().push(view.clone());
        }
    };
    let supervisor =
        Supervisor::new(daemons, Rules { restarts_per_minute: 0, ..Rules::default() }, observer);
    (supervisor.unwrap().start(), seen)
}

/// A factory that counts: the n-th call (from 1) is told so.
pub(super) fn counted<A: Service>(
    build: impl Fn(u32, Arc<Vitals>) -> Result<A, String> + Clone + Send + 'static,
) -> (Child, Link<A>) {
    let births = Arc::new(AtomicU32::new(0));
    child(move |vitals| build(births.fetch_add(1, Ordering::SeqCst) + 1, vitals))
}

/// Polls until `condition` holds: asynchronous facts are awaited, never slept for.
pub(super) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition().await {
        assert!(Instant::now() < deadline, "never happened: {what}");
        actix::clock::sleep(ms(1)).await;
    }
}

/// The first daemon.
pub(super) async fn first(supervisor: &Addr<Supervisor>) -> Daemon {
    supervisor.send(List).await.unwrap().remove(0)
}

/// The states of `name` as the observer saw them.
pub(super) fn states(seen: &Seen, name: &str) -> Vec<DaemonState> {
    let mut states =
        seen.borrow().iter().filter(|d| d.name == name).map(|d| d.state).collect::<Vec<_>>();
    states.dedup();
    states
}

/// Waits until the observer has seen `name` so.
pub(super) async fn seen_as(seen: &Seen, name: &str, wanted: impl Fn(&Daemon) -> bool) -> Daemon {
    let find = || seen.borrow().iter().find(|d| d.name == name && wanted(d)).cloned();
    eventually(&format!("{name} is seen so: {:?}", states(seen, name)), async || find().is_some())
        .await;
    find().unwrap()
}

pub(super) fn is_well(daemon: &Daemon) -> bool {
    daemon.state == DaemonState::Running && daemon.health.status == HealthStatus::Healthy
}
