//! What waits for one client: filled by the hub, emptied by the session, both on one thread.

use std::{
    cell::RefCell,
    collections::VecDeque,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use super::subscription::Subscription;
use crate::domain::Frame;

/// A client that has been losing messages for so long is closed.
const PATIENCE: Duration = Duration::from_secs(10);
/// A client is no longer behind when it has lost nothing for so long.
const FORGIVEN: Duration = Duration::from_secs(2);
/// Slots that an empty queue keeps; the rest is given back.
const KEPT: usize = 16;

/// Why a session has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It stayed behind.
    Behind,
    /// It was silent for too long.
    Silent,
    /// The station stops.
    Stopping,
}

/// Messages that did not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lag {
    /// How many.
    pub(super) missed: u64,
    /// Every durable event before this number was let through.
    pub(super) from_seq: u64,
}

/// What a session has to do now.
pub(super) struct Due {
    pub(super) frames: VecDeque<Arc<Frame>>,
    pub(super) lag: Option<Lag>,
    pub(super) ping: bool,
    pub(super) end: Option<End>,
}

/// The place between hub and session.
pub(super) struct Outlet {
    capacity: usize,
    state: RefCell<State>,
}

struct State {
    subscription: Subscription,
    /// What this number and those before it said is known to the client. `None` while the present
    /// state is being read: nothing leaves then.
    joined: Option<u64>,
    queue: VecDeque<Arc<Frame>>,
    last_seq: u64,
    lag: Option<Lag>,
    behind: Option<Behind>,
    woken: bool,
    ping: bool,
    pinged: Instant,
    heard: Instant,
    end: Option<End>,
    closed: bool,
}

#[derive(Clone, Copy)]
struct Behind {
    since: Instant,
    lost_last: Instant,
}

impl Outlet {
    pub(super) fn new(capacity: usize, now: Instant) -> Self {
        let state = State {
            subscription: Subscription::default(),
            joined: Some(0),
            queue: VecDeque::new(),
            last_seq: 0,
            lag: None,
            behind: None,
            woken: false,
            ping: false,
            pinged: now,
            heard: now,
            end: None,
            closed: false,
        };
        Self { capacity: capacity.max(1), state: RefCell::new(state) }
    }

    /// Takes what the client asked for; true if the session must be woken.
    pub(super) fn offer(&self, frames: &[Arc<Frame>], now: Instant) -> bool {
        let state = &mut *self.state.borrow_mut();
        if state.subscription.is_empty() || state.end.is_some() {
            return false;
        }
        for frame in frames {
            if !state.subscription.wants(frame)
                || frame.seq.is_some_and(|seq| Some(seq) <= state.joined)
            {
                continue;
            }
            if state.queue.len() < self.capacity {
                state.last_seq = frame.seq.unwrap_or(state.last_seq);
                state.queue.push_back(frame.clone());
                continue;
            }
            let from_seq = state.last_seq + 1;
            let lag = state.lag.get_or_insert(Lag { missed: 0, from_seq });
            lag.missed += 1;
            let behind = state.behind.get_or_insert(Behind { since: now, lost_last: now });
            behind.lost_last = now;
        }
        let wake = !state.queue.is_empty() && state.joined.is_some() && !state.woken;
        state.woken |= wake;
        wake
    }

    /// Everything that is due, in the order it must leave. The queue is empty afterwards.
    pub(super) fn take(&self) -> Due {
        let state = &mut *self.state.borrow_mut();
        state.woken = false;
        let ping = mem::take(&mut state.ping);
        let end = state.end;
        if state.joined.is_none() {
            return Due { frames: VecDeque::new(), lag: None, ping, end };
        }
        let mut frames = mem::take(&mut state.queue);
        if frames.capacity() <= KEPT {
            // Small ones go back, so that a quiet client costs no allocation a message.
            mem::swap(&mut frames, &mut state.queue);
            frames = state.queue.drain(..).collect();
        }
        Due { frames, lag: state.lag.take(), ping, end }
    }

    /// From now on frames wait until [`Outlet::joined`].
    pub(super) fn join(&self, subscription: Subscription) {
        let state = &mut *self.state.borrow_mut();
        state.subscription = subscription;
        state.joined = None;
        state.queue.clear();
        (state.lag, state.behind) = (None, None);
    }

    /// The client knows everything up to `seq`; what waits beyond that may leave.
    pub(super) fn joined(&self, seq: u64) {
        let state = &mut *self.state.borrow_mut();
        state.joined = Some(seq);
        state.last_seq = state.last_seq.max(seq);
        state.queue.retain(|frame| frame.seq.is_none_or(|it| it > seq));
    }

    /// What the client hears now.
    pub(super) fn subscription(&self) -> Subscription {
        self.state.borrow().subscription.clone()
    }

    /// Hears something else from now on, without a new beginning.
    pub(super) fn narrow(&self, subscription: Subscription) {
        let state = &mut *self.state.borrow_mut();
        state.queue.retain(|frame| subscription.wants(frame));
        state.subscription = subscription;
    }

    /// The client showed life.
    pub(super) fn heard(&self, now: Instant) {
        self.state.borrow_mut().heard = now;
    }

    /// The session is over.
    pub(super) fn close(&self) {
        self.state.borrow_mut().closed = true;
    }

