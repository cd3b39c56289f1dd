//! Daemons as people see them, and why they are as they are.

use std::time::Instant;

use log::{error, info, warn};

use super::{lifecycle::State, notice::Notice, slot::Slot, supervisor::Supervisor};
use crate::domain::{
    Cause, Condition, Daemon, DaemonKind, DaemonState, Edge, Health, HealthStatus, Needs,
    Timestamp, Why,
};

/// What the log calls the supervisor.
const TARGET: &str = "stationd::supervision";

/// So many causes are told at most.
const CAUSES: usize = 12;

impl Supervisor {
    /// Tells the observer, if there is anything new.
    pub(super) fn show(&mut self, index: usize) {
        let slot = &self.slots[index];
        let news = (slot.state(), self.health_now(index).status);
        let known = slot.shown;
        let moved = known.is_none_or(|(state, _)| state != news.0);
        if moved {
            let reason = self.present(index);
            self.slots[index].remember(reason);
        }
        self.slots[index].shown = Some(news);
        let view = self.view(index);
        if known == Some(news) {
            (self.observer)(Notice::Touched(&view));
            return;
        }
        if moved {
            record(&view);
        }
        (self.observer)(Notice::Changed(&view));
        self.show_waiting(index);
        match view.state {
            DaemonState::Backoff if moved && view.attempt == Daemon::CRASH_LOOP => {
                (self.observer)(Notice::CrashLoop(&view));
            }
            DaemonState::Failed if moved => (self.observer)(Notice::GivenUp(&view)),
            _ => {}
        }
    }

    /// Shows those that wait for one that has changed: what they wait for may be less by now.
    fn show_waiting(&self, on: usize) {
        let waits = |slot: &Slot| {
            slot.life.state() == State::Waiting && slot.dependencies.iter().any(|it| it.on == on)
        };
        for index in (0..self.slots.len()).filter(|&index| waits(&self.slots[index])) {
            (self.observer)(Notice::Touched(&self.view(index)));
        }
    }

    /// As people see them, in the order they were given.
    pub(super) fn views(&self) -> Vec<Daemon> {
        (0..self.slots.len()).map(|index| self.view(index)).collect()
    }

    /// As people see it.
    pub(super) fn view(&self, index: usize) -> Daemon {
        let slot = &self.slots[index];
        let (life, spec) = (&slot.life, slot.spec.clone());
        let uptime = match life.state() {
            State::Running { since, .. } => Some(since.elapsed().as_secs_f64()),
            _ => None,
        };
        let needs = |edge: &Edge| Needs {
            name: self.name(edge.on).to_owned(),
            condition: edge.condition,
            required: edge.required,
            met: self.reaches(edge.on, edge.condition),
        };
        Daemon {
            name: spec.name,
            title: spec.title,
            kind: spec.kind,
            description: spec.description,
            category: spec.category,
            critical: spec.critical,
            enabled: spec.enabled,
            deprecated: false,
            state: slot.state(),
            health: self.health_now(index),
            pid_file: spec.pid_file,
            log_file: spec.log_file,
            completed: life.is_completed(),
            last_exit: life.last_exit().map(ToString::to_string),
            pid: slot.facts.pid,
            restarts: slot.restarts(),
            restarts_total: slot.restarts_before + slot.restarts(),
            attempt: life.failures_at(Instant::now()),
            max_restarts: spec.policy.max_restarts,
            last_error: life.last_failure().map(ToString::to_string),
            last_lines: slot
                .last_words
                .as_ref()
                .map(|(_, lines)| lines.clone())
                .unwrap_or_default(),
            next_restart_at: slot.next_restart_at,
            started_at: slot.started_at,
            uptime_seconds: uptime,
            depends_on: slot
                .dependencies
                .iter()
                .map(|edge| self.name(edge.on).to_owned())
                .collect(),
            dependencies: slot.dependencies.iter().map(needs).collect(),
            profiles: spec.profiles,
            limits: slot.facts.limits.clone(),
            memory_bytes: None,
            cpu_usage: None,
            why: self.why(index),
            timeline: slot.timeline.iter().cloned().collect(),
        }
    }

    pub(super) fn name(&self, index: usize) -> &str {
        &self.slots[index].spec.name
    }

