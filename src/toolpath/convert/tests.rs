//! Files as programs, and what machines make of them.

use std::time::Duration;

use super::{super::analyse, *};
use crate::domain::Light;
use crate::firmware::{self, Faults, Firmware};

const SQUARE: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="50mm" height="50mm"
    viewBox="0 0 50 50"><rect x="10" y="10" width="20" height="10" stroke="red"/>
    <text>Hi</text></svg>"#;

fn of(kind: FileKind, driver: &str, text: &str) -> Result<Option<Program>, ConvertError> {
    convert(kind, &Machine::unknown(driver), text.as_bytes(), &PlotOptions::default())
}

#[test]
fn a_square_for_each_machine() {
    let program = of(FileKind::Svg, "grbl", SQUARE).unwrap().unwrap();
    let found = analyse(&program.bytes[..], &[Machine::unknown("grbl")]).unwrap().0;
    assert_eq!((found.min, found.max), (Some([0.0; 3]), Some([30.0, 40.0, 5.0])));
    assert_eq!(found.warnings, [""; 0]);
    assert_eq!(program.layers.len(), 1);
    assert_eq!((program.layers[0].name.as_str(), program.layers[0].line), ("#ff0000", 4));
    assert!(program.warnings[0].starts_with("1 text is left out"));
    assert_eq!(of(FileKind::Svg, "marlin", SQUARE).unwrap().unwrap(), program);
    let program = of(FileKind::Svg, "hpgl", SQUARE).unwrap().unwrap();
    let text = String::from_utf8(program.bytes).unwrap();
    assert_eq!(
        text,
        "IN;\nSP1;\nPU400,1600;\nPD1200,1600,1200,1200,400,1200,400,1600;\nPU;\nSP0;\n"
    );
}

#[test]
fn what_a_machine_understands_is_left_as_it_is() {
    assert_eq!(of(FileKind::Gcode, "grbl", "G21").unwrap(), None);
    assert_eq!(of(FileKind::Hpgl, "hpgl", "IN;").unwrap(), None);
    assert!(of(FileKind::Hpgl, "grbl", "IN;SP1;PU0,0;PD40,0;").unwrap().is_some());
}

#[test]
fn what_cannot_be_drawn_is_refused_with_the_reason() {
    let text = r#"<svg xmlns="http://www.w3.org/2000/svg"><text>Hi</text></svg>"#;
    let error = of(FileKind::Svg, "grbl", text).unwrap_err().to_string();
    assert!(error.contains("no line that a pen could follow: 1 text is left out"), "{error}");
    let error = of(FileKind::Svg, "line", SQUARE).unwrap_err().to_string();
    assert_eq!(error, "svg files cannot be converted for the driver line");
    assert!(of(FileKind::Svg, "grbl", "<svg").is_err());
    assert!(of(FileKind::Hpgl, "grbl", "IN;").is_err());
}

const TWO: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="60mm" height="50mm"
    viewBox="0 0 60 50"><path d="M10 10H30V20" stroke="#000000" fill="none"/>
    <path d="M10 30H50" stroke="#ff0000" fill="none"/></svg>"##;

fn stops_of(machine: &Machine, text: &str, options: &PlotOptions) -> Vec<(u64, String)> {
    let program = convert(FileKind::Svg, machine, text.as_bytes(), options).unwrap().unwrap();
    let mut analysis = Analysis::default();
    let starts: Vec<u64> = program.layers.iter().map(|layer| layer.line).collect();
    program.tell(&mut analysis);
    assert!(analysis.stops.iter().all(|stop| stop.layer && starts.contains(&stop.line)));
    analysis.stops.into_iter().map(|stop| (stop.line, stop.message)).collect()
}

