//! Plans, read and carried out by a simulated machine.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    firmware::{Faults, Firmware, Grbl},
    toolpath::{Dialect, plan::Axes},
};

pub(super) const SURE: Facts = Facts {
    trust: Trust::Certain,
    position: None,
    start: None,
    axes: Axes { steps_per_mm: 80.0, height: None },
    stops: Vec::new(),
};

fn plan(text: &str, certain: u64) -> ResumePlan {
    plan_resume(text.as_bytes(), Dialect::Gcode, certain, &SURE).unwrap()
}

const SQUARES: &str = "G21 G90 (two squares)\nG0 Z5\nG0 X10 Y10\nG1 Z0 F600\nG1 X20\nY20\nG0 Z5\n\
                       G0 X40 Y10\nG1 Z0\nG1 X50\nY20\nG0 Z5\nG0 X0 Y0\nM2\n";

#[test]
fn a_stroke_under_way_is_begun_again_and_one_that_is_done_is_not() {
    let plan = plan(SQUARES, 10);
    assert_eq!((plan.from_line, plan.skip_lines), (Some(9), 8));
    assert_eq!((plan.last_certain_line, plan.redo_lines), (10, 2));
    assert!(near(plan.certain_position, [50.0, 10.0, 0.0]));
    let lines = ["G21 G90 G94 G54", "G0 Z5", "G0 X40 Y10", "G0 Z5", "G17 G21 G90 G94 G0 F600"];
    assert_eq!(plan.preamble, lines);
    assert_eq!((plan.confidence, plan.reason), (Confidence::Certain, None));
    insta::assert_snapshot!(plan.state.join(", "), @"millimetres, absolute moves, plane XY, coordinate system G54, feed 600 mm/min, at X40 Y10 Z5");
}

#[test]
fn what_ends_the_file_is_left_though_nothing_is_left_to_draw() {
    let text = "G21 G90\nM3 S200\nG1 X10 F600\nS0\n; the end\nM5\n";
    let plan = plan(text, 3);
    assert_eq!((plan.from_line, plan.skip_lines), (Some(4), 3));
    let ended = self::plan(text, 5);
    assert_eq!((ended.from_line, ended.skip_lines), (None, 5));
}

#[test]
fn between_strokes_nothing_is_done_again() {
    for certain in 6..=8 {
        let plan = plan(SQUARES, certain);
        assert_eq!((plan.from_line, plan.redo_lines), (Some(9), 0), "{certain}");
        assert_eq!(plan.last_certain_line, certain);
    }
}

#[test]
fn nothing_certain_starts_over_and_all_certain_leaves_nothing() {
    let first = plan(SQUARES, 0);
    // Travel alone comes before the first stroke.
    assert_eq!((first.from_line, first.skip_lines, first.redo_lines), (Some(4), 3, 0));
    for certain in [13, 14, 99] {
        let last = plan(SQUARES, certain);
        assert_eq!((last.from_line, last.skip_lines), (Some(14), 13), "{certain}");
    }
    let ended = plan("G21 G90\nG1 X5 F600\n", 2);
    assert_eq!((ended.from_line, ended.skip_lines, ended.redo_lines), (None, 2, 0));
}

#[test]
fn a_stop_for_a_person_is_not_skipped() {
    let text = "G21 G90 F600\nG0 Z5\nG1 Z0\nG1 X20\nG0 Z5\nM0 (red pen)\nG0 X30\nG1 Z0\nG1 X40\n";
    let plan = plan(text, 5);
    assert_eq!((plan.from_line, plan.skip_lines), (Some(6), 5));
    // Nor is one that only the job knows of: a layer begins with line 7.
    let stops = vec![7];
    let layer = plan_resume(text.as_bytes(), Dialect::Gcode, 6, &Facts { stops, ..SURE }).unwrap();
    assert_eq!(layer.from_line, Some(7));
    // Once it is certain that it was there, it is done.
    assert_eq!(self::plan(text, 6).from_line, Some(8));
}

#[test]
fn a_mill_starts_its_spindle_above_the_work() {
    let text = "G20 G90 G17\nM3 S12000\nG0 Z0.5\nG0 X1 Y1\nG1 Z-0.1 F10\nG1 X2\nG1 X3\nG0 Z0.5\n";
    let plan = plan(text, 6);
    let lines = [
        "M5",
        "G21 G90 G94 G54",
        "G0 Z12.7",
        "G0 X25.4 Y25.4",
        "M3 S12000",
        "G4 P2",
        "G0 Z12.7",
        "G17 G20 G90 G94 G0 S12000",
    ];
    assert_eq!(plan.preamble, lines);
    assert_eq!((plan.from_line, plan.redo_lines), (Some(5), 2));
}

