//! The actor that carries out what each lifecycle decides.
//!
//! Whatever happens, one function brings everything to where it should be now: [`settle`]. It
//! takes one small step after another until nothing is left to do, and then sets one alarm for
//! the next moment at which time alone will change something.
//!
//! [`settle`]: Supervisor::settle

use std::{mem, time::Instant};

use actix::{Actor, AsyncContext, Context, SpawnHandle};
use tokio::sync::oneshot;

use super::{
    child::Child,
    fuse::Fuse,
    lifecycle::{Checkup, Command, Lifecycle, State, later},
    notice::Notice,
    orders::NotReady,
    problems::Problems,
    shared::Shared,
    slot::{Order, Slot, Step, Then},
    spec::{Rules, Spec},
    throttle::Throttle,
    vitals::{Exit, Late},
};
use crate::domain::{Daemon, DaemonKind, Edge, OnDependencyRestart, Plan, Timestamp};

/// Runs daemons, each alone on its own thread unless it shares one, and replaces those that end
/// or hang.
pub struct Supervisor {
    pub(super) slots: Vec<Slot>,
    /// All places, each after those of what it depends on.
    pub(super) order: Vec<usize>,
    /// When everything must be down, once it is to stop.
    pub(super) closing: Option<Instant>,
    pub(super) waiting: Waiting,
    pub(super) rules: Rules,
    pub(super) throttle: Throttle,
    pub(super) observer: Box<dyn Fn(Notice<'_>)>,
    pub(super) taken: u64,
    alarm: Option<(Instant, SpawnHandle)>,
    /// The thread of those that share one.
    shared: Shared,
    /// Threads that were left to themselves.
    abandoned: u32,
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
    /// Supervises `daemons`, once started (on an arbiter that nothing else blocks). Needs a
    /// running system.
    ///
    /// `observer` is told of each daemon at the start, and then of each change, in order. It must
    /// be quick, and its panic is the supervisor's, which ends the process.
    pub fn new(
        daemons: Vec<(Spec, Child)>,
        rules: Rules,
        observer: impl Fn(Notice<'_>) + 'static,
    ) -> Result<Self, Problems> {
        let now = Instant::now();
        let mut this = Self {
            slots: Vec::with_capacity(daemons.len()),
            order: Vec::new(),
            closing: None,
            waiting: Waiting::default(),
            throttle: Throttle::new(rules.restarts_per_minute, now),
            rules,
            observer: Box::new(observer),
            taken: 0,
            alarm: None,
            shared: Shared::new(),
            abandoned: 0,
            _fuse: Fuse,
        };
        for (spec, child) in daemons {
            this.add(spec, child);
        }
        this.replan()?;
        Ok(this)
    }

    /// One more daemon, which [`replan`](Self::replan) fits in.
    pub(super) fn add(&mut self, spec: Spec, child: Child) -> usize {
        self.taken += 1;
        let before = self.rules.restarts_before.remove(&spec.name).unwrap_or(0);
        let mut slot = Slot::new(self.taken, spec, child, chance(self.taken));
        slot.restarts_before = before;
        self.slots.push(slot);
        self.slots.len() - 1
    }

    /// Finds out anew what depends on what, and in what order. What is leaving is needed by
    /// nobody and comes last.
    pub(super) fn replan(&mut self) -> Result<(), Problems> {
        let staying: Vec<usize> =
            (0..self.slots.len()).filter(|&index| !self.slots[index].leaving).collect();
        let spec = |&index: &usize| {
            let slot = &self.slots[index];
            slot.next.as_ref().map_or(&slot.spec, |(spec, _)| spec)
        };
        let nodes: Vec<_> = staying.iter().map(|index| spec(index).node()).collect();
        let Plan { order, dependencies } = Plan::new(&nodes)?;
        let leaving = (0..self.slots.len()).filter(|index| !staying.contains(index));
        self.order = order.into_iter().map(|at| staying[at]).chain(leaving).collect();
        for (at, edges) in dependencies.into_iter().enumerate() {
            let placed = |edge: Edge| Edge { on: staying[edge.on], ..edge };
            self.slots[staying[at]].dependencies = edges.into_iter().map(placed).collect();
        }
        Ok(())
    }

    /// Lets a lifecycle decide, does what it decided and shows what came of it; true if anything.
    pub(super) fn change(
        &mut self,
        index: usize,
        ctx: &Context<Self>,
        decide: impl FnOnce(&mut Lifecycle) -> Option<Command>,
    ) -> bool {
        let slot = &mut self.slots[index];
        let (before, ran) = (slot.life.state(), slot.has_run);
        let command = decide(&mut slot.life);
        if command == Some(Command::Retire) {
            self.bury(index);
        }
        let slot = &mut self.slots[index];
        if let Some(command) = command {
            slot.obey(command, ctx.address().recipient(), &mut self.shared);
        }
        let changed = command.is_some() || slot.life.state() != before;
        if changed {
            slot.stamp();
            if matches!(before, State::Starting { .. }) && slot.is_running() && ran {
                self.ripple(index);
            }
            self.show(index);
        }
        changed
    }

    /// Keeps what there is to know of an incarnation that ends, and does without its thread if
    /// that stands still.
    fn bury(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        let failed = slot.life.last_exit() == slot.life.last_failure();
        if failed && slot.life.last_failure().is_some() {
            slot.last_words = Some((Timestamp::now(), slot.vitals.last_lines()));
        }
        if !matches!(slot.life.last_exit(), Some(Exit::Hung(Late::Beat | Late::Health))) {
            return;
        }
        if slot.child.shares && !self.renew_shared(index) {
            return;
        }
        self.abandoned += 1;
        let name = &self.slots[index].spec.name;
        (self.observer)(Notice::Abandoned { name, count: self.abandoned });
    }

    /// Puts another thread in the place of the one that is shared, if it is the thread that stands
    /// still and not one of its daemons.
    fn renew_shared(&mut self, index: usize) -> bool {
        let silent = |slot: &Slot| {
            slot.vitals.last_beat().elapsed() > slot.spec.policy.silence_limit / 2
                || !slot.life.is_alive()
        };
        let born_here = self.slots[index].vitals.born() >= self.shared.since();
        let stuck = born_here && self.slots.iter().filter(|slot| slot.child.shares).all(silent);
        if stuck {
            self.shared.renew();
        }
        stuck
    }

    /// One that is back after it was down takes along those that want that.
    fn ripple(&mut self, index: usize) {
        for slot in &mut self.slots {
            let depends = slot.dependencies.iter().any(|edge| edge.on == index);
            let wants = slot.spec.on_dependency_restart == OnDependencyRestart::Restart;
            if depends && wants && slot.life.is_alive() && slot.orders.is_empty() {
                let step = Step::Stop { force: false, then: Then::GoOn };
                slot.orders.push_back(Order::silent(step));
            }
        }
    }

    /// Brings everything to where it should be now.
    pub(super) fn settle(&mut self, ctx: &mut Context<Self>) {
        while self.pass(ctx) {}
        self.answer();
        self.set_alarm(ctx);
    }

    /// Takes at most one step with each daemon; true if there was any to take.
    fn pass(&mut self, ctx: &Context<Self>) -> bool {
        let (mut moved, now) = (false, Instant::now());
        for at in 0..self.order.len() {
            let index = self.order[at];
            if self.closing.is_some() || !self.slots[index].is_at_rest(now) {
                moved |= self.step(index, now, ctx);
            }
        }
        moved | self.sweep_out()
    }

    fn step(&mut self, index: usize, now: Instant, ctx: &Context<Self>) -> bool {
        if self.slots[index].renew() {
            self.show(index);
            return true;
        }
        if self.advance(index, now, ctx) {
            return true; // first, so that whoever waits hears of a failure even without back-off
        }
        let last_beat = self.slots[index].vitals.last_beat();
        if !self.hold_back(index, now) && self.change(index, ctx, |life| life.tick(last_beat, now))
        {
            return true;
        }
        if let Some(end) = self.closing {
            return self.wind_down(index, end, now, ctx);
        }
        let is_met = |&edge: &Edge| self.is_met(edge);
        self.slots[index].dependencies.iter().all(is_met)
            && self.change(index, ctx, |life| life.release(now))
    }

    /// Keeps one down whose back-off is over, if there were too many restarts lately.
    fn hold_back(&mut self, index: usize, now: Instant) -> bool {
        let slot = &mut self.slots[index];
        let State::BackingOff { until } = slot.life.state() else { return false };
        if now < until || self.closing.is_some() {
            return false;
        }
        let Err(next) = self.throttle.take(now) else { return false };
        slot.life.postpone(next);
        slot.stamp();
        self.show(index);
        let (name, per_minute) = (&self.slots[index].spec.name, self.rules.restarts_per_minute);
        (self.observer)(Notice::HeldBack { name, per_minute });
        true
    }

    /// Stops what nothing depends on any more.
    fn wind_down(&mut self, index: usize, end: Instant, now: Instant, ctx: &Context<Self>) -> bool {
        let needs = |slot: &Slot| {
            slot.life.is_alive() && slot.dependencies.iter().any(|edge| edge.on == index)
        };
        if self.slots[index].life.is_alive() && self.slots.iter().any(needs) {
            return false;
        }
        if self.slots[index].spec.survives {
            return self.change(index, ctx, Lifecycle::let_go);
        }
        let until = end.min(later(now, self.slots[index].spec.policy.stop_timeout));
        self.change(index, ctx, |life| life.stop(until))
    }

    /// Forgets what is no longer configured and is down.
    fn sweep_out(&mut self) -> bool {
        let gone = |slot: &Slot| slot.leaving && !slot.life.is_alive() && slot.orders.is_empty();
        if !self.slots.iter().any(gone) {
            return false;
        }
        for slot in self.slots.extract_if(.., |slot| gone(slot)) {
            (self.observer)(Notice::Gone { name: &slot.spec.name });
        }
        // It fitted together with what has gone, which nothing depended on.
        self.replan().is_ok()
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
        for index in 0..self.slots.len() {
            if !self.slots[index].checked.is_empty() && !asked(&self.slots[index]) {
                let view = self.view(index);
                for waiting in mem::take(&mut self.slots[index].checked) {
                    waiting.send(view.clone()).ok();
                }
            }
        }
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

    /// Whether all built-in daemons are up for the first time; nothing while that is undecided.
    /// A program that does not start is no reason to do without all the others.
    fn readiness(&self) -> Option<Result<(), NotReady>> {
        if self.closing.is_some() {
            return Some(Err(NotReady::ShuttingDown));
        }
        let mut missing = (0..self.slots.len())
            .filter(|&index| {
                let slot = &self.slots[index];
                slot.spec.kind == DaemonKind::Builtin && slot.spec.enabled && !slot.has_run
            })
            .peekable();
        if missing.peek().is_none() {
            return Some(Ok(()));
        }
        let hopeless = |state| matches!(state, State::Failed | State::Stopped);
        let culprit = missing.find_map(|index| self.obstacle(index, hopeless))?;
        let slot = &self.slots[culprit];
        Some(Err(NotReady::Failed { name: slot.spec.name.clone(), reason: slot.reason() }))
    }

    fn set_alarm(&mut self, ctx: &mut Context<Self>) {
        let due = |slot: &Slot| [slot.life.due(slot.vitals.last_beat()), slot.overruled_at()];
        let due = self.slots.iter().flat_map(due).flatten().min();
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
        for slot in &mut self.slots {
            slot.wanted = slot.spec.enabled;
            if slot.wanted {
                slot.life.start();
            }
        }
        (0..self.slots.len()).for_each(|index| self.show(index));
        self.settle(ctx);
        self.reconcile_for_ever(ctx);
    }
}

/// The `n`-th place within the jitter: as far apart as can be however many are taken (the golden
/// ratio).
fn chance(n: u64) -> f64 {
    const STEP: f64 = 0.618_033_988_749_894_9;
    (STEP * n as f64).fract()
}
