//! Why an incarnation terminates before it drops: what actix 0.13's `ContextFut` does when it is
//! dropped alive after a panic. Should one of these fail after an upgrade, read its `Drop` again.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task,
};

use actix::{ActorContext, AsyncContext, Context, fut::ActorFuture};

use super::bomb::{At, Bomb, Count, Fuse, Ran};

/// Sets off an actor with three more messages queued, drops what is left of it, and returns how
/// often `stopping`, `stopped` and a handler ran, and whether the drop panicked.
fn after_the_panic(at: &[At], terminate: bool) -> ([u32; 3], bool) {
    let ran = Arc::new(Ran::default());
    let ctx = Context::new();
    let address = ctx.address();
    let mut body = ctx.into_future(Bomb { at: at.to_vec(), ran: ran.clone() });
    address.try_send(Fuse).unwrap();
    (0..3).for_each(|_| address.try_send(Count).unwrap());
    let mut cx = task::Context::from_waker(task::Waker::noop());
    let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut body).poll(&mut cx)));
    assert!(polled.is_err());
    if terminate {
        body.ctx().terminate();
    }
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(body)));
    let counts = [&ran.stopping, &ran.stopped, &ran.handled].map(|n| n.load(Ordering::SeqCst));
    (counts, dropped.is_err())
}

/// Counts how often it is polled while its actor waits.
struct Spy(Arc<AtomicU32>);

impl ActorFuture<Bomb> for Spy {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        _: &mut Bomb,
        ctx: &mut Context<Bomb>,
        _: &mut task::Context<'_>,
    ) -> task::Poll<()> {
        self.0.fetch_add(u32::from(ctx.waiting()), Ordering::SeqCst);
        task::Poll::Pending
    }
}

/// Why a pulse holds back while its actor waits: actix polls everything once more after a handler
/// that called `ctx.wait`.
#[actix::test]
async fn what_was_spawned_is_polled_once_more_after_a_wait() {
    let ran = Arc::new(Ran::default());
    let polled_waiting = Arc::new(AtomicU32::new(0));
    let mut ctx = Context::<Bomb>::new();
    let count = polled_waiting.clone();
    ctx.spawn(Spy(count));
    let address = ctx.address();
    let mut body = ctx.into_future(Bomb { at: vec![At::Pend], ran });
    address.try_send(Fuse).unwrap();
    let mut cx = task::Context::from_waker(task::Waker::noop());
    for _ in 0..3 {
        assert!(Pin::new(&mut body).poll(&mut cx).is_pending());
        assert_eq!(polled_waiting.load(Ordering::SeqCst), 1);
    }
    body.ctx().terminate();
}

#[actix::test]
async fn dropped_alive_the_broken_actor_gets_its_hooks() {
    assert_eq!(after_the_panic(&[At::Handler], false), ([1, 1, 0], false));
    assert_eq!(after_the_panic(&[At::Started], false), ([1, 1, 0], false));
}

#[actix::test]
async fn dropped_alive_and_continued_the_broken_actor_works_off_its_queue() {
    assert_eq!(after_the_panic(&[At::Handler, At::Continue], false), ([1, 0, 3], false));
}

#[actix::test]
async fn dropped_alive_and_continued_the_future_that_panicked_is_polled_again() {
    assert_eq!(after_the_panic(&[At::Wait, At::Continue], false), ([1, 0, 0], true));
}

#[actix::test]
async fn terminated_nothing_of_it_runs_again() {
    for at in [At::Handler, At::Started, At::Wait] {
        assert_eq!(after_the_panic(&[at], true), ([0, 0, 0], false));
        assert_eq!(after_the_panic(&[at, At::Continue], true), ([0, 0, 0], false));
        assert_eq!(after_the_panic(&[at, At::Drop], true), ([0, 0, 0], true));
    }
}
