//! Plans against the simulated board, which was written without them.
#![expect(clippy::float_cmp, reason = "a machine stands on whole steps")]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    firmware::{Ebb, Faults, Firmware},
    toolpath::{Layer, ebb},
};

fn of(strokes: Vec<Vec<[f64; 2]>>) -> Drawing {
    let layer = Layer { name: "black".to_owned(), colour: None, stop: false, strokes };
    Drawing { layers: vec![layer], size: Some([300.0, 200.0]), ..Drawing::default() }
}

fn planned(drawing: &Drawing, options: &EbbOptions) -> (String, Plan) {
    let mut out = Vec::new();
    let plan = plan(drawing, options, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), plan)
}

/// Lets a simulated machine carry it out.
fn drawn(commands: &str, speed: f64) -> (Ebb, f64) {
    let mut machine = Ebb::new(speed, Faults::default());
    machine.power_on(Duration::ZERO);
    machine.receive(commands.replace('\n', "\r").as_bytes(), Duration::ZERO);
    let mut now = Duration::ZERO;
    while let Some(next) = machine.wake() {
        now = next;
        machine.advance(now);
    }
    let mut said = Vec::new();
    machine.transmit(&mut said);
    assert_eq!(String::from_utf8(said).unwrap(), "OK\r\n".repeat(commands.lines().count()));
    (machine, now.as_secs_f64())
}

/// Its strokes, Y up from the lower edge of a sheet that high.
fn strokes_of(machine: &Ebb, height: f64) -> Vec<Vec<[f64; 2]>> {
    let mut strokes: Vec<Vec<[f64; 2]>> = Vec::new();
    let (mut at, mut drawing) = ([0.0, height], false);
    for to in &machine.drawing().moves {
        let point = [to.to[0], height - to.to[1]];
        if to.draw && !drawing {
            strokes.push(vec![at]);
        }
        if to.draw
            && let Some(stroke) = strokes.last_mut()
        {
            stroke.push(point);
        }
        drawing = to.draw || (drawing && to.to[2] <= 0.0);
        at = point;
    }
    strokes
}

fn distance(point: [f64; 2], from: [f64; 2], to: [f64; 2]) -> f64 {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length = dx * dx + dy * dy;
    let along = ((point[0] - from[0]) * dx + (point[1] - from[1]) * dy) / length.max(1e-12);
    let along = along.clamp(0.0, 1.0);
    (from[0] + dx * along - point[0]).hypot(from[1] + dy * along - point[1])
}

fn to_line(point: [f64; 2], line: &[[f64; 2]]) -> f64 {
    line.windows(2).map(|pair| distance(point, pair[0], pair[1])).fold(f64::INFINITY, f64::min)
}

#[test]
fn a_square_is_a_handful_of_commands() {
    let square = of(vec![vec![[10.0, 190.0], [20.0, 190.0], [20.0, 180.0]]]);
    let (commands, found) = planned(&square, &EbbOptions::default());
    insta::assert_snapshot!(commands, @"
    SC,4,20641
    SC,5,15248
    SP,1,250
    LM,187,800,310996,0,0,0,3
    LM,1033750891,800,-310996,0,0,0,3
    SP,0,250
    LM,384,180,219963,384,180,219963,3
    LM,412378430,442,0,412378430,442,0,3
    LM,412219077,178,-219821,412219077,178,-219821,3
    LM,42699976,178,219821,42699976,-178,219821,3
    LM,412378430,442,0,412378430,-442,0,3
    LM,412431009,180,-219963,412431009,-180,-219963,3
    SP,1,250
    LM,10,-1600,310966,0,0,0,3
    LM,1461851176,-1600,-310966,0,0,0,3
    ");
    assert_eq!(found.lines, commands.lines().count() as u64);
    assert_eq!(found.layers[0].line, 4);
}

#[test]
fn layers_begin_with_the_pen_up_and_everything_ends_at_the_origin() {
    let stroke = vec![[10.0, 10.0], [50.0, 60.0], [90.0, 10.0]];
    let mut drawing = of(vec![stroke.clone(), vec![[5.0, 5.0]]]);
    let colour = Some("#ff0000".to_owned());
    drawing.layers.push(Layer { name: "none".to_owned(), ..Layer::default() });
    drawing.layers.push(Layer {
        name: "red".to_owned(),
        colour,
        stop: false,
        strokes: vec![stroke],
    });
    let (commands, found) = planned(&drawing, &EbbOptions::default());
    let names: Vec<&str> = found.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["black", "red"]);
    let before = usize::try_from(found.layers[1].line).unwrap() - 2;
    assert_eq!(commands.lines().nth(before), Some("SP,1,250"));
    let (machine, seconds) = drawn(&commands, 1.0);
    assert_eq!(machine.drawing().moves.back().unwrap().to, [0.0, 0.0, 1.0]);
    assert!((seconds - found.seconds).abs() < 0.02 * found.seconds, "{seconds} {found:?}");
}

