//! A stable, typed handle to a daemon that may be replaced at any time.

use actix::{Actor, Addr, Handler, Message, dev::ToEnvelope};
use thiserror::Error;
use tokio::sync::watch;

/// The daemon is down or went down before it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the daemon is not running")]
pub struct Unavailable;

/// Reaches whichever incarnation of `A` is current.
///
/// All links of a daemon send through the one address it published: every clone of an `Addr`
/// brings its own guaranteed slot in the mailbox, so cloning would defeat the mailbox's capacity.
pub struct Link<A: Actor>(watch::Receiver<Option<Addr<A>>>);

impl<A: Actor> Clone for Link<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Actor> Link<A> {
    pub(super) fn new(current: watch::Receiver<Option<Addr<A>>>) -> Self {
        Self(current)
    }

    /// Waits until the daemon is up: for ever, if it stays down.
    pub async fn up(&self) {
        let lives = |address: &Option<Addr<A>>| address.as_ref().is_some_and(Addr::connected);
        drop(self.0.clone().wait_for(lives).await);
    }

    /// Asks and waits for the answer, or until the incarnation asked is given up.
    pub async fn ask<M>(&self, message: M) -> Result<M::Result, Unavailable>
    where
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let mut current = self.0.clone();
        let request = current.borrow_and_update().as_ref().ok_or(Unavailable)?.send(message);
        tokio::select! {
            biased;
            answer = request => answer.map_err(|_| Unavailable),
            _ = current.changed() => Err(Unavailable), // given up by the supervisor
        }
    }

    /// Tells without waiting; refused when the daemon is down or its mailbox is full.
    pub fn tell<M>(&self, message: M) -> Result<(), Unavailable>
    where
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let current = self.0.borrow();
        current.as_ref().ok_or(Unavailable)?.try_send(message).map_err(|_| Unavailable)
    }
}
