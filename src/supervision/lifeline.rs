//! What ties an incarnation to its supervisor.

use std::sync::Arc;

use actix::{Message, Recipient};

use super::{
    child::Facts,
    vitals::{Exit, Vitals},
};
use crate::domain::Health;

/// Something an incarnation tells its supervisor.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub(super) struct News {
    /// The number of its daemon.
    pub(super) slot: u64,
    /// Which incarnation of it: news of an abandoned one is ignored.
    pub(super) incarnation: u64,
    /// What happened.
    pub(super) event: Event,
}

/// What can happen to an incarnation.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Event {
    /// Its event loop turns, and it is so well: the first such word means that it has started,
    /// later ones answer requests.
    Health(Health, Facts),
    /// It is on its way up, and this is known of it by now.
    Stirred(Health, Facts),
    /// Nothing of it is left.
    Exited(Exit),
}

/// Sends an incarnation's news in its name.
#[derive(Clone)]
pub(super) struct Reporter {
    pub(super) slot: u64,
    pub(super) incarnation: u64,
    pub(super) supervisor: Recipient<News>,
}

impl Reporter {
    pub(super) fn tell(&self, event: Event) {
        let Self { slot, incarnation, .. } = *self;
        self.supervisor.do_send(News { slot, incarnation, event });
    }
}

/// Owned by whatever carries an incarnation at the moment; its drop is the notice of death, so
/// there is exactly one, whatever happens.
pub(super) struct Lifeline {
    pub(super) reporter: Reporter,
    pub(super) vitals: Arc<Vitals>,
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        self.reporter.tell(Event::Exited(self.vitals.verdict()));
    }
}
