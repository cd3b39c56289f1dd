//! Where orders are taken, carried out one at a time per daemon, and answered.

use std::time::Instant;

use actix::{Context, Handler, MessageResult, ResponseFuture};
use tokio::sync::oneshot;

use super::{
    lifecycle::{State, later},
    orders::{
        CheckHealth, CheckOne, Done, List, Mended, NotReady, Order as InOrder, OrderError, Ready,
        Reconcile, Restart, Show, Shutdown, Start, Stop,
    },
    slot::{Order, Step},
    supervisor::Supervisor,
    vitals::{Exit, Late},
};
use crate::domain::{Daemon, DaemonState};

type Answer = Result<Daemon, OrderError>;

impl Supervisor {
    fn take(&mut self, name: &str, step: Step, ctx: &mut Context<Self>) -> ResponseFuture<Answer> {
        let index = match self.find(name) {
            Ok(index) => index,
            Err(unknown) => return Box::pin(async { Err(unknown) }),
        };
        let (answer, answered) = oneshot::channel();
        self.slots[index].orders.push_back(Order { step, answer: Some(answer) });
        if self.closing.is_some() {
            self.refuse_orders();
        }
        self.settle(ctx);
        let name = self.slots[index].spec.name.clone();
        Box::pin(async { answered.await.unwrap_or_else(|_| Err(closing(name))) })
    }

    /// Takes the order under way one step further; true if there was one to take.
    pub(super) fn advance(&mut self, index: usize, now: Instant, ctx: &Context<Self>) -> bool {
        let slot = &mut self.slots[index];
        let Some(order) = slot.orders.front_mut() else { return false };
        match order.step {
            Step::Start => {
                order.step = Step::Starting;
                self.start_dependencies(index);
                self.change(index, ctx, |life| {
                    life.start();
                    None
                });
                true
            }
            Step::Starting => match self.outcome(index) {
                Some(answer) => self.finish(index, answer),
                None => false,
            },
            Step::Stop { again } if slot.life.is_alive() => {
                order.step = Step::Stopping { again };
                let until = later(now, slot.spec.policy.stop_timeout);
                self.change(index, ctx, |life| life.stop(until))
            }
            Step::Stop { again: false } => {
                self.change(index, ctx, |life| life.stop(now));
                self.finish(index, Ok(self.view(index)))
            }
            Step::Stopping { .. } if slot.life.is_alive() => false,
            Step::Stopping { again: false } => self.finish(index, self.stopped(index)),
            Step::Stop { again: true } | Step::Stopping { again: true } => {
                order.step = Step::Start;
                true
            }
        }
    }

    /// Orders the same for whatever a daemon depends on, ahead of its own launch.
    fn start_dependencies(&mut self, index: usize) {
        for edge in self.slots[index].dependencies.clone() {
            let orders = &mut self.slots[edge.on].orders;
            let last = orders.back().map(|order| order.step);
            if !matches!(last, Some(Step::Start | Step::Starting)) {
                orders.push_back(Order { step: Step::Start, answer: None });
            }
        }
    }

    fn finish(&mut self, index: usize, answer: Answer) -> bool {
        if let Some(Order { answer: Some(waiting), .. }) = self.slots[index].orders.pop_front() {
            waiting.send(answer).ok();
        }
        true
    }

    /// What came of an order to start; nothing while that is open.
    fn outcome(&self, index: usize) -> Option<Answer> {
        let is_down =
            |state| matches!(state, State::BackingOff { .. } | State::Failed | State::Stopped);
        if matches!(self.slots[index].life.state(), State::Running { .. }) {
            return Some(Ok(self.view(index)));
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
            _ => Ok(self.view(index)),
        }
    }

    fn refuse_orders(&mut self) {
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
    type Result = Answer;

    fn handle(&mut self, Show { name }: Show, _: &mut Self::Context) -> Answer {
        self.find(&name).map(|index| self.view(index))
    }
}

impl Handler<Start> for Supervisor {
    type Result = ResponseFuture<Result<Done, OrderError>>;

    fn handle(&mut self, Start { name }: Start, ctx: &mut Self::Context) -> Self::Result {
        let before = self.find(&name).ok().map(|index| self.view(index).state);
        let answer = self.take(&name, Step::Start, ctx);
        Box::pin(async move {
            let did = if before == Some(DaemonState::Running) {
                "was running already"
            } else {
                "started"
            };
            answer.await.map(|daemon| Done { daemon, did: did.to_owned() })
        })
    }
}

impl Handler<Stop> for Supervisor {
    type Result = ResponseFuture<Result<Done, OrderError>>;

    fn handle(&mut self, Stop { name, .. }: Stop, ctx: &mut Self::Context) -> Self::Result {
        let before = self.find(&name).ok().map(|index| self.view(index).state);
        let answer = self.take(&name, Step::Stop { again: false }, ctx);
        Box::pin(async move {
            let did = if before == Some(DaemonState::Stopped) {
                "was stopped already"
            } else {
                "stopped"
            };
            answer.await.map(|daemon| Done { daemon, did: did.to_owned() })
        })
    }
}

impl Handler<Restart> for Supervisor {
    type Result = ResponseFuture<Result<Done, OrderError>>;

    fn handle(&mut self, Restart { name, .. }: Restart, ctx: &mut Self::Context) -> Self::Result {
        let before = self.find(&name).ok().map(|index| self.view(index).state);
        let answer = self.take(&name, Step::Stop { again: true }, ctx);
        Box::pin(async move {
            let did = if before == Some(DaemonState::Running) { "restarted" } else { "started" };
            answer.await.map(|daemon| Done { daemon, did: did.to_owned() })
        })
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

impl Handler<CheckOne> for Supervisor {
    type Result = ResponseFuture<Answer>;

    fn handle(&mut self, CheckOne { name }: CheckOne, ctx: &mut Self::Context) -> Self::Result {
        let all = Handler::<CheckHealth>::handle(self, CheckHealth, ctx);
        let place = self.find(&name);
        Box::pin(async move {
            let index = place?;
            all.await.into_iter().nth(index).ok_or_else(|| closing(name))
        })
    }
}

impl Handler<Reconcile> for Supervisor {
    type Result = Result<Vec<Mended>, OrderError>;

    fn handle(&mut self, Reconcile { name }: Reconcile, _: &mut Self::Context) -> Self::Result {
        name.map_or(Ok(0), |name| self.find(&name)).map(|_| Vec::new())
    }
}

impl Handler<InOrder> for Supervisor {
    type Result = MessageResult<InOrder>;

    fn handle(&mut self, _: InOrder, _: &mut Self::Context) -> Self::Result {
        let names = self.order.iter().map(|&index| self.slots[index].spec.name.clone());
        MessageResult(names.collect())
    }
}
