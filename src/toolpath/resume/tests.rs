//! Plans, read.

mod laws;

use super::*;
use crate::toolpath::{Dialect, plan::Axes};

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
    let lines = ["G21 G90 G94 G54", "G0 Z5", "G0 X40 Y10", "G17 G21 G90 G94 G0 F600"];
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
    for (certain, left) in [(12, Some(13)), (13, Some(14)), (14, None), (99, None)] {
        let last = plan(SQUARES, certain);
        assert_eq!((last.from_line, last.skip_lines), (left, certain.min(14)), "{certain}");
    }
    let ended = plan("G21 G90\nG1 X5 F600\n", 2);
    assert_eq!((ended.from_line, ended.skip_lines, ended.redo_lines), (None, 2, 0));
}

/// A router that is switched by hand, with zero on the table under the work.
const HIGH: &str =
    "G21\nG90\nG0 X10 Y10 Z20\nG1 Z5 F600\nG1 X60 F300\nG1 Y30\nG1 X10\nG1 Y10\nG0 Z20\n";

#[test]
fn a_cut_above_zero_is_work() {
    for dialect in [Dialect::Gcode, Dialect::Marlin] {
        let at = |certain, z| {
            let facts = Facts { position: Some([60.0, 20.6, z]), ..SURE };
            plan_resume(HIGH.as_bytes(), dialect, certain, &facts).unwrap()
        };
        for certain in 0..=7 {
            let plan = at(certain, 5.0);
            assert_eq!(plan.from_line, Some(4), "{certain} on {dialect:?}: {plan:?}");
            let place = |word: &str| plan.preamble.iter().position(|line| line.starts_with(word));
            assert!(place("G0 Z20") < place("G0 X10 Y10"), "{plan:?}");
        }
        assert_eq!(at(8, 5.0).from_line, Some(9), "the last line is left");
    }
    // Down to where it was goes at the feed of the file: there is work below the height of travel.
    let slot = HIGH.replace("G1 Z5 F600\n", "G1 Z5 F600\nG0 Z8\nG0 X30\n");
    let plan = plan(&slot, 6);
    assert_eq!(plan.from_line, Some(7));
    assert!(plan.preamble.contains(&"G1 Z8 F600".to_owned()), "{plan:?}");
}

#[test]
fn what_is_switched_by_hand_may_work_though_the_file_makes_sure_that_it_is_off() {
    let text = "G21 G90 F600\nM5\nG1 X10\nG1 Y10\nM8\nG1 X0\nM30\n";
    for (certain, from) in [(0, 1), (2, 1), (3, 1), (4, 5), (5, 1), (6, 7)] {
        assert_eq!(plan(text, certain).from_line, Some(from), "{certain}");
    }
}

#[test]
fn the_tool_is_lifted_as_high_as_the_file_lifts_it_though_it_has_not_yet() {
    let text = "G21 G90\nM3 S1000\nG0 X10 Y10 Z20\nG1 Z5 F600\nG1 X60\nG0 Z20\n";
    let facts = Facts { position: Some([30.0, 10.0, 5.0]), start: Some([0.0; 3]), ..SURE };
    let plan = plan_resume(text.as_bytes(), Dialect::Gcode, 0, &facts).unwrap();
    assert_eq!((plan.from_line, plan.skip_lines), (Some(1), 0));
    assert!(plan.preamble.contains(&"G0 Z20".to_owned()), "{plan:?}");
}

#[test]
fn what_works_without_a_move_is_not_left_out() {
    let pen = "G21 G90\nG0 X1 Y1\nM3 S90\nG4 P0.1\nM5\nG0 X2 Y2\nM3 S90\nG4 P0.1\nM5\nG0 X0 Y0\n";
    let from: Vec<_> = (0..=10).map(|certain| plan(pen, certain).from_line).collect();
    let wanted = [3, 3, 3, 3, 7, 7, 7, 7, 9, 10].map(Some);
    assert_eq!((&from[..10], from[10]), (&wanted[..], None));
    let servo = "G21 G90\nG0 X1 Y1\nM280 P0 S90\nG4 P100\nM280 P0 S0\nG0 X2\nM280 P0 S90\n";
    for (certain, from) in [(0, 3), (2, 3), (3, 3), (5, 7), (6, 7)] {
        let plan = plan_resume(servo.as_bytes(), Dialect::Marlin, certain, &SURE).unwrap();
        assert_eq!(plan.from_line, Some(from), "{certain}: {plan:?}");
    }
    // Nor is a file that does nothing a plan would know.
    let rapid = plan("G21 G90\nG0 X5\nG0 Z-1\nG0 X9\nM2\n", 0);
    assert_eq!((rapid.from_line, rapid.skip_lines), (Some(1), 0));
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
    let lines = ["G21", "G90", "G0 Z5 F3000", "G0 X10 Y10 F3000", "G21", "G90", "G0 F3000"];
    assert_eq!(plan.preamble, lines);
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

#[test]
fn what_other_commands_of_a_printer_have_is_not_its_state() {
    let text = "G21\nG90\nM82\nM3 S90\nM104 S200\nG0 X10 Y10 Z0.2 F3000\nM201 X900 Y900 F7\n\
                M203 E90\nM117 X5 E7 M83\nM605 E8\nG1 X20 E1 F600\nG1 X30 E2\n";
    let plan = plan_resume(text.as_bytes(), Dialect::Marlin, 10, &SURE).unwrap();
    assert!(near(plan.certain_position, [10.0, 10.0, 0.2]), "{plan:?}");
    for line in ["M3 S90", "G0 F3000", "M104 S200"] {
        assert!(plan.preamble.iter().any(|it| it == line), "{line}: {plan:?}");
    }
    assert!(!plan.preamble.iter().any(|it| it.starts_with("M83") || it.contains('E')), "{plan:?}");
}

fn near(a: [f64; 3], b: [f64; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.01)
}