#[test]
fn relative_files_need_to_know_where_they_began() {
    let text = "G21 G91\nG0 Z5\nG0 X10\nG1 Z-5 F600\nG1 X10\nG1 X10\nG0 Z5\n";
    let unknown = plan(text, 5);
    assert_eq!(unknown.confidence, Confidence::Untrusted);
    assert!(unknown.reason.unwrap().contains("where the machine stood"));
    let facts = Facts { start: Some([100.0, 50.0, 1.0]), ..SURE };
    let known = plan_resume(text.as_bytes(), Dialect::Gcode, 5, &facts).unwrap();
    assert_eq!(known.confidence, Confidence::Certain);
    assert!(near(known.certain_position, [120.0, 50.0, 1.0]));
    assert!(known.preamble.contains(&"G0 X110 Y50".to_owned()), "{:?}", known.preamble);
    assert!(known.preamble.last().unwrap().contains("G91"));
}

#[test]
fn what_cannot_be_followed_is_not_trusted_until_the_file_says_where_it_is() {
    let lost = plan("G21 G90\nG0 X1 Y1\nG28\nG1 X5 F600\nG1 X6\n", 4);
    assert_eq!(lost.confidence, Confidence::Untrusted);
    let found = plan("G21 G90\nG28\nG0 X1 Y1\nG1 X5 F600\nG1 X6\n", 4);
    assert_eq!(found.confidence, Confidence::Certain, "{:?}", found.reason);
    let other = plan("G21 G90\nG55\nG0 X1 Y1\nG1 X5 F600\nG1 X6\n", 4);
    assert!(other.preamble[0].contains("G55"), "{:?}", other.preamble);
    let homing = Facts { trust: Trust::NeedsHoming("it was off".to_owned()), ..SURE };
    let plan = plan_resume(SQUARES.as_bytes(), Dialect::Gcode, 8, &homing).unwrap();
    assert_eq!(plan.confidence, Confidence::NeedsHoming);
    assert_eq!(plan.reason.as_deref(), Some("it was off"));
}

#[test]
fn marlin_gets_a_command_a_line() {
    let text = "G21\nG90\nG0 Z5 F3000\nG0 X10 Y10\nG1 Z0 F600\nG1 X20\nG1 X30\n";
    let plan = plan_resume(text.as_bytes(), Dialect::Marlin, 6, &SURE).unwrap();
    let lines = ["G21", "G90", "G0 Z5 F3000", "G0 X10 Y10 F3000", "G0 Z5 F3000", "G21", "G90"];
    assert_eq!(plan.preamble[..7], lines);
    assert_eq!(plan.preamble[7..], ["G0 F3000"]);
    assert!(matches!(plan_resume(&b""[..], Dialect::Lines, 0, &SURE), Err(ResumeError::Unknown)));
}

#[test]
fn a_printer_is_warmed_first_and_its_filament_counted_on() {
    let text = "M140 S60\nM104 S210\nM190 S60\nM109 S210\nG21\nG90\nM82\nG92 E0\nG1 Z0.2 F600\n\
        M106 S128\nG1 X10 E1.5 F1200\nG1 X20 E3\nG0 X50 F3000\nG1 X60 E4.5\nG1 X70 E6\n";
    let plan = plan_resume(text.as_bytes(), Dialect::Marlin, 13, &SURE).unwrap();
    assert_eq!(plan.preamble[..4], ["M140 S60", "M104 S210", "M190 S60", "M109 S210"]);
    let last = plan.preamble.len() - 3;
    assert_eq!(plan.preamble[last..], ["M82", "G92 E3", "M106 S128"], "{plan:?}");
    assert_eq!(plan.skip_lines, 13, "after the travel, before the filament: {plan:?}");
    // In the middle of a stroke it begins that again.
    let plan = plan_resume(text.as_bytes(), Dialect::Marlin, 11, &SURE).unwrap();
    assert_eq!((plan.skip_lines, plan.redo_lines), (9, 2), "{plan:?}");
    assert!(plan.preamble.contains(&"G92 E0".to_owned()));
    let mill = plan_resume(text.as_bytes(), Dialect::Gcode, 13, &SURE).unwrap();
    assert!(!mill.preamble.iter().any(|line| line.contains('E') || line.contains("M104")));
    let relative = text.replace("M82", "M83");
    let plan = plan_resume(relative.as_bytes(), Dialect::Marlin, 13, &SURE).unwrap();
    assert!(plan.preamble.contains(&"M83".to_owned()), "{plan:?}");
}

