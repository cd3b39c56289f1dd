//! The thread of one machine: port, driver, requests, reports.

mod job;
mod port_io;
mod requests;

use std::{
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
        mpsc::Receiver,
    },
    time::Duration,
};

use log::{debug, warn};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use tokio::sync::watch;

use super::{
    LinkOptions, Report,
    alarm::Alarm,
    estop::Shared,
    handle::{Reply, Request},
    hotplug::Hotplug,
    port::{Link, Port},
};
use crate::{
    domain::{self, Backoff, DeviceStatus, Timestamp},
    drivers::{Command, Driver, Event},
};
use job::Active;

/// At most that often is anything reported that changes all the time.
const PACE: Duration = Duration::from_millis(100);

/// However a machine behaves, its port is closed that long after it was asked for.
const CLOSING: Duration = Duration::from_secs(40);

pub(super) struct Worker {
    pub(super) options: LinkOptions,
    pub(super) driver: Box<dyn Driver>,
    pub(super) port: Arc<Port>,
    pub(super) inbox: Receiver<Request>,
    pub(super) shared: Arc<Shared>,
    pub(super) alarm: Alarm,
    pub(super) heard: Arc<AtomicI64>,
    pub(super) estop: watch::Sender<Option<domain::Estop>>,
    pub(super) report: Box<dyn Fn(Report) + Send>,
    pub(super) state: State,
}

/// What the thread remembers from one round to the next.
#[derive(Default)]
pub(super) struct State {
    link: Option<Box<dyn Link>>,
    out: Vec<u8>,
    job: Option<Active>,
    reply: Option<Reply>,
    /// Presses of the emergency stop that have been dealt with.
    presses: u64,
    /// A stop that has not left the computer yet.
    unsent_stop: bool,
    heard_at: Duration,
    retry: Retry,
    leaving: Leaving,
    shown: Option<(DeviceStatus, Option<String>)>,
    identity: Option<String>,
    /// While there is no port.
    hotplug: Option<Hotplug>,
}

/// When the port is opened next.
struct Retry {
    attempt: u32,
    at: Option<Duration>,
}

impl Default for Retry {
    /// At once.
    fn default() -> Self {
        Self { attempt: 0, at: Some(Duration::ZERO) }
    }
}

/// Whether the port is to be closed, and the thread to end.
#[derive(Clone, Copy, Default, PartialEq)]
enum Leaving {
    #[default]
    No,
    Disconnect {
        since: Duration,
    },
    Close {
        since: Duration,
    },
}

/// Whatever ends the thread, a panic included, it is said.
impl Drop for Worker {
    fn drop(&mut self) {
        (self.report)(Report::Closed);
    }
}

impl Worker {
    pub(super) fn run(mut self) {
        self.state.identity.clone_from(&self.options.identity);
        let mut buffer = [0; 4096];
        while !self.leave() {
            self.connect();
            self.feed();
            self.write();
            self.events();
            self.progress(false);
            let (readable, gone) = self.wait();
            self.look_for_port();
            // An emergency stop goes before everything else that may have come.
            self.emergency();
            if readable {
                self.read(&mut buffer);
            } else if gone {
                self.lost("the port is gone");
            }
            self.requests();
            let now = self.now();
            if self.driver.deadline().is_some_and(|at| at <= now) {
                self.driver.tick(now);
            }
        }
    }

    fn now(&self) -> Duration {
        self.shared.born.elapsed()
    }

    /// Waits for the port, a request or the time; true, true = there is something to read, or the
    /// port is gone.
    fn wait(&mut self) -> (bool, bool) {
        let now = self.now();
        let retry = if self.state.link.is_none() { self.state.retry.at } else { None };
        let leaving = (self.state.leaving != Leaving::No).then(|| now + PACE);
        let progress = self.state.job.as_ref().and_then(Active::due);
        let next = [self.driver.deadline(), retry, leaving, progress].into_iter().flatten().min();
        let set = self.alarm.ring_by(next, now);
        let port = match (&self.state.link, &self.state.hotplug) {
            (Some(link), _) => {
                let mut events = PollFlags::POLLIN;
                events.set(PollFlags::POLLOUT, !self.state.out.is_empty());
                PollFd::new(link.fd(), events)
            }
            (None, Some(hotplug)) => PollFd::new(hotplug.fd(), PollFlags::POLLIN),
            (None, None) => PollFd::new(self.alarm.fd(), PollFlags::empty()),
        };
        let readable = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let mut fds = [readable(self.shared.wake.as_fd()), readable(self.alarm.fd()), port];
        let result = set.and_then(|()| poll(&mut fds, PollTimeout::NONE));
        let [woken, rang, events] = fds.map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
        match result {
            Ok(_) => {
                if !woken.is_empty() {
                    // Only empties the counter; whether it was empty already does not matter.
                    let _ = self.shared.wake.read();
                }
                if !rang.is_empty() {
                    self.alarm.rang();
                }
                if self.state.link.is_none() {
                    return (false, false);
                }
                let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
                (events.contains(PollFlags::POLLIN), events.intersects(gone))
            }
            Err(Errno::EINTR) => (false, false),
            Err(errno) => {
                warn!("device \"{}\": poll failed: {errno}", self.options.name);
                std::thread::sleep(PACE);
                (false, false)
            }
        }
    }

