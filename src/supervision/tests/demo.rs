//! A daemon that does as it is told.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, WrapFuture};

use super::support::counted;
use crate::{
    domain::Health,
    supervision::{Child, Link, Service, Vitals},
};

/// What happened, in order.
pub(super) type Journal = Arc<Mutex<Vec<String>>>;

pub(super) struct Demo {
    pub(super) id: u32,
    pub(super) vitals: Arc<Vitals>,
    pub(super) name: &'static str,
    pub(super) journal: Journal,
    pub(super) health: Health,
    /// How long it waits in its start.
    pub(super) warm_up: Option<Duration>,
    /// How long it takes to stop, and what it does meanwhile.
    pub(super) stop: Stopping,
}

#[derive(Clone, Copy)]
pub(super) enum Stopping {
    AtOnce,
    After(Duration),
    Never,
}

impl Demo {
    fn note(&self, what: &str) {
        self.journal.lock().unwrap().push(format!("{} {what}", self.name));
    }
}

impl Actor for Demo {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.note("started");
        if let Some(time) = self.warm_up {
            ctx.wait(actix::clock::sleep(time).into_actor(self));
        }
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.note("stopped");
    }
}

impl Service for Demo {
    fn health(&mut self) -> Health {
        self.health.clone()
    }

    fn stop(&mut self, ctx: &mut Context<Self>, deadline: Instant) {
        self.note("asked to stop");
        assert!(deadline > Instant::now());
        match self.stop {
            Stopping::AtOnce => ctx.stop(),
            Stopping::After(time) => {
                ctx.run_later(time, |_, ctx| ctx.stop());
            }
            Stopping::Never => {}
        }
    }
}

/// A daemon called `name` that writes into `journal`.
pub(super) fn demo(name: &'static str, journal: &Journal) -> (Child, Link<Demo>) {
    stopping(name, journal, Stopping::AtOnce)
}

/// The same, stopping so.
pub(super) fn stopping(
    name: &'static str,
    journal: &Journal,
    stop: Stopping,
) -> (Child, Link<Demo>) {
    let journal = journal.clone();
    counted(move |id, vitals| {
        let journal = journal.clone();
        Ok(Demo { id, vitals, name, journal, health: Health::healthy(), warm_up: None, stop })
    })
}

/// Which incarnation is it?
#[derive(Message)]
#[rtype(result = "u32")]
pub(super) struct Who;

impl Handler<Who> for Demo {
    type Result = u32;

    fn handle(&mut self, _: Who, _: &mut Self::Context) -> u32 {
        self.id
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) enum Do {
    Quit,
    Fail(&'static str),
    Panic,
    Block(Duration),
    WaitForEver,
    Touch(Arc<AtomicU32>),
    Feel(Health),
}

impl Handler<Do> for Demo {
    type Result = ();

    fn handle(&mut self, what: Do, ctx: &mut Self::Context) {
        match what {
            Do::Quit => ctx.stop(),
            Do::Fail(error) => {
                self.vitals.fail(&error);
                ctx.stop();
            }
            Do::Panic => panic!("told to"),
            Do::Block(time) => {
                self.note("busy");
                thread::sleep(time);
                if self.vitals.is_retired() {
                    ctx.terminate();
                }
            }
            Do::WaitForEver => {
                self.note("busy");
                ctx.wait(std::future::pending::<()>().into_actor(self));
            }
            Do::Touch(count) => {
                count.fetch_add(1, Ordering::SeqCst);
            }
            Do::Feel(health) => self.health = health,
        }
    }
}
