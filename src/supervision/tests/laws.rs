//! The laws of the lifecycle, over arbitrary histories, against a model of a few numbers.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::{
    domain::{Backoff, RestartMode},
    supervision::{
        Exit, Policy,
        lifecycle::{Checkup, Command, Lifecycle, State},
    },
};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
enum Step {
    Start,
    Release,
    Answered {
        stale: bool,
    },
    Exited {
        stale: bool,
        exit: Exit,
    },
    /// Time passes; the incarnation beats at its end, or does not.
    Tick {
        wait: u32,
        beats: bool,
    },
    Examine,
    Stop {
        grace: u32,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let exit = prop_oneof![
        Just(Exit::Stopped),
        Just(Exit::Failed("x".into())),
        Just(Exit::Panicked("x".into()))
    ];
    prop_oneof![
        2 => Just(Step::Start),
        8 => Just(Step::Release),
        6 => any::<bool>().prop_map(|stale| Step::Answered { stale }),
        6 => (any::<bool>(), exit).prop_map(|(stale, exit)| Step::Exited { stale, exit }),
        10 => (0u32..40, any::<bool>()).prop_map(|(wait, beats)| Step::Tick { wait, beats }),
        2 => Just(Step::Examine),
        1 => (0u32..20).prop_map(|grace| Step::Stop { grace }),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let restart = prop_oneof![
        Just(RestartMode::Always),
        Just(RestartMode::OnFailure),
        Just(RestartMode::Never)
    ];
    (restart, 0u32..4).prop_map(|(restart, max_restarts)| Policy {
        restart,
        backoff: Backoff::new(SECOND, 2.0, SECOND * 8, 0.0).unwrap(),
        max_restarts,
        stable_after: SECOND * 60,
        start_timeout: SECOND * 5,
        stop_timeout: SECOND * 5,
        silence_limit: SECOND * 30,
        health_interval: SECOND * 30,
        health_timeout: SECOND * 10,
    })
}

/// All that an outsider needs to remember to foretell what is allowed.
#[derive(Default)]
struct Model {
    /// The incarnation that has been launched and not retired.
    live: Option<u64>,
    launches: u64,
    /// Since the last start by hand: launches that followed a failure.
    restarts: u32,
    /// Asked to run, and not to stop since.
    wanted: bool,
    examining: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever happens:
    /// - at most one incarnation is live: one is launched only after the last was retired, their
    ///   numbers grow by one, and only a live one is examined, asked to stop or retired;
    /// - news of any other incarnation changes nothing;
    /// - nothing is launched that was not asked to run, or was asked to stop since;
    /// - one failure too many in a row is final until a start by hand;
    /// - time does nothing before it is due, and always something once it is.
    #[test]
    fn the_lifecycle_keeps_its_laws(
        policy in policy(),
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let mut now = Instant::now();
        let mut last_beat = now;
        let mut life = Lifecycle::new(policy, 0.0);
        let mut model = Model::default();
        for step in steps {
            let before = life.state();
            let stale = |stale: bool, n: u64| if stale { n.wrapping_sub(1) } else { n };
            let command = match step.clone() {
                Step::Start => {
                    life.start();
                    if life.state() == State::Waiting && before != State::Waiting {
                        model.restarts = 0;
                    }
                    model.wanted |= life.state() == State::Waiting;
                    None
                }
                Step::Release => life.release(now),
                Step::Answered { stale: s } => {
                    life.answered(stale(s, life.incarnation()), now);
                    None
                }
                Step::Exited { stale: s, exit } => {
                    life.exited(stale(s, life.incarnation()), exit, now)
                }
                Step::Tick { wait, beats } => {
                    now += SECOND * wait;
                    if beats {
                        last_beat = now;
                    }
                    let due = life.due(last_beat).is_some_and(|due| due <= now);
                    let command = life.tick(last_beat, now);
                    prop_assert_eq!(due, command.is_some() || life.state() != before);
                    command
                }
                Step::Examine => life.examine(now),
                Step::Stop { grace } => {
                    model.wanted = false;
                    life.stop(now + SECOND * grace)
                }
            };
            if let Step::Answered { stale: true } | Step::Exited { stale: true, .. } = step {
                prop_assert_eq!(before, life.state(), "stale news moved it");
                prop_assert_eq!(command, None);
            }
            if before == State::Failed {
                prop_assert_eq!(command, None);
                let left = life.state() != State::Failed;
                prop_assert!(!left || matches!(step, Step::Start), "{step:?} led out of failed");
            }
            match command {
                Some(Command::Launch(n)) => {
                    prop_assert_eq!(model.live, None, "two live incarnations");
                    prop_assert_eq!(n, model.launches + 1);
                    prop_assert!(model.wanted, "launched although nobody wants it");
                    (model.live, model.launches, model.examining) = (Some(n), n, false);
                    last_beat = now;
                }
                Some(Command::Retire) => {
                    prop_assert_eq!(model.live.take(), Some(life.incarnation()));
                    match life.state() {
                        State::BackingOff { until } => {
                            let delay = until - now;
                            let first = delay == SECOND; // after a stable run, at the latest
                            model.restarts = if first { 1 } else { model.restarts + 1 };
                            prop_assert_eq!(delay, SECOND * (1 << (model.restarts - 1)).min(8));
                            prop_assert!(model.restarts <= policy.max_restarts);
                            prop_assert!(policy.restart != RestartMode::Never);
                        }
                        State::Failed => prop_assert!(
                            policy.restart == RestartMode::Never
                                || life.failures() == policy.max_restarts + 1
                        ),
                        state => {
                            prop_assert_eq!(state, State::Stopped);
                            model.wanted = false;
                        }
                    }
                }
                Some(Command::Examine) => {
                    prop_assert!(model.live.is_some() && !model.examining);
                    model.examining = true;
                }
                Some(Command::AskToStop(_)) => prop_assert!(model.live.is_some()),
                None => {}
            }
            if let State::Running { checkup, .. } = life.state() {
                model.examining = matches!(checkup, Checkup::Asked(_));
            }
            prop_assert_eq!(model.live.is_some(), life.is_alive());
        }
    }
}
