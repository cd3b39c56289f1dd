//! What incarnations have to tell.

use std::time::Instant;

use actix::Handler;

use super::{
    lifeline::{Event, News},
    supervisor::Supervisor,
};
use crate::domain::Timestamp;

impl Handler<News> for Supervisor {
    type Result = ();

    fn handle(&mut self, news: News, ctx: &mut Self::Context) {
        let News { slot, incarnation, event } = news;
        let Some(index) = self.slots.iter().position(|known| known.id == slot) else { return };
        let (now, slot) = (Instant::now(), &mut self.slots[index]);
        let is_present = incarnation == slot.life.incarnation() && slot.life.is_alive();
        match event {
            Event::Stirred(health, facts) => {
                if is_present {
                    (slot.health, slot.facts) = (health, facts);
                    self.show(index);
                }
            }
            Event::Health(mut health, facts) => {
                if is_present {
                    health.checked_at = Some(Timestamp::now());
                    (slot.health, slot.facts) = (health, facts);
                }
                let moved = self.change(index, ctx, |life| {
                    life.answered(incarnation, now);
                    None
                });
                if !moved {
                    self.show(index);
                }
            }
            Event::Exited(exit) => {
                self.change(index, ctx, |life| life.exited(incarnation, exit, now));
            }
        }
        self.settle(ctx);
    }
}
