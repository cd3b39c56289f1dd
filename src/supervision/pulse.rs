//! What runs inside a daemon's own event loop on behalf of its supervisor.
//!
//! It is the loop's own: a loop held up by a blocking handler or by `ctx.wait` does not poll it,
//! so it falls silent, answers no health request and does not stop.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{self, Poll},
    time::Duration,
};

use actix::{AsyncContext, Context, fut::ActorFuture};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};

use super::{
    child::Service,
    lifeline::{Event, Lifeline, Reporter},
    vitals::Vitals,
};

/// What the supervisor may ask of an incarnation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Control {
    /// How are you?
    Examine,
    /// Stop, by then at the latest.
    Stop(std::time::Instant),
    /// Misbehave.
    #[cfg(feature = "faults")]
    Fault(super::faults::Fault),
}

/// The incarnation's end of what the supervisor asks of it.
pub(super) struct Controls {
    beat: Duration,
    requests: UnboundedReceiver<Control>,
}

impl Controls {
    /// For a loop that is to show life every `beat`.
    pub(super) fn new(beat: Duration) -> (UnboundedSender<Control>, Self) {
        let (sender, requests) = unbounded_channel();
        (sender, Self { beat, requests })
    }
}

/// Beats, answers and obeys.
pub(super) struct Pulse {
    beat: Interval,
    requests: UnboundedReceiver<Control>,
    reporter: Reporter,
    vitals: Arc<Vitals>,
    started: bool,
    #[cfg(feature = "faults")]
    faults: super::faults::Faults,
}

impl Pulse {
    /// Must be called on the thread that will run it.
    pub(super) fn new(controls: Controls, lifeline: &Lifeline) -> Self {
        let mut beat = interval_at(aligned(controls.beat), controls.beat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            beat,
            requests: controls.requests,
            reporter: lifeline.reporter.clone(),
            vitals: lifeline.vitals.clone(),
            started: false,
            #[cfg(feature = "faults")]
            faults: super::faults::Faults::default(),
        }
    }

    fn tell_health<A: Service>(&self, actor: &mut A) {
        self.reporter.tell(Event::Health(actor.health(), actor.facts()));
    }

    fn obey<A: Service>(&mut self, control: Control, actor: &mut A, ctx: &mut Context<A>) {
        match control {
            Control::Examine => self.tell_health(actor),
            Control::Stop(deadline) => actor.stop(ctx, deadline),
            #[cfg(feature = "faults")]
            Control::Fault(fault) => self.faults.strike(fault, &self.vitals, ctx),
        }
    }
}

impl<A: Service> ActorFuture<A> for Pulse {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        actor: &mut A,
        ctx: &mut Context<A>,
        task: &mut task::Context<'_>,
    ) -> Poll<()> {
        if ctx.waiting() {
            return Poll::Pending; // actix polls everything once more after a handler's `ctx.wait`
        }
        let this = self.get_mut();
        this.vitals.register(task.waker());
        while this.beat.poll_tick(task).is_ready() {
            this.vitals.beat();
        }
        while let Poll::Ready(Some(control)) = this.requests.poll_recv(task) {
            this.obey(control, actor, ctx);
        }
        if !this.started && (A::READY_AT_ONCE || this.vitals.is_ready()) {
            this.started = true; // and `Actor::started` has returned
            this.vitals.take_stirred();
            this.tell_health(actor);
        }
        if this.vitals.take_stirred() {
            if this.started {
                this.tell_health(actor);
            } else {
                this.reporter.tell(Event::Stirred(actor.health(), actor.facts()));
            }
        }
        Poll::Pending
    }
}

/// The next beat of a clock that all loops share, so that those on one thread wake it once.
fn aligned(beat: Duration) -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    let epoch = *EPOCH.get_or_init(Instant::now);
    let past = epoch.elapsed().as_nanos() / beat.as_nanos().max(1);
    let next = u32::try_from(past + 1).unwrap_or(u32::MAX);
    (epoch.into_std() + beat.saturating_mul(next)).into()
}
