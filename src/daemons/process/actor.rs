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
use log::warn;
use tokio::sync::watch;

use super::{
    Options, ProcessError,
    life::Life,
    plan::Plan,
    record::{Files, Record},
    words::plain,
};
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
    /// What is to be written down of it while it runs, and where.
    pub(super) record: RefCell<Option<(Files, Record)>>,
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
            record: RefCell::default(),
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

    /// Writes down again what somebody has removed or changed.
    fn look_after_files(&self) {
        let record = self.record.borrow();
        let Some((files, record)) = record.as_ref().filter(|(files, it)| !files.tell(it)) else {
            return;
        };
        match files.write(record) {
            Ok(()) => warn!("the PID file of {} was missing or wrong: written anew", record.name),
            Err(error) => {
                warn!("the PID of {} cannot be written: {}", record.name, plain(&error));
            }
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
        self.seen.look_after_files();
        self.seen.health.borrow().clone()
    }

    fn facts(&self) -> Facts {
        self.seen.facts.borrow().clone()
    }

    fn stop(&mut self, _ctx: &mut Self::Context, deadline: Instant) {
        self.deadline.send_modify(|by| *by = Some(by.map_or(deadline, |by| by.min(deadline))));
    }
}