#[test]
fn a_person_changes_the_pen_before_each_further_layer() {
    let options = PlotOptions::default();
    for driver in ["grbl", "marlin", "ebb"] {
        let stops = stops_of(&Machine::unknown(driver), TWO, &options);
        assert_eq!(stops.len(), 1, "{driver}");
        assert_eq!(stops[0].1, "layer 2 of 2: #ff0000: change the pen");
    }
    let mut plotter = Machine::unknown("hpgl");
    assert_eq!(stops_of(&plotter, TWO, &options), [], "its carousel does that");
    plotter.pens = 1;
    assert_eq!(stops_of(&plotter, TWO, &options).len(), 1);
    let never = PlotOptions { stop_between_layers: false, ..PlotOptions::default() };
    assert_eq!(stops_of(&plotter, TWO, &never), []);
    let colours = (0..9).fold(String::new(), |all, n| {
        format!("{all}<path d='M{n} 1V9' stroke='#00000{n}' fill='none'/>")
    });
    let nine = format!("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'>{colours}</svg>");
    plotter.pens = 8;
    let messages: Vec<String> =
        stops_of(&plotter, &nine, &options).into_iter().map(|stop| stop.1).collect();
    assert_eq!(messages, ["layer 9 of 9: #000008: change the pen"], "it has no ninth pen");
}

#[test]
fn a_layer_that_asks_for_it_waits_even_if_it_is_the_first() {
    let layer = |label: &str, y: u8| {
        format!(
            "<g inkscape:groupmode='layer' inkscape:label='{label}'>\
             <path d='M1 {y}H9' stroke='#00f' fill='none'/></g>"
        )
    };
    let text = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9' \
         xmlns:inkscape='http://www.inkscape.org/namespaces/inkscape'>{}{}</svg>",
        layer("! thick", 2),
        layer("thin", 4) + &layer("% notes", 6)
    );
    let never = PlotOptions { stop_between_layers: false, ..PlotOptions::default() };
    let stops = stops_of(&Machine::unknown("grbl"), &text, &never);
    assert_eq!(stops[0].1, "layer 1 of 2: \"! thick\" (#0000ff): change the pen");
    assert_eq!(stops.len(), 1);
}