    /// True once the session is over.
    pub(super) fn is_closed(&self) -> bool {
        self.state.borrow().closed
    }

    /// Looks at the clock; true if the session must be woken.
    pub(super) fn tick(&self, ping_every: Duration, now: Instant) -> bool {
        let state = &mut *self.state.borrow_mut();
        if let Some(Behind { since, lost_last }) = state.behind {
            if state.lag.is_none() && now.duration_since(lost_last) >= FORGIVEN {
                state.behind = None;
            } else if now.duration_since(since) >= PATIENCE {
                state.end.get_or_insert(End::Behind);
            }
        }
        if now.saturating_duration_since(state.heard) >= ping_every * 2 {
            state.end.get_or_insert(End::Silent);
        } else if now.saturating_duration_since(state.pinged) >= ping_every {
            state.pinged = now;
            state.ping = true;
        }
        let wake = (state.ping || state.end.is_some()) && !state.woken;
        state.woken |= wake;
        wake
    }

    /// Ends the session as soon as it can be told; true if it must be woken.
    pub(super) fn end(&self, end: End) -> bool {
        let state = &mut *self.state.borrow_mut();
        state.end.get_or_insert(end);
        let wake = !state.woken;
        state.woken = true;
        wake
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Channel;

    fn frame(seq: Option<u64>) -> Arc<Frame> {
        let resource = "system".to_owned();
        Arc::new(Frame { seq, channel: Channel::System, resource, text: "{}".into() })
    }

    fn live(capacity: usize, now: Instant) -> Outlet {
        let outlet = Outlet::new(capacity, now);
        outlet.join(Subscription::parse(&[]).unwrap());
        outlet.joined(0);
        outlet
    }

    fn numbers(due: &Due) -> Vec<Option<u64>> {
        due.frames.iter().map(|frame| frame.seq).collect()
    }

    #[test]
    fn nothing_waits_for_who_has_not_asked() {
        let outlet = Outlet::new(4, Instant::now());
        assert!(!outlet.offer(&[frame(Some(1))], Instant::now()));
        assert!(outlet.take().frames.is_empty());
    }

    #[test]
    fn one_wake_serves_many_frames() {
        let now = Instant::now();
        let outlet = live(4, now);
        assert!(outlet.offer(&[frame(Some(1)), frame(None)], now));
        assert!(!outlet.offer(&[frame(Some(2))], now));
        assert_eq!(numbers(&outlet.take()), [Some(1), None, Some(2)]);
        assert!(outlet.offer(&[frame(Some(3))], now));
    }

    #[test]
    fn what_the_present_state_said_already_is_not_said_again() {
        let now = Instant::now();
        let outlet = Outlet::new(8, now);
        outlet.join(Subscription::parse(&[]).unwrap());
        assert!(!outlet.offer(&[frame(Some(4)), frame(None), frame(Some(5))], now));
        assert!(outlet.take().frames.is_empty(), "nothing leaves before the present state");
        outlet.joined(4);
        assert!(outlet.offer(&[frame(Some(3)), frame(Some(6))], now));
        assert_eq!(numbers(&outlet.take()), [None, Some(5), Some(6)]);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_told_after_what_did() {
        let now = Instant::now();
        let outlet = live(2, now);
        outlet.offer(&[frame(Some(7)), frame(Some(9)), frame(None), frame(Some(12))], now);
        let due = outlet.take();
        assert_eq!(numbers(&due), [Some(7), Some(9)]);
        assert_eq!(due.lag, Some(Lag { missed: 2, from_seq: 10 }));
        assert_eq!(outlet.take().lag, None);
    }

    #[test]
    fn who_stays_behind_is_ended_and_who_catches_up_is_not() {
        let start = Instant::now();
        let every = Duration::from_hours(1);
        let (slow, quick) = (live(1, start), live(1, start));
        for second in 0..=10 {
            let now = start + Duration::from_secs(second);
            slow.offer(&[frame(None), frame(None)], now);
            slow.take();
            if second < 5 {
                quick.offer(&[frame(None), frame(None)], now);
                quick.take();
            }
            slow.tick(every, now);
            quick.tick(every, now);
        }
        assert_eq!(slow.take().end, Some(End::Behind));
        assert_eq!(quick.take().end, None);
    }

    #[test]
    fn a_stuck_client_is_ended_though_nothing_more_is_lost() {
        let start = Instant::now();
        let outlet = live(1, start);
        outlet.offer(&[frame(None), frame(None)], start);
        outlet.tick(Duration::from_hours(1), start + Duration::from_secs(9));
        outlet.tick(Duration::from_hours(1), start + Duration::from_secs(10));
        assert_eq!(outlet.take().end, Some(End::Behind));
    }

    #[test]
    fn silence_for_two_pings_ends_the_session() {
        let start = Instant::now();
        let outlet = live(1, start);
        let every = Duration::from_secs(30);
        assert!(outlet.tick(every, start + every));
        assert!(outlet.take().ping);
        outlet.heard(start + every);
        assert!(outlet.tick(every, start + every * 2));
        assert_eq!(outlet.take().end, None);
        outlet.tick(every, start + every * 3);
        assert_eq!(outlet.take().end, Some(End::Silent));
    }
}
