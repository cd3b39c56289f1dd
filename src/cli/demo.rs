//! `demo`: a throw-away station with a simulated plotter.

use std::{
    env, fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener},
    path::PathBuf,
    process::{self, Stdio},
    time::Duration,
};

use clap::Args;
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, mkdtemp},
};
use rust_embed::RustEmbed;
use tokio::{
    process::{Child, Command},
    signal::unix::{self, SignalKind},
};

use super::{
    args::Global,
    client::Client,
    failure::Failure,
    print::{Out, note, print_line},
    submit::{self, SubmitArgs},
    watch,
};

const PORT: u16 = 8766;
const DRIVER: &str = "grbl";
/// Times real time: slow enough to be seen, fast enough to be watched to the end.
const SPEED: u32 = 4;

/// `demo [FILE…]`
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
Everything it makes lies in a temporary directory, which is removed at the end.

Examples:
  stationd demo
  stationd demo drawing.gcode --exit-when-done")]
pub(super) struct DemoArgs {
    /// Files to plot [default: the samples that come with the program]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// End once every job has ended; fail unless all are completed
    #[arg(long)]
    pub exit_when_done: bool,
    /// Port of the dashboard [default: 8766, or a free one if that is taken]
    #[arg(long)]
    pub port: Option<u16>,
}

/// The files that come with the program.
#[derive(RustEmbed)]
#[folder = "static/samples/"]
#[allow_missing = true]
struct Samples;

/// `demo [FILE…]`
pub(super) fn run(global: &Global, out: Out, args: &DemoArgs) -> Result<(), Failure> {
    if global.workspace.is_some() {
        let message = "a demo has a workspace of its own: leave --workspace out";
        return Err(Failure::Usage(message.to_owned()));
    }
    let directory = Directory::new()?;
    let files = files(&directory, args)?;
    actix::System::new().block_on(async {
        let mut signals = Signals::new()?;
        let mut station = Station::start(&directory, global, args.port)?;
        let mut serving = false;
        let result = tokio::select! {
            result = show(&mut station, out, args, &files, &mut serving) => result,
            () = signals.next() => {
                // Ctrl-C is how a demo ends, unless somebody waits for its result.
                if serving && !args.exit_when_done { Ok(()) } else { Err(Failure::Interrupted) }
            }
        };
        station.stop(&mut signals).await;
        result
    })
}

/// The files to plot: those named, or the samples, written where the client can read them.
fn files(directory: &Directory, args: &DemoArgs) -> Result<Vec<PathBuf>, Failure> {
    if let Some(file) = args.files.iter().find(|file| !file.is_file()) {
        return Err(Failure::NotFound(format!("there is no file {}", file.display())));
    }
    if !args.files.is_empty() {
        return Ok(args.files.clone());
    }
    let mut names: Vec<_> = Samples::iter().collect();
    names.sort();
    if names.is_empty() {
        return Err(Failure::Usage("this program has no samples: name a file".to_owned()));
    }
    let write = |name: &str| {
        let path = directory.0.join(name);
        let sample = Samples::get(name).ok_or(io::ErrorKind::NotFound)?;
        fs::write(&path, sample.data).map(|()| path)
    };
    names
        .iter()
        .map(|name| write(name))
        .collect::<io::Result<_>>()
        .map_err(|error| Failure::Failed(format!("the samples cannot be written: {error}")))
}

/// The show itself: from the start of the station to the end of the last job, or for ever.
async fn show(
    station: &mut Station,
    out: Out,
    args: &DemoArgs,
    files: &[PathBuf],
    serving: &mut bool,
) -> Result<(), Failure> {
    let client = Client::on_socket(&station.socket);
    station.ready(&client).await?;
    *serving = true;
    print_line(format_args!("Dashboard: http://localhost:{}/", station.port))?;
    let submission = SubmitArgs { device: Some(format!("sim-{DRIVER}")), ..SubmitArgs::default() };
    let mut ids = Vec::new();
    for file in files {
        let job = submit::send(&client, &submission, file).await?;
        ids.push(submit::told(out, &job)?);
    }
    let result = tokio::select! {
        result = watch::until_ended(&client, out, &ids) => result,
        failure = station.ended() => return Err(failure),
    };
    match &result {
        Ok(()) => note("All jobs are completed.")?,
        Err(failure) if !args.exit_when_done => _ = failure.report(),
        Err(_) => {}
    }
    if args.exit_when_done {
        return result;
    }
    note(format_args!("Serving http://localhost:{}/ until Ctrl-C.", station.port))?;
    Err(station.ended().await)
}

