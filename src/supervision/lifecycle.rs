//! The life of one daemon as a pure state machine: no clock, no actors, no I/O.
//!
//! ```text
//!             start               release           answered
//!   Stopped ─────────> Waiting ─────────> Starting ─────────> Running
//!      ^                  ^  ^                │                  │
//!      │                  │  └────── BackingOff <────────────────┤ panicked, failed, hung
//!      │            start │  time            │                   │
//!      │                  └── Failed <───────┴───────────────────┤ once too often
//!      │                                                         │ stop
//!      └───────────────────────── Stopping <─────────────────────┘
//! ```
//! `stop` leads to `Stopping` from wherever there is an incarnation, else to `Stopped` at once;
//! only `start` leads out of `Failed`.

use std::time::{Duration, Instant};

use super::{
    spec::Policy,
    vitals::{Exit, Late},
};
use crate::domain::RestartMode;

/// Where a daemon is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not asked to run, or ended as intended.
    Stopped,
    /// To be launched as soon as what it depends on runs.
    Waiting,
    /// Launched, not yet reported as started.
    Starting {
        /// When it is given up.
        until: Instant,
    },
    /// Started.
    Running {
        /// When it first said how it is.
        since: Instant,
        /// The next health request, or the one under way.
        checkup: Checkup,
    },
    /// Asked to stop.
    Stopping {
        /// When it is given up.
        until: Instant,
    },
    /// Down, to be launched again.
    BackingOff {
        /// When.
        until: Instant,
    },
    /// Given up after too many failures in a row.
    Failed,
}

/// Where a running daemon's health requests are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checkup {
    /// The next is due then.
    Due(Instant),
    /// One is under way; it must be answered by then.
    Asked(Instant),
}

/// What the supervisor must do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Launch incarnation `n` on a fresh arbiter.
    Launch(u64),
    /// Ask the current incarnation how it is.
    Examine,
    /// Ask the current incarnation to stop by then.
    AskToStop(Instant),
    /// Let the current incarnation go: it has ended, or is abandoned.
    Retire,
}

/// The life of one daemon across its incarnations.
#[derive(Clone, Debug)]
pub(super) struct Lifecycle {
    policy: Policy,
    /// Its place within the jitter of the back-off, 0 to 1.
    chance: f64,
    state: State,
    incarnation: u64,
    /// In a row.
    failures: u32,
    last_exit: Option<Exit>,
    last_failure: Option<Exit>,
    /// Its last run ended by itself, and well.
    completed: bool,
}

impl Lifecycle {
    /// A daemon that has not been launched yet. Each daemon has its own fixed place within the
    /// jitter (`chance`, 0 to 1): that keeps daemons apart which failed together.
    pub(super) fn new(policy: Policy, chance: f64) -> Self {
        Self {
            policy,
            chance,
            state: State::Stopped,
            incarnation: 0,
            failures: 0,
            last_exit: None,
            last_failure: None,
            completed: false,
        }
    }

    /// From now on another policy holds; a time-out that runs already runs to its end.
    pub(super) fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Where it is now.
    pub(super) fn state(&self) -> State {
        self.state
    }

    /// How many times it has been launched.
    pub(super) fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// How many times it has failed since it last ran well or was started by hand.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// The same as of now: running well for long enough forgives.
    pub(super) fn failures_at(&self, now: Instant) -> u32 {
        match self.state {
            State::Running { since, .. }
                if now.saturating_duration_since(since) >= self.policy.stable_after =>
            {
                0
            }
            _ => self.failures,
        }
    }

    /// How the last incarnation ended.
    pub(super) fn last_exit(&self) -> Option<&Exit> {
        self.last_exit.as_ref()
    }

    /// How the last incarnation ended that should not have.
    pub(super) fn last_failure(&self) -> Option<&Exit> {
        self.last_failure.as_ref()
    }

    /// True once it has ended of its own accord, as it should, until it is started again.
    pub(super) fn is_completed(&self) -> bool {
        self.completed
    }

    /// True while there is an incarnation.
    pub(super) fn is_alive(&self) -> bool {
        use State::{Running, Starting, Stopping};
        matches!(self.state, Starting { .. } | Running { .. } | Stopping { .. })
    }

    /// Asks for the daemon to run; what it did before is forgiven.
    pub(super) fn start(&mut self) {
        if matches!(self.state, State::Stopped | State::BackingOff { .. } | State::Failed) {
            self.failures = 0;
            self.resume();
        }
    }

    /// Asks for the daemon to run again after a stop that was not meant to last; nothing is
    /// forgiven.
    pub(super) fn resume(&mut self) {
        if matches!(self.state, State::Stopped | State::BackingOff { .. } | State::Failed) {
            self.completed = false;
            self.state = State::Waiting;
        }
    }

    /// Keeps it down for longer than its back-off.
    pub(super) fn postpone(&mut self, longer: Instant) {
        if let State::BackingOff { until } = &mut self.state {
            *until = longer.max(*until);
        }
    }

    /// Leaves the current incarnation to itself: what it stands for lives on without us.
    pub(super) fn let_go(&mut self) -> Option<Command> {
        let alive = self.is_alive();
        self.state = State::Stopped;
        alive.then_some(Command::Retire)
    }

