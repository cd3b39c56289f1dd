//! Motion as a file asks for it.

use super::Arc;

/// One piece of motion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Where it begins, in millimetres of the coordinates the file starts in.
    pub from: [f64; 3],
    /// Where it ends.
    pub to: [f64; 3],
    /// The way between, if it is not straight.
    pub arc: Option<Arc>,
    /// True if the tool works, as far as the file tells: a G1, G2 or G3, unless it rises straight up, a
    /// pen or laser is off (M5, without Z) or no filament comes out of a printer.
    pub draw: bool,
    /// Its length in millimetres.
    pub length: f64,
    /// How long it takes at its feed; 0 for a rapid move, which goes as fast as the machine can.
    pub seconds: f64,
}
