//! Plans for plotters, carried out by simulated machines.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    super::{plan_resume, tests::SURE},
    *,
};
use crate::{
    domain::EbbOptions,
    firmware::{self, Faults, Firmware, simulate},
    toolpath::{Drawing, Layer, emit, plan::plan as commands},
};

const DIALECTS: [(&str, Dialect); 2] = [("ebb", Dialect::Ebb), ("hpgl", Dialect::Hpgl)];

fn plan_of(dialect: Dialect, text: &str, certain: u64) -> ResumePlan {
    plan_resume(text.as_bytes(), dialect, certain, &SURE).unwrap()
}

#[test]
fn a_setting_that_is_no_text_is_not_sent_again() {
    let text = b"SC,4,\xff\nSC,5,20000\nSP,1\nSP,0\n";
    let plan = plan_resume(&text[..], Dialect::Ebb, 3, &SURE).unwrap();
    assert_eq!(plan.preamble, ["SC,5,20000"]);
}

/// The strokes that a machine draws which gets these lines.
fn strokes(driver: &str, lines: &[String]) -> Vec<Vec<[i64; 2]>> {
    let mut machine: Box<dyn Firmware> = simulate(driver, 0.0, Faults::default()).unwrap();
    machine.power_on(Duration::ZERO);
    let end = if driver == "ebb" { "\r" } else { "" };
    if driver == "ebb" {
        // Every job begins so.
        machine.receive(b"SP,1\r", Duration::ZERO);
    }
    for line in lines {
        machine.receive(format!("{line}{end}").as_bytes(), Duration::ZERO);
    }
    let mut said = Vec::new();
    machine.transmit(&mut said);
    assert!(!said.contains(&b'!'), "{}", String::from_utf8_lossy(&said));
    #[expect(clippy::cast_possible_truncation, reason = "a few hundred millimetres")]
    let steps = |at: [f64; 3]| [at[0], at[1]].map(|value| (value * 1000.0).round() as i64);
    let mut strokes: Vec<Vec<[i64; 2]>> = Vec::new();
    let (mut at, mut drawing) = ([0; 2], false);
    for firmware::Move { to, draw } in &machine.drawing().moves {
        let here = steps(*to);
        if *draw {
            if !drawing {
                strokes.push(vec![at]);
            }
            strokes.last_mut().unwrap().push(here);
        }
        drawing = *draw || (drawing && to[2] <= 0.0);
        at = here;
    }
    strokes
}

/// For every line after which it may be cut, the preamble and the rest draw the strokes of which not
/// every line is certain, and no other.
fn check(driver: &str, dialect: Dialect, text: &str) {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let whole = strokes(driver, &lines);
    for certain in 0..=lines.len() {
        // A stroke that has begun, or is still to come.
        let left = whole.len() - done(driver, &lines, certain);
        let plan = plan_of(dialect, text, certain as u64);
        assert_eq!(plan.confidence, Confidence::Certain);
        let skip = usize::try_from(plan.skip_lines).unwrap();
        assert_eq!(plan.from_line, (skip < lines.len()).then_some(skip as u64 + 1));
        let again = [&plan.preamble[..], &lines[skip..]].concat();
        let drawn = strokes(driver, &again);
        assert_eq!(drawn, whole[whole.len() - left..], "{certain} certain of\n{text}\n{plan:?}");
    }
}

/// How many strokes the first so many lines draw whole.
fn done(driver: &str, lines: &[String], certain: usize) -> usize {
    let draws = |line: &String| match driver {
        "ebb" => line.starts_with("LM"),
        _ => line.starts_with("PD"),
    };
    let (mut up, mut strokes, mut begun) = (true, 0, false);
    for (index, line) in lines.iter().enumerate() {
        let lifts = line.starts_with("SP,1") || line.starts_with("PU");
        if lifts && begun {
            strokes += 1;
            begun = false;
        }
        up = lifts || (up && !line.starts_with("SP,0") && !line.starts_with("PD"));
        if !up && draws(line) {
            if index >= certain {
                return strokes;
            }
            begun = true;
        }
    }
    strokes
}

#[test]
fn a_stroke_under_way_is_drawn_from_its_beginning() {
    let text = "SC,4,20000\nSP,1,200\nXM,500,800,0\nSP,0,200\nXM,500,400,0\nXM,500,0,400\nSP,1,200\n\
        SC,4,21000\nXM,500,80,80\nSP,0,200\nXM,500,400,0\nSP,1,200\nHM,4000\n";
    let plan = plan_of(Dialect::Ebb, text, 5);
    assert_eq!((plan.from_line, plan.skip_lines, plan.redo_lines), (Some(4), 3, 2));
    assert_eq!(plan.preamble, ["SC,4,20000", "HM,4000,800,800"]);
    assert_eq!(plan.state, ["pen up", "at X10 Y0"]);
    assert_eq!(plan.warnings.len(), 1);
    // All of the first stroke is done: what comes before the next one may be left out.
    let plan = plan_of(Dialect::Ebb, text, 6);
    assert_eq!((plan.from_line, plan.redo_lines), (Some(10), 0));
    assert_eq!(plan.preamble, ["SC,4,21000", "HM,4000,1760,800"]);
    let plan = plan_of(Dialect::Ebb, text, 13);
    assert_eq!((plan.from_line, plan.preamble), (None, vec!["SC,4,21000".to_owned()]));
}

