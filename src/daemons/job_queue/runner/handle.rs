//! The queue's end of the thread.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Sender},
    },
    thread,
};

use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Host, News, Task, Why, order::Order, thread::Thread};
use crate::domain::JobId;

/// Dropping it kills what runs.
pub(in super::super) struct Runner {
    orders: Sender<Order>,
    bell: Arc<EventFd>,
}

impl Runner {
    /// Starts the thread, which runs at most `slots` programs at a time.
    ///
    /// # Errors
    /// No thread can be started, or no descriptor is left.
    pub(in super::super) fn start(
        host: Host,
        slots: usize,
    ) -> io::Result<(Self, UnboundedReceiver<News>)> {
        let bell = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
        let (orders, received) = mpsc::channel();
        let (news, told) = unbounded_channel();
        let thread = Thread::new(host, slots, received, Arc::clone(&bell), news)?;
        thread::Builder::new().name("commands".to_owned()).spawn(move || thread.run())?;
        Ok((Self { orders, bell }, told))
    }

    /// Starts a program as soon as there is room; in the order in which they come.
    pub(in super::super) fn run(&self, task: Task) {
        self.send(Order::Run(Box::new(task)));
    }

    /// Holds it still.
    pub(in super::super) fn pause(&self, id: JobId) {
        self.send(Order::Pause(id));
    }

    /// Lets it go on.
    pub(in super::super) fn resume(&self, id: JobId) {
        self.send(Order::Resume(id));
    }

    /// Asks it to end, and kills it if it does not.
    pub(in super::super) fn end(&self, id: JobId, why: Why) {
        self.send(Order::End(id, why));
    }

    /// Gives back what has not been started.
    pub(in super::super) fn give_back(&self) {
        self.send(Order::GiveBack);
    }

    /// Kills everything that runs.
    pub(in super::super) fn kill(&self) {
        self.send(Order::Kill);
    }

    fn send(&self, order: Order) {
        // A thread that is gone has said so by the end of its news.
        let _ = self.orders.send(order);
        let _ = self.bell.write(1);
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.send(Order::Quit);
    }
}