/// How a random program lifts its tool.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tool {
    Z,
    Pen,
    Laser,
    Nothing,
    Mill,
}

/// A program of these steps; whatever the numbers, a machine takes it.
fn program(tool: Tool, relative: bool, steps: &[(u8, i8, i8)]) -> Vec<String> {
    let mut relative = relative;
    let mut lines = vec![format!("G21 {} F600", if relative { "G91" } else { "G90" })];
    let up = |relative| match tool {
        Tool::Z | Tool::Mill if relative => "G0 Z6",
        Tool::Z | Tool::Mill => "G0 Z5",
        Tool::Pen => "M5",
        Tool::Laser | Tool::Nothing => "G4 P0",
    };
    let down = |relative, rapid| match tool {
        Tool::Z | Tool::Mill if relative => "G1 Z-6",
        Tool::Z | Tool::Mill if rapid => "G0 Z-1",
        Tool::Z | Tool::Mill => "G1 Z-1",
        Tool::Pen => "M3 S90",
        Tool::Laser | Tool::Nothing => "G4 P0.1",
    };
    lines.extend(match tool {
        Tool::Mill => vec!["M3 S1000".to_owned(), up(relative).to_owned()],
        Tool::Laser => vec!["M4 S500".to_owned()],
        _ => vec![up(relative).to_owned()],
    });
    for (step, a, b) in steps {
        let line = match step {
            0..=2 => {
                lines.push(up(relative).to_owned());
                lines.push(format!("G0 X{a} Y{b}"));
                down(relative, a % 2 == 0).to_owned()
            }
            3..=6 => format!("G1 X{a} Y{b}"),
            7 => format!("G1 X{a}"),
            8 => {
                lines.push(format!("G1 X{a}"));
                format!("Y{b}")
            }
            9 => format!("G2 I{} J{b}", i16::from(*a).abs() + 1),
            10 if relative => {
                let radius = i16::from(*a).abs() + 1;
                format!("G3 X{} Y0 R{radius}.5", 2 * radius)
            }
            10 => "G4 P0".to_owned(),
            11 => {
                relative = !relative;
                if relative { "G91".to_owned() } else { "G90".to_owned() }
            }
            12 => if a % 2 == 0 { "G20" } else { "G21" }.to_owned(),
            13 => format!("G92 X{a} Y{b}"),
            14 => "M0".to_owned(),
            15 => format!("F{}", 100 + i16::from(*a).abs()),
            16 => "G92.1".to_owned(),
            17 => "G18\nG17".to_owned(),
            _ => format!("G0 X{a} Y{b}"),
        };
        lines.extend(line.split('\n').map(str::to_owned));
    }
    lines.push(up(relative).to_owned());
    lines.push("G0 X0".to_owned());
    lines
}

/// From, to, and whether the tool worked.
type Piece = ([f64; 3], [f64; 3], bool);

struct Bench {
    machine: Grbl,
    at: [f64; 3],
}

impl Bench {
    fn new(start: [f64; 3]) -> Self {
        let mut machine = Grbl::new(0.0, Faults::default());
        machine.power_on(Duration::ZERO);
        machine.transmit(&mut Vec::new());
        let mut bench = Self { machine, at: [0.0; 3] };
        let [x, y, z] = start;
        bench.run(&format!("G21 G90 G0 X{x} Y{y} Z{z}"));
        bench.reset();
        bench
    }

    /// What one line makes it do.
    fn run(&mut self, line: &str) -> Vec<Piece> {
        let before = self.machine.drawing().total;
        self.machine.receive(format!("{line}\n").as_bytes(), Duration::ZERO);
        self.machine.receive(b"~", Duration::ZERO);
        self.machine.advance(Duration::ZERO);
        let mut out = Vec::new();
        self.machine.transmit(&mut out);
        assert_eq!(String::from_utf8_lossy(&out).trim(), "ok", "to {line}");
        let drawing = self.machine.drawing();
        let new = usize::try_from(drawing.total - before).unwrap();
        let moves = drawing.moves.iter().skip(drawing.moves.len() - new);
        moves.map(|it| (std::mem::replace(&mut self.at, it.to), it.to, it.draw)).collect()
    }

