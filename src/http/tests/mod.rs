//! The server on real sockets, with a real database and real daemons.

mod client;
mod daemons;
mod rest;
mod stream;

use std::{
    net::{SocketAddr, TcpListener},
    os::unix::net::UnixListener,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use actix::{Actor, System};
use actix_web::dev::ServerHandle;

use super::{App, Control, Names, Policy, Settings, Target, server};
use crate::{
    daemons::{
        History, Links, Phase, Tools,
        device_manager::{self, DeviceManager},
        hooks::Hooks,
        job_queue::{self, JobQueue},
        sync::{self, Sync},
    },
    domain::{Live, Machine, PlotOptions},
    feed::Feed,
    store::{Store, StoreOptions, Synchronous},
    supervision::{Child, Notice, Policy as Restarts, Ready, Rules, Spec, Supervisor, child},
};

/// A server that is stopped when dropped.
pub(super) struct Served {
    pub(super) app: Arc<App>,
    pub(super) address: SocketAddr,
    pub(super) socket: PathBuf,
    pub(super) control: tokio::sync::mpsc::Receiver<Control>,
    handle: ServerHandle,
    system: System,
    _dir: tempfile::TempDir,
}

fn settings(dir: &std::path::Path) -> Settings {
    let target = |name: &str, driver: &str, require_confirmation| Target {
        machine: Machine { name: name.to_owned(), ..Machine::unknown(driver) },
        require_confirmation,
        plot: PlotOptions::default(),
    };
    Settings {
        station: "bench".to_owned(),
        socket_path: dir.join("stationd.sock"),
        workspace: dir.to_owned(),
        jobs_dir: dir.join("jobs"),
        policy: Policy {
            token: None,
            trust_local_socket: true,
            group_socket: false,
            allow_unauthenticated: false,
            station_uid: nix::unistd::geteuid().as_raw(),
        },
        names: Names::new("127.0.0.1", &[], &[]),
        targets: vec![target("mill", "grbl", false), target("router", "grbl", true)],
        timezone: jiff::tz::TimeZone::UTC,
        max_storage: 10 << 30,
        max_file_size: 1_000_000,
        max_connections: 100,
        heartbeat_interval: Duration::from_secs(30),
        message_rate_limit: 100,
        send_queue: 256,
        health_timeout: Duration::from_secs(5),
        audit: true,
        security_events: true,
    }
}

fn spec(name: &str) -> Spec {
    Spec::new(name, Restarts::default())
}

/// Further daemons, made where they are to run.
pub(super) type More = fn() -> Vec<(Spec, Child)>;

/// The daemons that requests reach, without any machine.
fn daemons(tools: &Tools, jobs: PathBuf, more: More) -> Links {
    let queue = job_queue::Options {
        max_concurrent_commands: 1,
        command_timeout: None,
        max_output: 10_000_000,
        shutdown_grace: Duration::from_secs(1),
        retention: Duration::from_hours(1),
        max_storage: 10 << 30,
        groups: std::collections::BTreeMap::new(),
        retry: crate::domain::Backoff::default(),
        timezone: jiff::tz::TimeZone::UTC,
        event_retention: Duration::from_hours(1),
        jobs: jobs.clone(),
    };
    let machines = device_manager::Options { devices: Vec::new(), jobs: jobs.clone() };
    let copies = sync::Options { interval: Duration::from_hours(1), targets: Vec::new(), jobs };
    let (own, store) = (tools.clone(), tools.store.clone());
    let (manager, device_manager) =
        child(move |vitals| DeviceManager::new(machines.clone(), own.clone(), vitals));
    let own = tools.clone();
    let (queue, job_queue) = child(move |_| JobQueue::new(queue.clone(), own.clone()));
    let (copies_child, sync) = child(move |vitals| {
        Ok::<_, std::convert::Infallible>(Sync::new(copies.clone(), store.clone(), vitals))
    });
    let mut all: Vec<(Spec, Child)> = vec![
        (spec("device-manager"), manager),
        (spec("job-queue"), queue),
        (spec("sync"), copies_child),
    ];
    all.extend(more());
    let board = tools.board.clone();
    let observer = move |notice: Notice<'_>| {
        if let Notice::Changed(daemon) | Notice::Touched(daemon) = notice {
            board.show_daemon(daemon);
        }
    };
    let supervisor = Supervisor::new(all, Rules::default(), observer).unwrap().start();
    // Never started.
    let (_, hooks) = child(|_| Err::<Hooks, _>("nobody needs it here"));
    Links { supervisor, job_queue, device_manager, sync, hooks }
}

impl Served {
    pub(super) fn start() -> Self {
        Self::build(|_| (), Vec::new)
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::build(change, Vec::new)
    }

    /// With daemons of the test's own.
    pub(super) fn build(change: impl FnOnce(&mut Settings), more: More) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = settings(dir.path());
        change(&mut settings);
        let socket = settings.socket_path.clone();
        let options = StoreOptions {
            path: dir.path().join("stationd.db"),
            backups: dir.path().join("backups"),
            files: dir.path().join("files"),
            synchronous: Synchronous::Normal,
            pool_size: 2,
        };
        let (jobs, at) = (settings.jobs_dir.clone(), socket.clone());
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            System::new().block_on(async move {
                let feed = Feed::new();
                let store = Store::open(options, feed.clone()).unwrap();
                let history = History::new(Duration::from_secs(1), Duration::from_mins(1));
                let tools = Tools::new(store, feed, history).unwrap();
                let links = daemons(&tools, jobs, more);
                tools.wire(links);
                let (control, orders) = tokio::sync::mpsc::channel(1);
                let app = App::new(tools, control, settings);
                let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
                let address = tcp.local_addr().unwrap();
                let unix = UnixListener::bind(&at).unwrap();
                let up = app.links().supervisor.send(Ready).await;
                up.unwrap().unwrap();
                let server = server(vec![tcp], Some(unix), &app).unwrap();
                app.board.set_phase(Phase::Ready);
                tell.send((app, address, server.handle(), System::current(), orders)).unwrap();
                server.await.unwrap();
            });
        });
        let (app, address, handle, system, control) = told.recv().unwrap();
        Self { app, address, socket, control, handle, system, _dir: dir }
    }

    /// Publishes a line of the log with that number and length.
    pub(super) fn log(&self, number: usize, length: usize) {
        self.app.feed.live(&Live::Log {
            level: "INFO".to_owned(),
            target: number.to_string(),
            message: "x".repeat(length),
        });
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        self.system.stop();
        let _ = self.app.store.close();
    }
}
