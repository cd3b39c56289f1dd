//! Where orders are taken, carried out one at a time per daemon, and answered.

use std::time::{Duration, Instant};

use actix::{Context, Handler, MessageResult, ResponseFuture};
use tokio::sync::oneshot;

use super::{
    lifecycle::{State, later},
    orders::{
        CheckHealth, CheckOne, Done, InOrder, List, NotReady, OrderError, Ready, Restart, Show,
        Shutdown, Start, Stop,
    },
    pulse::Control,
    slot::{Found, Order, Slot, Step, Then},
    supervisor::Supervisor,
    vitals::{Exit, Late},
};
use crate::domain::{Daemon, DaemonKind, nearest_name, same_name};

type Answer = Result<Done, OrderError>;

/// How long a daemon that is stopped by force has until it is left to itself.
const FORCE: Duration = Duration::from_secs(2);

impl Supervisor {
    /// The place of the daemon called `name`.
    pub(super) fn find(&self, name: &str) -> Result<usize, OrderError> {
        let known = || self.slots.iter().filter(|slot| !slot.leaving).map(|slot| &*slot.spec.name);
        let here = |slot: &Slot| !slot.leaving && same_name(&slot.spec.name, name);
        self.slots.iter().position(here).ok_or_else(|| OrderError::Unknown {
            name: name.to_owned(),
            nearest: nearest_name(name, known()),
        })
    }

    fn take(&mut self, name: &str, step: Step, ctx: &mut Context<Self>) -> ResponseFuture<Answer> {
        let index = match self.find(name) {
            Ok(index) => index,
            Err(unknown) => return Box::pin(async { Err(unknown) }),
        };
        let (answer, answered) = oneshot::channel();
        let slot = &mut self.slots[index];
        slot.wanted = !matches!(step, Step::Stop { then: Then::Rest, .. });
        slot.orders.push_back(Order { answer: Some(answer), ..Order::silent(step) });
        if self.closing.is_some() {
            self.refuse_orders();
        }
        self.settle(ctx);
        let name = self.slots.get(index).map(|slot| slot.spec.name.clone()).unwrap_or_default();
        Box::pin(async { answered.await.unwrap_or_else(|_| Err(closing(name))) })
    }

    /// Takes the order under way one step further; true if there was one to take.
    pub(super) fn advance(&mut self, index: usize, now: Instant, ctx: &Context<Self>) -> bool {
        let slot = &mut self.slots[index];
        let up = slot.is_running();
        let Some(order) = slot.orders.front_mut() else { return false };
        match order.step {
            Step::Start => {
                order.step = Step::Starting;
                order.since = now;
                if up {
                    order.found = Found::Up;
                }
                self.start_dependencies(index);
                self.change(index, ctx, |life| {
                    life.start();
                    None
                });
                true
            }
            Step::Starting => match self.outcome(index) {
                Some(answer) => self.finish(index, answer),
                None if self.slots[index].overruled_at().is_some_and(|at| at <= now) => {
                    let name = self.name(index).to_owned();
                    let reason = "was told to stop before it was up";
                    self.finish(index, Err(OrderError::Refused { name, reason }))
                }
                None => false,
            },
            Step::Stop { force, then } if slot.life.is_alive() => {
                order.step = Step::Stopping { then };
                order.found = Found::Stopped;
                let grace = if force { FORCE } else { slot.spec.policy.stop_timeout };
                let moved = self.change(index, ctx, |life| life.stop(later(now, grace)));
                let slot = &self.slots[index];
                if force && slot.spec.kind == DaemonKind::Process {
                    // It is killed at once; an actor gets time to leave things whole.
                    slot.tell(Control::Stop(now));
                }
                moved
            }
            Step::Stop { then: Then::Rest, .. } => {
                self.change(index, ctx, |life| life.stop(now));
                self.finish(index, Ok(self.done(index, "was not running")))
            }
            Step::Stopping { .. } if slot.life.is_alive() => false,
            Step::Stopping { then: Then::Rest } => self.finish(index, self.stopped(index)),
            Step::Stop { then, .. } | Step::Stopping { then } => {
                if then == Then::GoOn {
                    self.change(index, ctx, |life| {
                        life.resume();
                        None
                    });
                    return self.finish(index, Ok(self.done(index, "was restarted")));
                }
                order.step = Step::Start;
                true
            }
        }
    }

    /// Orders the same for whatever a daemon needs, ahead of its own launch. What has done its
    /// work need not do it again.
    fn start_dependencies(&mut self, index: usize) {
        for edge in self.slots[index].dependencies.clone() {
            if !edge.required || self.is_met(edge) {
                continue;
            }
            let on = &mut self.slots[edge.on];
            let last = on.orders.back().map(|order| order.step);
            if !matches!(last, Some(Step::Start | Step::Starting)) {
                on.wanted = true;
                on.orders.push_back(Order::silent(Step::Start));
            }
        }
    }

    fn finish(&mut self, index: usize, answer: Answer) -> bool {
        if let Some(Order { answer: Some(waiting), .. }) = self.slots[index].orders.pop_front() {
            waiting.send(answer).ok();
        }
        true
    }

    fn done(&self, index: usize, did: impl Into<String>) -> Done {
        Done { daemon: self.view(index), did: did.into() }
    }