    /// True if a daemon is as far as that.
    pub(super) fn reaches(&self, on: usize, condition: Condition) -> bool {
        let slot = &self.slots[on];
        match condition {
            Condition::Started => slot.is_running(),
            Condition::Healthy => slot.is_running() && slot.health.status == HealthStatus::Healthy,
            Condition::Completed => slot.life.is_completed(),
        }
    }

    /// True if a daemon need not wait for that any longer: it is so, or is not required and will
    /// not be so soon.
    pub(super) fn is_met(&self, edge: Edge) -> bool {
        let slot = &self.slots[edge.on];
        let coming = match slot.life.state() {
            State::Waiting | State::Starting { .. } => true,
            State::Running { .. } => match edge.condition {
                Condition::Started => false,
                Condition::Healthy => slot.health.status == HealthStatus::Unknown,
                Condition::Completed => true,
            },
            _ => false,
        };
        self.reaches(edge.on, edge.condition) || (!edge.required && !coming)
    }

    /// The daemon because of which `index` does not come up: itself, or one it waits for. What
    /// somebody has ordered about is given its chance.
    pub(super) fn obstacle(&self, index: usize, is_down: fn(State) -> bool) -> Option<usize> {
        let slot = &self.slots[index];
        if slot.life.state() != State::Waiting {
            return is_down(slot.life.state()).then_some(index);
        }
        let open = slot.dependencies.iter().filter(|edge| {
            edge.required && !self.is_met(**edge) && self.slots[edge.on].orders.is_empty()
        });
        open.map(|edge| (edge, &self.slots[edge.on])).find_map(|(edge, on)| {
            let unwell = edge.condition == Condition::Healthy
                && on.is_running()
                && on.health.status != HealthStatus::Unknown;
            if unwell { Some(edge.on) } else { self.obstacle(edge.on, is_down) }
        })
    }

    fn health_now(&self, index: usize) -> Health {
        let slot = &self.slots[index];
        match slot.life.state() {
            State::Running { .. } | State::Starting { .. } => slot.health.clone(),
            State::Stopped if slot.life.is_completed() => Health::unknown("completed"),
            State::Stopped if slot.spec.enabled => Health::unknown("stopped"),
            State::Stopped => Health::unknown("disabled"),
            State::Waiting => match self.waits_for(index) {
                awaited if awaited.is_empty() => Health::unknown("starting"),
                awaited => Health::unknown(format!("waiting for {}", awaited.join(", "))),
            },
            State::Stopping { .. } => Health::unknown("stopping"),
            State::BackingOff { .. } => Health::unknown(slot.reason()),
            State::Failed => Health::unhealthy(format!(
                "given up after {} failures in a row: {}",
                slot.life.failures(),
                slot.reason()
            )),
        }
    }

    /// What it waits for, each by name and, if it is more than its start, by condition.
    fn waits_for(&self, index: usize) -> Vec<String> {
        let open = self.slots[index].dependencies.iter().filter(|edge| !self.is_met(**edge));
        open.map(|edge| match edge.condition {
            Condition::Started => self.name(edge.on).to_owned(),
            condition => format!("{} to be {condition}", self.name(edge.on)),
        })
        .collect()
    }

    /// Why it is as it is.
    fn why(&self, index: usize) -> Why {
        let slot = &self.slots[index];
        let since = slot.timeline.back().map_or_else(Timestamp::now, |moment| moment.at);
        let mut causes = vec![Cause { at: Some(since), text: self.present(index) }];
        self.trace(index, "", &mut causes);
        causes.truncate(CAUSES);
        Why { since, causes, next: self.outlook(index) }
    }

    /// Its present state in one sentence.
    fn present(&self, index: usize) -> String {
        let slot = &self.slots[index];
        let (life, max) = (&slot.life, slot.spec.policy.max_restarts);
        match life.state() {
            State::Running { .. } => match (slot.health.status, slot.facts.pid) {
                (HealthStatus::Degraded | HealthStatus::Unhealthy, _) => {
                    format!("it runs and is {}: {}", slot.health.status, slot.health.message)
                }
                (_, Some(pid)) => format!("it runs as process {pid}"),
                _ => "it runs".to_owned(),
            },
            State::Waiting => match self.waits_for(index) {
                awaited if awaited.is_empty() => "it is about to be started".to_owned(),
                awaited => format!("it waits for {}", awaited.join(", ")),
            },
            State::Starting { .. } => "it is being started and is not up yet".to_owned(),
            State::Stopping { .. } => "it was asked to stop and has not ended yet".to_owned(),
            State::BackingOff { .. } => {
                format!("it went down and waits for restart {} of {max}", life.failures())
            }
            State::Failed if max == 0 || life.failures() == 1 => {
                "it failed, and is not restarted by itself".to_owned()
            }
            State::Failed => format!("it was given up after {} failures in a row", life.failures()),
            State::Stopped if slot.leaving => "it is no longer configured".to_owned(),
            State::Stopped if life.is_completed() => "it has done its work".to_owned(),
            State::Stopped if !slot.has_run && !slot.spec.enabled => {
                "it is not enabled in this run of the station".to_owned()
            }
            State::Stopped => "it was stopped".to_owned(),
        }
    }