#[test]
fn hpgl_has_its_settings_its_pen_and_its_place_again() {
    let text = "VS5;IN;IP0,0,4000,4000;SC0,100,0,100;VS9;SP2;PU10,10;VS20;PD20,10;PD20,20;PU;\
        SP3;PR5,5;PD1,1;PU;SP0;";
    let plan = plan_of(Dialect::Hpgl, text, 9);
    let lines = ["IN;", "IP0,0,4000,4000;", "SC0,100,0,100;", "VS20;", "SP2;", "PU;", "PA10,10;"];
    assert_eq!(plan.preamble, lines);
    assert_eq!((plan.from_line, plan.redo_lines), (Some(9), 1));
    assert_eq!(plan.state, ["pen 2", "at X10 Y10"]);
    // Whether a pen was changed is not certain: that is done again.
    let plan = plan_of(Dialect::Hpgl, text, 11);
    assert_eq!(plan.from_line, Some(12));
    let plan = plan_of(Dialect::Hpgl, text, 13);
    assert_eq!(plan.preamble[4..], ["SP3;", "PU;", "PA25,25;", "PR;"]);
    assert_eq!(plan.from_line, Some(14));
}

#[test]
fn a_person_is_asked_again_for_a_layer_that_may_not_have_begun() {
    let text = "SP,1,200\nSP,0,200\nSM,500,400,0\nSP,1,200\nHM,4000\nSM,500,800,0\nSP,0,200\n\
        SM,500,400,0\nSP,1,200\n";
    let facts = Facts { stops: vec![6], ..SURE };
    let from =
        |certain| plan_resume(text.as_bytes(), Dialect::Ebb, certain, &facts).unwrap().from_line;
    assert_eq!((from(3), from(5), from(6)), (Some(6), Some(6), Some(7)));
}

#[test]
fn what_a_plotter_writes_is_not_left_out() {
    let text = "IN;SP1;PU100,100;LBhello\u{3}PU;SP0;";
    assert_eq!(plan_of(Dialect::Hpgl, text, 3).from_line, Some(4));
    assert_eq!(plan_of(Dialect::Hpgl, text, 4).from_line, Some(6));
}

#[test]
fn a_file_that_counts_from_elsewhere_is_not_trusted() {
    let text = "SM,500,800,800\nCS\nSP,0\nSM,500,800,800\nSP,1\n";
    let plan = plan_of(Dialect::Ebb, text, 4);
    assert_eq!(plan.confidence, Confidence::Untrusted);
    assert!(plan.reason.unwrap().contains("counted from"));
    let lost = Facts { trust: Trust::NeedsHoming("it was off".to_owned()), ..SURE };
    for (_, dialect) in DIALECTS {
        let plan = plan_resume(&b""[..], dialect, 0, &lost).unwrap();
        assert_eq!(plan.confidence, Confidence::NeedsHoming);
        assert!(
            plan.warnings.last().unwrap().ends_with("then home the machine"),
            "{:?}",
            plan.warnings
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_cut_program_draws_what_the_whole_one_does(
        layers in proptest::collection::vec(
            proptest::collection::vec(
                proptest::collection::vec((0..200_i32, 0..150_i32), 2..6), 1..4),
            1..3),
    ) {
        let layers = layers.into_iter().map(|strokes| {
            let strokes = strokes.into_iter().enumerate().map(|(index, points)| {
                let mut points: Vec<[f64; 2]> =
                    points.into_iter().map(|(x, y)| [f64::from(x), f64::from(y)]).collect();
                points.dedup();
                // No two strokes meet, and none is a dot.
                let last = points[points.len() - 1];
                let apart = 0.1 * f64::from(u8::try_from(index).unwrap_or(0) + 1);
                points.push([last[0] + 1.0 + apart, last[1] + apart]);
                points
            });
            Layer { strokes: strokes.collect(), stop: true, ..Layer::default() }
        });
        let drawing = Drawing { layers: layers.collect(), ..Drawing::default() };
        let mut text = Vec::new();
        commands(&drawing, &EbbOptions { y_down: false, ..EbbOptions::default() }, &mut text).unwrap();
        check("ebb", Dialect::Ebb, &String::from_utf8(text).unwrap());
        let mut text = Vec::new();
        emit::hpgl(&drawing, 6, &mut text).unwrap();
        check("hpgl", Dialect::Hpgl, &String::from_utf8(text).unwrap());
    }
}
