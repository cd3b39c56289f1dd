//! What is meant to run against what does.
//!
//! Everything that happens is acted upon as it comes; this is the net below: what was missed all
//! the same is found at the next pass.

use std::time::Instant;

use actix::{AsyncContext, Context, Handler};
use log::warn;

use super::{
    lifecycle::State,
    orders::{Mended, OrderError, Reconcile},
    slot::{Order, Step, Then},
    supervisor::Supervisor,
};

impl Supervisor {
    /// Passes over all daemons again and again.
    pub(super) fn reconcile_for_ever(&self, ctx: &mut Context<Self>) {
        ctx.run_later(self.rules.reconcile_interval, |this, ctx| {
            for Mended { what, did } in this.reconcile(None, ctx) {
                warn!("{what} was not as it should be: {did}");
            }
            this.reconcile_for_ever(ctx);
        });
    }

    /// Mends what differs, at most so many as the rules say; of one daemon or of all.
    fn reconcile(&mut self, only: Option<usize>, ctx: &mut Context<Self>) -> Vec<Mended> {
        let mut mended = Vec::new();
        if self.closing.is_some() {
            return mended;
        }
        let under_way = self.slots.iter().filter(|slot| !slot.orders.is_empty()).count();
        let most = self.rules.max_concurrent.saturating_sub(under_way);
        for at in 0..self.order.len() {
            let index = self.order[at];
            if mended.len() >= most || only.is_some_and(|only| only != index) {
                continue;
            }
            if let Some((step, did)) = self.difference(index) {
                let slot = &mut self.slots[index];
                slot.orders.push_back(Order::silent(step));
                let (what, did) = (format!("daemon {}", slot.spec.name), did.to_owned());
                mended.push(Mended { what, did });
            }
        }
        self.settle(ctx);
        mended
    }

    /// What would bring a daemon to where it is meant to be. What was given up stays so until a
    /// person starts it, and what has done its work has done it.
    fn difference(&self, index: usize) -> Option<(Step, &'static str)> {
        let slot = &self.slots[index];
        if !slot.orders.is_empty() {
            return None;
        }
        match (slot.wanted, slot.life.state()) {
            (true, State::Stopped) if !slot.life.is_completed() => {
                Some((Step::Start, "it was meant to run and did not: started"))
            }
            (false, State::Starting { .. } | State::Running { .. } | State::Waiting) => Some((
                Step::Stop { force: false, then: Then::Rest },
                "it was meant to be stopped and ran: stopped",
            )),
            _ => None,
        }
    }
}

impl Handler<Reconcile> for Supervisor {
    type Result = Result<Vec<Mended>, OrderError>;

    fn handle(&mut self, Reconcile { name }: Reconcile, ctx: &mut Self::Context) -> Self::Result {
        let only = name.map(|name| self.find(&name)).transpose()?;
        // Each is asked how it is, which has a program's daemon look after its process and files.
        let now = Instant::now();
        for index in 0..self.slots.len() {
            if only.is_none_or(|only| only == index) {
                self.change(index, ctx, |life| life.examine(now));
            }
        }
        Ok(self.reconcile(only, ctx))
    }
}
