//! A simulated machine behind a real pseudo-terminal.
//!
//! The thread holds both ends of the terminal; the link opens the far one by its path, as it opens
//! any serial port. Opening switches the machine on, as DTR does with most boards. Pulling the cable
//! closes both ends, and the link gets what the kernel says of a port that is gone.

use std::{
    collections::VecDeque,
    io,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    time::{Duration, Instant},
};

use log::warn;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, ppoll},
    pty::openpty,
    sys::{
        eventfd::{EfdFlags, EventFd},
        termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr},
        time::TimeSpec,
    },
    unistd,
};

use super::{Drawing, SimulatorOptions};
use crate::firmware::{self, Firmware};

/// A paced wire is looked after that often: a fraction of what the machine's buffer bridges.
const GRAIN: Duration = Duration::from_millis(1);

/// Answers come from a thread that never waits for anything but its wire.
const ANSWER: Duration = Duration::from_secs(5);

/// A handle on the thread; the thread ends with the last one.
#[derive(Clone)]
pub(super) struct Simulator {
    orders: Sender<Order>,
    wake: Arc<EventFd>,
}

enum Order {
    PowerOn(Sender<io::Result<PathBuf>>),
    Plug(bool),
    Draw(Sender<Drawing>),
}

impl Simulator {
    pub(super) fn spawn(name: &str, driver: &str, options: &SimulatorOptions) -> io::Result<Self> {
        let firmware = firmware::simulate(driver, options.speed, options.faults.clone())
            .ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("sim:{driver} is not simulated"),
                )
            })?;
        let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?);
        let (orders, inbox) = mpsc::channel();
        let machine = Machine {
            firmware,
            born: Instant::now(),
            plugged: true,
            terminal: None,
            wire: Wire::new(options.baud_rate),
            out: Vec::new(),
        };
        let thread_wake = Arc::clone(&wake);
        std::thread::Builder::new()
            .name(format!("sim-{name}"))
            .spawn(move || machine.run(&inbox, &thread_wake))?;
        Ok(Self { orders, wake })
    }

    /// Switches the machine on and gives the path of its port; fails while the cable is pulled.
    pub(super) fn power_on(&self) -> io::Result<PathBuf> {
        self.ask(Order::PowerOn).unwrap_or_else(|| Err(io::Error::other("the simulator has ended")))
    }

    /// Pulls the cable or plugs it in.
    pub(super) fn plug(&self, plugged: bool) {
        self.order(Order::Plug(plugged));
    }

    pub(super) fn drawing(&self) -> Option<Drawing> {
        self.ask(Order::Draw)
    }

    fn ask<T>(&self, order: impl FnOnce(Sender<T>) -> Order) -> Option<T> {
        let (reply, answer) = mpsc::channel();
        self.order(order(reply));
        answer.recv_timeout(ANSWER).ok()
    }

    fn order(&self, order: Order) {
        if self.orders.send(order).is_ok() {
            let _ = self.wake.write(1);
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The thread looks whether this was the last handle.
        let (orders, _) = mpsc::channel();
        drop(std::mem::replace(&mut self.orders, orders));
        let _ = self.wake.write(1);
    }
}

/// Both ends of the pseudo-terminal; the far one is kept open so that a link which closes its own
/// leaves the machine running, as a real one goes on with what it has.
struct Terminal {
    near: OwnedFd,
    far: OwnedFd,
}

impl Terminal {
    fn open() -> Result<Self, Errno> {
        let pair = openpty(None, None)?;
        let mut settings = tcgetattr(&pair.slave)?;
        cfmakeraw(&mut settings);
        tcsetattr(&pair.slave, SetArg::TCSANOW, &settings)?;
        fcntl(&pair.master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        for fd in [&pair.master, &pair.slave] {
            fcntl(fd, FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))?;
        }
        Ok(Self { near: pair.master, far: pair.slave })
    }
}

struct Machine {
    firmware: Box<dyn Firmware>,
    born: Instant,
    plugged: bool,
    terminal: Option<Terminal>,
    wire: Wire,
    /// What the terminal has not taken yet.
    out: Vec<u8>,
}

