//! How fast commands get to an EBB plotter, against the bare limit in the same run, and how long it
//! takes to plan them.
//!
//! 1. A link and a bare loop that sends a command and waits for its answer take turns over the same
//!    kind of pseudo-terminal with the same peer, which answers at once.
//! 2. A drawing of 100 000 segments becomes commands.
//!
//! `cargo bench --bench plotters`; the exit code is non-zero if a limit is missed.
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
    toolpath::{
        Drawing, Layer,
        plan::{EbbOptions, plan},
    },
};

const LINES: usize = 50_000;
const ROUNDS: usize = 7;
const SEGMENTS: i32 = 100_000;

/// What must hold.
const LEAST_RATIO: f64 = 0.8;
const MOST_CPU_US: f64 = 30.0;
const MOST_SPREAD: f64 = 1.5;
const MOST_PLANNING: Duration = Duration::from_millis(500);

/// Commands a second, and microseconds of the sender's processor time a command.
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
    show("link", &ours);
    show("bare", &bare);
    let rates: Vec<f64> = bare.iter().map(|figures| figures.rate).collect();
    let spread = rates.iter().copied().fold(0.0, f64::max)
        / rates.iter().copied().fold(f64::INFINITY, f64::min);
    let ratio = median(&ours, |f| f.rate) / median(&bare, |f| f.rate);
    let cpu = median(&ours, |f| f.cpu_us);
    let void = if spread > MOST_SPREAD { ", void: the bare figure varies too much" } else { "" };
    println!("ratio {ratio:.2} (at least {LEAST_RATIO}), bare varies {spread:.2} times{void}");
    println!("processor {cpu:.2} us a command (less than {MOST_CPU_US})");
    let took = planning();
    println!("{SEGMENTS} segments are planned in {took:?} (less than {MOST_PLANNING:?})");
    let good =
        (ratio >= LEAST_RATIO || spread > MOST_SPREAD) && cpu < MOST_CPU_US && took < MOST_PLANNING;
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// As long as a planned one.
fn lines() -> Vec<u8> {
    let line = |number: usize| format!("LM,412378430,{},0,412378430,-442,0,3\n", 400 + number % 9);
    (0..LINES).flat_map(|number| line(number).into_bytes()).collect()
}

fn show(name: &str, figures: &[Figures]) {
    println!(
        "{name}: {:.0} commands/s, {:.2} us of processor time a command",
        median(figures, |f| f.rate),
        median(figures, |f| f.cpu_us)
    );
}

fn median(figures: &[Figures], of: impl Fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = figures.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A board that answers at once. Tells how long the moves took.
fn peer(near: &OwnedFd, took: &Sender<Duration>) {
    let (mut buffer, mut answer, mut line) = ([0; 4096], Vec::new(), Vec::new());
    let (mut seen, mut first) = (0, None);
    loop {
        let Ok(got) = read(near, &mut buffer) else { return };
        for byte in &buffer[..got] {
            if *byte != b'\r' {
                line.push(*byte);
                continue;
            }
            match &line[..] {
                b"V" => answer.extend(b"EBBv13_and_above EB Firmware Version 3.0.2\r\n"),
                b"CU,10,1" => answer.extend(b"\n"),
                b"QU,2" => answer.extend(b"QU,32\n"),
                b"QU,3" => answer.extend(b"QU,4\n"),
                b"QC" => answer.extend(b"QC,0394,0300\n"),
                b"QE" => answer.extend(b"QE,0,0\n"),
                b"QG" => answer.extend(b"QG,10\n"),
                b"QS" => answer.extend(b"QS,0,0\n"),
                b"QL" => answer.extend(b"QL,165\n"),
                other => {
                    if other.starts_with(b"LM") {
                        first.get_or_insert_with(Instant::now);
                        seen += 1;
                    }
                    answer.extend(&other[..2]);
                    answer.push(b'\n');
                }
            }
            line.clear();
        }
        let mut rest = &answer[..];
        while !rest.is_empty() {
            let Ok(written) = write(near, rest) else { return };
            rest = &rest[written..];
        }
        answer.clear();
        if seen == LINES
            && let Some(first) = first.take()
        {
            seen = 0;
            let _ = took.send(Instant::elapsed(&first));
        }
    }
}

/// A terminal with a peer at its near end; the far end is kept open so that the peer never sees it
/// closed too early.
fn terminal() -> (OwnedFd, PathBuf, Receiver<Duration>) {
    let pair = openpty(None, None).expect("a pseudo-terminal");
    let mut settings = tcgetattr(&pair.slave).expect("a terminal");
    cfmakeraw(&mut settings);
    tcsetattr(&pair.slave, SetArg::TCSANOW, &settings).expect("a terminal");
    let path = ttyname(pair.slave.as_fd()).expect("a terminal has a name");
    let (sender, took) = mpsc::channel();
    let near = pair.master;
    thread::spawn(move || peer(&near, &sender));
    (pair.slave, path, took)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn figures(took: Duration, cpu: Duration) -> Figures {
    let lines = LINES as f64;
    Figures { rate: lines / took.as_secs_f64(), cpu_us: cpu.as_secs_f64() * 1e6 / lines }
}

fn link() -> Figures {
    let (_far, path, took) = terminal();
    let options = LinkOptions {
        name: "bench".to_owned(),
        driver: "ebb".to_owned(),
        port: path.display().to_string(),
        baud_rate: 9600,
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
    let next = || reports.recv_timeout(Duration::from_mins(2)).expect("the machine answers");
    while !matches!(next(), Report::Status { status: DeviceStatus::Idle, .. }) {}
    let before = processor_time("link-bench");
    let source = Source::Bytes(lines());
    link.run(Run { job: JobId::new(), source, start: Start::default() });
    loop {
        if let Report::Ended { end, .. } = next() {
            assert_eq!(end, End::Completed);
            break;
        }
    }
    let cpu = processor_time("link-bench").saturating_sub(before);
    figures(took.recv().expect("the peer has seen every move"), cpu)
}

/// As little as anything can do that waits for each answer.
fn bare_loop() -> Figures {
    let (far, _, took) = terminal();
    let text = lines();
    let sender = thread::Builder::new().name("bare".to_owned()).spawn(move || {
        let (mut buffer, mut line) = ([0; 4096], Vec::new());
        let before = processor_time("bare");
        for command in text.split_inclusive(|byte| *byte == b'\n') {
            line.clear();
            line.extend_from_slice(&command[..command.len() - 1]);
            line.push(b'\r');
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
    figures(took.recv().expect("the peer has seen every move"), cpu)
}

/// A spiral of short pieces, as flattened curves are.
fn planning() -> Duration {
    let point = |index: i32| {
        let turn = f64::from(index) / 500.0;
        [150.0 + turn * 0.5 * turn.cos(), 105.0 + turn * 0.5 * turn.sin()]
    };
    let strokes = vec![(0..=SEGMENTS).map(point).collect()];
    let layers = vec![Layer { name: "spiral".to_owned(), colour: None, stop: false, strokes }];
    let drawing = Drawing { layers, size: Some([300.0, 218.0]), ..Drawing::default() };
    let mut out = Vec::new();
    let start = Instant::now();
    let found = plan(&drawing, &EbbOptions::default(), &mut out).expect("memory can be written");
    let took = start.elapsed();
    println!("{} commands, {:.0} s of drawing", found.lines, found.seconds);
    took
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
