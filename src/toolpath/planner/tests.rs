//! Times of motion against formulas, against a plan of the whole, and against a simulated machine.

use std::{fmt::Write as _, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::{
    domain::Machine,
    firmware::{Faults, simulate},
    toolpath::{Dialect, analyse},
};

fn seconds_on(driver: &str, motion: Motion, text: &str) -> f64 {
    let machine = Machine { motion, ..Machine::unknown(driver) };
    analyse(text.as_bytes(), &[machine]).unwrap().0.estimated_seconds
}

fn seconds(motion: Motion, text: &str) -> f64 {
    seconds_on("grbl", motion, text)
}

#[test]
fn one_move_rises_and_falls() {
    let motion = Motion { acceleration: [100.0; 3], ..Motion::GRBL };
    // 50 mm/s takes half a second and 12.5 mm; so does the fall.
    let long = seconds(motion, "G21 G90\nG1 X100 F3000\n");
    assert!((long - (0.5 + 0.5 + 75.0 / 50.0)).abs() < 1e-9, "{long}");
    let short = seconds(motion, "G21 G90\nG1 X4 F3000\n");
    assert!((short - 2.0 * (4.0_f64 / 100.0).sqrt()).abs() < 1e-9, "{short}");
    // Split on the way, it is the same move.
    let split = seconds(motion, "G21 G90\nG1 X10 F3000\nX20\nX55\nX100\n");
    assert!((split - long).abs() < 1e-9, "{split}");
}

#[test]
fn a_corner_is_passed_slowly_a_turn_back_not_at_all() {
    let motion = Motion { acceleration: [100.0; 3], ..Motion::GRBL };
    let straight = seconds(motion, "G21 G90\nG1 X100 F3000\nX200\n");
    let corner = seconds(motion, "G21 G90\nG1 X100 F3000\nY100\n");
    let back = seconds(motion, "G21 G90\nG1 X100 F3000\nX0\n");
    let one = seconds(motion, "G21 G90\nG1 X100 F3000\n");
    assert!(straight < corner && corner < back);
    assert!((back - 2.0 * one).abs() < 1e-9);
    // v² = a·δ·sin/(1−sin), half of a right angle, along an acceleration of both axes.
    let half = 0.5_f64.sqrt();
    let v = (100.0 * 2.0_f64.sqrt() * 0.01 * half / (1.0 - half)).sqrt();
    let expected =
        2.0 * ((50.0 + (50.0 - v)) / 100.0 + (100.0 - 12.5 - (2500.0 - v * v) / 200.0) / 50.0);
    assert!((corner - expected).abs() < 1e-9, "{corner} {expected}");
}

#[test]
fn every_axis_has_its_own_limits() {
    let motion = Motion {
        acceleration: [f64::INFINITY, f64::INFINITY, 10.0],
        rapid: [6000.0, 3000.0, 600.0],
        max_feed: [3000.0, 3000.0, 300.0],
        ..Motion::GRBL
    };
    assert!((seconds(motion, "G21 G90\nG0 X100\n") - 1.0).abs() < 1e-9);
    assert!((seconds(motion, "G21 G90\nG0 Y100\n") - 2.0).abs() < 1e-9);
    assert!((seconds(motion, "G21 G90\nG0 Z100\n") - (1.0 + 10.0)).abs() < 1e-9);
    assert!((seconds(motion, "G21 G90\nG1 Z10 F3000\n") - (0.5 + 2.0)).abs() < 1e-9);
}

#[test]
fn a_dwell_stops_the_motion_before_it() {
    let motion = Motion { acceleration: [100.0; 3], ..Motion::GRBL };
    let one = seconds(motion, "G21 G90\nG1 X50 F3000\n");
    let two = seconds(motion, "G21 G90\nG1 X50 F3000\nG4 P1.5\nX100\n");
    assert!((two - 2.0 * one - 1.5).abs() < 1e-9);
}

/// The plan of a whole file at once, as simple as can be: forwards and backwards over all of it.
fn whole(motion: Motion, points: &[[f64; 3]], speeds: &[f64]) -> f64 {
    let planner = Planner::new(motion);
    let mut blocks: Vec<Block> = Vec::new();
    let mut last: Option<([f64; 3], f64)> = None;
    for (pair, speed) in points.windows(2).zip(speeds) {
        let way: [f64; 3] = std::array::from_fn(|axis| pair[1][axis] - pair[0][axis]);
        let length = norm(&way);
        if length <= 0.0 {
            continue;
        }
        let unit = way.map(|part| part / length);
        let nominal = speed.min(along(&unit, &motion.max_feed) / 60.0);
        let corner = last.map_or(0.0, |(before, _)| planner.corner(&before, &unit));
        let slower = last.map_or(0.0, |(_, speed)| nominal.min(speed));
        let entry = corner.min(slower * slower);
        let acceleration = along(&unit, &motion.acceleration);
        blocks.push(Block { length, nominal, acceleration, entry, planned: 0.0, lines: 0 });
        last = Some((unit, nominal));
    }
    let mut entries: Vec<f64> = blocks.iter().map(|block| block.entry).chain([0.0]).collect();
    for index in (0..blocks.len()).rev() {
        let Block { acceleration, length, .. } = blocks[index];
        entries[index] = entries[index].min(entries[index + 1] + 2.0 * acceleration * length);
    }
    for index in 0..blocks.len() {
        let Block { acceleration, length, .. } = blocks[index];
        entries[index + 1] = entries[index + 1].min(entries[index] + 2.0 * acceleration * length);
    }
    let times = blocks.iter().enumerate().map(|(i, it)| it.seconds(entries[i], entries[i + 1]));
    times.sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Looking ahead over a window is looking ahead over all, as long as a stop fits into the
    /// window; and never faster.
    #[test]
    fn a_window_is_as_good_as_the_whole(
        steps in proptest::collection::vec((-20_i32..20, -20_i32..20, 5_u32..50), 1..120),
    ) {
        let motion = Motion { acceleration: [400.0, 300.0, 200.0], ..Motion::GRBL };
        let (mut text, mut at) = (String::from("G21 G91\n"), [0.0; 3]);
        let (mut points, mut speeds) = (vec![at], Vec::new());
        for (x, y, speed) in steps {
            let _ = writeln!(text, "G1 X{x} Y{y} F{}", speed * 60);
            at = [at[0] + f64::from(x), at[1] + f64::from(y), 0.0];
            points.push(at);
            speeds.push(f64::from(speed));
        }
        let (ours, best) = (seconds(motion, &text), whole(motion, &points, &speeds));
        prop_assert!((ours - best).abs() < 1e-6 * best.max(1.0), "{ours} {best}");
    }

    /// Moves so short that no stop fits into the window take longer, as they do in the machine.
    #[test]
    fn a_window_is_never_faster_than_the_whole(count in 1_u32..200, micrometres in 1_u32..200) {
        let motion = Motion { acceleration: [100.0; 3], ..Motion::GRBL };
        let step = f64::from(micrometres) / 1000.0;
        let mut text = String::from("G21 G91 F3000\n");
        let mut points = vec![[0.0; 3]];
        for index in 1..=count {
            let _ = writeln!(text, "G1 X{step}");
            points.push([f64::from(index) * step, 0.0, 0.0]);
        }
        let speeds = vec![50.0; points.len()];
        let (ours, best) = (seconds(motion, &text), whole(motion, &points, &speeds));
        prop_assert!(ours >= best - 1e-9, "{ours} {best}");
        if count <= 12 {
            prop_assert!((ours - best).abs() < 1e-9, "{ours} {best}");
        }
    }
}

/// Seconds of its own clock that a simulated machine takes for a file, acknowledged line by line.
fn simulated(driver: &str, text: &str) -> f64 {
    let mut machine = simulate(driver, 1.0, Faults::default()).unwrap();
    let mut now = Duration::ZERO;
    let mut out = Vec::new();
    machine.power_on(now);
    machine.transmit(&mut out);
    let mut line = Vec::new();
    let mut cleaned = |raw: &str| {
        Dialect::of(driver).clean(raw.as_bytes(), &mut line);
        String::from_utf8_lossy(&line).into_owned()
    };
    let lines = text.lines().map(&mut cleaned);
    let mut lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    // What is acknowledged last is acknowledged once all motion is done.
    lines.push(if driver == "marlin" { "M400" } else { "G4 P0" }.to_owned());
    let mut sent = 0;
    let mut acknowledged = 0;
    while acknowledged < lines.len() {
        if sent == acknowledged {
            machine.receive(format!("{}\n", lines[sent]).as_bytes(), now);
            sent += 1;
        }
        out.clear();
        machine.transmit(&mut out);
        let said = String::from_utf8_lossy(&out);
        assert!(!said.contains("error"), "{said} in line {sent}: {}", lines[sent - 1]);
        acknowledged += said.lines().filter(|line| line.starts_with("ok")).count();
        if sent > acknowledged {
            now = machine.wake().expect("it owes an answer");
            machine.advance(now);
        }
    }
    now.as_secs_f64()
}

#[test]
fn the_estimate_is_the_simulated_machines_clock() {
    let mut short = String::from("G21 G90\nG0 Z5\nG0 X100 Y100\nG1 Z0 F900\n");
    for step in 0..3000 {
        let angle = f64::from(step) / 100.0;
        let (x, y) = (100.0 + 3.0 * angle * angle.cos(), 100.0 + 3.0 * angle * angle.sin());
        let _ = writeln!(short, "G1 X{x:.3} Y{y:.3}");
    }
    let arcs = "G21 G90\nG0 X10 Y50\nG2 X10 Y50 I20 J0 F1200\nG3 X30 Y70 R20\nG2 X50 Y50 R-20 F600\n\
                G17 G2 X50 Y50 Z-3 I8 J0\n";
    let dwells = "G21 G90\nG0 X50\nG4 P1.5\nG1 X60 F300\nG4 P0.25\nM3 S90\nG4 P2\nG1 Y9\nM5\n";
    let rapids = "G21 G90\nG0 X300\nG0 Y200\nG0 X0 Y0\nG0 Z40\nG0 X299 Y199\nG20\nG0 X1 Y1\n";
    let mixed = "G20 G91\nG1 X1 F20\nG1 Y1 F10\nG93 G1 X-1 F4\nG94 G0 X2\nG1 X0.5 F200\n";
    let rosette = include_str!("../../../static/samples/rosette.gcode");
    let samples = [
        ("rosette", rosette),
        ("short", &short),
        ("arcs", arcs),
        ("dwells", dwells),
        ("rapids", rapids),
        ("mixed", mixed),
    ];
    for (name, text) in samples {
        let (estimate, clock) =
            (seconds(Motion::usual("grbl", true), text), simulated("grbl", text));
        assert!((estimate / clock - 1.0).abs() < 0.05, "{name}: {estimate} s, not {clock} s");
    }
}

#[test]
fn the_estimate_of_a_print_is_the_simulated_printers_clock() {
    let mut print = String::from("G21\nG90\nM83\nG1 Z0.2 F600\n");
    for row in 0..40 {
        let y = 10 + 2 * row;
        let _ = writeln!(print, "G0 X10 Y{y} F6000\nG1 X50 E1.5 F2400\nG1 X60 Y{} E1\n", y + 1);
    }
    let rosette = include_str!("../../../static/samples/rosette.gcode");
    let dwells = "G21\nG90\nG0 X50 F3000\nG4 P1500\nG1 X60 F300\nG4 S2\nG1 Y9\n";
    for (name, text) in [("print", print.as_str()), ("rosette", rosette), ("dwells", dwells)] {
        let estimate = seconds_on("marlin", Motion::usual("marlin", true), text);
        let clock = simulated("marlin", text);
        assert!((estimate / clock - 1.0).abs() < 0.05, "{name}: {estimate} s, not {clock} s");
    }
}
