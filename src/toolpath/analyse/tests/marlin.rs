//! What is found in files for printers.

use super::*;

fn printer() -> Machine {
    let envelope = Some(Envelope { x: 250.0, y: 210.0, z: Some(200.0) });
    Machine { envelope, motion: Motion::SIMULATED, ..Machine::unknown("marlin") }
}

fn print(text: &str) -> Analysis {
    on(&[printer()], text)
}

/// Findings of this kind, by their line.
fn lines_of(analysis: &Analysis, code: &str) -> Vec<u64> {
    let problems = analysis.problems.iter().filter(|it| it.code == code);
    problems.filter_map(|it| it.line).collect()
}

/// Commands with parameters of their own, as slicers write them.
const OWN_PARAMETERS: [&str; 67] = [
    "M201 X1000 Y1000 Z200 E5000",
    "M203 X200 Y200 Z12 E120",
    "M204 P1250 R1250 T1250",
    "M205 X8.00 Y8.00 Z0.40 E4.50",
    "M92 X80 Y80 Z400 E93",
    "M206 X1000",
    "M217 S2 G5 Z900",
    "M218 T1 X500 Y-300",
    "M350 X16 Y16",
    "M420 S1 Z2000",
    "M425 X9 Y9 Z9 F1",
    "M48 P10 X300 Y300",
    "M125 X900 Y900 Z900",
    "M290 Z-300",
    "M566 X6000 Y6000 Z6000 E6000",
    "M569 S1 X Y",
    "M593 X F500",
    "M851 X-300 Y0 Z-2",
    "M906 X800 Y800 Z800 E650",
    "M907 E430",
    "M913 X100 Y100 Z30",
    "M17",
    "M18 E",
    "M84 X Y E",
    "M862.3 P \"MK3S\" ; printer model check",
    "M862.1 P0.4",
    "M115 U3.13.3",
    "M117 Layer 3 of 500 (x100 y900)",
    "M118 A1 X900 done!",
    "M23 /cube~1.gco",
    "M32 !/path/file.g#",
    "M928 log.txt",
    "M486 AMy cube X900 [1]",
    "M486 S-1",
    "M73 P12 R34",
    "M104 S215 T1",
    "M109 R90",
    "M140 S60",
    "M106 P1 S127.5",
    "M107",
    "M211 S0",
    "M220 S95 B",
    "M221 S95",
    "M300 S440 P200",
    "M301 P22 I1 D114",
    "M303 E0 S200 C8",
    "M401",
    "M412 S1",
    "M413 S0",
    "M555 X86 Y66 W-300 H900",
    "M572 S0.036",
    "M603 U900 L900",
    "M665 R900 X300",
    "M701 Z900",
    "M808 L3",
    "M900 K0.06 X900",
    "M911",
    "G10",
    "G11",
    "G12 P1 S3",
    "G27 P2",
    "G29 A",
    "G29 L0 R500 F-40 B900",
    "G60 S1",
    "G61 X Y F900",
    "G425 B",
    "T0",
];

#[test]
fn parameters_of_other_commands_are_no_motion_and_no_nonsense() {
    let file = |line: &str| {
        print(&format!(
            "G21\nG90\nM82\nG0 X10 Y10 Z0.2 F3000\nG1 X50 E2 F1200\n{line}\nG1 Y60 E4\nG1 E3\n"
        ))
    };
    let plain = file("; nothing");
    assert_eq!(plain.verdict, Light::Green, "{:?}", plain.problems);
    for line in OWN_PARAMETERS {
        let found = file(line);
        assert_eq!(found.problems, [], "{line}");
        assert_eq!((found.min, found.max), (plain.min, plain.max), "{line}");
        let figures = |it: &Analysis| {
            [it.draw_length_mm, it.travel_length_mm, it.estimated_seconds].map(f64::to_bits)
        };
        assert_eq!(figures(&found), figures(&plain), "{line}");
        assert_eq!((&found.stops[..], found.lines), (&[][..], plain.lines + 1), "{line}");
    }
}

