//! How quickly what is down comes back, and what a hundred programs cost.
//!
//! The programs are this bench itself in another role: it says on a socket that it runs, and
//! sleeps. The limit of a restart is a bare loop, measured in turn with the station in the same
//! run, that kills such a program, waits for its end and spawns the next. `ROUNDS`, `PROGRAMS` and
//! `SECONDS` change the size.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "support/station.rs"]
mod station;

use std::{
    convert::Infallible,
    env,
    fmt::Write as _,
    fs, io,
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use actix::{Actor, Context, Handler, Message};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use station::Station;
use stationd::{
    config::{Sources, load},
    domain::Backoff,
    supervision::{Policy, Ready, Rules, Service, Spec, Supervisor, child},
};

/// Where a program says that it runs: its PID, decimal.
const SAYS: &str = "STATIOND_BENCH_SAYS";

fn main() -> io::Result<()> {
    if let Some(socket) = env::var_os(SAYS) {
        UnixDatagram::unbound()?.send_to(std::process::id().to_string().as_bytes(), socket)?;
        loop {
            thread::park();
        }
    }
    let rounds = setting("ROUNDS", 60);
    let programs = setting("PROGRAMS", 100);
    let seconds = setting("SECONDS", 30) as u64;
    restart_of_a_program(rounds)?;
    restart_of_an_actor(rounds);
    many(programs, seconds)?;
    crash_loops(programs, seconds.min(10))?;
    validation(10 * programs)
}

fn setting(name: &str, usual: usize) -> usize {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn tell(what: &str, figure: f64, limit: f64, unit: &str, note: &str) {
    let verdict = if figure < limit { "ok" } else { "SHORT" };
    println!("{what:<28} {figure:>9.3} {unit}, limit {limit} {unit}: {verdict} ({note})");
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Where programs say that they run.
struct Ear(UnixDatagram);

impl Ear {
    fn open(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::bind(path)?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self(socket))
    }

    /// The PID of the next one to say so.
    fn next(&self) -> io::Result<i32> {
        let mut text = [0; 16];
        let length = self.0.recv(&mut text)?;
        String::from_utf8_lossy(&text[..length]).parse().map_err(io::Error::other)
    }
}

/// The configuration of programs that are this one; restarted without back-off, for ever.
fn configuration(names: impl Iterator<Item = String>, ear: &Path) -> io::Result<String> {
    let (program, ear) = (env::current_exe()?, ear.display());
    let daemon = |name| {
        format!(
            "  - {{name: {name}, command: ['{}'], environment: {{{SAYS}: '{ear}'}}, \
             restart: always, restart_policy: {{max_restarts: 1000000, backoff_base: 0s}}}}\n",
            program.display()
        )
    };
    let daemons: Vec<_> = names.map(daemon).collect();
    let daemons = daemons.concat();
    Ok(format!("daemons:\n{daemons}supervisor: {{restart: {{max_per_minute: 0}}}}\n"))
}

fn kill_now(pid: i32) -> io::Result<Instant> {
    let since = Instant::now();
    kill(Pid::from_raw(pid), Signal::SIGKILL)?;
    Ok(since)
}

/// From SIGKILL until the next one says that it runs, by the station and by the bare loop, in turn.
fn restart_of_a_program(rounds: usize) -> io::Result<()> {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (ours, bare) = (dir.path().join("ours"), dir.path().join("bare"));
    let (ear, bare_ear) = (Ear::open(&ours)?, Ear::open(&bare)?);
    let yaml = configuration(std::iter::once("one".to_owned()), &ours)?;
    let station = Station::start(dir.path(), &yaml)?;
    let spawn = || Command::new(env::current_exe()?).env(SAYS, &bare).stdin(Stdio::null()).spawn();
    let (mut pid, mut child) = (ear.next()?, spawn()?);
    bare_ear.next()?;
    let (mut by_us, mut by_loop) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let since = kill_now(pid)?;
        pid = ear.next()?;
        by_us.push(millis(since));
        let since = kill_now(i32::try_from(child.id()).map_err(io::Error::other)?)?;
        child.wait()?;
        child = spawn()?;
        bare_ear.next()?;
        by_loop.push(millis(since));
    }
    child.kill()?;
    child.wait()?;
    station.stop()?;
    let (ours, bare) = (middle(&mut by_us), middle(&mut by_loop));
    let worst = by_us.last().copied().unwrap_or_default();
    let note = format!("bare loop {bare:.3} ms, ratio {:.2}, worst {worst:.1} ms", ours / bare);
    tell("program killed -> running", ours, 4.0, "ms", &note);
    Ok(())
}

struct Fragile;

impl Actor for Fragile {
    type Context = Context<Self>;
}

impl Service for Fragile {}

#[derive(Message)]
#[rtype(result = "()")]
enum Do {
    Answer,
    Panic,
}

impl Handler<Do> for Fragile {
    type Result = ();

    fn handle(&mut self, what: Do, _: &mut Self::Context) {
        assert!(matches!(what, Do::Answer), "as it was told");
    }
}

/// From a panic until the replacement has answered.
fn restart_of_an_actor(rounds: usize) {
    std::panic::set_hook(Box::new(|_| ()));
    let none = Backoff::new(Duration::ZERO, 1.0, Duration::ZERO, 0.0).unwrap_or_default();
    let policy = Policy { backoff: none, max_restarts: u32::MAX, ..Policy::default() };
    let rules = Rules { restarts_per_minute: 0, ..Rules::default() };
    let mut took = actix::System::new().block_on(async {
        let (fragile, link) = child(|_| Ok::<_, Infallible>(Fragile));
        let daemons = vec![(Spec::new("fragile", policy), fragile)];
        let Ok(supervisor) = Supervisor::new(daemons, rules, |_| ()) else { return Vec::new() };
        let supervisor = supervisor.start();
        drop(supervisor.send(Ready).await);
        let mut took = Vec::new();
        for _ in 0..rounds {
            let since = Instant::now();
            let _ = link.ask(Do::Panic).await; // that it is gone
            loop {
                link.up().await;
                if link.ask(Do::Answer).await.is_ok() {
                    break;
                }
            }
            took.push(millis(since));
        }
        took
    });
    drop(std::panic::take_hook());
    let median = middle(&mut took);
    let worst = took.last().copied().unwrap_or_default();
    tell("actor panicked -> answers", median, 1.0, "ms", &format!("worst {worst:.2} ms"));
}

/// From the launch of the station until every program has said that it runs; then at rest.
fn many(programs: usize, seconds: u64) -> io::Result<()> {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let ear_path = dir.path().join("ear");
    let ear = Ear::open(&ear_path)?;
    let yaml = configuration((0..programs).map(|n| format!("p{n}")), &ear_path)?;
    Station::start(dir.path(), "")?.stop()?; // makes the workspace
    let mut took = Vec::new();
    let mut bare = Vec::new();
    for round in 0..5 {
        let since = Instant::now();
        let station = Station::start(dir.path(), &yaml)?;
        for _ in 0..programs {
            ear.next()?;
        }
        took.push(millis(since));
        if round == 4 {
            at_rest(&station, programs, seconds)?;
        }
        station.stop()?;
        let since = Instant::now();
        let spawn =
            |_| Command::new(env::current_exe()?).env(SAYS, &ear_path).stdin(Stdio::null()).spawn();
        let children = (0..programs).map(spawn).collect::<io::Result<Vec<_>>>()?;
        for _ in 0..programs {
            ear.next()?;
        }
        bare.push(millis(since));
        for mut child in children {
            child.kill()?;
            child.wait()?;
        }
    }
    let bare = middle(&mut bare);
    let note = format!("{programs} programs; bare spawn {bare:.0} ms");
    tell("launch -> all are up", middle(&mut took), 216.0, "ms", &note);
    Ok(())
}

fn at_rest(station: &Station, programs: usize, seconds: u64) -> io::Result<()> {
    // The first samples and health checks are part of starting, not of being idle.
    thread::sleep(Duration::from_secs(5));
    let (before, since) = (station.cpu()?, Instant::now());
    thread::sleep(Duration::from_secs(seconds));
    let share = (station.cpu()? - before) / since.elapsed().as_secs_f64() * 100.0;
    let note = format!("{programs} programs, over {seconds} s");
    tell("CPU at rest", share, 0.1, "% of a core", &note);
    tell("memory at rest", station.rss()?, 25.0, "MB", &format!("{programs} programs"));
    Ok(())
}

/// How long the supervisor takes to answer while everything fails all the time.
fn crash_loops(programs: usize, seconds: u64) -> io::Result<()> {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut yaml = String::from("daemons:\n");
    for n in 0..programs {
        writeln!(
            yaml,
            "  - {{name: f{n}, command: [\"false\"], restart_policy: {{max_restarts: 1000000, \
             backoff_base: 100ms, backoff_max: 1s, jitter: 0.5}}}}"
        )
        .map_err(io::Error::other)?;
    }
    yaml += "supervisor: {restart: {max_per_minute: 0}}\n";
    let station = Station::start(dir.path(), &yaml)?;
    let (mut took, since) = (Vec::new(), Instant::now());
    while since.elapsed() < Duration::from_secs(seconds) {
        let asked = Instant::now();
        station.get("/api/v1/daemons/f0")?;
        took.push(millis(asked));
        thread::sleep(Duration::from_millis(5));
    }
    let answer = station.get("/api/v1/daemons/f0")?;
    let restarts = answer.split("\"restarts\":").nth(1).and_then(|it| it.split(',').next());
    station.stop()?;
    let median = middle(&mut took);
    let worst = took.last().copied().unwrap_or_default();
    let note = format!(
        "median {median:.2} ms of {}, {programs} programs, the first restarted {} times",
        took.len(),
        restarts.unwrap_or("?")
    );
    tell("slowest answer in a storm", worst, 50.0, "ms", &note);
    Ok(())
}

/// Reading and checking a configuration of so many daemons.
fn validation(daemons: usize) -> io::Result<()> {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let file = dir.path().join("many.yaml");
    let mut yaml = String::from("daemons:\n");
    for n in 0..daemons {
        let on = if n == 0 { String::new() } else { format!(", depends_on: [d{}]", n - 1) };
        writeln!(yaml, "  - {{name: d{n}, command: [\"true\"]{on}}}").map_err(io::Error::other)?;
    }
    fs::write(&file, yaml)?;
    let sources = Sources {
        file: Some(file),
        workspace: Some(dir.path().to_owned()),
        ..Sources::from_process()
    };
    let mut took = Vec::new();
    for _ in 0..11 {
        let since = Instant::now();
        let loaded =
            load(&sources).map_err(|problems| io::Error::other(problems[0].to_string()))?;
        took.push(millis(since));
        if loaded.config.daemons.len() != daemons {
            return Err(io::Error::other("not all daemons were read"));
        }
    }
    tell("configuration checked", middle(&mut took), 50.0, "ms", &format!("{daemons} daemons"));
    Ok(())
}