#[test]
fn a_layer_can_be_left_out_of_a_plotters_program() {
    let machine = Machine::unknown("ebb");
    let three = TWO.replace("</svg>", "<path d='M20 5V45' stroke='#0000ff' fill='none'/></svg>");
    let options = PlotOptions::default();
    let program = convert(FileKind::Svg, &machine, three.as_bytes(), &options).unwrap().unwrap();
    let text = String::from_utf8(program.bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let at = |index: usize| usize::try_from(program.stops[index].line).unwrap() - 1;
    let shorter = [&lines[..at(0)], &lines[at(1)..]].concat();
    let whole = bounds_of_last(&lines.join("\n"));
    assert_eq!(bounds_of_last(&shorter.join("\n")), whole, "what follows stays where it is");
    assert_eq!(whole, Some(([20.0, -45.0], [20.0, -5.0])));
}

/// The corners of the last stroke that these commands draw, by the machine.
fn bounds_of_last(commands: &str) -> Option<([f64; 2], [f64; 2])> {
    let machine = carried_out("ebb", commands.replace('\n', "\r").as_bytes()).0;
    let moves: Vec<firmware::Move> = machine.drawing().moves.iter().copied().collect();
    let last = moves.iter().rposition(|to| to.draw)?;
    let first = moves[..last].iter().rposition(|to| !to.draw)?;
    let points = moves[first..=last].iter().map(|to| [to.to[0], -to.to[1]]);
    let points: Vec<[f64; 2]> = points.collect();
    super::super::drawing::bounds([&points])
}

/// A machine that has carried all of it out, and the seconds on its clock.
fn carried_out(driver: &str, program: &[u8]) -> (Box<dyn Firmware>, f64) {
    let mut machine: Box<dyn Firmware> = match driver {
        "ebb" => Box::new(firmware::Ebb::new(1.0, Faults::default())),
        // Nothing holds the bytes back here.
        _ => Box::new(firmware::Hpgl::with_buffer(1.0, Faults::default(), 1 << 24)),
    };
    machine.power_on(Duration::ZERO);
    machine.receive(program, Duration::ZERO);
    let mut now = Duration::ZERO;
    while let Some(next) = machine.wake() {
        now = next;
        machine.advance(now);
        machine.transmit(&mut Vec::new());
    }
    assert_eq!(machine.drawing().overflows, 0);
    (machine, now.as_secs_f64())
}

const SAMPLES: [(&str, FileKind, &[u8]); 11] = [
    (
        "affinity",
        FileKind::Svg,
        include_bytes!("../../../tests/stationd/data/drawings/affinity.svg"),
    ),
    ("axidraw", FileKind::Svg, include_bytes!("../../../tests/stationd/data/drawings/axidraw.svg")),
    ("figma", FileKind::Svg, include_bytes!("../../../tests/stationd/data/drawings/figma.svg")),
    (
        "illustrator",
        FileKind::Svg,
        include_bytes!("../../../tests/stationd/data/drawings/illustrator.svg"),
    ),
    (
        "inkscape",
        FileKind::Svg,
        include_bytes!("../../../tests/stationd/data/drawings/inkscape.svg"),
    ),
    (
        "matplotlib",
        FileKind::Svg,
        include_bytes!("../../../tests/stationd/data/drawings/matplotlib.svg"),
    ),
    ("potrace", FileKind::Svg, include_bytes!("../../../tests/stationd/data/drawings/potrace.svg")),
    ("vpype", FileKind::Svg, include_bytes!("../../../tests/stationd/data/drawings/vpype.svg")),
    (
        "hp7475a",
        FileKind::Hpgl,
        include_bytes!("../../../tests/stationd/data/drawings/hp7475a.plt"),
    ),
    ("cutter", FileKind::Hpgl, include_bytes!("../../../tests/stationd/data/drawings/cutter.plt")),
    ("rosette", FileKind::Gcode, include_bytes!("../../../static/samples/rosette.gcode")),
];

#[test]
fn the_estimate_is_the_clock_of_the_machine() {
    let mut wrong = Vec::new();
    for (name, kind, bytes) in SAMPLES {
        for driver in ["ebb", "hpgl"].into_iter().filter(|driver| kind.drivers().contains(driver)) {
            let machine = Machine {
                motion: crate::domain::Motion::usual(driver, true),
                ..Machine::unknown(driver)
            };
            let program = convert(kind, &machine, bytes, &PlotOptions::default()).unwrap();
            let program = program.map_or_else(|| bytes.to_vec(), |program| program.bytes);
            let (analysis, _) = analyse(&program[..], &[machine]).unwrap();
            let wire: Vec<u8> = if driver == "ebb" {
                program.iter().map(|byte| if *byte == b'\n' { b'\r' } else { *byte }).collect()
            } else {
                program
            };
            let (_, clock) = carried_out(driver, &wire);
            let off = (analysis.estimated_seconds - clock).abs() / clock;
            let limit = if driver == "ebb" { 0.01 } else { 0.05 };
            let estimated = analysis.estimated_seconds;
            if off >= limit {
                wrong.push(format!("{name} on {driver}: estimated {estimated} s, took {clock} s"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn broken_g_code_is_as_wrong_for_a_plotter_as_for_a_mill() {
    let text = "G21 G90\nG0 X0 Y0\nG1 X10 Y10 F900\nG1 Xabc\nHELLO WORLD\nG1 X20\n";
    let program = of(FileKind::Gcode, "ebb", text).unwrap().unwrap();
    let machine = Machine::unknown("ebb");
    let mut analysis = analyse(&program.bytes[..], &[machine]).unwrap().0;
    assert!(analysis.verdict < Light::Red);
    program.tell(&mut analysis);
    assert_eq!(analysis.verdict, Light::Red);
    assert!(analysis.devices.iter().all(|device| device.verdict == Light::Red));
    let first = &analysis.problems[0];
    assert_eq!((first.code.as_str(), first.line, first.count), ("syntax", Some(4), 2));
    assert!(analysis.warnings[0].starts_with("line 4: text that is not G-code"));
}
