//! One daemon as the supervisor holds it.

use std::{collections::VecDeque, mem, sync::Arc, time::Instant};

use actix::{Arbiter, Recipient};
use tokio::sync::{mpsc::UnboundedSender, oneshot};

use super::{
    child::{Child, Facts},
    lifecycle::{Command, Lifecycle, State},
    lifeline::{Lifeline, News, Reporter},
    orders::OrderError,
    pulse::{Control, Controls},
    spec::Spec,
    vitals::Vitals,
};
use crate::domain::{Daemon, DaemonState, Edge, Health, HealthStatus, Timestamp, Why};

/// A daemon, its life and its current incarnation.
pub(super) struct Slot {
    pub(super) spec: Spec,
    /// What must run before it, by place.
    pub(super) dependencies: Vec<Edge>,
    pub(super) life: Lifecycle,
    pub(super) vitals: Arc<Vitals>,
    /// What people asked of it, one at a time, the first being under way.
    pub(super) orders: VecDeque<Order>,
    /// True once it has been running.
    pub(super) has_run: bool,
    /// What it last said of its health.
    pub(super) health: Health,
    /// What else it last said of itself.
    pub(super) facts: Facts,
    /// What the observer knows.
    pub(super) shown: Option<(DaemonState, HealthStatus)>,
    /// What its next incarnation is to do as soon as it runs.
    pub(super) ahead: Vec<Control>,
    child: Child,
    controls: Option<UnboundedSender<Control>>,
    arbiter: Option<Arbiter>,
    started_at: Option<Timestamp>,
    next_restart_at: Option<Timestamp>,
}

/// Something a person asked of a daemon.
pub(super) struct Order {
    pub(super) step: Step,
    /// Where the answer goes; nowhere for what was ordered on behalf of another daemon.
    pub(super) answer: Option<oneshot::Sender<Result<Daemon, OrderError>>>,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To be started.
    Start,
    /// Has been told to start.
    Starting,
    /// To be stopped, and perhaps started again.
    Stop { again: bool },
    /// Has been told to stop.
    Stopping { again: bool },
}

impl Slot {
    pub(super) fn new(spec: Spec, child: Child, dependencies: Vec<Edge>, chance: f64) -> Self {
        Self {
            dependencies,
            life: Lifecycle::new(spec.policy, chance),
            vitals: Vitals::new(),
            orders: VecDeque::new(),
            has_run: false,
            health: Health::unknown("not asked yet"),
            facts: Facts::default(),
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
    pub(super) fn obey(&mut self, command: Command, index: usize, supervisor: Recipient<News>) {
        match command {
            Command::Launch(incarnation) => {
                self.launch(Reporter { index, incarnation, supervisor });
            }
            Command::Examine => self.tell(Control::Examine),
            Command::AskToStop(until) => self.tell(Control::Stop(until)),
            Command::Retire => {
                self.vitals.retire();
                self.child.forget();
                self.controls = None;
                if let Some(arbiter) = self.arbiter.take() {
                    arbiter.stop(); // never join: the thread may be stuck
                }
            }
        }
    }

    fn launch(&mut self, reporter: Reporter) {
        self.vitals = Vitals::new();
        let lifeline = Lifeline { reporter, vitals: self.vitals.clone() };
        let (sender, controls) = Controls::new(self.spec.policy.beat());
        self.controls = Some(sender);
        for control in mem::take(&mut self.ahead) {
            self.tell(control);
        }
        match Arbiter::try_new() {
            Ok(arbiter) => {
                self.child.launch(lifeline, controls, &arbiter.handle());
                self.arbiter = Some(arbiter);
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

    /// Why it is down, in one sentence.
    pub(super) fn reason(&self) -> String {
        match (self.life.state(), self.life.last_failure()) {
            (State::Stopped, _) | (_, None) => "it is stopped".to_owned(),
            (_, Some(failure)) => failure.to_string(),
        }
    }

    /// As people see it; `waiting_for` names what holds it back.
    pub(super) fn view(&self, waiting_for: &[&str]) -> Daemon {
        let state = self.life.state();
        let uptime = match state {
            State::Running { since, .. } => Some(since.elapsed().as_secs_f64()),
            _ => None,
        };
        let spec = self.spec.clone();
        Daemon {
            name: spec.name,
            title: spec.title,
            kind: spec.kind,
            description: spec.description,
            category: spec.category,
            critical: spec.critical,
            enabled: spec.enabled,
            deprecated: false,
            state: shown(state),
            health: self.health_now(waiting_for),
            pid_file: spec.pid_file,
            log_file: spec.log_file,
            last_exit: self.life.last_exit().map(ToString::to_string),
            pid: self.facts.pid,
            restarts: self.life.incarnation().saturating_sub(1),
            restarts_total: self.life.incarnation().saturating_sub(1),
            attempt: self.life.failures(),
            max_restarts: spec.policy.max_restarts,
            last_error: self.life.last_failure().map(ToString::to_string),
            last_lines: self.vitals.last_lines(),
            next_restart_at: self.next_restart_at,
            started_at: self.started_at,
            uptime_seconds: uptime,
            depends_on: spec.depends_on.into_iter().map(|on| on.name).collect(),
            dependencies: Vec::new(),
            profiles: spec.profiles,
            limits: self.facts.limits.clone(),
            memory_bytes: None,
            cpu_usage: None,
            why: Why { since: Timestamp::now(), causes: Vec::new(), next: String::new() },
            timeline: Vec::new(),
        }
    }

    fn health_now(&self, waiting_for: &[&str]) -> Health {
        match self.life.state() {
            State::Running { .. } => self.health.clone(),
            State::Stopped if self.spec.enabled => Health::unknown("stopped"),
            State::Stopped => Health::unknown("disabled"),
            State::Waiting if waiting_for.is_empty() => Health::unknown("starting"),
            State::Waiting => Health::unknown(format!("waiting for {}", waiting_for.join(", "))),
            State::Starting { .. } => Health::unknown("starting"),
            State::Stopping { .. } => Health::unknown("stopping"),
            State::BackingOff { .. } => Health::unknown(self.reason()),
            State::Failed => Health::unhealthy(format!(
                "given up after {} failures in a row: {}",
                self.life.failures(),
                self.reason()
            )),
        }
    }
}

/// The word people know a state by.
fn shown(state: State) -> DaemonState {
    match state {
        State::Stopped => DaemonState::Stopped,
        State::Waiting | State::Starting { .. } => DaemonState::Starting,
        State::Running { .. } => DaemonState::Running,
        State::Stopping { .. } => DaemonState::Stopping,
        State::BackingOff { .. } => DaemonState::Backoff,
        State::Failed => DaemonState::Failed,
    }
}
