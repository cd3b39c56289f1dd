//! What the benches of the server share: a server in a process of its own, and figures.

use std::{
    convert::Infallible,
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use actix::Actor;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use stationd::{
    daemons::{
        History, Links, Phase, Tools,
        device_manager::{self, DeviceManager},
        hooks::Hooks,
        job_queue::{self, JobQueue},
        sync::{self, Sync},
    },
    feed::Feed,
    http::{App, Names, Policy, Settings, Token},
    store::{Store, StoreOptions, Synchronous},
    supervision::{Rules, Supervisor, child},
};

/// The token of the server under test.
pub(crate) const TOKEN: &str = "bench";
const ROLE: &str = "STATIOND_BENCH_ROLE";

/// What this process is to be: `None` for the one that measures.
pub(crate) fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// As many descriptors as the system allows.
pub(crate) fn raise_limits() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// The requests' half of a station, on a database in `dir`; its daemons are not launched.
pub(crate) fn app(dir: &Path) -> Arc<App> {
    let feed = Feed::new();
    let store = Store::open(
        StoreOptions {
            path: dir.join("stationd.db"),
            backups: dir.join("backups"),
            files: dir.join("files"),
            synchronous: Synchronous::Full,
            pool_size: 4,
        },
        feed.clone(),
    )
    .expect("the database opens");
    let history = History::new(Duration::from_secs(1), Duration::from_mins(1));
    let tools = Tools::new(store, feed, history).expect("metrics");
    tools.wire(links(&tools, dir));
    let (control, _) = tokio::sync::mpsc::channel(1);
    let app = App::new(tools, control, settings(dir));
    app.board.set_phase(Phase::Ready);
    app
}

fn links(tools: &Tools, dir: &Path) -> Links {
    let jobs = dir.join("jobs");
    let queue = job_queue::Options {
        max_concurrent_commands: 1,
        command_timeout: None,
        max_output: 10_000_000,
        shutdown_grace: Duration::ZERO,
        retention: Duration::from_hours(1),
        max_storage: 10 << 30,
        groups: std::collections::BTreeMap::new(),
        retry: stationd::domain::Backoff::default(),
        timezone: jiff::tz::TimeZone::UTC,
        event_retention: Duration::from_hours(1),
        jobs: jobs.clone(),
    };
    let machines = device_manager::Options { devices: Vec::new(), jobs: jobs.clone() };
    let copies = sync::Options { interval: Duration::from_hours(1), targets: Vec::new(), jobs };
    let own = tools.clone();
    let (_, job_queue) = child(move |_| JobQueue::new(queue.clone(), own.clone()));
    let own = tools.clone();
    let (_, device_manager) =
        child(move |vitals| DeviceManager::new(machines.clone(), own.clone(), vitals));
    let store = tools.store.clone();
    let (_, sync) =
        child(move |vitals| Ok::<_, Infallible>(Sync::new(copies.clone(), store.clone(), vitals)));
    let supervisor = Supervisor::new(Vec::new(), Rules::default(), |_| ())
        .expect("no daemons fit together")
        .start();
    // Never started.
    let (_, hooks) = child(|_| Err::<Hooks, _>("nobody needs it here"));
    Links { supervisor, job_queue, device_manager, sync, hooks }
}

fn settings(dir: &Path) -> Settings {
    Settings {
        station: "bench".to_owned(),
        socket_path: dir.join("stationd.sock"),
        workspace: dir.to_owned(),
        jobs_dir: dir.join("jobs"),
        policy: Policy {
            token: Some(Token::new(TOKEN)),
            trust_local_socket: true,
            group_socket: false,
            allow_unauthenticated: false,
            station_uid: 0,
        },
        names: Names::new("127.0.0.1", &[], &[]),
        targets: Vec::new(),
        timezone: jiff::tz::TimeZone::UTC,
        max_storage: 10 << 30,
        max_file_size: 1 << 20,
        max_connections: 100_000,
        heartbeat_interval: Duration::from_secs(30),
        message_rate_limit: 100,
        send_queue: 256,
        health_timeout: Duration::from_secs(5),
        audit: false,
        security_events: true,
    }
}

/// Obeys orders from the one that measures, on a thread of its own, until that one is gone. The
/// port of `listener` is told here, all else is for `handle`.
pub(crate) fn obey(listener: &TcpListener, handle: impl Fn(&str) + Send + 'static) {
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if line == "port" {
                println!("{port}");
            } else {
                handle(&line);
            }
        }
        std::process::abort();
    });
}

/// A server in a process of its own: this program again, in another role.
pub(crate) struct Server {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Where it listens, on loopback.
    pub(crate) port: u16,
}

impl Server {
    /// Starts it and waits for its port.
    pub(crate) fn start(role: &str) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let orders = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut server = Self { child, orders, answers, port: 0 };
        server.order("port");
        server.port = server.answer().parse().expect("a port");
        server
    }

    /// Tells it something, a line.
    pub(crate) fn order(&mut self, line: &str) {
        writeln!(self.orders, "{line}").expect("the server listens");
        self.orders.flush().expect("the server listens");
    }

    /// What it says, a line.
    pub(crate) fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the server answers");
        line.trim().to_owned()
    }

    /// Seconds of processor time it has used (proc(5), `stat`, in hundredths).
    pub(crate) fn processor(&self) -> f64 {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = fs::read_to_string(path).unwrap_or_default();
        let after_name = text.rsplit(')').next().unwrap_or_default();
        let ticks = after_name.split_whitespace().skip(11).take(2);
        ticks.filter_map(|it| it.parse::<f64>().ok()).sum::<f64>() / 100.0
    }

    /// Its resident memory in bytes (proc(5)).
    pub(crate) fn resident(&self) -> u64 {
        let path = format!("/proc/{}/statm", self.child.id());
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0) * 4096
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
/// The value below which the share `part` (0 to 1) of all lies.
pub(crate) fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() as f64 * part) as usize;
    values.get(at.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// The middle one.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    percentile(values, 0.5)
}
