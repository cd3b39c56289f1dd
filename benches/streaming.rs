//! How fast lines get to a GRBL machine, against the bare limit in the same run.
//!
//! 1. Unpaced: a link and a bare character-counting loop take turns over the same kind of
//!    pseudo-terminal with the same peer, which answers `ok` to each line.
//! 2. Paced to 115200 baud, with the real 128-byte receive ring behind it.
//! 3. How fast a file is analysed before it runs (shown, not judged).
//!
//! `cargo bench --bench streaming`; the exit code is non-zero if a limit is missed.
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
    link::{
        End, Faults, LinkHandle, LinkOptions, Plotter, Report, Run, SimulatorOptions, Source, Start,
    },
};

const LINES: usize = 100_000;
const ROUNDS: usize = 7;
const PACED_LINES: usize = 4000;
const BAUD: u32 = 115_200;

/// What must hold.
const LEAST_RATIO: f64 = 0.5;
const MOST_CPU_US: f64 = 30.0;
const LEAST_SHARE: f64 = 0.995;
const MOST_SPREAD: f64 = 1.5;

/// Lines a second, and microseconds of the sender's processor time a line.
#[derive(Clone, Copy)]
struct Figures {
    rate: f64,
    cpu_us: f64,
}

fn main() -> ExitCode {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(link());
        bare.push(bare_loop());
    }
    let mut good = true;
    let rates: Vec<f64> = bare.iter().map(|figures| figures.rate).collect();
    let spread = max(&rates) / min(&rates);
    show("link", &ours);
    show("bare", &bare);
    let ratio = median(&ours, |f| f.rate) / median(&bare, |f| f.rate);
    let cpu = median(&ours, |f| f.cpu_us);
    let void = if spread > MOST_SPREAD { ", void: the bare figure varies too much" } else { "" };
    println!("ratio {ratio:.2} (at least {LEAST_RATIO}), bare varies {spread:.2} times{void}");
    println!("processor {cpu:.2} us a line (less than {MOST_CPU_US})");
    good &= (ratio >= LEAST_RATIO || spread > MOST_SPREAD) && cpu < MOST_CPU_US;

    let (share, overflows) = paced();
    println!(
        "at {BAUD} baud: {:.2} % of the wire (at least 99.5), {overflows} overflows",
        share * 100.0
    );
    good &= share >= LEAST_SHARE && overflows == 0;

    let text = lines(1_000_000);
    let start = Instant::now();
    let (analysis, _) = stationd::toolpath::analyse(&text[..], &[]).expect("memory can be read");
    assert_eq!(analysis.lines, 1_000_000);
    println!("analysis: {:.0} MB/s", 25.0 / start.elapsed().as_secs_f64());
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// 25 bytes each, its end included.
fn lines(count: usize) -> Vec<u8> {
    let line =
        |number: usize| format!("G1X{:03}.500 Y{:03}.250 F900\n", number % 300, number % 218);
    (0..count).flat_map(|number| line(number).into_bytes()).collect()
}

fn show(name: &str, figures: &[Figures]) {
    let rates: Vec<f64> = figures.iter().map(|figures| figures.rate).collect();
    println!(
        "{name}: {:.0} lines/s [{:.0} to {:.0}], {:.2} us of processor time a line",
        median(figures, |f| f.rate),
        min(&rates),
        max(&rates),
        median(figures, |f| f.cpu_us)
    );
}

