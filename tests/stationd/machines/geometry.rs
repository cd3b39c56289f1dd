//! What a G-code file draws, read by a few lines of its own: not by the parser under test, nor by
//! the one of the simulated firmware.

use serde_json::Value;

/// One piece of motion that a file asks for.
enum Piece {
    Line,
    /// Around this centre, against the clock or with it.
    Arc {
        centre: [f64; 2],
        clockwise: bool,
    },
}

struct Wanted {
    line: usize,
    to: [f64; 3],
    draw: bool,
    piece: Piece,
}

/// The motion of a file in millimetres, absolute, with arcs by their centre: all that the shipped
/// samples use.
fn wanted(text: &str) -> Vec<Wanted> {
    let (mut at, mut mode) = ([0.0; 3], 0_u8);
    let mut all = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split([';', '(']).next().unwrap_or_default();
        let (mut to, mut offset, mut moves) = (at, [0.0; 2], false);
        for word in line.split_whitespace() {
            let (letter, number) = word.split_at(1);
            let number: f64 = number.parse().expect("a word is a letter and a number");
            match letter {
                "G" if number <= 3.0 => mode = word[1..].parse().expect("0 to 3"),
                "G" => assert!([17.0, 21.0, 90.0].contains(&number), "line {}: {line}", index + 1),
                "X" => (to[0], moves) = (number, true),
                "Y" => (to[1], moves) = (number, true),
                "Z" => (to[2], moves) = (number, true),
                "I" => offset[0] = number,
                "J" => offset[1] = number,
                "F" | "M" => {}
                _ => panic!("line {}: {line}", index + 1),
            }
        }
        if moves {
            let piece = match mode {
                2 | 3 => Piece::Arc {
                    centre: [at[0] + offset[0], at[1] + offset[1]],
                    clockwise: mode == 2,
                },
                _ => Piece::Line,
            };
            // The pen is down at Z0, or on its way there.
            let draw = mode != 0 && to[2] <= 0.0;
            all.push(Wanted { line: index + 1, to, draw, piece });
            at = to;
        }
    }
    all
}

/// Fails unless the drawing of a machine (as `GET …/drawing` says it) is the whole of a file.
pub(super) fn assert_drawn(text: &str, drawing: &Value) {
    let moves: Vec<([f64; 3], bool)> = drawing["moves"]
        .as_array()
        .expect("a list of moves")
        .iter()
        .map(|one| {
            let number = |index: usize| one[index].as_f64().expect("a number");
            ([number(0), number(1), number(2)], number(3) > 0.5)
        })
        .collect();
    assert_eq!(drawing["total"], moves.len(), "no move may have been forgotten");
    assert_eq!(drawing["overflows"], 0, "a byte was lost in the receive buffer");
    let mut drawn = moves.into_iter();
    let mut at = [0.0; 3];
    for Wanted { line, to, draw, piece } in wanted(text) {
        let mut next = || drawn.next().unwrap_or_else(|| panic!("line {line} was not drawn"));
        match piece {
            Piece::Line => {
                let (end, drew) = next();
                assert!(near(end, to), "line {line}: to {to:?}, drawn to {end:?}");
                assert_eq!(drew, draw, "line {line}: pen");
            }
            Piece::Arc { centre, clockwise } => {
                let mut swept = 0.0;
                let sweep = angle(centre, at, to, clockwise);
                let radius = distance(centre, at);
                let mut from = at;
                while swept < sweep - 1e-3 {
                    let (end, drew) = next();
                    assert_eq!(drew, draw, "line {line}: pen");
                    let off = (distance(centre, end) - radius).abs();
                    assert!(off < 0.01, "line {line}: {off} mm off the arc at {end:?}");
                    swept += angle(centre, from, end, clockwise);
                    assert!(swept < sweep + 1e-3, "line {line}: beyond the end at {end:?}");
                    from = end;
                }
                assert!(near(from, to), "line {line}: to {to:?}, drawn to {from:?}");
            }
        }
        at = to;
    }
    assert_eq!(drawn.next(), None, "more was drawn than the file says");
}

fn near(a: [f64; 3], b: [f64; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3)
}

fn distance(a: [f64; 2], b: [f64; 3]) -> f64 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}

/// From one point of a circle to another: more than 0, a full turn if they are the same.
fn angle(centre: [f64; 2], from: [f64; 3], to: [f64; 3], clockwise: bool) -> f64 {
    let of = |point: [f64; 3]| (point[1] - centre[1]).atan2(point[0] - centre[0]);
    let turned = if clockwise { of(from) - of(to) } else { of(to) - of(from) };
    let turned = turned.rem_euclid(std::f64::consts::TAU);
    if turned < 1e-9 { std::f64::consts::TAU } else { turned }
}
