//! One life of a station: start in order, serve, stop in order.
//!
//! ```text
//!   configuration ─ lock ─ PID file ─ ports ─ root given up ─ log ─ database ─ control socket
//!     ─ daemons (devices, queue, …) ─ listener ─ ready ······ signal or request ······
//!     ─ no new jobs ─ running jobs end or are checkpointed ─ clients closed ─ devices safe
//!     ─ database closed ─ socket and PID file removed
//! ```

use std::{
    io::{self, Write},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::{Arc, RwLock},
};

use actix::System;
use log::{error, info, warn};
use tokio::sync::mpsc;

use super::{
    Claims, ControlSocket, Ground, Launch, LogOptions, Logging, Notifier, Paths, Ready, Rotation,
    Signals, StartError, StartOptions,
    assembly::{InForce, assemble},
    control::{After, Station},
    devices::add_simulated,
    exit,
    last_run::Run,
    launch, plugins, ports,
    roster::{roster, specs},
};
use crate::{
    config::{
        self, Config, HookConfig, Loaded, LogFormat, Problem, Rotate, Synchronous, Websocket,
    },
    daemons::{History, Phase, Tools, process::Host, settle_left_over},
    domain::LastRun,
    feed::Feed,
    http::{App, Settings, server},
    store::{self, Store, StoreError, StoreOptions},
    supervision::{Child, Ready as AllUp, Spec},
    sys::process::{share_heaps, take_env},
};

/// Tells a station that it was executed anew and is detached already.
const DETACHED: &str = "STATIOND_DETACHED";

/// Heaps of the allocator: one for each of the threads that are busy at the same time.
const HEAPS: i32 = 4;

/// Runs a station to its end; the code tells how it went (see [`exit`]).
pub fn run(mut options: StartOptions) -> ExitCode {
    share_heaps(HEAPS);
    let detached = take_env(DETACHED).is_some();
    let background = options.daemonize || detached;
    options.daemonize &= !detached;
    let loaded = match load(&options) {
        Ok(loaded) => loaded,
        Err(problems) => {
            tell(&problems);
            return ExitCode::from(exit::CONFIGURATION);
        }
    };
    // What is asked for and does not exist is told before anything is made.
    if let Err(error) = specs(&loaded.config, &options.selection()) {
        let _ = writeln!(io::stderr(), "stationd: {error}"); // nobody listens if this fails
        return ExitCode::from(error.code());
    }
    if let Err(error) = options.follow_parent() {
        let _ = writeln!(io::stderr(), "--parent: {error}"); // nobody listens if this fails
        return ExitCode::from(exit::INTERNAL);
    }
    let directory = std::env::current_dir().ok(); // one that is gone cannot be gone back to
    let how = Launch { daemonize: options.daemonize, nice: options.nice };
    let code = launch(how, |ready| match live(&options, &loaded, background, ready)? {
        After::End => Ok(()),
        After::Again(notifier) => Err(again(background, directory.as_deref(), &notifier)),
    });
    ExitCode::from(code)
}

/// The configuration of a start, with the simulated machines that were asked for.
pub(super) fn load(options: &StartOptions) -> Result<Loaded, Vec<Problem>> {
    let mut loaded = config::load(&options.sources())?;
    add_simulated(&mut loaded.config, options.simulate.as_deref())
        .map_err(|problem| vec![problem])?;
    Ok(loaded)
}

fn tell(problems: &[Problem]) {
    let mut stderr = io::stderr().lock();
    for problem in problems {
        let _ = writeln!(stderr, "{problem}"); // nobody listens if this fails
    }
}

fn live(
    options: &StartOptions,
    loaded: &Loaded,
    background: bool,
    ready: Ready,
) -> Result<After, StartError> {
    let config = &loaded.config;
    let ground = Claims {
        workspace: &config.station.workspace,
        pid_file: options.pid_file.as_deref(),
        user: options.user.as_deref(),
        group: options.group.as_deref(),
        secrets: config.websocket.api_key.is_some()
            || config.hooks.iter().any(HookConfig::has_secret),
    }
    .take(|| bind(&config.websocket))?;
    let Ground { ports, pid_file, workspace } = ground;
    let paths = &workspace.paths;
    let logging = Logging::start(&log_options(config, paths, background))?;
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    let (run, last_run) = Run::begin(paths, &config.heartbeat.file);
    let after = live_here(Start { options, loaded, paths, ports, ready, last_run }, &logging);
    run.end(after.as_ref().err());
    drop((pid_file, workspace));
    after
}

/// From the database to its close.
fn live_here(start: Start<'_>, logging: &Logging) -> Result<After, StartError> {
    let feed = Feed::new();
    let store = open(&start.loaded.config, start.paths, feed.clone())?;
    let settled = settle_left_over(&store, &start.paths.jobs)
        .map_err(|error| unstored("failed to note what the last run left unfinished", error));
    let after =
        settled.and_then(|()| System::new().block_on(serve(start, store.clone(), feed, logging)));
    match store.close() {
        Ok(()) => info!("the database is closed"),
        Err(error) => {
            error!("the database was not closed cleanly: {error}");
            let after = after?;
            return match after {
                After::Again(_) => Ok(after), // what is wrong may be gone by then
                After::End => Err(StartError::storage(
                    "failed to close the database",
                    io::Error::other(error),
                )),
            };
        }
    }
    after
}

/// What is needed to come from a claimed ground to a serving station.
struct Start<'a> {
    options: &'a StartOptions,
    loaded: &'a Loaded,
    paths: &'a Paths,
    ports: Vec<TcpListener>,
    ready: Ready,
    last_run: LastRun,
}

