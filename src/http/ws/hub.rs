//! One task a worker hands every frame to the worker's own sessions.

use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix::{Addr, Message};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    outlet::{End, Outlet},
    session::Session,
};
use crate::{domain::Frame, http::App};

/// How often the sessions' clocks are looked at.
const TICK: Duration = Duration::from_secs(1);
/// Frames handed out before the sessions get their turn; less than the smallest sensible outlet.
const BATCH: usize = 64;

/// There is something in the outlet.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub(super) struct Wake;

enum Wire {
    Frame(Arc<Frame>),
    Close,
}

/// The hubs of all workers, to be reached from any thread.
#[derive(Default)]
pub struct Hubs(Mutex<Wires>);

#[derive(Default)]
struct Wires {
    open: Vec<UnboundedSender<Wire>>,
    closed: bool,
}

impl Hubs {
    /// Closes every session with 1001, and every one that comes later.
    pub fn close(&self) {
        let mut wires = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wires.closed = true;
        for wire in &wires.open {
            let _ = wire.send(Wire::Close); // a worker that is gone has no sessions
        }
    }

    /// True once they have been closed.
    pub fn is_closed(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).closed
    }
}

/// The sessions of one worker.
pub(super) struct Hub {
    sessions: RefCell<Vec<Seat>>,
}

struct Seat {
    /// The only address kept of a session: each clone would have a slot of its own in its mailbox.
    address: Addr<Session>,
    outlet: Rc<Outlet>,
}

impl Seat {
    fn wake(&self) {
        if self.address.try_send(Wake).is_err() && !self.address.connected() {
            self.outlet.close();
        }
    }
}

thread_local! {
    // The application is built once for each listener, but the hub is the worker's.
    static HERE: OnceCell<Rc<Hub>> = const { OnceCell::new() };
}

impl Hub {
    /// The hub of this worker, which starts to listen with its first session.
    pub(super) fn here(app: &Arc<App>) -> Rc<Self> {
        HERE.with(|here| here.get_or_init(|| Self::start(app)).clone())
    }

    fn start(app: &Arc<App>) -> Rc<Self> {
        let hub = Rc::new(Self { sessions: RefCell::default() });
        let (wire, frames) = unbounded_channel();
        let listener = wire.clone();
        app.feed.listen(move |frame| drop(listener.send(Wire::Frame(frame.clone()))));
        app.hubs().0.lock().unwrap_or_else(PoisonError::into_inner).open.push(wire);
        actix_web::rt::spawn(hub.clone().run(frames, app.clone()));
        hub
    }

    /// Takes a session in until it closes its outlet.
    pub(super) fn add(&self, address: Addr<Session>, outlet: Rc<Outlet>) {
        self.sessions.borrow_mut().push(Seat { address, outlet });
    }

    async fn run(self: Rc<Self>, mut wires: UnboundedReceiver<Wire>, app: Arc<App>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                _ = tick.tick() => self.tick(app.settings().heartbeat_interval),
                count = wires.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    self.hand_out(&mut batch);
                    // Else a flood of frames would keep the sessions from ever running.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    fn hand_out(&self, batch: &mut Vec<Wire>) {
        let mut closing = false;
        let frames: Vec<Arc<Frame>> = batch
            .drain(..)
            .filter_map(|wire| match wire {
                Wire::Frame(frame) => Some(frame),
                Wire::Close => {
                    closing = true;
                    None
                }
            })
            .collect();
        let now = Instant::now();
        for seat in self.sessions.borrow().iter() {
            if seat.outlet.offer(&frames, now) {
                seat.wake();
            }
            if closing && seat.outlet.end(End::Stopping) {
                seat.wake();
            }
        }
    }

    fn tick(&self, ping_every: Duration) {
        let now = Instant::now();
        self.sessions.borrow_mut().retain(|seat| {
            if !seat.outlet.is_closed() && seat.outlet.tick(ping_every, now) {
                seat.wake();
            }
            !seat.outlet.is_closed()
        });
    }
}