    fn reset(&mut self) {
        self.machine.receive(&[0x18], Duration::ZERO);
        self.machine.transmit(&mut Vec::new());
    }
}

fn near(a: [f64; 3], b: [f64; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.01)
}

/// A drawn piece of no length on the plane is a point of the stroke it belongs to.
fn is_point(piece: &Piece) -> bool {
    (piece.0[0] - piece.1[0]).hypot(piece.0[1] - piece.1[1]) < 0.01
}

fn check(lines: &[String], start: [f64; 3], certain: usize, executed: usize) {
    let text = lines.join("\n");
    let mut whole = Bench::new(start);
    let drawn: Vec<Vec<Piece>> = lines.iter().map(|line| whole.run(line)).collect();
    // The same machine, interrupted after more lines than are certain.
    let mut bench = Bench::new(start);
    lines[..executed].iter().for_each(|line| drop(bench.run(line)));
    bench.reset();
    let facts =
        Facts { trust: Trust::Certain, position: Some(bench.at), start: Some(start), ..SURE };
    let plan = plan_resume(text.as_bytes(), Dialect::Gcode, certain as u64, &facts).unwrap();
    assert_eq!(plan.confidence, Confidence::Certain, "{plan:?}");
    let skip = usize::try_from(plan.skip_lines).unwrap();
    assert_eq!(plan.from_line, (skip < lines.len()).then_some(skip as u64 + 1));
    for line in &plan.preamble {
        for piece in bench.run(line).iter().filter(|piece| piece.2) {
            assert!(is_point(piece), "{line} draws {piece:?}\n{plan:?}");
        }
    }
    // From there on, line by line, it does what the uninterrupted one did.
    for (index, line) in lines.iter().enumerate().skip(skip) {
        let again = bench.run(line);
        assert_eq!(again.len(), drawn[index].len(), "line {}: {line}\n{plan:?}", index + 1);
        for (a, b) in again.iter().zip(&drawn[index]) {
            let same = a.2 == b.2 && near(a.1, b.1) && (!a.2 || near(a.0, b.0));
            assert!(same, "line {}: {line}: {a:?} is not {b:?}\n{plan:?}", index + 1);
        }
    }
    // Nothing that may be missing is left out.
    let works = |index: usize| drawn[index].iter().any(|piece| piece.2);
    let lost = (certain..skip).find(|index| works(*index));
    assert_eq!(lost, None, "a stroke is lost\n{plan:?}");
    // No stroke that was certainly done is done again: all of its lines, or none, come after.
    let mut stroke: Vec<usize> = Vec::new();
    for index in 0..=certain {
        let travels = index < certain && drawn[index].iter().any(|piece| !piece.2);
        let goes_on = index == certain && {
            let next = (certain..lines.len()).find(|index| !drawn[*index].is_empty());
            next.is_some_and(&works)
        };
        if travels || index == certain {
            let twice = stroke.iter().any(|index| *index >= skip);
            assert!(!twice || goes_on, "a stroke is drawn twice\n{plan:?}");
            stroke.clear();
        } else if works(index) {
            stroke.push(index);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// For every line at which a program may be cut: what was certainly done, the preamble and the
    /// rest draw what the whole program draws; no stroke is lost, none that is done is done twice.
    #[test]
    fn a_cut_program_draws_what_the_whole_one_does(
        tool in prop_oneof![
            Just(Tool::Z), Just(Tool::Pen), Just(Tool::Laser), Just(Tool::Nothing), Just(Tool::Mill)
        ],
        relative in any::<bool>(),
        steps in proptest::collection::vec((0_u8..20, -20_i8..20, -20_i8..20), 1..25),
        start in [-50_i8..50, -50_i8..50, 0_i8..5],
        ahead in 0_usize..15,
    ) {
        let lines = program(tool, relative, &steps);
        let mut cleaned = Vec::new();
        for line in &lines {
            Dialect::Gcode.clean(line.as_bytes(), &mut cleaned);
            prop_assert_eq!(cleaned.as_slice(), line.as_bytes());
        }
        let start = start.map(f64::from);
        for certain in 0..=lines.len() {
            check(&lines, start, certain, (certain + ahead).min(lines.len()));
        }
    }
}
