//! How fast files are checked, against a pass that does nothing but cut them into lines, in the same
//! run, and how fast a plan to go on is made.
//!
//! `cargo bench --bench preflight`; the exit code is non-zero if a limit is missed.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::{fmt::Write as _, fs, process::ExitCode};

use stationd::{
    domain::{Envelope, Machine, Motion},
    toolpath::{self, Dialect, Facts, Next, Splitter, Trust, plan::Axes},
};

const ROUNDS: usize = 5;
const BYTES: usize = 100_000_000;

/// What must hold.
const LEAST_MB: f64 = 50.0;
/// Of resident memory that a check of all the bytes may add.
const MOST_GROWTH: u64 = 4_000_000;

fn main() -> ExitCode {
    let machine = Machine {
        envelope: Some(Envelope { x: 300.0, y: 218.0, z: Some(50.0) }),
        motion: Motion::GRBL,
        ..Machine::unknown("grbl")
    };
    let mut good = true;
    for (name, text) in
        [("strokes", strokes()), ("short segments", short()), ("arcs", arcs()), ("mixed", mixed())]
    {
        let bytes = text.repeat(BYTES / text.len());
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        let before = resident();
        for _ in 0..ROUNDS {
            ours.push(rate(bytes.as_bytes(), |bytes| {
                let (analysis, _) = toolpath::analyse(bytes, std::slice::from_ref(&machine))
                    .expect("memory can be read");
                analysis.lines
            }));
            bare.push(rate(bytes.as_bytes(), cut));
        }
        let grown = resident().saturating_sub(before);
        let (ours, bare) = (median(ours), median(bare));
        println!(
            "{name}: checked at {ours:.0} MB/s (at least {LEAST_MB}), cut into lines at {bare:.0} \
             MB/s, ratio {:.2}; {grown} bytes more resident (less than {MOST_GROWTH})",
            ours / bare
        );
        good &= ours >= LEAST_MB && grown < MOST_GROWTH;
    }
    let bytes = strokes().repeat(BYTES / strokes().len());
    let facts = Facts {
        trust: Trust::Certain,
        position: None,
        start: None,
        axes: Axes::default(),
        stops: Vec::new(),
    };
    let plan = rate(bytes.as_bytes(), |bytes| {
        let plan = toolpath::plan_resume(bytes, Dialect::Gcode, u64::MAX, &facts);
        plan.expect("memory can be read").skip_lines
    });
    println!("a plan to go on after the last line: {plan:.0} MB/s");
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A plotter's file: strokes of twenty lines with travel between.
fn strokes() -> String {
    let mut text = String::from("G21 G90 F900\n");
    for stroke in 0..500 {
        let _ =
            writeln!(text, "G0 Z5.000\nG0 X{}.250 Y{}.125\nG1 Z0.000", stroke % 280, stroke % 200);
        for line in 0..20 {
            let _ = writeln!(
                text,
                "G1 X{}.{:03} Y{}.{:03}",
                stroke % 280 + line,
                line * 37,
                line,
                line * 11
            );
        }
    }
    text
}

/// Segments of a tenth of a millimetre.
fn short() -> String {
    let mut text = String::from("G21 G90 F900\n");
    for step in 0..20_000 {
        let angle = f64::from(step) / 200.0;
        let (x, y) = (150.0 + 20.0 * angle.cos(), 100.0 + 20.0 * angle.sin());
        let _ = writeln!(text, "X{x:.3}Y{y:.3}");
    }
    text
}

fn arcs() -> String {
    let mut text = String::from("G21 G90 F900\nG0 X100 Y100\n");
    for _ in 0..5_000 {
        text.push_str(
            "G2 X120.000 Y100.000 I10.000 J0.000\nG3 X100.000 Y100.000 I-10.000 J0.000\n",
        );
    }
    text
}

/// Comments, blanks, line numbers, dwells and unknown words.
fn mixed() -> String {
    let mut text = String::from("%\n; a part\nG21 G90 F900\n");
    for line in 0..5_000 {
        let _ = writeln!(
            text,
            "N{line} G01 X{}.5 Y10.25 (move)\nM204 S500\nG4 P0.01 ; wait\n",
            line % 290
        );
    }
    text
}

fn cut(bytes: &[u8]) -> u64 {
    let (mut splitter, mut line, mut lines) = (Splitter::new(), Vec::new(), 0);
    for chunk in bytes.chunks(64 * 1024) {
        splitter.supply(chunk);
        while let Next::Line(_) = splitter.next_line(&mut line) {
            lines += 1;
        }
    }
    lines
}

/// Seconds that this thread has had a processor: what else runs has no part in it.
fn processor() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("there is /proc");
    let time = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    time.expect("nanoseconds") / 1e9
}

/// Megabytes in a second of processor time.
fn rate(bytes: &[u8], work: impl Fn(&[u8]) -> u64) -> f64 {
    let begun = processor();
    assert!(work(bytes) > 0, "there are lines");
    bytes.len() as f64 / 1e6 / (processor() - begun)
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Bytes of memory in use.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("there is /proc");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it says");
    let kilobytes = line.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok());
    kilobytes.expect("a number") * 1024
}
