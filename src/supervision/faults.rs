//! Misbehaviour on request, for tests of everything above. Never in a release build.

use std::{thread, time::Duration};

use actix::{ActorContext, Context, Handler, Message};

use super::{
    child::Service, lifecycle::State, orders::OrderError, pulse::Control, supervisor::Supervisor,
    vitals::Vitals,
};

/// Makes a daemon misbehave. Answered once the fault is under way, not once it has struck.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), OrderError>")]
pub struct Inject {
    /// Which, by [`same_name`](crate::domain::same_name).
    pub name: String,
    /// What it does.
    pub fault: Fault,
}

/// A way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It panics there.
    Panic(At),
    /// It panics, and once more while what is left of it is dropped.
    PanicTwice,
    /// It fails as if it had reported an error.
    Error,
    /// It blocks its thread until it is given up.
    Hang,
}

/// A place to panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The next time it starts.
    Started,
    /// Now, in its event loop.
    Handler,
    /// While it stops, which it does at once.
    Stopping,
}

/// What has been asked of an incarnation, in its own event loop.
#[derive(Default)]
pub(super) struct Faults {
    grenade: bool,
}

impl Faults {
    /// Misbehaves now.
    pub(super) fn strike<A: Service>(
        &mut self,
        fault: Fault,
        vitals: &Vitals,
        ctx: &mut Context<A>,
    ) {
        match fault {
            Fault::Panic(At::Stopping) => {
                self.grenade = true;
                ctx.stop();
            }
            Fault::PanicTwice => {
                self.grenade = true;
                panic!("injected in a handler");
            }
            Fault::Panic(At::Started) => panic!("injected in started"),
            Fault::Panic(At::Handler) => panic!("injected in a handler"),
            Fault::Error => {
                vitals.fail(&"injected error");
                ctx.stop();
            }
            Fault::Hang => {
                while !vitals.is_retired() {
                    thread::sleep(Duration::from_millis(5));
                }
                ctx.terminate();
            }
        }
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        assert!(!self.grenade, "injected in stopping");
    }
}

impl Handler<Inject> for Supervisor {
    type Result = Result<(), OrderError>;

    fn handle(&mut self, Inject { name, fault }: Inject, _: &mut Self::Context) -> Self::Result {
        let index = self.find(&name)?;
        let slot = &mut self.slots[index];
        if fault == Fault::Panic(At::Started) {
            slot.ahead.push(Control::Fault(fault));
        } else if matches!(slot.life.state(), State::Running { .. }) {
            slot.tell(Control::Fault(fault));
        } else {
            let name = slot.spec.name.clone();
            return Err(OrderError::Refused { name, reason: "is not running" });
        }
        Ok(())
    }
}
