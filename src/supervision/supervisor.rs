//! The actor that carries out what each lifecycle decides.

use actix::{Actor, Context, Handler, MessageResult, ResponseFuture};

use super::{
    child::Child,
    orders::{
        CheckHealth, List, NotReady, OrderError, Ready, Restart, Show, Shutdown, Start, Stop,
    },
    registry::Problems,
    spec::Spec,
};
use crate::domain::Daemon;

/// Runs daemons, each alone on its own thread, and replaces those that end or hang.
pub struct Supervisor {
    observer: Box<dyn Fn(&Daemon)>,
}

impl Supervisor {
    /// Supervises `daemons`, once started (on an arbiter that nothing else blocks).
    ///
    /// `observer` is called with the full view of a daemon after each change of its state or
    /// health status, in the order of the changes. It must be quick and must not panic.
    pub fn new(
        daemons: Vec<(Spec, Child)>,
        observer: impl Fn(&Daemon) + 'static,
    ) -> Result<Self, Problems> {
        drop(daemons);
        Ok(Self { observer: Box::new(observer) })
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;
}

impl Handler<List> for Supervisor {
    type Result = MessageResult<List>;
    fn handle(&mut self, _: List, _: &mut Self::Context) -> Self::Result {
        todo!()
    }
}
impl Handler<Show> for Supervisor {
    type Result = Result<Daemon, OrderError>;
    fn handle(&mut self, _: Show, _: &mut Self::Context) -> Self::Result {
        todo!()
    }
}
impl Handler<Start> for Supervisor {
    type Result = ResponseFuture<Result<Daemon, OrderError>>;
    fn handle(&mut self, _: Start, _: &mut Self::Context) -> Self::Result {
        todo!()
    }
}
impl Handler<Stop> for Supervisor {
    type Result = ResponseFuture<Result<Daemon, OrderError>>;
    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        todo!()
    }
}
impl Handler<Restart> for Supervisor {
    type Result = ResponseFuture<Result<Daemon, OrderError>>;
    fn handle(&mut self, _: Restart, _: &mut Self::Context) -> Self::Result {
        todo!()
    }
}
impl Handler<CheckHealth> for Supervisor {
    type Result = ResponseFuture<Vec<Daemon>>;
    fn handle(&mut self, _: CheckHealth, _: &mut Self::Context) -> Self::Result {
        todo!()
    }
}
impl Handler<Ready> for Supervisor {
    type Result = ResponseFuture<Result<(), NotReady>>;
    fn handle(&mut self, _: Ready, _: &mut Self::Context) -> Self::Result {
        todo!()
    }
}
impl Handler<Shutdown> for Supervisor {
    type Result = ResponseFuture<()>;
    fn handle(&mut self, _: Shutdown, _: &mut Self::Context) -> Self::Result {
        todo!()
    }
}
#[cfg(feature = "faults")]
impl Handler<super::faults::Inject> for Supervisor {
    type Result = Result<(), OrderError>;
    fn handle(&mut self, _: super::faults::Inject, _: &mut Self::Context) -> Self::Result {
        todo!()
    }
}
