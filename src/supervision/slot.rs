//! One daemon as the supervisor holds it.

use std::{
    collections::VecDeque,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Arbiter, Recipient};
use tokio::sync::{mpsc::UnboundedSender, oneshot};

use super::{
    child::{Child, Facts},
    lifecycle::{Command, Lifecycle, State},
    lifeline::{Lifeline, News, Reporter},
    orders::{Done, OrderError},
    pulse::{Control, Controls},
    shared::Shared,
    spec::Spec,
    vitals::Vitals,
};
use crate::domain::{Daemon, DaemonState, Edge, Health, HealthStatus, Moment, Timestamp};

/// How long an order to stop waits for the end of the start before it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Moments that are remembered of each daemon.
const REMEMBERED: usize = 50;

/// A daemon, its life and its current incarnation.
pub(super) struct Slot {
    /// Its number for life, wherever it stands among the others.
    pub(super) id: u64,
    pub(super) spec: Spec,
    /// What must be there before it, by place.
    pub(super) dependencies: Vec<Edge>,
    pub(super) life: Lifecycle,
    pub(super) vitals: Arc<Vitals>,
    /// What people asked of it, one at a time, the first being under way.
    pub(super) orders: VecDeque<Order>,
    /// Who waits for its answer to a health request.
    pub(super) checked: Vec<oneshot::Sender<Daemon>>,
    /// True while it is meant to run.
    pub(super) wanted: bool,
    /// It is no longer configured, and goes as soon as it is down.
    pub(super) leaving: bool,
    /// What it is to be as soon as it is down.
    pub(super) next: Option<(Spec, Child)>,
    /// True once it has been running.
    pub(super) has_run: bool,
    /// Restarts in earlier runs of the station.
    pub(super) restarts_before: u64,
    /// What it last said of its health.
    pub(super) health: Health,
    /// What else it last said of itself.
    pub(super) facts: Facts,
    /// What became of it lately, oldest first.
    pub(super) timeline: VecDeque<Moment>,
    /// When it last failed, and what it wrote last before that.
    pub(super) last_words: Option<(Timestamp, Vec<String>)>,
    /// What the observer knows.
    pub(super) shown: Option<(DaemonState, HealthStatus)>,
    /// What its next incarnation is to do as soon as it runs.
    pub(super) ahead: Vec<Control>,
    pub(super) child: Child,
    pub(super) started_at: Option<Timestamp>,
    pub(super) next_restart_at: Option<Timestamp>,
    controls: Option<UnboundedSender<Control>>,
    arbiter: Option<Arbiter>,
}

/// Something a person asked of a daemon, or that follows from what became of another.
pub(super) struct Order {
    pub(super) step: Step,
    /// Where the answer goes; nowhere for what was ordered on behalf of another daemon.
    pub(super) answer: Option<oneshot::Sender<Result<Done, OrderError>>>,
    /// How the order found the daemon.
    pub(super) found: Found,
    /// When it was given; of a start under way, when that began.
    pub(super) since: Instant,
}

/// How an order found its daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Down.
    Down,
    /// Up.
    Up,
    /// Up, and has stopped it.
    Stopped,
}

impl Order {
    /// An order that nobody waits for.
    pub(super) fn silent(step: Step) -> Self {
        Self { step, answer: None, found: Found::Down, since: Instant::now() }
    }
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To be started.
    Start,
    /// Has been told to start.
    Starting,
    /// To be stopped.
    Stop { force: bool, then: Then },
    /// Has been told to stop.
    Stopping { then: Then },
}

/// What comes after a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing.
    Rest,
    /// A start, with all it depends on.
    Start,
    /// It goes on as before, once what it depends on is there: no failure is forgiven.
    GoOn,
}

impl Slot {
    pub(super) fn new(id: u64, spec: Spec, child: Child, chance: f64) -> Self {
        Self {
            id,
            dependencies: Vec::new(),
            life: Lifecycle::new(spec.policy, chance),
            vitals: Vitals::new(),
            orders: VecDeque::new(),
            checked: Vec::new(),
            wanted: false,
            leaving: false,
            next: None,
            has_run: false,
            restarts_before: 0,
            health: Health::unknown("not asked yet"),
            facts: Facts::default(),
            timeline: VecDeque::new(),
            last_words: None,
            shown: None,
            ahead: Vec::new(),
            child,
            controls: None,
            arbiter: None,
            started_at: None,
            next_restart_at: None,
            spec,
        }
    }