    /// Passes on what the driver has to say; an answer comes after what goes with it.
    fn events(&mut self) {
        let mut answered = None;
        while let Some(event) = self.driver.event() {
            match event {
                // Why the link is down is known here.
                Event::Status(DeviceStatus::Disconnected, _) => {}
                Event::Status(status, message) => self.status(status, message),
                Event::Identified(firmware_version) => {
                    self.state.retry.attempt = 0;
                    let identity = self.state.identity.clone();
                    (self.report)(Report::Identified { firmware_version, identity });
                }
                Event::RanOn => (self.report)(Report::RanOn),
                Event::Position(position, pen_up) => {
                    (self.report)(Report::Position { position, pen_up });
                }
                Event::Temperatures(all) => (self.report)(Report::Temperatures(all)),
                Event::Warming(is_warming) => (self.report)(Report::Warming(is_warming)),
                Event::Fault(message) => (self.report)(Report::Fault { message }),
                Event::Said(text) => (self.report)(Report::Said { text }),
                Event::Answered(answer) => {
                    if let Some(reply) = self.state.reply.take() {
                        answered = Some((reply, answer));
                    }
                }
                Event::EstopConfirmed => self.confirmed(),
                Event::Paused(_) | Event::Resumed | Event::Ended(_) => self.job_event(event),
            }
        }
        if let Some((reply, answer)) = answered {
            // Who asked may have gone.
            let _ = reply.send(answer);
        }
    }

    fn status(&mut self, status: DeviceStatus, message: Option<String>) {
        let status = (status, message);
        if self.state.shown.as_ref() != Some(&status) {
            self.state.shown = Some(status.clone());
            (self.report)(Report::Status { status: status.0, message: status.1 });
        }
    }

    /// Sends the emergency stop, if it has been pressed since the last time.
    fn emergency(&mut self) {
        let presses = self.shared.presses.load(Ordering::Acquire);
        if presses == self.state.presses {
            return;
        }
        self.state.presses = presses;
        let ago = self.since_press();
        let now = Timestamp::now().as_ms();
        let ago_ms = i64::try_from(ago.as_millis()).unwrap_or(0);
        self.estop.send_replace(Some(domain::Estop {
            pressed_at: Timestamp::from_ms(now.saturating_sub(ago_ms)),
            sent: false,
            confirmed: false,
            latency_seconds: None,
        }));
        // What was written before and has not left yet must not go first.
        self.state.out.clear();
        if let Some(link) = &mut self.state.link {
            link.discard();
            self.state.unsent_stop = true;
        }
        self.driver.command(Command::Estop, self.now());
        self.write();
    }

    fn since_press(&self) -> Duration {
        let at = Duration::from_nanos(self.shared.pressed_at.load(Ordering::Acquire));
        self.now().saturating_sub(at)
    }

    fn confirmed(&mut self) {
        let latency = self.since_press();
        self.estop.send_modify(|estop| {
            if let Some(estop) = estop {
                (estop.confirmed, estop.latency_seconds) = (true, Some(latency.as_secs_f64()));
            }
        });
        (self.report)(Report::EstopConfirmed { latency });
    }

    /// True once the thread may end; closes the port when it may be closed.
    fn leave(&mut self) -> bool {
        let (since, ends) = match self.state.leaving {
            Leaving::No => return false,
            Leaving::Disconnect { since } => (since, false),
            Leaving::Close { since } => (since, true),
        };
        let late = self.now() > since + CLOSING;
        if self.state.link.is_some()
            && !late
            && (!self.driver.is_still() || self.state.job.is_some())
        {
            return false;
        }
        if late {
            warn!("device \"{}\" could not be made safe in time", self.options.name);
        }
        self.write();
        self.hang_up("the port was closed");
        self.events();
        self.status(DeviceStatus::Disconnected, None);
        self.state.leaving = Leaving::No;
        self.state.retry.at = None;
        ends
    }

    /// Opens the port when it is time to.
    fn connect(&mut self) {
        if self.state.link.is_some() || self.state.leaving != Leaving::No {
            return;
        }
        let now = self.now();
        if self.state.retry.at.is_none_or(|at| at > now) {
            return;
        }
        match self.open() {
            Ok(link) => {
                debug!("device \"{}\": {} is open", self.options.name, self.options.port);
                self.state.link = Some(link);
                self.state.hotplug = None;
                self.state.out.clear();
                // A stop that was pressed meanwhile goes before anything else.
                self.state.unsent_stop =
                    self.estop.borrow().as_ref().is_some_and(|stop| !stop.sent);
                self.driver.opened(self.now());
            }
            Err((status, message)) => {
                self.status(status, Some(message));
                self.try_later();
            }
        }
    }

    /// What has just been plugged in is opened at once.
    fn look_for_port(&mut self) {
        if self.state.hotplug.as_mut().is_some_and(Hotplug::happened)
            && self.state.retry.at.is_some()
        {
            self.state.retry.at = Some(Duration::ZERO);
        }
    }

    fn try_later(&mut self) {
        if self.state.hotplug.is_none()
            && let Some(path) = self.port.path()
        {
            // Without a watch it is found by the next try.
            self.state.hotplug = Hotplug::new(path).ok();
        }
        let delay = Backoff::default().delay(self.state.retry.attempt, 0.0);
        self.state.retry.attempt = self.state.retry.attempt.saturating_add(1);
        self.state.retry.at = Some(self.now() + delay);
        debug!("device \"{}\": next try in {} s", self.options.name, delay.as_secs());
    }
}
