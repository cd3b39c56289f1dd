//! Whether a running program is up, and stays well.

use std::{convert::Infallible, future::pending, time::Duration};

use tokio::time::{sleep, sleep_until};

use super::{actor::Seen, notify::Socket, output::Output, plan::Plan, probe::Prober};
use crate::domain::{Health, HealthCheck, Readiness};

/// How long a check may take by which a program shows that it is up, if nothing else is said.
const PATIENCE: Duration = Duration::from_secs(5);

/// All by which a program is watched.
pub(super) struct Watch<'a> {
    pub(super) plan: &'a Plan,
    pub(super) output: &'a Output,
    pub(super) socket: Option<&'a Socket>,
    pub(super) prober: Prober,
    /// It runs since an earlier life of the station.
    pub(super) is_adopted: bool,
}

impl Watch<'_> {
    /// Until it is up; what it says of itself meanwhile is shown.
    pub(super) async fn ready(&self, seen: &Seen) {
        tokio::select! {
            () = self.up() => {}
            never = self.words(seen) => match never {},
        }
    }

    async fn words(&self, seen: &Seen) -> Infallible {
        let Some(socket) = self.socket else { return pending().await };
        loop {
            socket.said.news.notified().await;
            let status = socket.said.status.borrow().clone();
            seen.is(Health::unknown(status.unwrap_or_else(|| "starting".to_owned())));
        }
    }

    /// One that was adopted has said so long ago.
    async fn up(&self) {
        let program = &self.plan.options.program;
        match &program.ready {
            Readiness::Spawned => {}
            Readiness::Probe(probe) => {
                let limit = program.health.as_ref().map_or(PATIENCE, |health| health.timeout);
                self.prober.ask_until_well(probe, limit).await;
            }
            _ if self.is_adopted => {}
            Readiness::Delay(delay) => sleep(*delay).await,
            Readiness::Log(_) => self.output.found().await,
            Readiness::Notify => match self.socket {
                Some(socket) => socket.said.ready().await,
                None => pending().await,
            },
        }
    }

    /// How one is that has just come up.
    pub(super) fn first_health(&self) -> Health {
        match &self.plan.options.program.health {
            Some(check) if !self.has_shown(check) => Health::unknown("not checked yet"),
            _ => self.well(),
        }
    }

    /// Watches one that is up, until something is wrong with it: what.
    pub(super) async fn trouble(&self, seen: &Seen) -> String {
        tokio::select! {
            trouble = self.health(seen) => trouble,
            trouble = self.silence() => trouble,
            never = self.status(seen) => never,
        }
    }

    /// Its being up was found out by the same check.
    fn has_shown(&self, check: &HealthCheck) -> bool {
        matches!(&self.plan.options.program.ready, Readiness::Probe(probe) if *probe == check.probe)
    }

    fn well(&self) -> Health {
        let mut health = Health::healthy();
        if let Some(status) = self.socket.and_then(|it| it.said.status.borrow().clone()) {
            health.message = status;
        } else if self.is_adopted {
            "ok, found running when the station started".clone_into(&mut health.message);
        }
        health
    }

    async fn health(&self, seen: &Seen) -> String {
        let Some(check) = &self.plan.options.program.health else { return pending().await };
        let mut failures = 0;
        if !self.has_shown(check) {
            match self.prober.ask(&check.probe, check.timeout).await {
                Ok(()) => seen.is(self.well()),
                Err(why) => seen.is(Health::degraded(why)), // it may still be starting
            }
        }
        loop {
            sleep(check.interval).await;
            match self.prober.ask(&check.probe, check.timeout).await {
                Ok(()) => {
                    failures = 0;
                    seen.is(self.well());
                }
                Err(why) => {
                    failures += 1;
                    if failures >= check.failures {
                        let times =
                            if failures == 1 { "once" } else { &format!("{failures} times") };
                        return format!("failed its health check {times}: {why}");
                    }
                    seen.is(Health::degraded(why));
                }
            }
        }
    }

    async fn silence(&self) -> String {
        let (Some(limit), Some(socket)) = (self.plan.options.program.watchdog, self.socket) else {
            return pending().await;
        };
        if !self.is_adopted {
            socket.said.alive.set(std::time::Instant::now());
        }
        loop {
            let until = socket.said.alive.get() + limit;
            if until <= std::time::Instant::now() {
                return format!("did not say WATCHDOG=1 for {} s", limit.as_secs_f64());
            }
            sleep_until(until.into()).await;
        }
    }

    /// Shows what it says of itself, as long as there is nothing worse to say.
    async fn status(&self, seen: &Seen) -> String {
        let Some(socket) = self.socket else { return pending().await };
        loop {
            socket.said.news.notified().await;
            if seen.health.borrow().message != self.well().message
                && seen.health.borrow().status == self.well().status
            {
                seen.is(self.well());
            }
        }
    }
}