#[test]
fn the_way_home_leaves_the_axes_that_are_not_named() {
    for all in ["G28", "G28 W", "G28 O R5", "G28 X Y Z", "g28x0y0z100"] {
        let found = print(&format!("G21\nG90\nG0 X30 Y40 Z50 F600\n{all}\n"));
        assert_eq!(codes(&found), [(Light::Amber, Some(4), "home", 1)], "{all}");
        assert_eq!(found.min, Some([0.0; 3]), "{all}");
    }
    let plane = print("G21\nG90\nG0 X30 Y40 Z50 F600\nG28 X Y\nG0 Z60\n");
    assert_eq!((plane.min, plane.max), (Some([0.0, 0.0, 50.0]), Some([30.0, 40.0, 60.0])));
    // What G92 has put between is gone with it.
    let again = print("G21\nG90\nG0 X30 F600\nG92 X230\nG28 X\nG0 X200\n");
    assert_eq!(again.max.map(|max| max[0]), Some(200.0), "{:?}", again.problems);
    assert_eq!(lines_of(&again, "envelope"), [0; 0]);
}

#[test]
fn only_moves_and_what_sets_a_place_have_coordinates() {
    let found = print("G21\nG90\nG0 X10 F600\nG92 X0 E5\nG4 P500 X900\nG0 X10\nM600 X900 Z900\n");
    assert_eq!(found.max.map(|max| max[0]), Some(20.0));
    let stop = Stop { line: 7, message: "M600".into(), alone: false, layer: false };
    assert_eq!(found.stops, [stop]);
    assert!((found.estimated_seconds - 0.2 - 0.5 - 1.8).abs() < 1e-9);
    let curve = print("G21\nG90\nG0 X0 Y0 F600\nG5 X10 Y0 I0 J100 P0 Q100\n");
    let top = curve.max.unwrap()[1];
    assert!((top - 75.0).abs() < 0.2, "{top}");
    assert_eq!(codes(&curve)[0], (Light::Amber, Some(4), "unknown-word", 1));
}

#[test]
fn one_command_a_line_is_carried_out() {
    let found = print("G21\nG90\nG1 X50 F600 M0\nG1 X60 G1 X900\nG21 G91\nG1 X70\n");
    assert_eq!(found.stops, []);
    assert_eq!(lines_of(&found, "second-command"), [3]);
    let seconds = found.problems.iter().find(|it| it.code == "second-command");
    assert_eq!(seconds.map(|it| it.count), Some(3), "{:?}", found.problems);
    assert_eq!(found.max.map(|max| max[0]), Some(900.0), "the last X of a line counts");
    // To GRBL all words belong together.
    let grbl = of("G21\nG90\nG1 X50 F600 M0\n");
    assert_eq!(grbl.stops, [Stop { line: 3, message: "M0".into(), alone: false, layer: false }]);
    assert_eq!(grbl.problems.len(), 1, "{:?}", grbl.problems);
}

#[test]
fn what_has_no_command_may_be_a_move() {
    let found = print("G21\nG90\nG1 X10 F600\nX20 Y20\nN7\nT?\nTx\n");
    assert_eq!(codes(&found), [(Light::Amber, Some(4), "no-command", 1)]);
    assert_eq!(found.max, Some([20.0, 20.0, 0.0]));
    for nonsense in ["Hello", "G1 Xabc", "G1 X10 (out)", "G", "D3 A0", "/G1 X1", "Xylophone"] {
        let found = print(&format!("G21\nG90\nG1 X10 F600\n{nonsense}\n"));
        assert_eq!(lines_of(&found, "syntax"), [4], "{nonsense}");
        assert_eq!(found.verdict, Light::Red, "{nonsense}");
    }
}

#[test]
fn denied_commands_are_found_wherever_a_printer_would_carry_them_out() {
    let denied = |line: &str| lines_of(&print(&format!("G21\nG90\n{line}\n")), "denied-command");
    for line in [
        "M502",
        "m 0502",
        "N10 M502*36",
        "M502.1",
        "M66038",
        "G4 P1 M502",
        "M28 file",
        "M30 x.gco",
        "M810 G0 X1|M500",
        "T? M502",
        "N1N2 M112",
    ] {
        assert_eq!(denied(line), [3], "{line}");
    }
    for line in ["M117 then M502", "M118 M500", "M5021", "M50 2", "G1 X1 ; M502"] {
        assert_eq!(denied(line), [0; 0], "{line}");
    }
}

#[test]
fn what_is_missing_is_told_of_the_firmware_that_is_meant() {
    let text = "G21\nG90\nG1 X1\n";
    let said = |found: Analysis| found.warnings.join("\n");
    assert!(said(of(text)).contains("GRBL refuses it"));
    let marlin = said(print(text));
    assert!(marlin.contains("no feed (F)") && !marlin.contains("GRBL"), "{marlin}");
}
