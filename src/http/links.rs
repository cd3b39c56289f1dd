//! How requests reach the rest of the station, without knowing the actors behind it.

use std::{future::Future, pin::Pin, sync::Arc};

use actix::{Actor, Addr, Handler, Message, dev::ToEnvelope};

use crate::{
    daemons::{
        device_manager::Operate,
        job_queue::{Act, Wake},
    },
    domain::HealthStatus,
    firmware::Drawing,
    link::Estop,
    supervision::{Link, Supervisor, Unavailable},
};

/// An answer on its way, on the thread that asked.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>>>>;
type Asking<M> = dyn Fn(M) -> Answer<<M as Message>::Result> + Send + Sync;

/// A question that some daemon answers.
pub struct Ask<M: Message>(Arc<Asking<M>>);

impl<M> Ask<M>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    /// Answered by the daemon behind `link`.
    pub fn of<A>(link: &Link<A>) -> Self
    where
        A: Handler<M> + Actor,
        A::Context: ToEnvelope<A, M>,
    {
        let link = link.clone();
        Self::by(move |message| {
            let link = link.clone();
            Box::pin(async move { link.ask(message).await })
        })
    }

    /// Answered by `answer`.
    pub fn by(answer: impl Fn(M) -> Answer<M::Result> + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }

    /// Asks and waits for the answer, or until the daemon is given up.
    pub async fn ask(&self, message: M) -> Result<M::Result, Unavailable> {
        (self.0)(message).await
    }
}

/// A function of the station that any worker may call.
pub type Call<In, Out> = Box<dyn Fn(In) -> Out + Send + Sync>;

/// The daemons and functions that requests need.
pub struct Links {
    /// Owns every daemon's life.
    pub supervisor: Addr<Supervisor>,
    /// Tells the job queue that something may have become runnable. Must not wait.
    pub wake: Call<Wake, ()>,
    /// The job queue.
    pub act: Ask<Act>,
    /// The device manager.
    pub operate: Ask<Operate>,
    /// The emergency stop of the machine of that name, found without asking any daemon.
    pub estop: Box<dyn Fn(&str) -> Option<Estop> + Send + Sync>,
    /// What the simulated machine of that name has drawn; none if it is a real one.
    pub drawing: Call<String, Answer<Option<Drawing>>>,
    /// Whether the station is well, and its parts: an object of `ok` or a sentence each.
    pub checkup: Call<(), (HealthStatus, serde_json::Value)>,
    /// The last hour in so many points.
    pub history: Call<usize, serde_json::Value>,
    /// The whole text of `/metrics`. May block on the database.
    pub telemetry: Call<(), String>,
}
