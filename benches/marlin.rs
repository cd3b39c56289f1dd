//! How fast lines get to a Marlin machine, against the bare limit in the same run.
//!
//! 1. Unpaced: a link and a bare loop that sends a numbered line and waits for its `ok` take turns
//!    over the same kind of pseudo-terminal with the same peer, which answers at once.
//! 2. The same link to a peer that tells its room (`ADVANCED_OK`): several lines are under way.
//! 3. The same peer behind a wire of 115200 baud, against a bare loop there; and, for both, how near
//!    they come to what a line and its `ok` take on it.
//!
//! `cargo bench --bench marlin`; the exit code is non-zero if a limit is missed.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::{
    fs,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    process::ExitCode,
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use nix::{
    pty::openpty,
    sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr},
    unistd::{read, ttyname, write},
};
use stationd::{
    domain::{DeviceStatus, JobId},
    link::{End, LinkHandle, LinkOptions, Plotter, Report, Run, SimulatorOptions, Source, Start},
};

const LINES: usize = 50_000;
const ROUNDS: usize = 5;
const PACED_LINES: usize = 3000;
const BAUD: u32 = 115_200;

/// What must hold.
const LEAST_RATIO: f64 = 0.8;
const MOST_CPU_US: f64 = 30.0;
const LEAST_SHARE: f64 = 0.95;
const MOST_SPREAD: f64 = 1.5;

/// Lines a second, and microseconds of the sender's processor time a line.
#[derive(Clone, Copy)]
struct Figures {
    rate: f64,
    cpu_us: f64,
}

fn main() -> ExitCode {
    let (mut ours, mut ahead, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(link(AT_ONCE));
        ahead.push(link(Peer { advanced: true, ..AT_ONCE }));
        bare.push(bare_loop(AT_ONCE));
    }
    show("link", &ours);
    show("link, ADVANCED_OK", &ahead);
    show("bare", &bare);
    let rates: Vec<f64> = bare.iter().map(|figures| figures.rate).collect();
    let spread = rates.iter().copied().fold(0.0, f64::max)
        / rates.iter().copied().fold(f64::INFINITY, f64::min);
    let limit = median(&bare, |f| f.rate);
    let (ratio, more) = (median(&ours, |f| f.rate) / limit, median(&ahead, |f| f.rate) / limit);
    let cpu = median(&ours, |f| f.cpu_us).max(median(&ahead, |f| f.cpu_us));
    let void = if spread > MOST_SPREAD { ", void: the bare figure varies too much" } else { "" };
    println!("ratio {ratio:.2} (at least {LEAST_RATIO}), bare varies {spread:.2} times{void}");
    println!("with ADVANCED_OK {more:.2} (more than that)");
    println!("processor {cpu:.2} us a line (less than {MOST_CPU_US})");
    let [wire, bare_wire] = paced();
    let share = wire / bare_wire;
    println!(
        "at {BAUD} baud: {:.1} % of a line and its ok in turn, a bare loop {:.1} %, {:.1} % of that \
         (at least {:.0})",
        wire * 100.0,
        bare_wire * 100.0,
        share * 100.0,
        LEAST_SHARE * 100.0
    );
    let fast = (ratio >= LEAST_RATIO && more > ratio) || spread > MOST_SPREAD;
    if fast && cpu < MOST_CPU_US && share >= LEAST_SHARE {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn text(number: usize) -> String {
    format!("G1 X{:03}.500 Y{:03}.250 F900", number % 300, number % 218)
}

fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| (text(number) + "\n").into_bytes()).collect()
}

/// With its number and its checksum, as it is on the wire.
fn numbered(number: usize, text: &str) -> Vec<u8> {
    let line = format!("N{number} {text}");
    let sum = line.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("{line}*{sum}\n").into_bytes()
}

fn show(name: &str, figures: &[Figures]) {
    println!(
        "{name}: {:.0} lines/s, {:.2} us of processor time a line",
        median(figures, |f| f.rate),
        median(figures, |f| f.cpu_us)
    );
}

