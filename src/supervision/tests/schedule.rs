//! The lifecycle on a virtual clock, exactly.

use std::time::{Duration, Instant};

use crate::domain::RestartMode;
use crate::supervision::{
    Exit, Late, Policy,
    lifecycle::{Checkup, Command, Lifecycle, State},
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const ALMOST_A_SECOND: Duration = Duration::from_nanos(999_999_999);

fn boom() -> Exit {
    Exit::Panicked("boom".into())
}

fn new(policy: Policy) -> Lifecycle {
    Lifecycle::new(policy, 0.0)
}

/// Starts it and lets it run.
fn run(life: &mut Lifecycle, now: Instant) {
    life.start();
    assert_eq!(life.release(now), Some(Command::Launch(life.incarnation())));
    life.answered(life.incarnation(), now);
    assert!(matches!(life.state(), State::Running { .. }));
}

/// A daemon at its `failures`-th failure in a row, and the time of that failure.
fn failed(failures: u64) -> (Lifecycle, Instant) {
    let (mut life, mut now) = (new(Policy::default()), Instant::now());
    life.start();
    for n in 1..=failures {
        if let State::BackingOff { until } = life.state() {
            now = until;
            assert_eq!(life.tick(now, now), None);
        }
        assert_eq!(life.release(now), Some(Command::Launch(n)));
        life.answered(n, now);
        assert_eq!(life.exited(n, boom(), now), Some(Command::Retire));
    }
    (life, now)
}

#[test]
fn five_restarts_after_1_2_4_8_16_seconds_then_failed_at_the_sixth_failure() {
    let (mut life, mut now) = (new(Policy::default()), Instant::now());
    life.start();
    assert_eq!(life.release(now), Some(Command::Launch(1)));
    for (n, delay) in (1..).zip([1, 2, 4, 8, 16]) {
        life.answered(n, now);
        assert_eq!(life.exited(n, boom(), now), Some(Command::Retire));
        let until = now + SECOND * delay;
        let too_early = now + SECOND * (delay - 1) + ALMOST_A_SECOND;
        assert_eq!(life.state(), State::BackingOff { until });
        assert_eq!(life.due(now), Some(until));
        assert_eq!(life.tick(now, too_early), None);
        assert_eq!(life.release(too_early), None);
        assert_eq!(life.tick(now, until), None);
        assert_eq!(life.release(until), Some(Command::Launch(n + 1)));
        now = until;
    }
    life.answered(6, now);
    assert_eq!(life.exited(6, boom(), now), Some(Command::Retire));
    assert_eq!(life.state(), State::Failed);
    assert_eq!(life.due(now), None);
    assert_eq!(life.tick(now, now + SECOND * 1_000_000), None, "failed is final");
    assert_eq!(life.last_failure(), Some(&boom()));
}

#[test]
fn only_a_start_leads_out_of_failed_and_begins_the_schedule_anew() {
    let (mut life, now) = failed(6);
    assert_eq!(life.stop(now), None);
    assert_eq!(life.release(now), None);
    assert_eq!(life.state(), State::Failed);
    run(&mut life, now);
    life.exited(7, boom(), now);
    assert_eq!(life.state(), State::BackingOff { until: now + SECOND });
}

#[test]
fn a_start_ends_the_back_off_and_forgives() {
    let (mut life, now) = failed(3);
    run(&mut life, now);
    life.exited(4, boom(), now);
    assert_eq!(life.state(), State::BackingOff { until: now + SECOND });
}

/// Lets the last incarnation allowed run for `time` and panic: where that leads.
fn after_a_run_of(time: Duration) -> (State, Instant) {
    let (mut life, mut now) = failed(5);
    now += SECOND * 16;
    assert_eq!(life.tick(now, now), None);
    assert_eq!(life.release(now), Some(Command::Launch(6)));
    life.answered(6, now);
    now += time;
    life.exited(6, boom(), now);
    (life.state(), now)
}

#[test]
fn a_stable_minute_forgives_and_a_moment_less_does_not() {
    assert_eq!(after_a_run_of(SECOND * 59 + ALMOST_A_SECOND).0, State::Failed);
    let (forgiven, now) = after_a_run_of(MINUTE);
    assert_eq!(forgiven, State::BackingOff { until: now + SECOND }, "the schedule begins anew");
}

#[test]
fn time_spent_hanging_is_not_stable() {
    let silence = Policy::default().silence_limit;
    let (mut life, mut now) = failed(5);
    now += SECOND * 16;
    life.tick(now, now);
    life.release(now);
    life.answered(6, now);
    let last_beat = now + SECOND * 59;
    // Health requests in between would be answered: only beats count here.
    life.examine(now);
    life.answered(6, last_beat);
    assert_eq!(life.tick(last_beat, last_beat + silence), Some(Command::Retire));
    assert_eq!(life.state(), State::Failed);
    assert_eq!(life.last_failure(), Some(&Exit::Hung(Late::Beat)));
}

#[test]
fn waiting_for_a_restart_or_a_dependency_does_not_forgive() {
    let (mut life, now) = failed(5);
    let much_later = now + SECOND * 3600;
    life.tick(now, much_later);
    life.release(much_later + SECOND * 3600);
    life.exited(6, boom(), much_later + SECOND * 3600);
    assert_eq!(life.state(), State::Failed);
}

#[test]
fn a_start_that_takes_too_long_is_a_failure() {
    let (mut life, now) = (new(Policy::default()), Instant::now());
    life.start();
    life.release(now);
    let limit = now + Policy::default().start_timeout;
    assert_eq!(life.tick(now, limit.checked_sub(Duration::from_nanos(1)).unwrap()), None);
    assert_eq!(life.tick(now, limit), Some(Command::Retire));
    assert_eq!(life.last_failure(), Some(&Exit::Hung(Late::Start)));
    assert_eq!(life.state(), State::BackingOff { until: limit + SECOND });
}

#[test]
fn asked_to_stop_it_has_until_the_deadline() {
    let (mut life, now) = (new(Policy::default()), Instant::now());
    run(&mut life, now);
    let deadline = now + SECOND * 5;
    assert_eq!(life.stop(deadline), Some(Command::AskToStop(deadline)));
    assert_eq!(life.tick(now, now + SECOND * 4 + ALMOST_A_SECOND), None);
    let (mut in_time, mut late, mut hurried) = (life.clone(), life.clone(), life);
    assert_eq!(in_time.exited(1, boom(), now + SECOND), Some(Command::Retire));
    assert_eq!(in_time.state(), State::Stopped, "and is not restarted");
    assert_eq!(in_time.last_exit(), Some(&boom()));
    assert_eq!(late.tick(now, deadline), Some(Command::Retire));
    assert_eq!(late.state(), State::Stopped);
    assert_eq!(late.last_exit(), Some(&Exit::Hung(Late::Stop)));
    assert_eq!(hurried.stop(deadline + SECOND), None, "a second request only shortens the grace");
    assert_eq!(hurried.stop(now), Some(Command::AskToStop(now)));
    assert_eq!(hurried.tick(now, now), Some(Command::Retire));
}

#[test]
fn how_it_ended_and_the_mode_decide_what_follows() {
    use RestartMode::{Always, Never, OnFailure};
    for (restart, exit, restarted, failed) in [
        (Always, Exit::Stopped, true, false),
        (Always, boom(), true, false),
        (OnFailure, Exit::Stopped, false, false),
        (OnFailure, Exit::Failed("x".into()), true, false),
        (Never, Exit::Stopped, false, false),
        (Never, boom(), false, true),
    ] {
        let (mut life, now) = (new(Policy { restart, ..Policy::default() }), Instant::now());
        run(&mut life, now);
        life.exited(1, exit.clone(), now);
        let is = life.state();
        assert_eq!(matches!(is, State::BackingOff { .. }), restarted, "{restart:?} {exit}");
        assert_eq!(is == State::Failed, failed, "{restart:?} {exit}");
        assert_eq!(is == State::Stopped, !restarted && !failed, "{restart:?} {exit}");
    }
}

#[test]
fn health_is_asked_for_every_interval_and_must_come_in_time() {
    let policy = Policy::default();
    let (mut life, t0) = (new(policy), Instant::now());
    run(&mut life, t0);
    let due = t0 + policy.health_interval;
    assert_eq!(life.tick(due, due), Some(Command::Examine));
    assert_eq!(life.examine(due), None, "one at a time");
    let answered = due + SECOND;
    life.answered(1, answered);
    let State::Running { checkup, .. } = life.state() else { panic!("{:?}", life.state()) };
    assert_eq!(checkup, Checkup::Due(answered + policy.health_interval));

    let due = answered + policy.health_interval;
    assert_eq!(life.tick(due, due), Some(Command::Examine));
    let too_late = due + policy.health_timeout;
    assert_eq!(life.due(too_late), Some(too_late));
    assert_eq!(life.tick(too_late, too_late), Some(Command::Retire));
    assert_eq!(life.last_failure(), Some(&Exit::Hung(Late::Health)));
}

#[test]
fn no_time_however_long_is_too_long() {
    let policy = Policy {
        start_timeout: Duration::MAX,
        silence_limit: Duration::MAX,
        health_interval: Duration::MAX,
        health_timeout: Duration::MAX,
        stable_after: Duration::MAX,
        ..Policy::default()
    };
    let (mut life, now) = (new(policy), Instant::now());
    run(&mut life, now);
    assert_eq!(life.tick(now, now + MINUTE), None);
    assert_eq!(life.examine(now), Some(Command::Examine));
    life.exited(1, boom(), now);
    assert_eq!(life.state(), State::BackingOff { until: now + SECOND });
}