impl Machine {
    fn run(mut self, inbox: &Receiver<Order>, wake: &EventFd) {
        let mut buffer = [0; 4096];
        loop {
            loop {
                match inbox.try_recv() {
                    Ok(order) => self.obey(order),
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return,
                }
            }
            let now = self.born.elapsed();
            self.wire.carry(self.firmware.as_mut(), now, &mut self.out);
            self.write();
            let readable = self.wait(wake);
            let _ = wake.read();
            if readable {
                self.read(&mut buffer);
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::PowerOn(reply) => {
                let path = self.power_on();
                // Who asked may have given up.
                let _ = reply.send(path);
            }
            Order::Plug(plugged) => {
                self.plugged = plugged;
                if !plugged {
                    self.terminal = None;
                    self.out.clear();
                    self.wire.clear();
                }
            }
            Order::Draw(reply) => {
                self.firmware.advance(self.born.elapsed());
                let _ = reply.send(self.firmware.drawing().clone());
            }
        }
    }

    fn power_on(&mut self) -> io::Result<PathBuf> {
        if !self.plugged {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the simulated cable is unplugged",
            ));
        }
        let terminal = Terminal::open()?;
        let path = unistd::ttyname(&terminal.far)?;
        self.terminal = Some(terminal);
        self.out.clear();
        self.wire.clear();
        self.firmware.power_on(self.born.elapsed());
        Ok(path)
    }

    /// Waits for bytes, orders or time; true if there are bytes.
    fn wait(&self, wake: &EventFd) -> bool {
        let now = self.born.elapsed();
        let next = self.wire.wake(self.firmware.wake(), now);
        let timeout = next.map(|at| TimeSpec::from_duration(at.saturating_sub(now)));
        let mut fds = vec![PollFd::new(wake.as_fd(), PollFlags::POLLIN)];
        if let Some(terminal) = &self.terminal {
            let mut events = PollFlags::empty();
            events.set(PollFlags::POLLIN, self.wire.has_room());
            events.set(PollFlags::POLLOUT, !self.out.is_empty());
            fds.push(PollFd::new(terminal.near.as_fd(), events));
        }
        match ppoll(&mut fds, timeout, None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => {
                // Nothing sane is left to wait for; do not spin.
                warn!("a simulated machine cannot wait: {errno}");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        fds.get(1)
            .and_then(PollFd::revents)
            .is_some_and(|events| events.contains(PollFlags::POLLIN))
    }

    fn read(&mut self, buffer: &mut [u8]) {
        let Some(terminal) = &self.terminal else { return };
        match unistd::read(&terminal.near, buffer) {
            Ok(count) => {
                let now = self.born.elapsed();
                self.wire.send(&buffer[..count], self.firmware.as_mut(), now);
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(_) => self.terminal = None,
        }
    }

    fn write(&mut self) {
        let Some(terminal) = &self.terminal else {
            self.out.clear();
            return;
        };
        if self.out.is_empty() {
            return;
        }
        match unistd::write(&terminal.near, &self.out) {
            Ok(count) => drop(self.out.drain(..count)),
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(_) => self.out.clear(),
        }
    }
}

/// The wire between computer and machine, at the pace of its baud rate both ways.
struct Wire {
    /// How long a byte of ten bits takes; `None` = no time.
    byte: Option<Duration>,
    up: VecDeque<u8>,
    /// When the first byte of `up` is through.
    up_at: Duration,
    down: VecDeque<u8>,
    down_at: Duration,
    said: Vec<u8>,
}

impl Wire {
    fn new(baud_rate: u32) -> Self {
        Self {
            byte: (baud_rate > 0).then(|| Duration::from_secs(10) / baud_rate),
            up: VecDeque::new(),
            up_at: Duration::ZERO,
            down: VecDeque::new(),
            down_at: Duration::ZERO,
            said: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.up.clear();
        self.down.clear();
    }

    /// The rest waits in the terminal, as it would in the driver of a real port.
    fn has_room(&self) -> bool {
        self.up.len() < 4096
    }

    fn send(&mut self, bytes: &[u8], firmware: &mut dyn Firmware, now: Duration) {
        let Some(byte) = self.byte else { return firmware.receive(bytes, now) };
        if self.up.is_empty() {
            self.up_at = now.max(self.up_at) + byte;
        }
        self.up.extend(bytes);
    }

    /// Carries everything that is through by now, in the order in which it happens.
    fn carry(&mut self, firmware: &mut dyn Firmware, now: Duration, out: &mut Vec<u8>) {
        let Some(byte) = self.byte else {
            firmware.advance(now);
            return firmware.transmit(out);
        };
        while self.up_at <= now
            && let Some(next) = self.up.pop_front()
        {
            firmware.receive(&[next], self.up_at);
            self.take(firmware, self.up_at, byte);
            self.up_at += byte;
        }
        firmware.advance(now);
        self.take(firmware, now, byte);
        while self.down_at <= now
            && let Some(next) = self.down.pop_front()
        {
            out.push(next);
            self.down_at += byte;
        }
    }

    fn take(&mut self, firmware: &mut dyn Firmware, at: Duration, byte: Duration) {
        firmware.transmit(&mut self.said);
        if !self.said.is_empty() {
            if self.down.is_empty() {
                self.down_at = self.down_at.max(at) + byte;
            }
            self.down.extend(self.said.drain(..));
        }
    }

    fn wake(&self, firmware: Option<Duration>, now: Duration) -> Option<Duration> {
        let byte = self.byte.unwrap_or_default();
        // What is under way is looked at now and then, and when the last of it is through: who waits
        // for that must not wait longer than on a real wire.
        let through = |bytes: &VecDeque<u8>, first: Duration| {
            let more = u32::try_from(bytes.len().checked_sub(1)?).unwrap_or(u32::MAX);
            Some((first + byte * more).min(first.max(now + GRAIN)))
        };
        let up = through(&self.up, self.up_at);
        let down = through(&self.down, self.down_at);
        let wire = [up, down].into_iter().flatten().min();
        // Motion is exact by its own clock: looking at it more often changes nothing.
        let motion = firmware.map(|at| at.max(now + GRAIN / 2));
        [wire, motion].into_iter().flatten().min()
    }
}
