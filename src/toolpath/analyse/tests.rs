//! What is found in small files.

mod marlin;
mod plotters;

use super::*;
use crate::domain::{DeviceVerdict, Envelope};

fn of(text: &str) -> Analysis {
    on(&[Machine { motion: Motion::SIMULATED, ..Machine::unknown("grbl") }], text)
}

fn on(machines: &[Machine], text: &str) -> Analysis {
    analyse(text.as_bytes(), machines).unwrap().0
}

#[test]
fn bounds_lengths_and_time_of_a_square() {
    let square = "G21 G90\nG0 Z5\nG0 X10 Y20\nG1 Z0 F600\nG1 X30\nY40\nX10\nY20\nG0 Z5\n";
    let found = of(square);
    assert_eq!(found.lines, 9);
    assert_eq!((found.min, found.max), (Some([0.0, 0.0, 0.0]), Some([30.0, 40.0, 5.0])));
    assert!((found.draw_length_mm - 85.0).abs() < 1e-9);
    assert!((found.travel_length_mm - 10.0 - 500_f64.sqrt()).abs() < 1e-9);
    let seconds = 85.0 / 10.0 + (10.0 + 20.0) / 50.0; // each axis at its own

    assert!((found.estimated_seconds - seconds).abs() < 1e-9);
    assert_eq!(found.warnings, [""; 0]);
}

#[test]
fn arcs_reach_beyond_their_ends() {
    let found = of("G21G90\nG0X0Y10\nG2 X20 Y10 I10 J0 F600\n");
    let max = found.max.unwrap();
    assert!((max[1] - 20.0).abs() < 0.02, "{max:?}");
    assert!((found.draw_length_mm - 10.0 * std::f64::consts::PI).abs() < 1e-6);
}

#[test]
fn inches_relative_moves_and_offsets_are_followed() {
    let found = of("G20 G91\nG1 X1 F10\nG1 X1\nG92 X0\nG90\nG1 X1\n");
    assert!((found.max.unwrap()[0] - 76.2).abs() < 1e-9);
}

#[test]
fn a_pen_on_a_spindle_word_draws_only_while_it_is_on() {
    let found = of("G21 G90 F600\nG1 X10\nM5\nG1 X20\nM3\nG1 X50\n");
    assert!((found.draw_length_mm - 40.0).abs() < 1e-9);
}

#[test]
fn where_zero_is_makes_no_difference_to_a_cut() {
    let cut = |zero: f64| {
        let (up, down) = (zero + 20.0, zero + 5.0);
        of(&format!(
            "G21 G90 F600\nG0 X10 Y10 Z{up}\nG1 Z{down}\nX60\nY30\nG2 X10 I-25\nG1 Z{up}\n"
        ))
    };
    let work = 15.0 + 50.0 + 20.0 + std::f64::consts::PI * 25.0;
    for zero in [-10.0, -5.0, 0.0, 30.0] {
        assert!((cut(zero).draw_length_mm - work).abs() < 1e-9, "{zero}");
    }
    let travel = cut(0.0).travel_length_mm - 600.0_f64.sqrt();
    assert!((travel - 15.0).abs() < 1e-9, "a tool that rises does not work");
}

#[test]
fn a_print_works_where_filament_comes_out() {
    let print = |text: &str| {
        let marlin = [Machine::unknown("marlin")];
        let text = format!("G21\nG90\nG92 E5\nG1 Z0.2 F600\n{text}");
        let analysis = on(&marlin, &text);
        (analysis.draw_length_mm, analysis.travel_length_mm)
    };
    // A purge, a retraction, a way there, a line, a wipe.
    let absolute = "G1 X10 E6\nG1 E4\nG1 X20\nG1 E6\nG1 X50 E8\nG1 X40 E7\n";
    assert_eq!(print(absolute), (40.0, 20.2));
    let relative = "M83\nG1 X10 E1\nG1 E-2\nG1 X20\nG1 E2\nG1 X50 E2\nG1 X40 E-1\n";
    assert_eq!(print(relative), (40.0, 20.2));
    // G91 holds for filament too, M82 after it does not.
    assert_eq!(print("G91\nG1 X10 E1\nG1 X10 E1\n"), (20.0, 0.2));
    assert_eq!(print("G91\nM82\nG1 X10 E6\nG1 X10 E6\n"), (10.0, 10.2));
    // A pen on such a machine is no print.
    assert_eq!(print("G1 Z0\nG1 X10\n"), (10.2, 0.2));
}

