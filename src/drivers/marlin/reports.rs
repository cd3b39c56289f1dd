//! Temperatures and positions, wherever they stand in a line.

use crate::domain::{Position, Temperature};

/// The temperatures in a line, as M105, M155 and a machine that heats tell them:
/// `T:21.00 /0.00 B:22.00 /60.00 @:0`, `T0:21.00/200.00 T1:…`. A target that is not told is the one
/// that was known `before`.
pub(super) fn temperatures(text: &str, before: &[Temperature]) -> Vec<Temperature> {
    let mut all: Vec<Temperature> = Vec::new();
    let mut words = text.split_ascii_whitespace().peekable();
    while let Some(word) = words.next() {
        let Some((name, value)) = word.split_once(':') else { continue };
        let part = match name.as_bytes() {
            b"T" => "T0".to_owned(),
            [b'T', digit] if digit.is_ascii_digit() => name.to_owned(),
            b"B" => "bed".to_owned(),
            b"C" => "chamber".to_owned(),
            _ => continue,
        };
        let (celsius, target) = match value.split_once('/') {
            Some((celsius, target)) => (celsius, Some(target)),
            None => (value, words.peek().and_then(|next| next.strip_prefix('/'))),
        };
        let Some(celsius) = number(celsius) else { continue };
        let known = || before.iter().find(|known| known.part == part).map(|known| known.target);
        let target = target.and_then(number).or_else(known).unwrap_or(0.0);
        // `T:` is the hot end in use; where each is told, that is what counts.
        all.retain(|other| other.part != part);
        all.push(Temperature { part, celsius, target });
    }
    all
}

/// What M114 tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Whereabouts {
    /// Where the tool will be once all motion is done.
    pub(super) position: Position,
    /// The steppers' own count, which moves as they do.
    pub(super) count: [f64; 3],
}

impl Whereabouts {
    /// `X:10.00 Y:0.00 Z:0.00 E:0.00 Count X:800 Y:0 Z:0`; `None`: the line is another.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (planned, count) = text.split_once("Count")?;
        let [x, y, z] = axes(planned)?;
        Some(Self { position: Position { x, y, z }, count: axes(count)? })
    }
}

/// Older firmware puts a blank behind the colon.
fn axes(text: &str) -> Option<[f64; 3]> {
    let mut axes = [None; 3];
    for (axis, letter) in ["X:", "Y:", "Z:"].into_iter().enumerate() {
        let (_, rest) = text.split_once(letter)?;
        axes[axis] = number(rest.split_ascii_whitespace().next()?);
    }
    Some([axes[0]?, axes[1]?, axes[2]?])
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let before = [Temperature { part: "T0".to_owned(), celsius: 1.0, target: 200.0 }];
        let one = |t: &Temperature| format!("{} {}/{}", t.part, t.celsius, t.target);
        temperatures(text, &before).iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn temperatures_are_read_in_every_dialect() {
        assert_eq!(read("ok T:21.5 /60.0 B:22 /0 @:0 B@:0"), "T0 21.5/60 bed 22/0");
        assert_eq!(read("T:100.1 E:0 W:?"), "T0 100.1/200");
        assert_eq!(
            read("T:9/1 T0:21.0/190.0 T1:20.0/0.0 C:30 /40"),
            "T0 21/190 T1 20/0 chamber 30/40"
        );
        assert_eq!(read("echo:T:nan B:inf /x Time:3 T12:1"), "");
    }

    #[test]
    fn positions_are_read_and_nothing_else_is() {
        let found = Whereabouts::parse("X:10.00 Y:-2.50 Z:0.30 E:1.00 Count X:800 Y:-200 Z:120");
        let position = Position { x: 10.0, y: -2.5, z: 0.3 };
        assert_eq!(found, Some(Whereabouts { position, count: [800.0, -200.0, 120.0] }));
        assert!(
            Whereabouts::parse("X:1.00 Y:2.00 Z:3.00 E:0.00 Count X: 80 Y:160 Z:240").is_some()
        );
        for text in ["X:1 Y:2", "X:1 Y:2 Z:3", "X:a Y:2 Z:3 Count X:0 Y:0 Z:0", "Count"] {
            assert_eq!(Whereabouts::parse(text), None, "{text}");
        }
    }
}