    /// What led to that: its own last end, then what it waits for and what led to that. Each text
    /// begins with `of`, which is empty for the daemon that was asked about.
    fn trace(&self, index: usize, of: &str, causes: &mut Vec<Cause>) {
        if causes.len() > CAUSES {
            return;
        }
        let slot = &self.slots[index];
        let ended = match slot.life.state() {
            State::Stopped => slot.life.last_exit(),
            State::Waiting if slot.life.failures() == 0 => None,
            _ => slot.life.last_failure(),
        };
        if let Some(exit) = ended {
            let (at, lines) = slot.last_words.as_ref().map_or((None, None), |(at, lines)| {
                (Some(*at), lines.last().filter(|_| Some(exit) == slot.life.last_failure()))
            });
            causes.push(Cause { at, text: format!("{of}its last run ended: {exit}") });
            if let Some(line) = lines {
                causes.push(Cause { at, text: format!("{of}the last that it wrote was: {line}") });
            }
        }
        if slot.life.state() != State::Waiting {
            return;
        }
        for edge in slot.dependencies.iter().filter(|edge| !self.is_met(**edge)) {
            let on = &self.slots[edge.on];
            let of = format!("{}: ", on.spec.name);
            let at = on.timeline.back().map(|moment| moment.at);
            causes.push(Cause { at, text: format!("{of}{}", self.present(edge.on)) });
            self.trace(edge.on, &of, causes);
        }
    }

    /// What will happen next, or what a person can do.
    fn outlook(&self, index: usize) -> String {
        let slot = &self.slots[index];
        let (policy, name) = (&slot.spec.policy, &slot.spec.name);
        let seconds = |duration: std::time::Duration| duration.as_secs_f64();
        match slot.life.state() {
            State::Running { .. } if slot.spec.kind == DaemonKind::Process => {
                "nothing is due".to_owned()
            }
            State::Running { .. } => format!(
                "nothing is due; it is asked how it is every {} s",
                seconds(policy.health_interval)
            ),
            State::Waiting => "it is started as soon as what it needs is there".to_owned(),
            State::Starting { .. } => format!(
                "it is up once it says so; after {} s it counts as failed",
                seconds(policy.start_timeout)
            ),
            State::Stopping { .. } => {
                format!("it is ended by force after {} s", seconds(policy.stop_timeout))
            }
            State::BackingOff { .. } => match slot.next_restart_at {
                Some(at) => format!(
                    "it is started again at {at} (attempt {} of {})",
                    slot.life.failures(),
                    policy.max_restarts
                ),
                None => "it is started again".to_owned(),
            },
            State::Failed | State::Stopped => {
                format!("nothing, until somebody starts it: stationd daemon start {name}")
            }
        }
    }
}

/// Writes a change of state to the log.
fn record(daemon: &Daemon) {
    let Daemon { name, restarts, health, .. } = daemon;
    match daemon.state {
        DaemonState::Running if *restarts > 0 => {
            info!(target: TARGET, "{name} is up again (restart {restarts})");
        }
        DaemonState::Running => info!(target: TARGET, "{name} is up"),
        DaemonState::Backoff => {
            warn!(target: TARGET, "{name} {}, and will be restarted", health.message);
        }
        DaemonState::Failed => error!(target: TARGET, "{name} is {}", health.message),
        DaemonState::Stopped => match &daemon.last_exit {
            Some(exit) => info!(target: TARGET, "{name} is down: {exit}"),
            None => info!(target: TARGET, "{name} is {}", health.message),
        },
        DaemonState::Starting | DaemonState::Stopping => {
            info!(target: TARGET, "{name} is {}", health.message);
        }
    }
}
