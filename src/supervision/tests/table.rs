//! Every policy, every kind of end and every state: what becomes of a daemon, against a reference
//! model of a few lines.

use std::time::{Duration, Instant};

use crate::{
    domain::{DaemonState, RestartMode},
    supervision::{
        Exit, Late, Policy,
        lifecycle::{Command, Lifecycle, State},
    },
};

const SECOND: Duration = Duration::from_secs(1);

/// What can bring a daemon down.
const EXITS: [fn() -> Exit; 7] = [
    || Exit::Stopped,
    || Exit::Ended("exited with 0".into()),
    || Exit::Failed("exited with 1".into()),
    || Exit::Panicked("boom".into()),
    || Exit::Hung(Late::Start),
    || Exit::Hung(Late::Beat),
    || Exit::Hung(Late::Health),
];

/// The states in which an end can find it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Starting,
    Running,
    /// For longer than it takes to be forgiven.
    Stable,
    Stopping,
}

/// What the rules say, in words: a daemon that was told to stop is stopped; one that ended well
/// has done its work, unless it is always to run; a failure is answered by a restart as long as
/// the policy has one left, and a stable run gives all of them back.
fn expected(mode: RestartMode, exit: &Exit, at: At, failures: u32, max: u32) -> (DaemonState, u32) {
    let well = matches!(exit, Exit::Stopped | Exit::Ended(_));
    let before = if at == At::Stable { 0 } else { failures };
    if at == At::Stopping || (well && mode != RestartMode::Always) {
        return (DaemonState::Stopped, before);
    }
    if mode == RestartMode::Never || before >= max {
        return (DaemonState::Failed, before + 1);
    }
    (DaemonState::Backoff, before + 1)
}

/// A daemon that has failed so often in a row, brought to the state `at`; and the time.
fn brought_to(policy: Policy, at: At, failures: u32) -> (Lifecycle, Instant) {
    let (mut life, mut now) = (Lifecycle::new(policy, 0.0), Instant::now());
    life.start();
    for _ in 0..failures {
        life.release(now).expect("a launch");
        life.exited(life.incarnation(), Exit::Failed("before".into()), now);
        let State::BackingOff { until } = life.state() else { panic!("{:?}", life.state()) };
        now = until;
        life.tick(now, now);
    }
    life.release(now).expect("a launch");
    if at != At::Starting {
        life.answered(life.incarnation(), now);
    }
    match at {
        At::Starting | At::Running => {}
        At::Stable => now += policy.stable_after,
        At::Stopping => drop(life.stop(now + SECOND)),
    }
    (life, now)
}

fn word(state: State) -> DaemonState {
    match state {
        State::Stopped => DaemonState::Stopped,
        State::BackingOff { .. } => DaemonState::Backoff,
        State::Failed => DaemonState::Failed,
        state => panic!("{state:?} after an end"),
    }
}

#[test]
fn every_policy_every_end_and_every_state() {
    let mut rows = 0;
    for mode in [RestartMode::Always, RestartMode::OnFailure, RestartMode::Never] {
        for max in [0, 1, 5] {
            for failures in 0..=if mode == RestartMode::Never { 0 } else { max } {
                for at in [At::Starting, At::Running, At::Stable, At::Stopping] {
                    for exit in EXITS {
                        let policy =
                            Policy { restart: mode, max_restarts: max, ..Policy::default() };
                        let (mut life, now) = brought_to(policy, at, failures);
                        let row = format!("{mode:?}, {failures} of {max}, {at:?}, {:?}", exit());
                        let command = life.exited(life.incarnation(), exit(), now);
                        assert_eq!(command, Some(Command::Retire), "{row}");
                        let (state, after) = expected(mode, &exit(), at, failures, max);
                        assert_eq!((word(life.state()), life.failures()), (state, after), "{row}");
                        assert_eq!(life.last_exit(), Some(&exit()), "{row}");
                        let completed = state == DaemonState::Stopped && at != At::Stopping;
                        assert_eq!(life.is_completed(), completed, "{row}");
                        if let State::BackingOff { until } = life.state() {
                            let seconds = 2_u32.pow(after - 1).min(16);
                            assert_eq!(until - now, SECOND * seconds, "{row}");
                        }
                        // Only a start by hand leads out of a final state, and forgives.
                        let later = now + Duration::from_hours(1);
                        if state != DaemonState::Backoff {
                            assert_eq!(life.tick(later, later), None, "{row}");
                            assert_eq!(word(life.state()), state, "{row}");
                            life.start();
                            assert_eq!(
                                (life.state(), life.failures()),
                                (State::Waiting, 0),
                                "{row}"
                            );
                            assert!(!life.is_completed());
                        }
                        rows += 1;
                    }
                }
            }
        }
    }
    assert_eq!(rows, (1 + 2 + 6) * 2 * 28 + 3 * 28);
}
