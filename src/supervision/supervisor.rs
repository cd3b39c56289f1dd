//! The actor that carries out what each lifecycle decides.
//!
//! Whatever happens, one function brings everything to where it should be now: [`settle`]. It
//! takes one small step after another until nothing is left to do, and then sets one alarm for
//! the next moment at which time alone will change something.
//!
//! [`settle`]: Supervisor::settle

use std::{mem, time::Instant};

use actix::{Actor, AsyncContext, Context, Handler, SpawnHandle};
use log::{error, info, warn};
use tokio::sync::oneshot;

use super::{
    child::Child,
    fuse::Fuse,
    lifecycle::{Checkup, Command, Lifecycle, State, later},
    lifeline::{Event, News},
    orders::{NotReady, OrderError},
    problems::Problems,
    slot::Slot,
    spec::Spec,
};
use crate::domain::{Daemon, DaemonState, Edge, Plan, Timestamp, nearest_name, same_name};

/// Runs daemons, each alone on its own thread, and replaces those that end or hang.
pub struct Supervisor {
    pub(super) slots: Vec<Slot>,
    /// All places, each after those of what it depends on.
    pub(super) order: Vec<usize>,
    /// When everything must be down, once it is to stop.
    pub(super) closing: Option<Instant>,
    pub(super) waiting: Waiting,
    observer: Box<dyn Fn(&Daemon)>,
    alarm: Option<(Instant, SpawnHandle)>,
    _fuse: Fuse,
}

/// Who waits for something that concerns all daemons.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) ready: Vec<oneshot::Sender<Result<(), NotReady>>>,
    pub(super) checked: Vec<oneshot::Sender<Vec<Daemon>>>,
    pub(super) closed: Vec<oneshot::Sender<()>>,
}

impl Supervisor {
    /// Supervises `daemons`, once started (on an arbiter that nothing else blocks).
    ///
    /// `observer` is called with the full view of each daemon at the start, and then after each
    /// change of its state or health status, in the order of the changes. It must be quick, and
    /// its panic is the supervisor's, which ends the process.
    pub fn new(
        daemons: Vec<(Spec, Child)>,
        observer: impl Fn(&Daemon) + 'static,
    ) -> Result<Self, Problems> {
        let (specs, children): (Vec<_>, Vec<_>) = daemons.into_iter().unzip();
        let nodes = specs.iter().map(Spec::node).collect::<Vec<_>>();
        let Plan { order, dependencies } = Plan::new(&nodes).map_err(Problems::from)?;
        let slots = specs
            .into_iter()
            .zip(children)
            .zip(dependencies)
            .zip(chances())
            .map(|(((spec, child), dependencies), chance)| {
                Slot::new(spec, child, dependencies, chance)
            })
            .collect();
        Ok(Self {
            slots,
            order,
            closing: None,
            waiting: Waiting::default(),
            observer: Box::new(observer),
            alarm: None,
            _fuse: Fuse,
        })
    }

    /// The place of the daemon called `name`.
    pub(super) fn find(&self, name: &str) -> Result<usize, OrderError> {
        let names = || self.slots.iter().map(|slot| slot.spec.name.as_str());
        names().position(|known| same_name(known, name)).ok_or_else(|| OrderError::Unknown {
            name: name.to_owned(),
            nearest: nearest_name(name, names()),
        })
    }

    /// As people see it.
    pub(super) fn view(&self, index: usize) -> Daemon {
        let slot = &self.slots[index];
        let held_up =
            |edge: &&Edge| !matches!(self.slots[edge.on].life.state(), State::Running { .. });
        let names = slot.dependencies.iter().filter(held_up);
        slot.view(&names.map(|edge| self.slots[edge.on].spec.name.as_str()).collect::<Vec<_>>())
    }

    /// As people see them, in the order they were given.
    pub(super) fn views(&self) -> Vec<Daemon> {
        (0..self.slots.len()).map(|index| self.view(index)).collect()
    }

    /// Lets a lifecycle decide, does what it decided and shows what came of it; true if anything.
    pub(super) fn change(
        &mut self,
        index: usize,
        ctx: &Context<Self>,
        decide: impl FnOnce(&mut Lifecycle) -> Option<Command>,
    ) -> bool {
        let slot = &mut self.slots[index];
        let before = slot.life.state();
        let command = decide(&mut slot.life);
        if let Some(command) = command {
            slot.obey(command, index, ctx.address().recipient());
        }
        let changed = command.is_some() || slot.life.state() != before;
        if changed {
            slot.stamp();
            self.show(index);
        }
        changed
    }

    /// Tells the observer, if there is anything new.
    fn show(&mut self, index: usize) {
        let view = self.view(index);
        let news = (view.state, view.health.status);
        let known = self.slots[index].shown.replace(news);
        if known == Some(news) {
            return;
        }
        if known.is_none_or(|(state, _)| state != view.state) {
            record(&view);
        }
        (self.observer)(&view);
    }

    /// Brings everything to where it should be now.
    pub(super) fn settle(&mut self, ctx: &mut Context<Self>) {
        while self.pass(ctx) {}
        self.answer();
        self.set_alarm(ctx);
    }

    /// Takes at most one step with each daemon; true if there was any to take.
    fn pass(&mut self, ctx: &Context<Self>) -> bool {
        let mut moved = false;
        for at in 0..self.order.len() {
            moved |= self.step(self.order[at], ctx);
        }
        moved
    }