    /// Carries out what its lifecycle decided.
    pub(super) fn obey(
        &mut self,
        command: Command,
        supervisor: Recipient<News>,
        shared: &mut Shared,
    ) {
        match command {
            Command::Launch(incarnation) => {
                self.health = Health::unknown("starting");
                self.launch(Reporter { slot: self.id, incarnation, supervisor }, shared);
            }
            Command::Examine => self.tell(Control::Examine),
            Command::AskToStop(until) => self.tell(Control::Stop(until)),
            Command::Retire => {
                self.vitals.retire();
                self.child.forget();
                self.controls = None; // which ends it where it shares a thread
                if let Some(arbiter) = self.arbiter.take() {
                    arbiter.stop(); // never join: the thread may be stuck
                }
                self.facts = Facts::default();
            }
        }
    }

    fn launch(&mut self, reporter: Reporter, shared: &mut Shared) {
        self.vitals = Vitals::new();
        let lifeline = Lifeline { reporter, vitals: self.vitals.clone() };
        let (sender, controls) = Controls::new(self.spec.policy.beat());
        self.controls = Some(sender);
        for control in mem::take(&mut self.ahead) {
            self.tell(control);
        }
        let thread = if self.child.shares {
            shared.handle().map(|handle| (handle, None))
        } else {
            Arbiter::try_new().map(|arbiter| (arbiter.handle(), Some(arbiter)))
        };
        match thread {
            Ok((handle, own)) => {
                self.child.launch(lifeline, controls, &handle);
                self.arbiter = own;
            }
            Err(error) => self.vitals.fail(&error), // reported as the lifeline drops
        }
    }

    /// Tells the current incarnation; if it has just ended, that is on its way to us.
    pub(super) fn tell(&self, control: Control) {
        if let Some(controls) = &self.controls {
            controls.send(control).ok();
        }
    }

    /// Becomes what it was told to become, now that it is down; true if there was anything.
    pub(super) fn renew(&mut self) -> bool {
        let Some((spec, child)) = self.next.take_if(|_| !self.life.is_alive()) else {
            return false;
        };
        self.life.set_policy(spec.policy);
        (self.spec, self.child) = (spec, child);
        self.last_words = None;
        true
    }

    /// Notes when it moved, by the wall clock.
    pub(super) fn stamp(&mut self) {
        let wall = Timestamp::now();
        (self.started_at, self.next_restart_at) = match self.life.state() {
            State::Running { .. } => {
                self.has_run = true;
                (self.started_at.or(Some(wall)), None)
            }
            State::BackingOff { until } => {
                (None, Some(wall.after(until.saturating_duration_since(Instant::now()))))
            }
            _ => (None, None),
        };
    }

    /// Remembers a change of its state.
    pub(super) fn remember(&mut self, reason: String) {
        let state = self.state();
        if self.timeline.back().is_some_and(|last| last.state == state && last.reason == reason) {
            return;
        }
        if self.timeline.len() >= REMEMBERED {
            self.timeline.pop_front();
        }
        self.timeline.push_back(Moment { at: Timestamp::now(), state, reason });
    }

    /// True if there is nothing to do with it now, whatever became of the others.
    pub(super) fn is_at_rest(&self, now: Instant) -> bool {
        self.orders.is_empty()
            && self.next.is_none()
            && self.life.state() != State::Waiting
            && self.life.due(self.vitals.last_beat()).is_none_or(|due| now < due)
    }

    /// When the start under way, which may never come to its end, gives way to the order to stop
    /// behind it. What that one waited for others before does not count.
    pub(super) fn overruled_at(&self) -> Option<Instant> {
        let [start, stop] = [self.orders.front()?, self.orders.get(1)?];
        match (start.step, stop.step) {
            (Step::Starting, Step::Stop { force: true, .. }) => Some(stop.since),
            (Step::Starting, Step::Stop { .. }) => Some(start.since.max(stop.since) + PATIENCE),
            _ => None,
        }
    }

    /// Why it is down, in one sentence.
    pub(super) fn reason(&self) -> String {
        match (self.life.state(), self.life.last_failure()) {
            (State::Stopped, _) | (_, None) => "it is stopped".to_owned(),
            (_, Some(failure)) => failure.to_string(),
        }
    }

    /// Restarts since the station started.
    pub(super) fn restarts(&self) -> u64 {
        self.life.incarnation().saturating_sub(1)
    }

    /// The word people know its state by.
    pub(super) fn state(&self) -> DaemonState {
        match self.life.state() {
            State::Stopped => DaemonState::Stopped,
            State::Waiting | State::Starting { .. } => DaemonState::Starting,
            State::Running { .. } => DaemonState::Running,
            State::Stopping { .. } => DaemonState::Stopping,
            State::BackingOff { .. } => DaemonState::Backoff,
            State::Failed => DaemonState::Failed,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.life.state(), State::Running { .. })
    }
}