async fn serve(
    start: Start<'_>,
    store: Store,
    feed: Arc<Feed>,
    logging: &Logging,
) -> Result<After, StartError> {
    let Start { options, loaded, paths, ports, ready, last_run } = start;
    let config = &loaded.config;
    let internal = |error: &dyn std::fmt::Display| StartError::Internal(error.to_string());
    let signals = Signals::new().map_err(|error| internal(&error))?;
    let group = config.station.socket_group.as_deref();
    let (socket, socket_file) = ControlSocket::bind(&config.station.socket_path, group)?;
    let history = History::new(config.metrics.interval, config.metrics.history);
    let tools = Tools::new(store, feed, history).map_err(|error| internal(&error))?;
    tools.board.set_last_run(last_run);
    super::log_channel::connect(&logging.handle(), tools.feed.clone());
    let address = ports::address(&config.websocket.host, &ports);
    let notifier = ready.notifier();
    let (control, requests) = mpsc::channel(16);
    let host = host(paths, &tools)?;
    let daemons = roster(config, &options.selection(), &host)?;
    sweep(&host, &daemons);
    let in_force = InForce::new(RwLock::new(Arc::new(config.clone())));
    let supervisor = assemble(&in_force, daemons, paths, &tools, &host, control.clone())?;
    let app = App::new(tools.clone(), control, Settings::from(config));
    plugins::show(&app, loaded.plugins.clone());
    let server = server(ports, Some(socket), &app).map_err(|error| internal(&error))?;
    let handle = server.handle();
    actix::spawn(server);

    let station = Station {
        tools: tools.clone(),
        supervisor: supervisor.clone(),
        app,
        server: handle,
        log: logging.handle(),
        notifier,
        signals,
        requests,
        options: options.clone(),
        paths: paths.clone(),
        grace: config.queue.shutdown_grace,
        configuration: config.clone(),
        host,
        in_force,
    };
    let mut up = Box::pin(supervisor.send(AllUp));
    let announce = move |station: &Station| {
        station.tools.board.set_phase(Phase::Ready);
        let at = address.as_deref().unwrap_or("the control socket only");
        let announcement = format!(
            "stationd {} is ready: {at} (PID {}, workspace {})",
            env!("CARGO_PKG_VERSION"),
            std::process::id(),
            station.paths.root.display()
        );
        info!("{announcement}");
        ready.ready(&announcement, Some(&station.log));
    };
    let after = station.live(&mut up, announce).await;
    drop(socket_file);
    after
}

/// What all programs share.
fn host(paths: &Paths, tools: &Tools) -> Result<Arc<Host>, StartError> {
    let [root, logs, run] = [&paths.root, &paths.logs, &paths.run].map(PathBuf::clone);
    Host::new(root, logs, run, tools.feed.clone())
        .map_err(|error| StartError::Internal(format!("programs cannot be started: {error}")))
}

/// Ends what an earlier run left running, but for the detached programs that are to run.
fn sweep(host: &Host, daemons: &[(Spec, Option<Child>)]) {
    let stay = daemons.iter().map(|(spec, _)| spec).filter(|spec| spec.survives && spec.enabled);
    let names: Vec<_> = stay.map(|spec| spec.name.clone()).collect();
    match host.sweep(&names) {
        Ok(0) => {}
        Ok(killed) => warn!("{killed} processes that the last run left behind were killed"),
        Err(error) => warn!("what the last run left behind was not looked for: {error}"),
    }
}

/// Nothing if the listener is switched off.
fn bind(config: &Websocket) -> Result<Vec<TcpListener>, StartError> {
    if config.enabled { ports::bind(&config.host, config.port) } else { Ok(Vec::new()) }
}

fn open(config: &Config, paths: &Paths, feed: Arc<Feed>) -> Result<Store, StartError> {
    let options = StoreOptions {
        path: config.database.path.clone(),
        backups: paths.backups.clone(),
        files: paths.files.clone(),
        synchronous: match config.database.synchronous {
            Synchronous::Normal => store::Synchronous::Normal,
            Synchronous::Full | Synchronous::Extra => store::Synchronous::Full,
        },
        pool_size: u32::try_from(config.database.pool_size).unwrap_or(u32::MAX),
    };
    Store::open(options, feed).map_err(|error| unstored("failed to open the database", error))
}

fn unstored(what: &str, error: StoreError) -> StartError {
    match error {
        StoreError::Io { .. } | StoreError::Full => {
            StartError::storage(what, io::Error::other(error))
        }
        error => StartError::Database(error.to_string()),
    }
}

/// How the log is written, as configured.
pub(super) fn log_options(config: &Config, paths: &Paths, background: bool) -> LogOptions {
    let logging = &config.logging;
    let file = logging.file.clone().or_else(|| background.then(|| paths.log_file()));
    let rotation = Rotation {
        max_bytes: logging.max_size,
        backups: logging.backup_count,
        compress: logging.compress,
        max_age: Some(logging.max_age),
    };
    LogOptions {
        level: logging.level,
        modules: logging.modules.iter().map(|(name, level)| (name.clone(), *level)).collect(),
        format: match &logging.format {
            LogFormat::Text => super::LogFormat::Text,
            LogFormat::Json => super::LogFormat::Json,
            LogFormat::Template(template) => super::LogFormat::parse(template),
        },
        file,
        rotation: (logging.rotate == Rotate::Internal).then_some(rotation),
    }
}

/// Executes the same command line in this same process, from where it was given: its paths may be
/// relative. Returns only if that fails.
fn again(background: bool, directory: Option<&Path>, notifier: &Notifier) -> StartError {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("stationd"));
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).envs(notifier.environment());
    if background {
        command.env(DETACHED, "1");
    }
    if let Some(directory) = directory {
        command.current_dir(directory);
    }
    StartError::Internal(format!("failed to start again: {}", command.exec()))
}
