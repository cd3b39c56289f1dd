//! Plans for random programs, carried out by a simulated machine.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    firmware::{Faults, Firmware, Grbl},
    toolpath::Dialect,
};

/// How a random program lifts its tool.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tool {
    Z,
    Pen,
    Laser,
    Nothing,
    Mill,
    /// Zero is under the work: it cuts above that, and is switched by hand.
    High,
    /// It stays at one height.
    Level,
    /// A laser whose power alone is switched.
    Power,
}

/// A program of these steps; whatever the numbers, a machine takes it.
fn program(tool: Tool, relative: bool, steps: &[(u8, i8, i8)]) -> Vec<String> {
    let mut relative = relative;
    let mut lines = vec![format!("G21 {} F600", if relative { "G91" } else { "G90" })];
    let up = |relative| match tool {
        Tool::Z | Tool::Mill if relative => "G0 Z6",
        Tool::Z | Tool::Mill => "G0 Z5",
        Tool::High if relative => "G0 Z15",
        Tool::High => "G0 Z20",
        Tool::Pen => "M5",
        Tool::Power => "S0",
        Tool::Laser | Tool::Nothing | Tool::Level => "G4 P0",
    };
    let down = |relative, rapid| match tool {
        Tool::Z | Tool::Mill if relative => "G1 Z-6",
        Tool::Z | Tool::Mill if rapid => "G0 Z-1",
        Tool::Z | Tool::Mill => "G1 Z-1",
        Tool::High if relative => "G1 Z-15",
        Tool::High if rapid => "G0 Z5",
        Tool::High => "G1 Z5",
        Tool::Pen => "M3 S90",
        Tool::Power => "S500",
        Tool::Laser | Tool::Nothing | Tool::Level => "G4 P0.1",
    };
    lines.extend(match tool {
        Tool::Mill => vec!["M3 S1000".to_owned(), up(relative).to_owned()],
        Tool::Laser => vec!["M4 S500".to_owned()],
        Tool::Power => vec!["M3 S0".to_owned()],
        Tool::Level => vec!["G0 Z3".to_owned()],
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

/// Which lines move by G1, G2 or G3, whether they say so or the line before did.
fn feeds(lines: &[String]) -> Vec<bool> {
    let mut feed = false;
    let mut is_feed = |line: &String| {
        for word in line.split(' ') {
            feed = match word {
                "G0" => false,
                "G1" | "G2" | "G3" => true,
                _ => feed,
            };
        }
        feed
    };
    lines.iter().map(&mut is_feed).collect()
}

/// A drawn piece of no length on the plane is a point of the stroke it belongs to.
fn is_point(piece: &Piece) -> bool {
    (piece.0[0] - piece.1[0]).hypot(piece.0[1] - piece.1[1]) < 0.01
}

fn check(tool: Tool, lines: &[String], start: [f64; 3], certain: usize, executed: usize) {
    let text = lines.join("\n");
    let mut whole = Bench::new(start);
    let drawn: Vec<Vec<Piece>> = lines.iter().map(|line| whole.run(line)).collect();
    // A pen that is off does not work; of any other tool the machine does not know whether it does.
    let feeds = feeds(lines);
    let may_work = |index: usize| tool != Tool::Pen && feeds[index];
    let works = |index: usize| {
        drawn[index].iter().any(|piece| piece.2 || (may_work(index) && !is_point(piece)))
    };
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
            let same = a.2 == b.2 && near(a.1, b.1) && (!works(index) || near(a.0, b.0));
            assert!(same, "line {}: {line}: {a:?} is not {b:?}\n{plan:?}", index + 1);
        }
    }
    // Nothing that may be missing is left out.
    let lost = (certain..skip).find(|index| works(*index));
    assert_eq!(lost, None, "a stroke is lost\n{plan:?}");
    // No stroke that was certainly done is done again: all of its lines, or none, come after.
    let mut stroke: Vec<usize> = Vec::new();
    for index in 0..=certain {
        let moves = !drawn[index.min(lines.len() - 1)].is_empty();
        let travels = index < certain && moves && !works(index) && !may_work(index);
        let goes_on = index == certain && {
            let next = (certain..lines.len()).find(|index| !drawn[*index].is_empty());
            // One of no length belongs to the stroke as well.
            next.is_some_and(|index| works(index) || may_work(index))
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
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// For every line at which a program may be cut: what was certainly done, the preamble and the
    /// rest draw what the whole program draws; no stroke is lost, none that is done is done twice.
    #[test]
    fn a_cut_program_draws_what_the_whole_one_does(
        tool in prop_oneof![
            Just(Tool::Z), Just(Tool::Pen), Just(Tool::Laser), Just(Tool::Nothing), Just(Tool::Mill),
            Just(Tool::High), Just(Tool::Level), Just(Tool::Power)
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
            check(tool, &lines, start, certain, (certain + ahead).min(lines.len()));
        }
    }

    /// Nothing of a print that may be missing is left out, and nothing is left of it only if all is done.
    #[test]
    fn no_filament_is_left_out(
        relative in any::<bool>(),
        steps in proptest::collection::vec((0_u8..9, -20_i8..20, 0_u8..9), 1..40),
    ) {
        let mut lines = vec!["G21", "G90", if relative { "M83" } else { "M82" }, "G92 E0", "G1 Z0.2 F600"];
        let (mut at, mut z) = (0.0, 0.2);
        let texts: Vec<String> = steps.iter().map(|(step, x, by)| {
            let by = f64::from(*by) / 4.0;
            match step {
                0..=4 => {
                    at += by;
                    format!("G1 X{x} Y{by} E{}", if relative { by } else { at })
                }
                5 => format!("G1 X{x} Y{by}"),
                6 => { z += 0.2; format!("G1 Z{z:.1}") }
                7 => format!("M106 S{}", 10 + x.unsigned_abs()),
                _ => format!("G0 X{x}"),
            }
        }).collect();
        lines.extend(texts.iter().map(String::as_str));
        let lays = |line: &&str, by: &f64| line.contains('E') && *by > 0.0;
        let amounts = steps.iter().map(|(.., by)| f64::from(*by));
        let laid: Vec<bool> = lines[..5].iter().map(|_| false)
            .chain(lines[5..].iter().zip(amounts).map(|(line, by)| lays(line, &by))).collect();
        for certain in 0..=lines.len() {
            let text = lines.join("\n");
            let plan = plan_resume(text.as_bytes(), Dialect::Marlin, certain as u64, &SURE).unwrap();
            let skip = usize::try_from(plan.skip_lines).unwrap();
            let lost = (certain..skip).find(|index| laid[*index]);
            prop_assert_eq!(lost, None, "{:?}\n{:?}", plan, lines);
            prop_assert!(plan.from_line.is_some() || certain == lines.len(), "{:?}\n{:?}", plan, lines);
        }
    }
}