#[test]
fn what_is_missing_is_a_warning_with_its_line() {
    let found = of(&format!("; nothing said\nG0 X1\nG1 X2\nG1 X3\nHello\n{}\n", "G".repeat(90)));
    insta::assert_snapshot!(found.warnings.join("\n"), @r"
    line 2: no units (G20 or G21) before the first move: taken as millimetres
    line 2: no G90 or G91 before the first move: taken as absolute
    line 3: no feed (F) before the first working move: GRBL refuses it
    line 5: text that is not G-code
    line 6: is longer than 79 characters: GRBL refuses it
    ");
}

#[test]
fn the_sample_fits_a_small_plotter_and_says_everything_it_should() {
    let found = of(include_str!("../../../static/samples/rosette.gcode"));
    assert_eq!(found.warnings, [""; 0]);
    assert!((1500..3000).contains(&found.lines), "{}", found.lines);
    let (min, max) = (found.min.unwrap(), found.max.unwrap());
    assert!(min[0] >= 0.0 && min[1] >= 0.0 && min[2] >= 0.0, "{min:?}");
    assert!(max[0] <= 300.0 && max[1] <= 218.0 && max[2] <= 50.0, "{max:?}");
    assert!(found.draw_length_mm > 3.0 * found.travel_length_mm, "{found:?}");
}

fn reaching(name: &str, x: f64, y: f64) -> Machine {
    let envelope = Some(Envelope { x, y, z: Some(50.0) });
    Machine { name: name.to_owned(), envelope, ..Machine::unknown("grbl") }
}

fn codes(analysis: &Analysis) -> Vec<(Light, Option<u64>, &str, u64)> {
    let one = |it: &'_ Finding| (it.severity, it.line, it.count);
    analysis
        .problems
        .iter()
        .map(|it| {
            let (severity, line, count) = one(it);
            (severity, line, it.code.as_str(), count)
        })
        .collect()
}

#[test]
fn a_good_file_on_a_machine_that_reaches_it_is_green() {
    let found = on(
        &[reaching("mill", 300.0, 218.0)],
        include_str!("../../../static/samples/rosette.gcode"),
    );
    assert_eq!((found.verdict, found.problems.len()), (Light::Green, 0), "{:?}", found.problems);
    assert_eq!(found.stops, []);
    assert!(found.pen_lifts > 10, "{}", found.pen_lifts);
}

#[test]
fn without_an_envelope_there_is_an_amber_note_and_no_warning() {
    let found = of("G21 G90\nG0 X1\n");
    assert_eq!(codes(&found), [(Light::Amber, None, "no-envelope", 1)]);
    assert_eq!((found.verdict, found.warnings.len()), (Light::Amber, 0));
}

#[test]
fn motion_outside_is_red_with_its_first_line_whether_it_works_or_travels() {
    let machine = [reaching("mill", 100.0, 100.0)];
    let travel = on(&machine, "G21 G90\nG0 Z5\nG0 X112.5\nG0 X200\nG0 X0 Y-3\n");
    assert_eq!(codes(&travel), [(Light::Red, Some(3), "envelope", 1)]);
    assert_eq!(
        travel.reason().unwrap(),
        "line 3: leaves the envelope of mill: X goes 100.000 mm beyond 100, Y goes 3.000 mm below 0"
    );
    // Its ends are inside, its belly is not.
    let arc = on(&machine, "G21 G90\nG0 X90 Y40\nG3 X90 Y60 I0 J10 F600\nG2 X90 Y20 I0 J-20\n");
    assert_eq!(codes(&arc), [(Light::Red, Some(4), "envelope", 1)]);
    let inside = on(&machine, "G21 G90\nG0 X100 Y100 Z-50\n");
    assert_eq!(inside.verdict, Light::Green, "{:?}", inside.problems);
    let inches = on(&machine, "G20 G90\nG0 X4\n");
    assert_eq!(inches.verdict, Light::Red);
}

#[test]
fn each_machine_has_its_own_verdict_and_the_best_counts() {
    let machines = [reaching("small", 100.0, 100.0), reaching("large", 300.0, 300.0)];
    let found = on(&machines, "G21 G90\nG0 X150\n");
    let verdicts: Vec<_> =
        found.devices.iter().map(|it| (it.device.as_str(), it.verdict)).collect();
    assert_eq!(verdicts, [("small", Light::Red), ("large", Light::Green)]);
    assert_eq!((found.verdict, found.problems.len()), (Light::Green, 0));
    let far = on(&machines, "G21 G90\nG0 X350\n");
    assert!(far.devices.iter().all(|it| it.verdict == Light::Red));
    assert_eq!(far.verdict, Light::Red);
    let DeviceVerdict { problems, .. } = found.of_device("small").unwrap();
    assert_eq!((problems[0].code.as_str(), problems[0].line), ("envelope", Some(2)));
}

#[test]
fn dangerous_commands_are_red_by_policy() {
    let file = "G21 G90\nM500\n$RST=*\n$100=250\n$110=9\nm502\n$N0=G21\n$H\nG28\nM30\n";
    let red = |machine: Machine| {
        let found = on(&[machine], file);
        let red = found.problems.iter().filter(|it| it.severity == Light::Red);
        let words = red.map(|it| {
            let word = it.message.split(" is denied").next().unwrap().to_owned();
            (it.line.unwrap(), word, it.count)
        });
        let mut words: Vec<_> = words.collect();
        words.sort();
        words
    };
    let word = |line, word: &str, count| (line, word.to_owned(), count);
    let usual = [
        word(2, "M500", 1),
        word(3, "$RST", 1),
        word(4, "a machine setting ($n=…)", 2),
        word(6, "M502", 1),
        word(7, "$N", 1),
    ];
    let mill = || reaching("mill", 100.0, 100.0);
    assert_eq!(red(mill()), usual);
    let allowed = Machine { allow: vec!["$=".to_owned(), "m500".to_owned()], ..mill() };
    assert_eq!(red(allowed), [&usual[1..2], &usual[3..]].concat());
    let denied = Machine { deny: vec!["G28".to_owned(), "$H".to_owned()], ..mill() };
    let more = [&usual[..], &[word(8, "$H", 1), word(9, "G28", 1)]].concat();
    assert_eq!(red(denied), more);
    let marlin = Machine { driver: "marlin".to_owned(), ..mill() };
    assert!(red(marlin).contains(&word(10, "M30", 1)), "it deletes files there");
}

#[test]
fn a_command_is_denied_however_it_is_spelt() {
    let denied = |driver: &str, line: &str| {
        let found = on(&[Machine::unknown(driver)], &format!("G21\nG90\n{line}\n"));
        assert_eq!(found.verdict, Light::Red, "{line}");
        found.problems.iter().any(|it| it.code == "denied-command" && it.line == Some(3))
    };
    for line in [
        "$ RST=*",
        "$ 100=250",
        "$1 00=250",
        "$R ST=*",
        "$ SLP",
        "$ N0=G20",
        "$(a)RST=*",
        "/$RST=*",
        "$100 =250",
        " $\trst = *",
        "$+100=1",
        "$N+0=G20",
        "$Settings/Erase",
        "m 502",
        "N10 M0502",
        "/M502",
        "M(a)502",
    ] {
        assert!(denied("grbl", line), "{line}");
    }
    // What is no G-code is red for that already.
    for line in ["M 5 0 2", "M5/02", "[ESP444]RESTART", "[Settings/Restore]*"] {
        assert!(!denied("grbl", line), "{line}");
    }
}

#[test]
fn the_dialects_differ() {
    let file = "G21\nG90\nM104 S200\nM117 Hello (you)\nG29\nG0 X1 F600\nM0 Change the pen\n\
                M600\nG4 P500\n";
    let marlin = Machine { driver: "marlin".to_owned(), ..reaching("it", 10.0, 10.0) };
    let found = on(&[Machine { motion: Motion::SIMULATED, ..marlin }], file);
    assert_eq!(found.verdict, Light::Green, "{:?}", found.problems);
    let stop =
        |line, message: &str| Stop { line, message: message.to_owned(), alone: true, layer: false };
    assert_eq!(found.stops, [stop(7, "Change the pen"), stop(8, "M600")]);
    // G0 at its feed, and milliseconds.
    assert!((found.estimated_seconds - 0.1 - 0.5).abs() < 1e-9, "{}", found.estimated_seconds);
    let grbl = on(&[reaching("it", 10.0, 10.0)], file);
    let grbl: Vec<_> =
        codes(&grbl).iter().map(|it| (it.0, it.1, it.2)).map(|it| (it.2, it.1)).collect();
    assert!(grbl.contains(&("unknown-word", Some(3))) && grbl.contains(&("syntax", Some(4))));
}

#[test]
fn pause_points_are_told_with_their_message() {
    let found = of(
        "G21 G90 (begin)\nT1 M6\nG0 X1\nM0 (MSG,Insert the red pen)\nG0 X2\n; turn it\n\
                    M1\nG0 X3\nT2 ; fine tool\nM6\nG0 X4\nM6 T3 G0 X4\nG0 X5 ; M0 here is no stop\n",
    );
    let stop =
        |line, message: &str| Stop { line, message: message.to_owned(), alone: true, layer: false };
    let stops = [
        stop(2, "M6 T1"),
        stop(4, "Insert the red pen"),
        stop(7, "turn it"),
        stop(9, "fine tool"),
        Stop { alone: false, ..stop(12, "M6 T3") },
    ];
    assert_eq!(found.stops, stops);
}

#[test]
fn pens_are_lifted_as_often_as_strokes_end() {
    let z = of("G21 G90 F600\nG0 Z5\nG1 Z0\nG1 X5\nX6\nG0 Z5\nG0 X9\nG1 Z0\nG1 X10\nG0 Z5\n");
    assert_eq!(z.pen_lifts, 2);
    let spindle = of("G21 G90 F600\nM3\nG1 X5\nM5\nG1 X9\nM3\nG1 X10\n");
    assert_eq!(spindle.pen_lifts, 2, "the last ends with the file");
}

#[test]
fn lines_that_cannot_be_sent_are_red() {
    let long = format!("G21 G90\nG0 {}\n({})\nG0 X2\n", "X1".repeat(40), "c".repeat(5000));
    let found = of(&long);
    let red = codes(&found).into_iter().filter(|it| it.0 == Light::Red).collect::<Vec<_>>();
    assert_eq!(red.len(), 2, "{red:?}");
    assert!(red.iter().all(|it| it.2 == "line-too-long"));
    let spread = format!("G21 G90\nG0 X1{}Y2\n", " ".repeat(90));
    assert!(codes(&of(&spread)).iter().all(|it| it.0 != Light::Red), "blanks do not count");
}