    fn step(&mut self, index: usize, ctx: &Context<Self>) -> bool {
        let now = Instant::now();
        if self.advance(index, now, ctx) {
            return true; // first, so that whoever waits hears of a failure even without back-off
        }
        let last_beat = self.slots[index].vitals.last_beat();
        if self.change(index, ctx, |life| life.tick(last_beat, now)) {
            return true;
        }
        if let Some(end) = self.closing {
            return self.wind_down(index, end, now, ctx);
        }
        let runs = |edge: &Edge| matches!(self.slots[edge.on].life.state(), State::Running { .. });
        self.slots[index].dependencies.iter().all(runs)
            && self.change(index, ctx, |life| life.release(now))
    }

    /// Stops what nothing depends on any more.
    fn wind_down(&mut self, index: usize, end: Instant, now: Instant, ctx: &Context<Self>) -> bool {
        let needs = |slot: &Slot| {
            slot.life.is_alive() && slot.dependencies.iter().any(|edge| edge.on == index)
        };
        if self.slots[index].life.is_alive() && self.slots.iter().any(needs) {
            return false;
        }
        let until = end.min(later(now, self.slots[index].spec.policy.stop_timeout));
        self.change(index, ctx, |life| life.stop(until))
    }

    /// Answers who waits for what has come true.
    fn answer(&mut self) {
        if !self.waiting.ready.is_empty()
            && let Some(result) = self.readiness()
        {
            for waiting in mem::take(&mut self.waiting.ready) {
                waiting.send(result.clone()).ok();
            }
        }
        let asked = |slot: &Slot| {
            matches!(slot.life.state(), State::Running { checkup: Checkup::Asked(_), .. })
        };
        if !self.waiting.checked.is_empty() && !self.slots.iter().any(asked) {
            let views = self.views();
            for waiting in mem::take(&mut self.waiting.checked) {
                waiting.send(views.clone()).ok();
            }
        }
        if self.closing.is_some() && !self.slots.iter().any(|slot| slot.life.is_alive()) {
            for waiting in mem::take(&mut self.waiting.closed) {
                waiting.send(()).ok();
            }
        }
    }

    /// Whether all are up for the first time; nothing while that is undecided.
    fn readiness(&self) -> Option<Result<(), NotReady>> {
        if self.closing.is_some() {
            return Some(Err(NotReady::ShuttingDown));
        }
        let mut missing = (0..self.slots.len())
            .filter(|&index| self.slots[index].spec.enabled && !self.slots[index].has_run)
            .peekable();
        if missing.peek().is_none() {
            return Some(Ok(()));
        }
        let hopeless = |state| matches!(state, State::Failed | State::Stopped);
        let culprit = missing.find_map(|index| self.obstacle(index, hopeless))?;
        let slot = &self.slots[culprit];
        Some(Err(NotReady::Failed { name: slot.spec.name.clone(), reason: slot.reason() }))
    }

    /// The daemon because of which `index` does not come up: itself, or one it waits for. What
    /// somebody has ordered about is given its chance.
    pub(super) fn obstacle(&self, index: usize, is_down: fn(State) -> bool) -> Option<usize> {
        let slot = &self.slots[index];
        if slot.life.state() == State::Waiting {
            let idle = |edge: &&Edge| self.slots[edge.on].orders.is_empty();
            return slot
                .dependencies
                .iter()
                .filter(idle)
                .find_map(|edge| self.obstacle(edge.on, is_down));
        }
        is_down(slot.life.state()).then_some(index)
    }

    fn set_alarm(&mut self, ctx: &mut Context<Self>) {
        let due = self.slots.iter().filter_map(|slot| slot.life.due(slot.vitals.last_beat())).min();
        if self.alarm.map(|(at, _)| at) == due {
            return;
        }
        if let Some((_, handle)) = self.alarm.take() {
            ctx.cancel_future(handle);
        }
        self.alarm = due.map(|at| {
            let delay = at.saturating_duration_since(Instant::now());
            let handle = ctx.run_later(delay, |this, ctx| {
                this.alarm = None;
                this.settle(ctx);
            });
            (at, handle)
        });
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        for index in 0..self.slots.len() {
            if self.slots[index].spec.enabled {
                self.slots[index].life.start();
            }
        }
        (0..self.slots.len()).for_each(|index| self.show(index));
        self.settle(ctx);
    }
}

impl Handler<News> for Supervisor {
    type Result = ();

    fn handle(&mut self, news: News, ctx: &mut Self::Context) {
        let News { index, incarnation, event } = news;
        let (now, life) = (Instant::now(), &mut self.slots[index].life);
        match event {
            Event::Health(mut health, facts) => {
                if incarnation == life.incarnation() {
                    health.checked_at = Some(Timestamp::now());
                    self.slots[index].health = health;
                    self.slots[index].facts = facts;
                }
                self.change(index, ctx, |life| {
                    life.answered(incarnation, now);
                    None
                });
            }
            Event::Exited(exit) => {
                self.change(index, ctx, |life| life.exited(incarnation, exit, now));
            }
        }
        self.settle(ctx);
    }
}

/// Writes a change of state to the log.
fn record(daemon: &Daemon) {
    let Daemon { name, restarts, health, .. } = daemon;
    match daemon.state {
        DaemonState::Running if *restarts > 0 => info!("{name} is up again (restart {restarts})"),
        DaemonState::Running => info!("{name} is up"),
        DaemonState::Backoff => warn!("{name} {}, and will be restarted", health.message),
        DaemonState::Failed => error!("{name} is {}", health.message),
        DaemonState::Stopped => match &daemon.last_exit {
            Some(exit) => info!("{name} is down: {exit}"),
            None => info!("{name} is {}", health.message),
        },
        DaemonState::Starting | DaemonState::Stopping => info!("{name} is {}", health.message),
    }
}

/// Places within the jitter, as far apart as can be however many are taken (the golden ratio).
fn chances() -> impl Iterator<Item = f64> {
    const STEP: f64 = 0.618_033_988_749_894_9;
    std::iter::successors(Some(STEP), |chance| Some((chance + STEP).fract()))
}