fn median(figures: &[Figures], of: impl Fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = figures.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// A machine that answers at once: a banner to a reset, a report to `?`, who it is to `$I`, `ok` to
/// every line. Tells how long the lines of the file took.
fn peer(near: &OwnedFd, count: usize, took: &Sender<Duration>) {
    let mut buffer = [0; 4096];
    let (mut answer, mut line) = (b"\r\nGrbl 1.1h ['$' for help]\r\n".to_vec(), Vec::new());
    let (mut seen, mut first) = (0, None);
    loop {
        let mut rest = &answer[..];
        while !rest.is_empty() {
            let Ok(written) = write(near, rest) else { return };
            rest = &rest[written..];
        }
        answer.clear();
        if seen == count
            && let Some(first) = first.take()
        {
            let _ = took.send(Instant::elapsed(&first));
        }
        let Ok(got) = read(near, &mut buffer) else { return };
        for byte in &buffer[..got] {
            match byte {
                b'?' => answer.extend(b"<Idle|MPos:0.000,0.000,0.000|Bf:15,128|FS:0,0>\r\n"),
                0x18 => answer.extend(b"\r\nGrbl 1.1h ['$' for help]\r\n"),
                b'\n' => {
                    if line == b"$I" {
                        answer.extend(b"[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\n");
                    } else {
                        first.get_or_insert_with(Instant::now);
                        seen += 1;
                    }
                    answer.extend(b"ok\r\n");
                    line.clear();
                }
                byte => line.push(*byte),
            }
        }
    }
}

/// A terminal with a peer at its near end; the far end is kept open so that the peer never sees it
/// closed too early.
fn terminal(count: usize) -> (OwnedFd, PathBuf, Receiver<Duration>) {
    let pair = openpty(None, None).expect("a pseudo-terminal");
    let mut settings = tcgetattr(&pair.slave).expect("a terminal");
    cfmakeraw(&mut settings);
    tcsetattr(&pair.slave, SetArg::TCSANOW, &settings).expect("a terminal");
    let path = ttyname(pair.slave.as_fd()).expect("a terminal has a name");
    let (sender, took) = mpsc::channel();
    let near = pair.master;
    thread::spawn(move || peer(&near, count, &sender));
    (pair.slave, path, took)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn figures(took: Duration, cpu: Duration) -> Figures {
    let lines = LINES as f64;
    Figures { rate: lines / took.as_secs_f64(), cpu_us: cpu.as_secs_f64() * 1e6 / lines }
}

fn link() -> Figures {
    let (_far, path, took) = terminal(LINES);
    let (link, reports) = start(path.display().to_string(), SimulatorOptions::default());
    let before = processor_time("link-bench");
    run(&link, &reports, LINES, |_| {});
    let cpu = processor_time("link-bench").saturating_sub(before);
    figures(took.recv().expect("the peer has seen every line"), cpu)
}

/// As little as anything can do that counts characters.
fn bare_loop() -> Figures {
    let (far, _, took) = terminal(LINES);
    let text = lines(LINES);
    let sender = thread::Builder::new().name("bare".to_owned()).spawn(move || {
        let mut buffer = [0; 4096];
        // The banner.
        let _ = read(&far, &mut buffer).expect("the peer greets");
        let before = processor_time("bare");
        let (mut sent, mut ends) =
            (0, text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len));
        let mut under_way = std::collections::VecDeque::new();
        let (mut bytes, mut next) = (0, ends.next());
        while next.is_some() || !under_way.is_empty() {
            let mut until = sent;
            while let Some(length) = next
                && bytes + length <= 127
            {
                under_way.push_back(length);
                bytes += length;
                until += length;
                next = ends.next();
            }
            while sent < until {
                sent += write(&far, &text[sent..until]).expect("the peer reads");
            }
            let got = read(&far, &mut buffer).expect("the peer answers");
            for _ in buffer[..got].iter().filter(|byte| **byte == b'\n') {
                bytes -= under_way.pop_front().unwrap_or(0);
            }
        }
        let cpu = processor_time("bare").saturating_sub(before);
        (cpu, far)
    });
    let (cpu, _far) = sender.expect("a thread").join().expect("the loop ends");
    figures(took.recv().expect("the peer has seen every line"), cpu)
}

fn start(port: String, simulator: SimulatorOptions) -> (LinkHandle, Receiver<(Instant, Report)>) {
    let options = LinkOptions {
        name: "bench".to_owned(),
        driver: "grbl".to_owned(),
        port,
        baud_rate: BAUD,
        timeout: Duration::from_secs(30),
        identity: None,
        start_lines: Vec::new(),
        end_lines: Vec::new(),
        on_stop: Vec::new(),
        plotter: Plotter::default(),
        simulator,
    };
    let (sender, reports) = mpsc::channel();
    let report = move |report| drop(sender.send((Instant::now(), report)));
    let link = LinkHandle::spawn(options, report).expect("a link");
    let idle =
        |report: &Report| matches!(report, Report::Status { status: DeviceStatus::Idle, .. });
    while !idle(&reports.recv_timeout(Duration::from_secs(20)).expect("the machine answers").1) {}
    (link, reports)
}

fn run(
    link: &LinkHandle,
    reports: &Receiver<(Instant, Report)>,
    count: usize,
    mut progress: impl FnMut((Instant, u64)),
) {
    link.run(Run {
        job: JobId::new(),
        source: Source::Bytes(lines(count)),
        start: Start::default(),
    });
    loop {
        match reports.recv_timeout(Duration::from_mins(2)).expect("the job ends") {
            (at, Report::Progress { checkpoint, .. }) => {
                progress((at, checkpoint.lines_acknowledged));
            }
            (_, Report::Ended { end, .. }) => return assert_eq!(end, End::Completed),
            _ => {}
        }
    }
}

/// The share of the wire that lines of the file take, and the bytes lost in the receive ring.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn paced() -> (f64, u64) {
    let simulator = SimulatorOptions { speed: 0.0, baud_rate: BAUD, faults: Faults::default() };
    let (link, reports) = start("sim:grbl".to_owned(), simulator);
    let mut seen = Vec::new();
    run(&link, &reports, PACED_LINES, |progress| seen.push(progress));
    // From the first to the last report but the final one: in between, the wire is never idle.
    let (Some(first), Some(last)) = (seen.first(), seen.iter().rev().nth(1)) else {
        return (0.0, 0);
    };
    let bytes = (last.1 - first.1) as f64 * (lines(PACED_LINES).len() / PACED_LINES) as f64;
    let seconds = last.0.duration_since(first.0).as_secs_f64();
    let overflows = link.drawing().map_or(u64::MAX, |drawing| drawing.overflows);
    (bytes / (seconds * f64::from(BAUD) / 10.0), overflows)
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
