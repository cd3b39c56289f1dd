//! A daemon the supervisor can launch without knowing its type.

use std::{fmt::Display, marker::PhantomData, sync::Arc, time::Instant};

use actix::{Actor, ActorContext, Addr, ArbiterHandle, Context};
use tokio::sync::watch;

use super::{
    incarnation::Incarnation,
    lifeline::Lifeline,
    link::Link,
    panics::contain,
    pulse::Controls,
    vitals::{Exit, Vitals},
};
use crate::domain::Health;

/// An actor that can be supervised. Both methods are called in its own event loop.
///
/// Its `stopping` and `stopped` run when it stops, never when it panics or is abandoned: clean up
/// in the `Drop` of owned values.
pub trait Service: Actor<Context = Context<Self>> {
    /// True if it is up as soon as its event loop turns; else it says so by [`Vitals::ready`].
    const READY_AT_ONCE: bool = true;

    /// How it is, asked when it has started and every health interval. Must be quick: an
    /// incarnation that does not answer within its health time-out is replaced.
    fn health(&mut self) -> Health {
        Health::healthy()
    }

    /// What people may want to know of it besides; told with each word on its health.
    fn facts(&self) -> Facts {
        Facts::default()
    }

    /// Asked to stop. It may finish work first and call `ctx.stop()` itself, but at `deadline` it
    /// is abandoned. Asked again, with an earlier deadline, if it is to hurry.
    fn stop(&mut self, ctx: &mut Context<Self>, deadline: Instant) {
        let _ = deadline;
        ctx.stop();
    }
}

/// Where a daemon can be looked at from outside the station.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its process, if it has one of its own.
    pub pid: Option<u32>,
    /// How each of its limits is enforced.
    pub limits: Vec<String>,
}

/// A launchable daemon with its type erased.
pub struct Child {
    launch: Box<dyn Launch>,
    /// It never blocks, and shares its thread with others of its kind.
    pub(super) shares: bool,
}

impl Child {
    /// Lets the daemon share one thread with all others that do. It must never block: when one
    /// of them stands still, all do.
    #[must_use]
    pub fn shared(self) -> Self {
        Self { shares: true, ..self }
    }

    /// Builds the daemon and runs it on the thread behind `on`.
    pub(super) fn launch(&self, lifeline: Lifeline, controls: Controls, on: &ArbiterHandle) {
        self.launch.launch(lifeline, controls, on);
    }

    /// Withdraws its address: whoever waits for an answer is told.
    pub(super) fn forget(&self) {
        self.launch.forget();
    }
}

trait Launch: Send {
    fn launch(&self, lifeline: Lifeline, controls: Controls, on: &ArbiterHandle);
    fn forget(&self);
}

struct Typed<A: Service, F, E> {
    build: F,
    current: watch::Sender<Option<Addr<A>>>,
    error: PhantomData<fn() -> E>,
}

/// Describes a daemon by the function that builds it (run on the daemon's own thread, so it may
/// block, fail or panic) and returns the link by which the rest of the program reaches it.
pub fn child<A, E, F>(build: F) -> (Child, Link<A>)
where
    A: Service,
    E: Display + 'static,
    F: Fn(Arc<Vitals>) -> Result<A, E> + Clone + Send + 'static,
{
    let (current, link) = watch::channel(None);
    let launch = Box::new(Typed { build, current, error: PhantomData });
    (Child { launch, shares: false }, Link::new(link))
}

impl<A, E, F> Launch for Typed<A, F, E>
where
    A: Service,
    E: Display + 'static,
    F: Fn(Arc<Vitals>) -> Result<A, E> + Clone + Send + 'static,
{
    fn launch(&self, lifeline: Lifeline, controls: Controls, on: &ArbiterHandle) {
        let (build, current) = (self.build.clone(), self.current.clone());
        on.spawn_fn(move || {
            let vitals = lifeline.vitals.clone();
            match contain(|| build(vitals.clone()).map_err(|error| error.to_string())) {
                Err(panic) => vitals.record(Exit::Panicked(panic)),
                Ok(Err(error)) => vitals.fail(&error),
                Ok(Ok(actor)) => {
                    let (incarnation, address) = Incarnation::new(actor, controls, lifeline);
                    let in_time = current.send_if_modified(|slot| {
                        let in_time = !vitals.is_retired(); // else its successor owns the slot
                        if in_time {
                            *slot = Some(address);
                        }
                        in_time
                    });
                    if in_time {
                        actix::spawn(incarnation);
                    }
                }
            }
        });
    }

    fn forget(&self) {
        self.current.send_replace(None);
    }
}