    /// What came of an order to start; nothing while that is open.
    fn outcome(&self, index: usize) -> Option<Answer> {
        let is_down =
            |state| matches!(state, State::BackingOff { .. } | State::Failed | State::Stopped);
        let slot = &self.slots[index];
        if slot.is_running() {
            let process = slot.facts.pid.map(|pid| format!(" (PID {pid})")).unwrap_or_default();
            let did = match slot.orders.front().map(|order| order.found) {
                Some(Found::Up) => "was running already",
                Some(Found::Stopped) => "restarted",
                _ => "started",
            };
            return Some(Ok(self.done(index, format!("{did}{process}"))));
        }
        if slot.life.is_completed() {
            return Some(Ok(self.done(index, "started, and has done its work")));
        }
        let slot = &self.slots[self.obstacle(index, is_down)?];
        let name = slot.spec.name.clone();
        Some(Err(match slot.life.last_exit() {
            Some(Exit::Hung(Late::Start)) => {
                OrderError::TimedOut { name, verb: "start", limit: slot.spec.policy.start_timeout }
            }
            _ => OrderError::Failed { name, reason: slot.reason() },
        }))
    }

    /// What came of an order to stop.
    fn stopped(&self, index: usize) -> Answer {
        let slot = &self.slots[index];
        let (name, limit) = (slot.spec.name.clone(), slot.spec.policy.stop_timeout);
        match slot.life.last_exit() {
            Some(Exit::Hung(Late::Stop)) => Err(OrderError::TimedOut { name, verb: "stop", limit }),
            Some(Exit::Stopped) | None => Ok(self.done(index, "stopped")),
            Some(exit) => Ok(self.done(index, format!("stopped: {exit}"))),
        }
    }

    pub(super) fn refuse_orders(&mut self) {
        for slot in &mut self.slots {
            for order in slot.orders.drain(..) {
                if let Some(waiting) = order.answer {
                    waiting.send(Err(closing(slot.spec.name.clone()))).ok();
                }
            }
        }
    }
}

fn closing(name: String) -> OrderError {
    OrderError::Refused { name, reason: "is being stopped with all the others" }
}

impl Handler<List> for Supervisor {
    type Result = MessageResult<List>;

    fn handle(&mut self, _: List, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.views())
    }
}

impl Handler<Show> for Supervisor {
    type Result = Result<Daemon, OrderError>;

    fn handle(&mut self, Show { name }: Show, _: &mut Self::Context) -> Self::Result {
        self.find(&name).map(|index| self.view(index))
    }
}

impl Handler<InOrder> for Supervisor {
    type Result = Vec<String>;

    fn handle(&mut self, _: InOrder, _: &mut Self::Context) -> Self::Result {
        self.order.iter().map(|&index| self.name(index).to_owned()).collect()
    }
}

impl Handler<CheckOne> for Supervisor {
    type Result = ResponseFuture<Result<Daemon, OrderError>>;

    fn handle(&mut self, CheckOne { name }: CheckOne, ctx: &mut Self::Context) -> Self::Result {
        let index = match self.find(&name) {
            Ok(index) => index,
            Err(unknown) => return Box::pin(async { Err(unknown) }),
        };
        let now = Instant::now();
        self.change(index, ctx, |life| life.examine(now));
        let (waiting, checked) = oneshot::channel();
        self.slots[index].checked.push(waiting);
        self.settle(ctx);
        let gone = OrderError::Unknown { name, nearest: None };
        Box::pin(async { checked.await.map_err(|_| gone) })
    }
}

impl Handler<Start> for Supervisor {
    type Result = ResponseFuture<Answer>;

    fn handle(&mut self, Start { name }: Start, ctx: &mut Self::Context) -> Self::Result {
        self.take(&name, Step::Start, ctx)
    }
}

impl Handler<Stop> for Supervisor {
    type Result = ResponseFuture<Answer>;

    fn handle(&mut self, Stop { name, force }: Stop, ctx: &mut Self::Context) -> Self::Result {
        self.take(&name, Step::Stop { force, then: Then::Rest }, ctx)
    }
}

impl Handler<Restart> for Supervisor {
    type Result = ResponseFuture<Answer>;

    fn handle(
        &mut self,
        Restart { name, force }: Restart,
        ctx: &mut Self::Context,
    ) -> Self::Result {
        self.take(&name, Step::Stop { force, then: Then::Start }, ctx)
    }
}

impl Handler<CheckHealth> for Supervisor {
    type Result = ResponseFuture<Vec<Daemon>>;

    fn handle(&mut self, _: CheckHealth, ctx: &mut Self::Context) -> Self::Result {
        let now = Instant::now();
        for index in 0..self.slots.len() {
            self.change(index, ctx, |life| life.examine(now));
        }
        let (waiting, checked) = oneshot::channel();
        self.waiting.checked.push(waiting);
        self.settle(ctx);
        Box::pin(async { checked.await.unwrap_or_default() })
    }
}

impl Handler<Ready> for Supervisor {
    type Result = ResponseFuture<Result<(), NotReady>>;

    fn handle(&mut self, _: Ready, ctx: &mut Self::Context) -> Self::Result {
        let (waiting, ready) = oneshot::channel();
        self.waiting.ready.push(waiting);
        self.settle(ctx);
        Box::pin(async { ready.await.unwrap_or(Err(NotReady::ShuttingDown)) })
    }
}

impl Handler<Shutdown> for Supervisor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Shutdown { grace }: Shutdown, ctx: &mut Self::Context) -> Self::Result {
        let until = later(Instant::now(), grace);
        self.closing = Some(self.closing.map_or(until, |earlier| earlier.min(until)));
        self.refuse_orders();
        let (waiting, closed) = oneshot::channel();
        self.waiting.closed.push(waiting);
        self.settle(ctx);
        Box::pin(async { drop(closed.await) })
    }
}
