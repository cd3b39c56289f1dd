//! Lines that may be passed over though nobody knows whether they were carried out: those that travel
//! or set what the preamble sets too. A pen that is put down for a dot, a pulse of a laser, a valve,
//! a command that nothing is known about: none of them may be left out.

use crate::toolpath::{
    Dialect,
    gcode::{Modal, Spindle, Words},
};

/// True if a line does more than to travel and to set modes; `before` is the state it finds. Of
/// working moves nothing is said here.
pub(super) fn does_more(line: &[u8], before: &Modal) -> bool {
    let on = before.spindle.is_some_and(|spindle| spindle != Spindle::Off);
    let is_trifle = |word| match word {
        (b'G', number) if is(number, 4.0) => !on, // how long a dot takes
        (b'G', number) => MODES.iter().any(|known| is(number, *known)),
        (b'M', number) => OFF.iter().any(|known| is(number, *known)),
        // The pen or the power, on machines that have it in S alone.
        (b'S', number) => number <= 0.0 || !on,
        (b'T', _) => false,
        _ => true,
    };
    !Words::new(line).all(|word| word.is_ok_and(is_trifle))
}

/// True if the program ends with the line; a file for Marlin has no such word.
pub(super) fn ends(dialect: Dialect, line: &[u8]) -> bool {
    dialect != Dialect::Marlin
        && Words::new(line).any(|word| {
            word.is_ok_and(|(letter, number)| {
                letter == b'M' && (is(number, 2.0) || is(number, 30.0))
            })
        })
}

/// Moves, and modes that the preamble restores.
const MODES: [f64; 24] = [
    0.0, 1.0, 2.0, 3.0, 17.0, 18.0, 19.0, 20.0, 21.0, 40.0, 49.0, 54.0, 55.0, 56.0, 57.0, 58.0,
    59.0, 61.0, 80.0, 90.0, 91.0, 92.0, 93.0, 94.0,
];

/// Spindle, coolant and fan off, and how filament is counted.
const OFF: [f64; 5] = [5.0, 9.0, 82.0, 83.0, 107.0];

/// The same whole number, or one of its variants (G91.1, G92.1, G59.3).
fn is(number: f64, known: f64) -> bool {
    number.trunc().total_cmp(&known).is_eq()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_travel_and_modes_are_passed_over() {
        let mut state = Modal::default();
        for line in ["N4 G0 X1 F600", "G90 G21", "G91.1", "M5", "G4 P1", "S1000", "G92 X0", ""] {
            assert!(!does_more(line.as_bytes(), &state), "{line}");
        }
        for line in ["M3", "M8", "M106 S255", "M280 P0 S90", "M42 P4 S1", "T2", "G38.2 Z-1", "M30"]
        {
            assert!(does_more(line.as_bytes(), &state), "{line}");
        }
        state.spindle = Some(Spindle::Counter);
        assert!(does_more(b"G4 P1", &state) && does_more(b"S500", &state));
        assert!(!does_more(b"M5", &state) && !does_more(b"G0 X1 S0", &state));
        let ends = |line: &str| ends(Dialect::Gcode, line.as_bytes());
        assert!(ends("M5 M30") && ends("M02") && !ends("G30 M3"));
        assert!(!super::ends(Dialect::Marlin, b"M117 M30 bolt"));
    }
}
