//! How fast a drawing becomes a program, against the bare limit in the same run.
//!
//! An SVG of 100 000 segments in 10 000 paths, scattered, is read, put in order and written as
//! G-code; the limit is what it takes to parse the same text as XML and nothing else.
//!
//! `cargo bench --bench toolpath`; the exit code is non-zero if a limit is missed.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use nix::time::{ClockId, clock_gettime};

use stationd::{
    domain::{Machine, PlotOptions},
    toolpath::{FileKind, convert, emit, optimise, svg},
};

const PATHS: u32 = 10_000;
const SEGMENTS: u32 = 10;
const ROUNDS: usize = 5;

/// What must hold.
const MOST: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let connected = file(PATHS, SEGMENTS);
    let single = file(PATHS * SEGMENTS, 1);
    let curves = file_of_curves(PATHS * SEGMENTS / 4);
    let mut good = true;
    for (name, text) in [
        ("10 000 paths of 10 segments", &connected),
        ("100 000 paths of 1 segment", &single),
        ("25 000 curves", &curves),
    ] {
        good &= measure(name, text);
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(name: &str, text: &str) -> bool {
    let options = PlotOptions::default();
    let (mut bare, mut read, mut order, mut write, mut whole) =
        (vec![], vec![], vec![], vec![], vec![]);
    let (mut before, mut after, mut lines) = (0.0, 0.0, 0);
    for _ in 0..ROUNDS {
        bare.push(time(|| assert!(roxmltree::Document::parse(text).is_ok())));
        let mut drawing = None;
        read.push(time(|| drawing = svg::read(text.as_bytes(), options.tolerance_mm).ok()));
        let mut drawing = drawing.expect("it can be drawn");
        before = drawing.layers.iter().map(|layer| layer.travel_length([0.0; 2])).sum();
        order.push(time(|| optimise(&mut drawing, options.join_mm)));
        after = drawing.layers.iter().map(|layer| layer.travel_length([0.0; 2])).sum();
        let mut bytes = Vec::new();
        write.push(time(|| assert!(emit::gcode(&drawing, &options, &mut bytes).is_ok())));
        lines = bytes.split(|byte| *byte == b'\n').count() - 1;
        whole.push(time(|| {
            let program =
                convert(FileKind::Svg, &Machine::unknown("grbl"), text.as_bytes(), &options);
            assert!(program.is_ok());
        }));
    }
    let [bare, read, order, write, whole] = [bare, read, order, write, whole].map(median);
    println!(
        "{name} ({:.1} MB, {lines} lines): {} ms (at most {}), ratio to bare XML {:.1}",
        text.len() as f64 / 1e6,
        whole.as_millis(),
        MOST.as_millis(),
        whole.as_secs_f64() / bare.as_secs_f64(),
    );
    println!(
        "  XML {} ms, read {} ms, order {} ms, write {} ms; travel {before:.0} mm, then {after:.0} mm",
        bare.as_millis(),
        read.as_millis(),
        order.as_millis(),
        write.as_millis(),
    );
    whole < MOST && after <= before
}

/// Paths all over a page, each a walk of so many steps.
fn file(paths: u32, segments: u32) -> String {
    let mut random = Random(1);
    let mut text = head();
    for _ in 0..paths {
        let (x, y) = (random.up_to(280.0), random.up_to(200.0));
        let _ = write!(text, r#"<path d="M{x:.3},{y:.3}"#);
        for _ in 0..segments {
            let _ = write!(text, " l{:.3},{:.3}", random.up_to(6.0) - 3.0, random.up_to(6.0) - 3.0);
        }
        text.push_str(r#"" style="fill:none;stroke:#000000;stroke-width:0.3"/>"#);
    }
    text.push_str("</svg>");
    text
}

/// Curves of about four pieces each.
fn file_of_curves(curves: u32) -> String {
    let mut random = Random(1);
    let mut text = head();
    for _ in 0..curves {
        let (x, y) = (random.up_to(280.0), random.up_to(200.0));
        let _ = write!(
            text,
            r#"<path d="M{x:.3},{y:.3}c{:.3},0 1.5,1 1.5,{:.3}" style="fill:none;stroke:#000000"/>"#,
            random.up_to(2.0),
            random.up_to(3.0)
        );
    }
    text.push_str("</svg>");
    text
}

fn head() -> String {
    r#"<svg xmlns="http://www.w3.org/2000/svg" width="280mm" height="200mm" viewBox="0 0 280 200">"#
        .to_owned()
}

/// Processor time: all of it is work of this thread, and what else the computer does is left out.
fn time(work: impl FnOnce()) -> Duration {
    let now = || {
        let now = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("there is such a clock");
        Duration::from(now)
    };
    let start = now();
    work();
    now().saturating_sub(start)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The same numbers every time (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn up_to(&mut self, most: f64) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64 * most
    }
}
