//! An actor that panics where it is told to, saying where.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, Running,
    WrapFuture,
};

use super::support::ms;
use crate::supervision::Service;

/// A place to panic, or (`Quit`, `Continue`, `Pend`, `HangInDrop`) something else to do there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Started,
    Handler,
    Timer,
    Future,
    Wait,
    Quit,
    Continue,
    Pend,
    Stopping,
    Stopped,
    Drop,
    HangInDrop,
}

/// How often each hook ran, and how many messages were handled.
#[derive(Default)]
pub(super) struct Ran {
    pub(super) stopping: AtomicU32,
    pub(super) stopped: AtomicU32,
    pub(super) dropped: AtomicU32,
    pub(super) handled: AtomicU32,
}

pub(super) struct Bomb {
    pub(super) at: Vec<At>,
    pub(super) ran: Arc<Ran>,
}

impl Bomb {
    fn is(&self, at: At) -> bool {
        self.at.contains(&at)
    }

    fn pass(&self, at: At) {
        assert!(!self.is(at), "{at:?}");
    }
}

impl Actor for Bomb {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.pass(At::Started);
    }

    fn stopping(&mut self, _: &mut Self::Context) -> Running {
        let first = self.ran.stopping.fetch_add(1, Ordering::SeqCst) == 0;
        self.pass(At::Stopping);
        if self.is(At::Continue) && first { Running::Continue } else { Running::Stop }
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.ran.stopped.fetch_add(1, Ordering::SeqCst);
        self.pass(At::Stopped);
    }
}

impl Service for Bomb {}

impl Drop for Bomb {
    fn drop(&mut self) {
        self.ran.dropped.fetch_add(1, Ordering::SeqCst);
        if self.is(At::HangInDrop) {
            std::thread::sleep(ms(700));
        }
        self.pass(At::Drop);
    }
}

/// Sets it off.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Fuse;

impl Handler<Fuse> for Bomb {
    type Result = ();

    fn handle(&mut self, _: Fuse, ctx: &mut Self::Context) {
        let soon = ms(1);
        self.pass(At::Handler);
        if self.is(At::Timer) {
            ctx.run_interval(soon, |this, _| this.pass(At::Timer));
        }
        if self.is(At::Future) {
            ctx.spawn(actix::clock::sleep(soon).into_actor(self).map(|(), this, _| {
                this.pass(At::Future);
            }));
        }
        if self.is(At::Wait) {
            ctx.wait(async { panic!("{:?}", At::Wait) }.into_actor(self));
        }
        if self.is(At::Pend) {
            ctx.wait(std::future::pending().into_actor(self));
        }
        if self.is(At::Quit) {
            ctx.stop();
        }
    }
}

/// Blocks a little, so that what is sent meanwhile queues up.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Block;

impl Handler<Block> for Bomb {
    type Result = ();

    fn handle(&mut self, _: Block, _: &mut Self::Context) {
        std::thread::sleep(ms(10));
    }
}

/// Shows that a message was handled.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Count;

impl Handler<Count> for Bomb {
    type Result = ();

    fn handle(&mut self, _: Count, _: &mut Self::Context) {
        self.ran.handled.fetch_add(1, Ordering::SeqCst);
    }
}

/// Every place to panic first, with every hook or destructor that might panic as well.
pub(super) fn matrix() -> Vec<Vec<At>> {
    use At::{Continue, Drop, Future, Handler, Quit, Started, Stopped, Stopping, Timer, Wait};
    let seconds: [&[At]; 7] = [
        &[],
        &[Stopping],
        &[Stopped],
        &[Drop],
        &[Continue],
        &[Stopping, Stopped, Drop],
        &[Continue, Stopped, Drop],
    ];
    let firsts = [Started, Handler, Timer, Future, Wait, Quit];
    let both = |first| seconds.iter().map(move |second| [&[first], *second].concat());
    firsts.into_iter().flat_map(both).collect()
}

/// The message of the first panic of `at`, if it panics at all.
pub(super) fn first_panic(at: &[At]) -> Option<String> {
    at.iter().find(|at| !matches!(at, At::Quit | At::Continue)).map(|at| format!("{at:?}"))
}
