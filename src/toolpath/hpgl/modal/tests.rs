//! Each instruction by what it draws.

use std::f64::consts::PI;

use proptest::prelude::*;

use super::*;

/// Ends of segments in plotter units with whether they are drawn, and the warnings.
fn of(instructions: &[&str]) -> (Vec<Segment>, Vec<String>) {
    let (mut machine, mut segments, mut warnings) =
        (Interpreter::default(), Vec::new(), Vec::new());
    for text in instructions {
        let note = machine.instruction(text.as_bytes(), &mut segments);
        warnings.extend(note.map(|it| format!("{}: {}", it.severity, it.text)));
    }
    (segments, warnings)
}

fn ends(instructions: &[&str]) -> Vec<(i64, i64, bool)> {
    #[expect(clippy::cast_possible_truncation, reason = "small")]
    let unit = |value: f64| (value * UNITS_PER_MM).round() as i64;
    let (segments, _) = of(instructions);
    segments.iter().map(|it| (unit(it.to[0]), unit(it.to[1]), it.draw)).collect()
}

#[test]
fn moves_are_absolute_or_relative_with_the_pen_up_or_down() {
    let found = ends(&[
        "IN;",
        "SP1;",
        "PU100,200;",
        "PD300,200,300,400;",
        "PR;",
        "PU-100,0;",
        "PD10,10;",
        "PA0,0;",
    ]);
    assert_eq!(
        found,
        [
            (100, 200, false),
            (300, 200, true),
            (300, 400, true),
            (200, 400, false),
            (210, 410, true),
            (0, 0, true),
        ]
    );
    assert_eq!(ends(&["PU5,5;", "PD;", "PU;"]), [(5, 5, false), (5, 5, true)]);
    assert_eq!(ends(&["SP0;", "PD5,5;"]), [(5, 5, false)]);
}

#[test]
fn circles_arcs_and_wedges_have_their_length() {
    let length = |text: &[&str]| {
        of(text).0.iter().filter(|it| it.draw).map(|it| it.length * UNITS_PER_MM).sum::<f64>()
    };
    for (text, expected) in [
        (&["PU1000,1000;", "CI400;"][..], 800.0 * PI),
        (&["PU1000,0;", "PD;", "AA0,0,90;"], 500.0 * PI),
        (&["PU1000,0;", "PD;", "AA0,0,-90;"], 500.0 * PI),
        (&["PU1000,0;", "PD;", "AR-1000,0,360;"], 2000.0 * PI),
        (&["PU1000,0;", "PD;", "AR-1000,0,450;"], 2500.0 * PI),
        (&["PU1000,0;", "PD;", "AT0,1000,-1000,0;"], 1000.0 * PI),
        (&["PU1000,0;", "PD;", "RT-1000,-1000,-2000,0;"], 1000.0 * PI),
        (&["PU1000,0;", "PD;", "AT2000,0,3000,0;"], 2000.0),
        (&["EW1000,0,90;"], 2000.0 + 500.0 * PI),
        (&["EA300,400;"], 1400.0),
        (&["PU100,100;", "ER300,400;"], 1400.0),
        (&["PU100,100;", "PD;", "AA100,100,90;"], 0.0),
    ] {
        assert!((length(text) - expected).abs() < 1e-6, "{text:?}: {}", length(text));
    }
    assert_eq!(ends(&["PU1000,0;", "PD;", "AA0,0,90;"])[2], (0, 1000, true));
    assert_eq!(ends(&["PU1000,0;", "PD;", "AA0,0,-90;"])[2], (0, -1000, true));
    // The pen is back where it was.
    assert_eq!(ends(&["PU1000,1000;", "CI400;", "PD1100,1000;"])[4], (1100, 1000, true));
}