    /// All it depends on runs.
    pub(super) fn release(&mut self, now: Instant) -> Option<Command> {
        (self.state == State::Waiting).then(|| {
            self.incarnation += 1;
            self.state = State::Starting { until: later(now, self.policy.start_timeout) };
            Command::Launch(self.incarnation)
        })
    }

    /// An incarnation has said how it is: it has started, or has answered a request. Late news of
    /// an abandoned one is ignored.
    pub(super) fn answered(&mut self, incarnation: u64, now: Instant) {
        if incarnation != self.incarnation {
            return;
        }
        let checkup = Checkup::Due(later(now, self.policy.health_interval));
        match self.state {
            State::Starting { .. } => self.state = State::Running { since: now, checkup },
            State::Running { since, .. } => self.state = State::Running { since, checkup },
            _ => {}
        }
    }

    /// A health request is due now; nothing if one is under way or nobody could answer.
    pub(super) fn examine(&mut self, now: Instant) -> Option<Command> {
        let State::Running { since, checkup: Checkup::Due(_) } = self.state else { return None };
        let checkup = Checkup::Asked(later(now, self.policy.health_timeout));
        self.state = State::Running { since, checkup };
        Some(Command::Examine)
    }

    /// An incarnation has ended. Late news of an abandoned one is ignored.
    pub(super) fn exited(&mut self, incarnation: u64, exit: Exit, now: Instant) -> Option<Command> {
        let current = incarnation == self.incarnation && self.is_alive();
        current.then(|| self.down(exit, now, now))
    }

    /// Asks for the daemon to end, by `until` at the latest; a second request may only hasten it,
    /// and then the daemon is told.
    pub(super) fn stop(&mut self, until: Instant) -> Option<Command> {
        match self.state {
            State::Starting { .. } | State::Running { .. } => {
                self.state = State::Stopping { until };
                return Some(Command::AskToStop(until));
            }
            State::Stopping { until: before } if until < before => {
                self.state = State::Stopping { until };
                return Some(Command::AskToStop(until));
            }
            State::Waiting | State::BackingOff { .. } => self.state = State::Stopped,
            State::Stopping { .. } | State::Stopped | State::Failed => {}
        }
        None
    }

    /// When time alone will move it next, if it does not beat again.
    pub(super) fn due(&self, last_beat: Instant) -> Option<Instant> {
        match self.state {
            State::Starting { until } | State::Stopping { until } | State::BackingOff { until } => {
                Some(until)
            }
            State::Running { since, checkup: Checkup::Due(at) | Checkup::Asked(at) } => {
                Some(at.min(later(last_beat.max(since), self.policy.silence_limit)))
            }
            State::Stopped | State::Waiting | State::Failed => None,
        }
    }

    /// Time has passed; the current incarnation last beat at `last_beat`.
    pub(super) fn tick(&mut self, last_beat: Instant, now: Instant) -> Option<Command> {
        if self.due(last_beat).is_none_or(|due| now < due) {
            return None;
        }
        match self.state {
            State::Starting { .. } => Some(self.down(Exit::Hung(Late::Start), now, now)),
            State::Stopping { .. } => Some(self.down(Exit::Hung(Late::Stop), now, now)),
            State::Running { since, checkup } => {
                let well_until = last_beat.max(since);
                match checkup {
                    _ if now >= later(well_until, self.policy.silence_limit) => {
                        Some(self.down(Exit::Hung(Late::Beat), well_until, now))
                    }
                    Checkup::Asked(by) => {
                        let asked = by.checked_sub(self.policy.health_timeout).unwrap_or(since);
                        Some(self.down(Exit::Hung(Late::Health), asked, now))
                    }
                    Checkup::Due(_) => self.examine(now),
                }
            }
            State::BackingOff { .. } => {
                self.state = State::Waiting;
                None
            }
            State::Stopped | State::Waiting | State::Failed => None,
        }
    }

    /// `well_until`: when it was last known to be in order.
    fn down(&mut self, exit: Exit, well_until: Instant, now: Instant) -> Command {
        if let State::Running { since, .. } = self.state
            && well_until.saturating_duration_since(since) >= self.policy.stable_after
        {
            self.failures = 0;
        }
        let stopping = matches!(self.state, State::Stopping { .. });
        let well = matches!(exit, Exit::Stopped | Exit::Ended(_));
        let failed = !well || (!stopping && self.policy.restart == RestartMode::Always);
        self.last_exit = Some(exit.clone());
        self.completed = !failed && !stopping;
        if failed {
            self.last_failure = Some(exit);
        }
        self.state = if stopping || !failed {
            State::Stopped
        } else if self.policy.restart == RestartMode::Never
            || self.failures >= self.policy.max_restarts
        {
            self.failures = self.failures.saturating_add(1);
            State::Failed
        } else {
            let delay = self.policy.backoff.delay(self.failures, self.chance);
            self.failures = self.failures.saturating_add(1);
            State::BackingOff { until: later(now, delay) }
        };
        Command::Retire
    }
}

/// `now + delay`, for any delay a person may have configured.
pub(super) fn later(now: Instant, delay: Duration) -> Instant {
    const AGES: Duration = Duration::from_hours(24 * 365 * 10);
    now + delay.min(AGES)
}
