//! The actor: what the supervisor talks to. What happens to the program is in [`life`](super::life).

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use actix::{
    Actor, ActorContext as _, ActorFutureExt as _, AsyncContext as _, Context, fut::wrap_future,
};
use tokio::sync::watch;

use super::{Options, ProcessError, life::Life, plan::Plan};
use crate::{
    domain::Health,
    supervision::{Facts, Service, Vitals},
};

/// One external program as a daemon.
pub struct Process {
    /// Taken when it starts.
    life: Option<Life>,
    seen: Rc<Seen>,
    /// By when it is to have stopped, once it has been asked to.
    deadline: watch::Sender<Option<Instant>>,
}

/// What the actor can say of the program at any time.
pub(super) struct Seen {
    pub(super) health: RefCell<Health>,
    pub(super) facts: RefCell<Facts>,
    /// It has been ready.
    pub(super) was_up: Cell<bool>,
    vitals: Arc<Vitals>,
}

impl Process {
    /// A program that is started with the actor.
    ///
    /// # Errors
    /// What is wrong with its settings. What is wrong with the program itself is told to `vitals`.
    pub fn new(options: Options, vitals: Arc<Vitals>) -> Result<Self, ProcessError> {
        let plan = Plan::new(options)?;
        let (deadline, orders) = watch::channel(None);
        let seen = Rc::new(Seen {
            health: RefCell::new(Health::unknown("starting")),
            facts: RefCell::default(),
            was_up: Cell::new(false),
            vitals: Arc::clone(&vitals),
        });
        let life = Life { plan, vitals, seen: Rc::clone(&seen), orders };
        Ok(Self { life: Some(life), seen, deadline })
    }
}

impl Seen {
    /// Notes how it is, and has it told if that is news.
    pub(super) fn is(&self, health: Health) {
        if *self.health.borrow() != health {
            self.health.replace(health);
            self.vitals.stir();
        }
    }
}

impl Actor for Process {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(life) = self.life.take() {
            ctx.spawn(wrap_future(life.run()).map(|(), _, ctx: &mut Self::Context| ctx.stop()));
        }
    }
}

impl Service for Process {
    const READY_AT_ONCE: bool = false;

    fn health(&mut self) -> Health {
        self.seen.health.borrow().clone()
    }

    fn facts(&self) -> Facts {
        self.seen.facts.borrow().clone()
    }

    fn stop(&mut self, _ctx: &mut Self::Context, deadline: Instant) {
        self.deadline.send_modify(|by| *by = Some(by.map_or(deadline, |by| by.min(deadline))));
    }
}
