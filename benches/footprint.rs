//! What the station costs at rest: time to `/ready`, memory and CPU while idle, size on disk.
//!
//! Measures the program that Cargo built for this bench (`cargo bench` builds with the release
//! profile), as it is started by anybody: with its dashboard and all its daemons. `STARTS` and
//! `IDLE_SECONDS` change the size; `SIMULATE=grbl` adds a simulated machine.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "support/station.rs"]
mod station;

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use station::{PROGRAM, Station};

/// In milliseconds, on a workspace that exists already.
const READY_LIMIT: f64 = 50.0;
/// Of resident memory, in megabytes.
const RSS_LIMIT: f64 = 15.0;
/// Of one core, in per cent.
const CPU_LIMIT: f64 = 0.2;
/// Of the program, in megabytes.
const SIZE_LIMIT: f64 = 15.0;

fn main() -> io::Result<()> {
    let starts = setting("STARTS", 15).max(1);
    let seconds = setting("IDLE_SECONDS", 30);
    let workspace = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    Station::start(workspace.path(), "")?.stop()?; // makes the workspace, warms the caches

    let mut ready = Vec::new();
    for _ in 0..starts {
        let station = Station::start(workspace.path(), "")?;
        ready.push(station.ready.as_secs_f64() * 1000.0);
        station.stop()?;
    }
    ready.sort_by(f64::total_cmp);
    let (median, worst) = (ready[ready.len() / 2], ready[ready.len() - 1]);
    tell(
        "start to /ready",
        median,
        READY_LIMIT,
        "ms",
        &format!("median of {starts}, worst {worst:.1}"),
    );

    let station = Station::start(workspace.path(), "")?;
    // The first samples and health checks are part of starting, not of being idle.
    thread::sleep(Duration::from_secs(5));
    let (before, since) = (station.cpu()?, Instant::now());
    thread::sleep(Duration::from_secs(seconds));
    let share = (station.cpu()? - before) / since.elapsed().as_secs_f64() * 100.0;
    tell("idle CPU", share, CPU_LIMIT, "% of a core", &format!("over {seconds} s"));
    tell(
        "idle RSS",
        station.rss()?,
        RSS_LIMIT,
        "MB",
        &format!("{} threads", station.status("Threads:")?),
    );
    let rate = health_rate(station.port, Duration::from_secs(2))?;
    println!("{:<16} {rate:>9.0} requests/s over one connection", "GET /health");
    station.stop()?;

    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let size = fs::metadata(PROGRAM)?.len() as f64 / 1e6;
    tell("program", size, SIZE_LIMIT, "MB", PROGRAM);
    Ok(())
}

fn setting(name: &str, usual: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn tell(what: &str, figure: f64, limit: f64, unit: &str, note: &str) {
    let verdict = if figure < limit { "ok" } else { "SHORT" };
    println!("{what:<16} {figure:>9.2} {unit}, limit {limit} {unit}: {verdict} ({note})");
}

/// How many requests a second one connection gets answered, one after the other.
fn health_rate(port: u16, period: Duration) -> io::Result<f64> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port))?);
    stream.get_ref().set_nodelay(true)?;
    let (mut count, since) = (0_u32, Instant::now());
    while since.elapsed() < period {
        stream.get_mut().write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let (mut length, mut line) = (0, String::new());
        while line != "\r\n" {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        io::copy(&mut (&mut stream).take(length), &mut io::sink())?;
        count += 1;
    }
    Ok(f64::from(count) / since.elapsed().as_secs_f64())
}
