//! The actor itself: how it starts, how it is, how it stops.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{fut::wrap_future, prelude::*};
use log::info;

use super::{Bell, engine, plan::Hookset};
use crate::{
    daemons::{Tools, process::Host},
    domain::{Health, Hook},
    store::{StoreError, hooks},
    supervision::{Service, Vitals},
};

/// A webhook that has failed so often in a row is worth a word.
const STUCK: u32 = 3;

/// Kept of the time to stop, to end what does not end by itself.
const RESERVE: Duration = Duration::from_secs(2);

/// What the daemon needs to know.
#[derive(Clone)]
pub struct Options {
    /// What is to be done.
    pub hooks: Vec<Hook>,
    /// What the station is called.
    pub station: String,
    /// Runs that ended longer ago than that are deleted.
    pub retention: Duration,
    /// Starts programs.
    pub host: Arc<Host>,
    /// Rings when something has happened.
    pub bell: Arc<Bell>,
}

/// Does what was configured for each event.
pub struct Hooks(pub(super) Rc<Shared>);

/// What all parts of the daemon work with.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) hooks: Hookset,
    pub(super) tools: Tools,
    pub(super) vitals: Arc<Vitals>,
    /// Events up to this number have been looked at.
    pub(super) cursor: Cell<u64>,
    pub(super) stopping: Cell<bool>,
    /// Something may be due that was not at the last look.
    pub(super) stirred: Cell<bool>,
    /// Why nothing can be begun.
    pub(super) trouble: RefCell<Option<String>>,
}

impl Hooks {
    /// Goes on where an earlier incarnation has stopped. Blocks.
    pub fn new(options: Options, tools: Tools, vitals: Arc<Vitals>) -> Result<Self, StoreError> {
        let left = tools.store.write(hooks::reset).wait()?;
        if left > 0 {
            info!("{left} hooks were being run when the station went down, and are run again");
        }
        let cursor = tools.store.read(hooks::cursor)?;
        options.bell.heed_events(!options.hooks.is_empty());
        Ok(Self(Rc::new(Shared {
            hooks: Hookset::new(options.hooks.clone()),
            options,
            tools,
            vitals,
            cursor: Cell::new(cursor),
            stopping: Cell::new(false),
            stirred: Cell::new(true),
            trouble: RefCell::default(),
        })))
    }
}

impl Actor for Hooks {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let work = engine::run(Rc::clone(&self.0));
        // It returns when it was asked to stop and nothing is left to do.
        ctx.spawn(wrap_future::<_, Self>(work).map(|(), _, ctx| ctx.stop()));
        let tidy = engine::tidy(Rc::clone(&self.0));
        ctx.spawn(wrap_future(tidy));
    }
}

impl Service for Hooks {
    fn health(&mut self) -> Health {
        let shared = &self.0;
        let outbox = shared.tools.store.read(hooks::outbox).unwrap_or_default();
        let health = match (&*shared.trouble.borrow(), &outbox.stuck) {
            (Some(trouble), _) => Health::degraded(format!("hooks cannot be run: {trouble}")),
            (None, Some((hook, attempts, why))) if *attempts >= STUCK => Health::degraded(format!(
                "{} webhooks wait; {hook} has failed {attempts} times: {why}",
                outbox.length
            )),
            _ => Health::healthy(),
        };
        health.with("hooks", shared.hooks.iter().count()).with("outbox_length", outbox.length)
    }

    /// What is under way may end, and what has happened is done, as long as there is time. The
    /// rest is done after the next start.
    fn stop(&mut self, ctx: &mut Self::Context, deadline: Instant) {
        self.0.stopping.set(true);
        self.0.options.bell.ring();
        let left = deadline.saturating_duration_since(Instant::now());
        let margin = RESERVE.min(left / 2);
        ctx.run_later(left.saturating_sub(margin), |_, ctx| ctx.stop());
    }
}
