//! One run of a daemon: the future that drives its actor and outlives whatever it does.
//!
//! ```text
//!   poll ──contain──> started(), handlers, timers, futures, stopping(), stopped()
//!     │ ended or panicked
//!     v
//!   end ──contain──> terminate, then drop actor, mailbox, futures   (outside any unwinding)
//!     │
//!     v
//!   Lifeline dropped: the supervisor hears of it when nothing of the actor is left
//! ```
//!
//! `ContextFut` must never be dropped alive: its own `Drop` would poll once more, which runs
//! `stopping()` and `stopped()` on the broken actor and, if `stopping()` returns `Continue`, every
//! queued message and spawned future as well. `terminate()` rules that out. Hence: hooks run when
//! an actor stops, and not when it panics or is abandoned. Clean up in owned values' `Drop`.
//!
//! One that is given up is woken, as its end of the controls is closed, and ends before anything
//! else of it runs: so it goes even where its thread is shared and cannot be stopped.
//!
//! Not survivable, by Rust's own rules (the process aborts): a destructor that panics while
//! another panic unwinds the same frames.

use std::{
    future::Future,
    pin::Pin,
    task::{self, Poll},
};

use actix::{Addr, AsyncContext, Context, dev::ContextFut};

use super::{
    child::Service,
    lifeline::Lifeline,
    panics::contain,
    pulse::{Controls, Pulse},
    vitals::Exit,
};

/// Drives one actor to its end.
pub(super) struct Incarnation<A: Service> {
    body: Option<ContextFut<A, Context<A>>>,
    lifeline: Lifeline,
}

impl<A: Service> Incarnation<A> {
    /// Must be called on the thread that will run it.
    pub(super) fn new(actor: A, controls: Controls, lifeline: Lifeline) -> (Self, Addr<A>) {
        let mut ctx = Context::new();
        let address = ctx.address();
        ctx.spawn(Pulse::new(controls, &lifeline));
        (Self { body: Some(ctx.into_future(actor)), lifeline }, address)
    }

    fn end(&mut self) {
        let Some(mut body) = self.body.take() else { return };
        actix::ActorContext::terminate(body.ctx());
        if let Err(message) = contain(|| drop(body)) {
            self.lifeline.vitals.record(Exit::Panicked(message));
        }
    }
}

impl<A: Service> Future for Incarnation<A> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.lifeline.vitals.is_retired() {
            this.end(); // given up: whoever shares its thread lives on
        }
        let Some(body) = &mut this.body else { return Poll::Ready(()) };
        match contain(|| Pin::new(body).poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(())) => {}
            Err(message) => this.lifeline.vitals.record(Exit::Panicked(message)),
        }
        this.end();
        Poll::Ready(())
    }
}

impl<A: Service> Drop for Incarnation<A> {
    fn drop(&mut self) {
        self.end(); // abandoned: its arbiter was stopped
    }
}