/// A directory that is removed when it goes.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Result<Self, Failure> {
        let template = env::temp_dir().join("stationd-demo-XXXXXX");
        mkdtemp(&template).map(Self).map_err(|error| {
            Failure::Failed(format!(
                "no directory can be made in {}: {error}",
                env::temp_dir().display()
            ))
        })
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed is in the temporary directory all the same.
        _ = fs::remove_dir_all(&self.0);
    }
}

/// The station: this same program, in a process of its own.
struct Station {
    process: Child,
    socket: PathBuf,
    log: PathBuf,
    port: u16,
}

impl Station {
    fn start(directory: &Directory, global: &Global, port: Option<u16>) -> Result<Self, Failure> {
        let workspace = directory.0.join("workspace");
        let log = directory.0.join("station.log");
        let port = port.filter(|port| *port != 0).map_or_else(free_port, Ok);
        let port = port.map_err(|error| Failure::Failed(format!("no port is free: {error}")))?;
        let failed =
            |error: io::Error| Failure::Failed(format!("the station cannot be started: {error}"));
        let config = directory.0.join("config.yaml");
        fs::write(&config, "station: {name: demo}\n").map_err(failed)?;
        let output = fs::File::create(&log).map_err(failed)?;
        let mut command = Command::new(env::current_exe().map_err(failed)?);
        command
            .arg("start")
            .args(["--host", "localhost", "--port", &port.to_string(), "--simulate", DRIVER])
            .args(["--parent", &process::id().to_string()])
            .arg("--workspace")
            .arg(&workspace)
            .arg("--config")
            .arg(global.config.as_ref().unwrap_or(&config))
            .args(["--set", &format!("simulator.speed={SPEED}")])
            .args(["--set", "queue.shutdown_grace=1s"])
            .args(global.set.iter().flat_map(|set| ["--set", set]));
        // A demo is the same for everybody, whatever the environment configures.
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"STATIOND_") {
                command.env_remove(name);
            }
        }
        let process = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(failed)?)
            .stderr(output)
            // Ctrl-C comes to the demo, which stops the station once.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        Ok(Self { process, socket: workspace.join("stationd.sock"), log, port })
    }

    /// Returns once the station takes jobs.
    async fn ready(&mut self, client: &Client) -> Result<(), Failure> {
        let answers = async {
            while client.get("/ready").await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let patience = Duration::from_secs(30);
        tokio::select! {
            ready = tokio::time::timeout(patience, answers) => ready.map_err(|_| {
                Failure::Failed(format!("the station is not ready after {} s", patience.as_secs()))
            }),
            failure = self.ended() => Err(failure),
        }
    }

    /// Waits until the station ends by itself, which it should not, and tells its last words.
    async fn ended(&mut self) -> Failure {
        let status = match self.process.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let words = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no log");
        Failure::Failed(format!("the station ended ({status}): {words}"))
    }

    /// Stops it gracefully; another signal meanwhile hurries it.
    async fn stop(&mut self, signals: &mut Signals) {
        let deadline = tokio::time::sleep(Duration::from_secs(20));
        tokio::pin!(deadline);
        self.terminate();
        loop {
            tokio::select! {
                _ = self.process.wait() => return,
                () = signals.next() => self.terminate(),
                () = &mut deadline => {
                    _ = self.process.kill().await;
                    return;
                }
            }
        }
    }

    fn terminate(&self) {
        let pid = self.process.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid {
            // It can only fail if the process has ended, which is what is wanted.
            _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }
}

/// The usual port, or one that nobody uses now.
fn free_port() -> io::Result<u16> {
    let free = |address: (IpAddr, u16)| TcpListener::bind(address)?.local_addr();
    let v4 = Ipv4Addr::LOCALHOST.into();
    let taken_v6 = |port| {
        free((Ipv6Addr::LOCALHOST.into(), port))
            .is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
    };
    match free((v4, PORT)) {
        Ok(_) if !taken_v6(PORT) => Ok(PORT),
        _ => free((v4, 0)).map(|address| address.port()),
    }
}

/// What ends a demo from outside.
struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| {
            unix::signal(kind).map_err(|error| {
                Failure::Failed(format!("signals cannot be listened for: {error}"))
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
