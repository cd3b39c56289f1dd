//! A machine on the test's own bench: simulated firmware behind a real pseudo-terminal or a TCP
//! port, with a cable that can be pulled and a log of every byte that came over it.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::symlink,
    },
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::openpty,
    sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr},
    unistd,
};
use stationd::firmware::{Drawing, Faults, Firmware, simulate};

/// How often the bench looks whether somebody has opened the port.
const LOOK: u16 = 5;

enum Order {
    Plug(bool),
    /// Says something that the firmware would not.
    Say(Vec<u8>),
    /// Starts the firmware anew, as a brown-out does.
    Reset,
    Draw(Sender<Drawing>),
}

/// The bench's end of a machine.
pub(super) struct Machine {
    /// What the configuration says under `port`.
    pub(super) port: String,
    orders: Sender<Order>,
    heard: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

/// Where the station finds the machine.
enum Place {
    /// A symbolic link to the pseudo-terminal of the moment.
    Path(PathBuf),
    Tcp(TcpListener),
}

impl Machine {
    /// A machine behind a pseudo-terminal; the station opens it by a link in `directory`.
    pub(super) fn serial(directory: &Path, speed: f64, faults: Faults) -> Self {
        Self::serial_of("grbl", directory, speed, faults)
    }

    /// The same, of another kind.
    pub(super) fn serial_of(driver: &str, directory: &Path, speed: f64, faults: Faults) -> Self {
        let link = directory.join("ttyMILL");
        let port = link.to_str().expect("a path of ASCII").to_owned();
        Self::run(port, Place::Path(link), driver, speed, faults)
    }

    /// A machine behind a TCP port.
    pub(super) fn tcp(speed: f64, faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        listener.set_nonblocking(true).expect("a listener that does not wait");
        let port = format!("tcp://{}", listener.local_addr().expect("an address"));
        Self::run(port, Place::Tcp(listener), "grbl", speed, faults)
    }

    fn run(port: String, place: Place, driver: &str, speed: f64, faults: Faults) -> Self {
        let (orders, inbox) = mpsc::channel();
        let heard = Arc::new(Mutex::default());
        let firmware = simulate(driver, speed, faults).expect("it is simulated");
        let mut bench = Bench {
            place,
            plugged: true,
            cable: None,
            firmware,
            born: Instant::now(),
            out: Vec::new(),
            heard: Arc::clone(&heard),
        };
        bench.plug(true);
        let thread = std::thread::spawn(move || bench.run(&inbox));
        Self { port, orders, heard, thread: Some(thread) }
    }

    /// Pulls the cable, or plugs it in again; what was heard before is forgotten then.
    pub(super) fn plug(&self, plugged: bool) {
        self.order(Order::Plug(plugged));
    }

    /// Puts bytes on the wire that the firmware does not mean.
    pub(super) fn say(&self, bytes: &[u8]) {
        self.order(Order::Say(bytes.to_vec()));
    }

    /// Starts the firmware anew in the middle of whatever it does.
    pub(super) fn reset(&self) {
        self.order(Order::Reset);
    }

    /// What it has drawn.
    pub(super) fn drawing(&self) -> Drawing {
        let (reply, answer) = mpsc::channel();
        self.order(Order::Draw(reply));
        answer.recv().expect("the bench lives")
    }

    /// Every byte that came over the cable since it was last plugged in.
    pub(super) fn heard(&self) -> Vec<u8> {
        self.heard.lock().expect("the bench does not panic").clone()
    }

    fn order(&self, order: Order) {
        self.orders.send(order).expect("the bench lives");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        (self.orders, _) = mpsc::channel();
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// A cable with both its ends in place.
struct Cable {
    near: OwnedFd,
    /// Somebody has opened the far end.
    open: bool,
}

struct Bench {
    place: Place,
    plugged: bool,
    cable: Option<Cable>,
    firmware: Box<dyn Firmware>,
    born: Instant,
    out: Vec<u8>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Bench {
    fn run(mut self, inbox: &Receiver<Order>) {
        loop {
            loop {
                match inbox.try_recv() {
                    Ok(Order::Plug(plugged)) => self.plug(plugged),
                    Ok(Order::Say(bytes)) => self.out.extend(bytes),
                    Ok(Order::Reset) => self.firmware.power_on(self.born.elapsed()),
                    Ok(Order::Draw(reply)) => {
                        self.firmware.advance(self.born.elapsed());
                        drop(reply.send(self.firmware.drawing().clone()));
                    }
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return,
                }
            }
            self.accept();
            self.exchange();
        }
    }

    fn plug(&mut self, plugged: bool) {
        self.plugged = plugged;
        self.cable = None;
        self.out.clear();
        let Place::Path(link) = &self.place else { return };
        // A link that was never there is as good as one that is gone.
        drop(fs::remove_file(link));
        if plugged {
            let pair = openpty(None, None).expect("a pseudo-terminal");
            let mut settings = tcgetattr(&pair.slave).expect("settings");
            cfmakeraw(&mut settings);
            tcsetattr(&pair.slave, SetArg::TCSANOW, &settings).expect("settings are taken");
            for fd in [&pair.master, &pair.slave] {
                // Tests run side by side: no station may inherit another test's cable.
                fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).expect("a flag");
            }
            let path = unistd::ttyname(&pair.slave).expect("a terminal has a name");
            self.heard.lock().expect("nobody panics").clear();
            self.cable = Some(Cable::new(pair.master));
            symlink(path, link).expect("a link");
        }
    }

    /// A network machine answers whoever calls last.
    fn accept(&mut self) {
        let Place::Tcp(listener) = &self.place else { return };
        let Ok((stream, _)) = listener.accept() else { return };
        if self.plugged {
            self.heard.lock().expect("nobody panics").clear();
            self.cable = Some(Cable::of(stream));
        }
    }

    fn exchange(&mut self) {
        let Some(cable) = &mut self.cable else { return rest() };
        let mut fds = [PollFd::new(cable.near.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::from(LOOK)).expect("a wait");
        let events = fds[0].revents().unwrap_or(PollFlags::empty());
        let closed = events.contains(PollFlags::POLLHUP);
        let now = self.born.elapsed();
        if closed {
            cable.open = false;
            rest();
        } else if !cable.open {
            // Most boards start anew when their port is opened.
            cable.open = true;
            self.firmware.power_on(now);
        }
        let mut buffer = [0; 4096];
        match unistd::read(&cable.near, &mut buffer) {
            Ok(count) => {
                self.heard.lock().expect("nobody panics").extend(&buffer[..count]);
                self.firmware.receive(&buffer[..count], now);
            }
            Err(Errno::EAGAIN | Errno::EINTR | Errno::EIO) => {}
            Err(_) => self.cable = None,
        }
        self.firmware.advance(self.born.elapsed());
        self.firmware.transmit(&mut self.out);
        if let Some(cable) = self.cable.as_ref().filter(|cable| cable.open) {
            let written = unistd::write(&cable.near, &self.out).unwrap_or(0);
            self.out.drain(..written);
        }
    }
}

impl Cable {
    fn new(near: OwnedFd) -> Self {
        fcntl(&near, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("a flag");
        Self { near, open: false }
    }

    fn of(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("no delay");
        Self::new(stream.into())
    }
}

/// There is nothing to wait for: not a wait of a test, only the pace of this bench.
fn rest() {
    std::thread::sleep(Duration::from_millis(u64::from(LOOK)));
}