#[test]
fn g_code_is_drawn_as_it_is() {
    let text = "G21 G90\nG0 Z5\nG0 X10 Y20\nG1 Z0 F600\nG1 X30\nG2 X30 Y40 I0 J10\nG0 Z5\nG0 X0\n\
        G0 X50 Y50\nG1 Z0\nG1 X60\n";
    let drawing = strokes(text.as_bytes()).unwrap().unwrap();
    let strokes = &drawing.layers[0].strokes;
    assert_eq!(drawing.bounds().unwrap().1, [60.0, 50.0]);
    assert!(strokes.len() <= 3, "{strokes:?}");
    let (commands, _) = planned(&drawing, &EbbOptions::default());
    let (machine, _) = drawn(&commands, 0.0);
    let seen = strokes_of(&machine, 50.0);
    let all: Vec<[f64; 2]> = seen.iter().flatten().copied().collect();
    assert!(all.iter().any(|p| (p[0] - 20.0).abs() < 0.1 && (p[1] - 30.0).abs() < 2.0), "{all:?}");
}

fn lines() -> impl Strategy<Value = Vec<Vec<[f64; 2]>>> {
    let point = (0.0_f64..300.0, 0.0_f64..200.0).prop_map(|(x, y)| [x, y]);
    let near = (-2.0_f64..2.0, -2.0_f64..2.0);
    let stroke = (point, proptest::collection::vec(near, 1..40)).prop_map(|(start, steps)| {
        let mut stroke = vec![start];
        let mut at = start;
        for (dx, dy) in steps {
            at = [(at[0] + dx).clamp(0.0, 300.0), (at[1] + dy).clamp(0.0, 200.0)];
            stroke.push(at);
        }
        stroke
    });
    let long =
        proptest::collection::vec((0.0_f64..300.0, 0.0_f64..200.0).prop_map(|(x, y)| [x, y]), 2..6);
    proptest::collection::vec(prop_oneof![stroke, long], 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The machine draws each stroke within a step, never asks too much of a motor, ends where it
    /// began, and takes the time that was planned.
    #[test]
    fn what_is_drawn_is_the_drawing(strokes in lines(), y_down in any::<bool>()) {
        let options = EbbOptions { y_down, ..EbbOptions::default() };
        let drawing = of(strokes.clone());
        let (commands, found) = planned(&drawing, &options);
        let (machine, seconds) = drawn(&commands, 1.0);
        let (rollovers, fastest) = machine.strain();
        prop_assert_eq!(rollovers, 0);
        prop_assert!(fastest <= 25_000.0, "{}", fastest);
        prop_assert_eq!(machine.drawing().moves.back().unwrap().to, [0.0, 0.0, 1.0]);
        prop_assert!((seconds - found.seconds).abs() < 0.05 * found.seconds + 0.05);
        let seen: Vec<[f64; 2]> = machine.drawing().moves.iter().filter(|to| to.draw)
            .map(|to| [to.to[0], if y_down { 200.0 - to.to[1] } else { to.to[1] }]).collect();
        // A motor's half step is less than a hundredth of a millimetre.
        for point in &seen {
            let off = strokes.iter().map(|s| to_line(*point, s)).fold(f64::INFINITY, f64::min);
            prop_assert!(off < 0.02, "{point:?} is {off} off");
        }
        for stroke in &strokes {
            for corner in &stroke[1..] {
                let nearest = seen.iter()
                    .map(|p| (p[0] - corner[0]).hypot(p[1] - corner[1])).fold(f64::INFINITY, f64::min);
                prop_assert!(nearest < 0.02, "nothing is at {corner:?} but {nearest} off");
            }
        }
    }

    /// Neither speed nor acceleration is beyond what was asked for, but for what rounding to whole
    /// steps makes of a short command.
    #[test]
    fn limits_are_kept(strokes in lines()) {
        let options = EbbOptions::default();
        let (commands, _) = planned(&of(strokes), &options);
        let mut machine = ebb::Interpreter::default();
        let mut before = 0.0;
        for line in commands.lines() {
            let up = machine.pen_up();
            let found = machine.line(line.as_bytes());
            prop_assert_eq!(found.warning, None);
            let Some(segment) = found.segment else { before = 0.0; continue };
            prop_assert!(segment.seconds <= 0.26, "{line}");
            let most = if up { options.speed_up_mm_s } else { options.speed_down_mm_s };
            let grain = 2.0 / options.steps_per_mm / segment.seconds;
            let speed = segment.length / segment.seconds;
            prop_assert!(speed <= most * 1.02 + grain, "{line}: {speed} mm/s");
            // Mean speeds of neighbours differ by no more than the acceleration makes in their time,
            // corners apart.
            let change = (speed - before).abs();
            let corner = (options.acceleration * options.junction_deviation).sqrt() * 30.0;
            prop_assert!(change <= options.acceleration * 0.52 + corner + 2.0 * grain);
            before = speed;
        }
    }

    /// Following the commands gives what the machine draws.
    #[test]
    fn the_interpreter_follows_the_machine(strokes in lines()) {
        let (commands, found) = planned(&of(strokes), &EbbOptions::default());
        let (machine, _) = drawn(&commands, 0.0);
        let mut follower = ebb::Interpreter::default();
        let mut seconds = 0.0;
        let mut followed = Vec::new();
        for line in commands.lines() {
            let line = follower.line(line.as_bytes());
            seconds += line.dwell_seconds;
            if let Some(segment) = line.segment {
                seconds += segment.seconds;
                followed.push((segment.to, segment.draw));
            }
        }
        let moves: Vec<([f64; 3], bool)> = machine.drawing().moves.iter().map(|to| (to.to, to.draw)).collect();
        let mut moves = moves.into_iter();
        for step in followed {
            prop_assert!(moves.any(|seen| seen == step), "{step:?} is not drawn");
        }
        prop_assert!((seconds - found.seconds).abs() < 0.05 * found.seconds + 0.05);
    }
}

#[test]
#[ignore = "a measurement: run it with --release"]
fn a_hundred_thousand_segments_are_planned_at_once() {
    let stroke: Vec<[f64; 2]> = (0..100_001_i32)
        .map(|i| {
            let t = f64::from(i) / 500.0;
            [150.0 + t * 0.4 * t.cos(), 100.0 + t * 0.4 * t.sin()]
        })
        .collect();
    let drawing = of(vec![stroke]);
    let start = std::time::Instant::now();
    let mut out = Vec::new();
    let found = plan(&drawing, &EbbOptions::default(), &mut out).unwrap();
    let took = start.elapsed();
    assert!(took < Duration::from_millis(500), "{took:?} for {found:?}");
}
