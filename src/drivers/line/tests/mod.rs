//! The driver against the simulated machine.

mod cases;

use std::time::Duration;

use super::*;
use crate::{
    drivers::tests::bench::{Bench, options},
    firmware::{self, Faults},
};

const SQUARE: &str = "G1 X10 F3000\nG1 Y10\n\nG1 X0\nhello there\nG1 Y0\n";

fn line_options() -> LineOptions {
    LineOptions {
        banner: Pattern::new("^line machine ready").ok(),
        pause: vec!["hold".to_owned()],
        resume: vec!["go".to_owned()],
        halt: vec!["!".to_owned()],
        ..LineOptions::default()
    }
}

fn with(line: LineOptions, faults: Faults) -> Bench {
    let plotter = super::super::Plotter { line, ..Default::default() };
    let options = Options {
        start_lines: vec!["begin".to_owned()],
        end_lines: vec!["end".to_owned()],
        on_stop: vec!["G0 Z5".to_owned(), "off".to_owned()],
        plotter,
        ..options()
    };
    let seed = faults.seed;
    let machine = firmware::Line::new(1.0, faults);
    Bench::new(Box::new(Line::new(options)), Box::new(machine), seed)
}

fn ready(faults: Faults) -> Bench {
    let mut bench = with(line_options(), faults);
    bench.until_idle();
    bench
}