fn median(figures: &[Figures], of: impl Fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = figures.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What a peer is like.
#[derive(Clone, Copy)]
struct Peer {
    /// It tells its room.
    advanced: bool,
    /// How long a byte is under way.
    byte: Duration,
    /// How many moves it awaits.
    lines: usize,
}

const AT_ONCE: Peer = Peer { advanced: false, byte: Duration::ZERO, lines: LINES };

/// Tells how long the moves took.
fn peer(near: &OwnedFd, wanted: Peer, took: &Sender<Duration>) {
    let (mut buffer, mut line) = ([0; 4096], Vec::new());
    let (mut answer, mut seen, mut first) = (b"start\n".to_vec(), 0, None);
    let mut through = Instant::now();
    loop {
        // A sleep would be late by more than what is measured.
        through =
            through.max(Instant::now()) + wanted.byte * u32::try_from(answer.len()).unwrap_or(0);
        while Instant::now() < through {
            std::hint::spin_loop();
        }
        let mut rest = &answer[..];
        while !rest.is_empty() {
            let Ok(written) = write(near, rest) else { return };
            rest = &rest[written..];
        }
        answer.clear();
        if seen == wanted.lines
            && let Some(first) = first.take()
        {
            let _ = took.send(Instant::elapsed(&first));
        }
        let Ok(got) = read(near, &mut buffer) else { return };
        through = Instant::now() + wanted.byte * u32::try_from(got).unwrap_or(0);
        for byte in &buffer[..got] {
            if *byte != b'\n' {
                line.push(*byte);
                continue;
            }
            let text = String::from_utf8_lossy(&line);
            let (number, code) = text.split_once(' ').unwrap_or(("", ""));
            if code.starts_with("G1") {
                // Its first byte came when the wire began to carry it.
                first.get_or_insert_with(Instant::now);
                seen += 1;
            } else if code.starts_with("M115") {
                answer.extend(b"FIRMWARE_NAME:Marlin 2.1 SOURCE_CODE_URL:x\n");
            } else if code.starts_with("M114") {
                answer.extend(b"X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0\n");
            }
            if code.starts_with("M105") {
                answer.extend(b"ok T:20.00 /0.00 B:20.00 /0.00\n");
            } else if wanted.advanced {
                answer.extend(format!("ok {number} P15 B3\n").bytes());
            } else if !text.is_empty() {
                answer.extend(b"ok\n");
            }
            line.clear();
        }
    }
}

/// A terminal with a peer at its near end; the far end is kept open so that the peer never sees it
/// closed too early.
fn terminal(wanted: Peer) -> (OwnedFd, PathBuf, Receiver<Duration>) {
    let pair = openpty(None, None).expect("a pseudo-terminal");
    let mut settings = tcgetattr(&pair.slave).expect("a terminal");
    cfmakeraw(&mut settings);
    tcsetattr(&pair.slave, SetArg::TCSANOW, &settings).expect("a terminal");
    let path = ttyname(pair.slave.as_fd()).expect("a terminal has a name");
    let (sender, took) = mpsc::channel();
    let near = pair.master;
    thread::spawn(move || peer(&near, wanted, &sender));
    (pair.slave, path, took)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn figures(lines: usize, took: Duration, cpu: Duration) -> Figures {
    let lines = lines as f64;
    Figures { rate: lines / took.as_secs_f64(), cpu_us: cpu.as_secs_f64() * 1e6 / lines }
}

fn start(port: String) -> (LinkHandle, Receiver<Report>) {
    let options = LinkOptions {
        name: "bench".to_owned(),
        driver: "marlin".to_owned(),
        port,
        baud_rate: BAUD,
        timeout: Duration::from_secs(30),
        identity: None,
        start_lines: Vec::new(),
        end_lines: Vec::new(),
        on_stop: Vec::new(),
        plotter: Plotter::default(),
        simulator: SimulatorOptions::default(),
    };
    let (sender, reports) = mpsc::channel();
    let link = LinkHandle::spawn(options, move |report| drop(sender.send(report))).expect("a link");
    while !matches!(next(&reports), Report::Status { status: DeviceStatus::Idle, .. }) {}
    (link, reports)
}

fn next(reports: &Receiver<Report>) -> Report {
    reports.recv_timeout(Duration::from_mins(2)).expect("the machine answers")
}

/// Runs a file of so many lines to its end.
fn run(link: &LinkHandle, reports: &Receiver<Report>, count: usize) {
    let source = Source::Bytes(lines(count));
    link.run(Run { job: JobId::new(), source, start: Start::default() });
    loop {
        if let Report::Ended { end, .. } = next(reports) {
            assert_eq!(end, End::Completed);
            return;
        }
    }
}

fn link(wanted: Peer) -> Figures {
    let (_far, path, took) = terminal(wanted);
    let (link, reports) = start(path.display().to_string());
    let before = processor_time("link-bench");
    run(&link, &reports, wanted.lines);
    let cpu = processor_time("link-bench").saturating_sub(before);
    figures(wanted.lines, took.recv().expect("the peer has seen every move"), cpu)
}

/// As little as anything can do that waits for each answer.
fn bare_loop(wanted: Peer) -> Figures {
    let (far, _, took) = terminal(wanted);
    let text: Vec<_> = (0..wanted.lines).map(|number| numbered(number, &text(number))).collect();
    let sender = thread::Builder::new().name("bare".to_owned()).spawn(move || {
        let mut buffer = [0; 4096];
        // Its greeting.
        read(&far, &mut buffer).expect("the peer greets");
        let before = processor_time("bare");
        for line in &text {
            let mut sent = 0;
            while sent < line.len() {
                sent += write(&far, &line[sent..]).expect("the peer reads");
            }
            loop {
                let got = read(&far, &mut buffer).expect("the peer answers");
                if buffer[..got].contains(&b'\n') {
                    break;
                }
            }
        }
        (processor_time("bare").saturating_sub(before), far)
    });
    let (cpu, _far) = sender.expect("a thread").join().expect("the loop ends");
    figures(wanted.lines, took.recv().expect("the peer has seen every move"), cpu)
}

/// How near a link and a bare loop come to lines and their `ok` that follow each other on the wire
/// without a gap.
fn paced() -> [f64; 2] {
    let byte = Duration::from_secs(10) / BAUD;
    let bytes: usize =
        (0..PACED_LINES).map(|number| numbered(number, &text(number)).len() + "ok\n".len()).sum();
    let least = byte * u32::try_from(bytes).expect("some hundred kilobytes");
    let wanted = Peer { byte, lines: PACED_LINES, ..AT_ONCE };
    [link(wanted), bare_loop(wanted)].map(|figures| {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let took = PACED_LINES as f64 / figures.rate;
        least.as_secs_f64() / took
    })
}

/// What the thread of that name has used, by the scheduler's own clock.
fn processor_time(name: &str) -> Duration {
    let threads = fs::read_dir("/proc/self/task").expect("proc is mounted");
    let mut used = Duration::ZERO;
    for thread in threads.flatten().map(|entry| entry.path()) {
        let of = |file: &str| fs::read_to_string(thread.join(file)).unwrap_or_default();
        if of("comm").trim() == name {
            let nanoseconds = of("schedstat").split(' ').next().and_then(|text| text.parse().ok());
            used += Duration::from_nanos(nanoseconds.unwrap_or(0));
        }
    }
    used
}
