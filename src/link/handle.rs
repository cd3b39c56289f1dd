//! The station's end of a link.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
        mpsc,
    },
    time::Duration,
};

use tokio::sync::{oneshot, watch};

use super::{
    Drawing, Estop, LinkOptions, Refused, Report, Run,
    alarm::Alarm,
    estop::Shared,
    port::Port,
    worker::{State, Worker},
};
use crate::{
    domain::{JobId, Jog, Timestamp},
    drivers,
};

/// Comes once the request is done, with what the machine said to it, or why it was not. An error of
/// the channel itself means that the link thread is gone.
pub type Answer = oneshot::Receiver<Result<Vec<String>, Refused>>;

pub(super) type Reply = oneshot::Sender<Result<Vec<String>, Refused>>;

/// What the handle asks of the thread.
pub(super) enum Request {
    Run(Run),
    Pause(JobId),
    Resume(JobId),
    SkipLayer(JobId),
    Cancel(JobId),
    Interrupt(JobId, String),
    Send(String, Reply),
    Home(Reply),
    Unlock(Reply),
    Jog(Jog, Reply),
    StopJog,
    Connect { accept: bool },
    Disconnect,
    ClearEstop,
    Close,
}

/// The station's end of a link. All methods return at once. Dropping it makes the machine safe and
/// closes the port without waiting for either.
pub struct LinkHandle {
    requests: mpsc::Sender<Request>,
    shared: Arc<Shared>,
    estop: Estop,
    heard: Arc<AtomicI64>,
    closed: mpsc::Receiver<()>,
    port: Arc<Port>,
}

impl LinkHandle {
    /// Starts the thread of one machine, which connects at once. `report` is called on that thread
    /// and must return at once. Fails if the system gives no thread or descriptor, or the driver
    /// or port has a form that nobody knows.
    pub fn spawn(
        options: LinkOptions,
        report: impl Fn(Report) + Send + 'static,
    ) -> io::Result<Self> {
        let port = Arc::new(Port::of(&options)?);
        let driver_options = drivers::Options {
            timeout: options.timeout,
            start_lines: options.start_lines.clone(),
            end_lines: options.end_lines.clone(),
            on_stop: options.on_stop.clone(),
            plotter: options.plotter.clone(),
        };
        let driver = drivers::create(&options.driver, driver_options)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no such driver"))?;
        let shared = Shared::new()?;
        let (requests, inbox) = mpsc::channel();
        let (state, watch) = watch::channel(None);
        let (ended, closed) = mpsc::channel();
        let heard = Arc::new(AtomicI64::new(i64::MIN));
        let name = format!("link-{}", options.name);
        let worker = Worker {
            options,
            driver,
            port: Arc::clone(&port),
            inbox,
            shared: Arc::clone(&shared),
            alarm: Alarm::new()?,
            heard: Arc::clone(&heard),
            estop: state,
            report: Box::new(report),
            state: State::default(),
        };
        std::thread::Builder::new().name(name).spawn(move || {
            worker.run();
            // Dropped at the end, whatever the end was.
            drop::<mpsc::Sender<()>>(ended);
        })?;
        let estop = Estop::new(Arc::clone(&shared), watch);
        Ok(Self { requests, shared, estop, heard, closed, port })
    }

    /// Runs a job. Refused (disconnected, alarm, busy, stopped), it ends at once as interrupted
    /// with nothing sent.
    pub fn run(&self, run: Run) {
        self.ask(Request::Run(run));
    }

    /// Holds the job still; `Report::Paused` follows once the machine stands.
    pub fn pause(&self, job: JobId) {
        self.ask(Request::Pause(job));
    }

    /// Lets a paused job go on; `Report::Resumed` follows.
    pub fn resume(&self, job: JobId) {
        self.ask(Request::Resume(job));
    }

    /// Lets a job that stopped for a person where a layer begins go on with what comes after that
    /// layer; `Report::Resumed` follows.
    pub fn skip_layer(&self, job: JobId) {
        self.ask(Request::SkipLayer(job));
    }

    /// Stops the job, makes the machine safe, then ends it as cancelled.
    pub fn cancel(&self, job: JobId) {
        self.ask(Request::Cancel(job));
    }

    /// The same safe stop for the station's sake: the job ends as interrupted for `reason`.
    pub fn interrupt(&self, job: JobId, reason: impl Into<String>) {
        self.ask(Request::Interrupt(job, reason.into()));
    }

    /// Sends one console line while no job is on the machine, and collects what it answers.
    /// Waiting in synchronous code: `blocking_recv`.
    pub fn send(&self, line: impl Into<String>) -> Answer {
        let line = line.into();
        self.answered(|reply| Request::Send(line, reply))
    }

    /// Sends the machine home.
    pub fn home(&self) -> Answer {
        self.answered(Request::Home)
    }

    /// Takes the machine out of alarm; its position may be wrong from then on.
    pub fn unlock(&self) -> Answer {
        self.answered(Request::Unlock)
    }

    /// Moves the tool by hand while no job is on the machine; answered once the machine has taken
    /// it, which is before it is there.
    pub fn jog(&self, jog: Jog) -> Answer {
        self.answered(|reply| Request::Jog(jog, reply))
    }

    /// Ends such a move at once.
    pub fn stop_jog(&self) {
        self.ask(Request::StopJog);
    }

    /// Connects now, and again after every loss. So it is from the start. With `accept`, whatever
    /// machine is there now is the one that is meant from now on.
    pub fn connect(&self, accept: bool) {
        self.ask(Request::Connect { accept });
    }

    /// Makes the machine safe, closes the port and leaves it closed.
    pub fn disconnect(&self) {
        self.ask(Request::Disconnect);
    }

    /// The emergency stop of this machine.
    pub fn estop(&self) -> Estop {
        self.estop.clone()
    }

    /// Takes back a latched emergency stop. The machine itself may still be in alarm.
    pub fn clear_estop(&self) {
        self.ask(Request::ClearEstop);
    }

    /// When the machine last said anything.
    pub fn heard(&self) -> Option<Timestamp> {
        match self.heard.load(Ordering::Relaxed) {
            i64::MIN => None,
            ms => Some(Timestamp::from_ms(ms)),
        }
    }

    /// What a simulated machine has drawn; `None` for a real one.
    pub fn drawing(&self) -> Option<Drawing> {
        match &*self.port {
            Port::Simulated(simulator) => simulator.drawing(),
            Port::Serial(_) | Port::Tcp(_) => None,
        }
    }

    /// Pulls the cable of a simulated machine, or plugs it in again; the machine starts anew then.
    /// False for a real one.
    pub fn plug(&self, plugged: bool) -> bool {
        let Port::Simulated(simulator) = &*self.port else { return false };
        simulator.plug(plugged);
        true
    }

    /// Makes the machine safe (a job on it ends as interrupted), closes the port and ends the
    /// thread. True if it had ended by `deadline`; else it is left to end by itself.
    pub fn close(self, deadline: Duration) -> bool {
        self.ask(Request::Close);
        self.closed.recv_timeout(deadline) == Err(mpsc::RecvTimeoutError::Disconnected)
    }

    fn answered(&self, request: impl FnOnce(Reply) -> Request) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.ask(request(reply));
        answer
    }

    fn ask(&self, request: Request) {
        // A thread that is gone has reported `Closed`, and an answer reports it by its channel.
        if self.requests.send(request).is_ok() {
            self.shared.wake();
        }
    }
}

impl Drop for LinkHandle {
    fn drop(&mut self) {
        self.ask(Request::Close);
    }
}
