//! The one thread that starts programs, for the life of the station: the kernel kills a program
//! when the thread ends that started it.

use std::{
    io,
    sync::mpsc::{self, Sender},
    thread,
};

use tokio::sync::oneshot;

use super::{
    ProcessError,
    launch::{Launch, Launched},
};

struct Order {
    launch: Launch,
    answer: oneshot::Sender<Result<Launched, ProcessError>>,
}

/// The way to the thread, which ends with this.
pub(super) struct Spawner(Sender<Order>);

impl Spawner {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn start() -> io::Result<Self> {
        let (sender, orders) = mpsc::channel::<Order>();
        thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            for Order { launch, answer } in orders {
                // Nobody waits any more: dropping what was started ends it.
                let _ = answer.send(launch.carry_out());
            }
        })?;
        Ok(Self(sender))
    }

    /// Starts a program.
    ///
    /// # Errors
    /// One clear sentence.
    pub(super) async fn spawn(&self, launch: Launch) -> Result<Launched, ProcessError> {
        let program = launch.command.first().cloned().unwrap_or_default();
        let (answer, launched) = oneshot::channel();
        let _ = self.0.send(Order { launch, answer });
        let gone = || ProcessError::Start { program, why: "the station is stopping".to_owned() };
        launched.await.unwrap_or_else(|_| Err(gone()))
    }
}
