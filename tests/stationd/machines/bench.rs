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
    /// Does not start the firmware anew any more when the port is opened.
    RunOn,
    /// Puts its carriage into the corner where it is switched on, by hand.
    PushHome,
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
        Self::of("grbl", directory, speed, faults)
    }

    /// The same with the firmware that this driver speaks to.
    pub(super) fn of(driver: &str, directory: &Path, speed: f64, faults: Faults) -> Self {
        let link = directory.join("ttyMILL");
        let port = link.to_str().expect("a path of ASCII").to_owned();
        Self::run(driver, port, Place::Path(link), speed, faults)
    }

    /// It does not start anew any more when its port is opened: its firmware runs on through whatever
    /// happens to the cable.
    pub(super) fn run_on(self) -> Self {
        self.order(Order::RunOn);
        self
    }

    /// Without power, its carriage is put into the corner where it is switched on.
    pub(super) fn push_home(&self) {
        self.order(Order::PushHome);
    }

    /// A machine behind a TCP port.
    pub(super) fn tcp(speed: f64, faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        listener.set_nonblocking(true).expect("a listener that does not wait");
        let port = format!("tcp://{}", listener.local_addr().expect("an address"));
        Self::run("grbl", port, Place::Tcp(listener), speed, faults)
    }

    fn run(driver: &str, port: String, place: Place, speed: f64, faults: Faults) -> Self {
        let (orders, inbox) = mpsc::channel();
        let heard = Arc::new(Mutex::default());
        let driver = driver.to_owned();
        let build = move || simulate(&driver, speed, faults.clone()).expect("it is simulated");
        let mut bench = Bench {
            place,
            plugged: true,
            runs_on: false,
            cable: None,
            firmware: build(),
            build: Box::new(build),
            before: Drawing::default(),
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
    runs_on: bool,
    cable: Option<Cable>,
    /// Makes another one of it.
    build: Box<dyn Fn() -> Box<dyn Firmware> + Send>,
    firmware: Box<dyn Firmware>,
    /// What it drew before its carriage was pushed.
    before: Drawing,
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
                    Ok(Order::RunOn) => self.runs_on = true,
                    Ok(Order::Reset) => self.firmware.power_on(self.born.elapsed()),
                    Ok(Order::PushHome) => {
                        self.before = self.drawing();
                        self.firmware = (self.build)();
                        self.firmware.power_on(self.born.elapsed());
                    }
                    Ok(Order::Draw(reply)) => drop(reply.send(self.drawing())),
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return,
                }
            }
            self.accept();
            self.exchange();
        }
    }

    /// All that it has ever drawn.
    fn drawing(&mut self) -> Drawing {
        self.firmware.advance(self.born.elapsed());
        let mut all = self.before.clone();
        let now = self.firmware.drawing();
        all.moves.extend(&now.moves);
        (all.total, all.overflows) = (all.total + now.total, all.overflows + now.overflows);
        all
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
        let Some(cable) = &mut self.cable else {
            // It has a supply of its own, and does what it has been told.
            self.firmware.advance(self.born.elapsed());
            self.firmware.transmit(&mut self.out);
            self.out.clear();
            return rest();
        };
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
            if self.runs_on {
                self.out.clear();
            } else {
                self.firmware.power_on(now);
            }
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