#[test]
fn scales_stretch_between_the_corners() {
    let scaled = ["IP1000,2000,3000,3000;", "SC0,100,0,10;", "PU50,5;", "PD100,10;"];
    assert_eq!(ends(&scaled), [(2000, 2500, false), (3000, 3000, true)]);
    let relative = ["IP0,0,1000,1000;", "SC0,10,0,10;", "PR;", "PD1,2;", "SC;", "PR1,2;"];
    assert_eq!(ends(&relative), [(100, 200, true), (101, 202, true)]);
    let same = ["IP0,0,1000,500;", "SC0,10,0,10,1;", "PD10,10;"];
    assert_eq!(ends(&same), [(500, 500, true)]);
    let factors = ["IP0,0,1000,500;", "SC0,40,0,40,2;", "PD10,10;"];
    assert_eq!(ends(&factors), [(400, 400, true)]);
    assert_eq!(ends(&["RO90;", "PD100,200;"]), [(-200, 100, true)]);
    assert_eq!(of(&["SC1,1,1,1;"]).1, ["amber: a scale (SC) that is none"]);
}

#[test]
fn what_is_not_drawn_is_said() {
    let (_, warnings) =
        of(&["LBHi\x03", "LT2,4;", "LT;", "RA1,1;", "PS;", "XX1;", "PEabc;", "DF;", "VS10;"]);
    insta::assert_snapshot!(warnings.join("\n"), @r"
    amber: text and symbols are not drawn
    amber: line types are drawn as whole lines
    amber: filled shapes are drawn by their outline
    amber: XX is not known
    amber: encoded lines (PE) are not drawn
    ");
}

#[test]
fn what_is_broken_is_red() {
    let (segments, warnings) = of(&[
        "PD1,2,3;",
        "PA1;",
        "PD1.2.3,4;",
        "PU-,4;",
        "CI;",
        "AA1,2;",
        "EW5,6;",
        "RT1,2,3;",
        "C;",
        "1,2;",
        "D1;",
        "?;",
        "LBHi;PU0,0;PD9,9;\x03",
        "!ST1;",
        "@;",
        "SP;",
        "IN;",
        "SC;",
        "PU;",
        "PU5.,+.5;",
    ]);
    insta::assert_snapshot!(warnings.join("\n"), @r#"
    red: PD has one coordinate without the other
    red: PA has one coordinate without the other
    red: PD has a number that is none
    red: PU has a number that is none
    red: CI has too few numbers
    red: AA has too few numbers
    red: EW has too few numbers
    red: RT has too few numbers
    red: text that is not HPGL: "C"
    red: text that is not HPGL: "1,2"
    red: text that is not HPGL: "D1"
    red: text that is not HPGL: "?"
    red: LB has instructions in its text: its end may be missing
    amber: !ST1 is not known
    amber: @ is not known
    "#);
    // The points that are whole are followed.
    assert_eq!(segments.len(), 2);
}

#[test]
fn speed_is_that_of_the_pen() {
    let seconds = |text: &[&str]| of(text).0.iter().map(|it| it.seconds).sum::<f64>();
    assert!((seconds(&["VS10;", "PD4000,0;"]) - 1.0).abs() < 1e-9);
    assert!((seconds(&["VS0;", "PD4000,0;"]) - 100.0 / 381.0).abs() < 1e-9);
}

proptest! {
    /// No text makes it panic, and nothing it says is no number.
    #[test]
    fn no_text_makes_it_panic(
        texts in proptest::collection::vec("[A-Z]{2}[-0-9.,e]{0,30};?", 0..20),
        known in proptest::collection::vec("(PU|PD|PA|PR|CI|AA|AR|AT|RT|EA|ER|EW|SC|IP|RO|SP|VS)(-?[0-9]{1,40},?){0,5};", 0..20),
    ) {
        let all: Vec<&str> = texts.iter().chain(&known).map(String::as_str).collect();
        for segment in of(&all).0 {
            prop_assert!(segment.from.iter().chain(&segment.to).all(|it| it.is_finite()));
        }
    }
}
