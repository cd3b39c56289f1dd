//! The driver against the simulated firmware.

mod cases;
mod faults;
mod laws;
mod people;

use std::time::Duration;

use super::*;
use crate::{
    drivers::tests::bench::{Bench, options},
    firmware::{self, Dialect, Faults},
    toolpath,
};

const SQUARE: &str = "G21 G90\nG0 X10 Y10 F3000\nM3 S200\nG1 X20 F1200 ; first side\n\nG1 Y20\n\
    G1 X10\nG1 Y10\nM5\nG0 X0 Y0\n";

/// A driver and a machine that has just been plugged in.
fn new(dialect: Dialect, faults: Faults) -> Bench {
    with(dialect, faults, &["M5", "G0 Z5"])
}

fn with(dialect: Dialect, faults: Faults, on_stop: &[&str]) -> Bench {
    let options = Options {
        start_lines: vec!["G21".to_owned()],
        end_lines: vec!["M5".to_owned()],
        on_stop: on_stop.iter().map(|line| (*line).to_owned()).collect(),
        ..options()
    };
    let seed = faults.seed;
    let machine = firmware::Marlin::with(1.0, faults, dialect);
    Bench::new(Box::new(Marlin::new(options)), Box::new(machine), seed)
}

fn ready(dialect: Dialect, faults: Faults) -> Bench {
    let mut bench = new(dialect, faults);
    bench.until_idle();
    bench
}

/// All kinds of boards.
fn dialects() -> Vec<Dialect> {
    let twice = Dialect { oks_after_resend: 2, ..Dialect::old() };
    let waits = Dialect { wait_every: Some(Duration::from_secs(1)), ..Dialect::default() };
    let large = Dialect { slots: 16, rx: 256, ..Dialect::advanced() };
    let small =
        Dialect { rx: 128, slots: 4, blocks: 8, oks_after_resend: 1, ..Dialect::advanced() };
    vec![Dialect::default(), Dialect::old(), Dialect::advanced(), twice, waits, large, small]
}

/// What a file draws, by the file's own reader.
fn picture(file: &str) -> Vec<(f64, f64, bool)> {
    let machine = crate::domain::Machine::unknown("marlin");
    let picture = toolpath::preview(file.as_bytes(), &machine, 10_000).unwrap();
    (1..picture.draw.len())
        .map(|i| (picture.points[2 * i], picture.points[2 * i + 1], picture.draw[i] == 1))
        .collect()
}
