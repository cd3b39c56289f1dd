//! Misbehaviour that can be asked of simulated firmware.

use std::time::Duration;

/// What goes wrong, and when. Lines are counted from 1 as the firmware executes them after it
/// was switched on, the driver's own `$I` included; nothing goes wrong by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// Makes random faults repeatable.
    pub seed: u64,
    /// Says nothing at all, whatever it is told.
    pub silent: bool,
    /// Says no word of greeting when it is switched on.
    pub no_banner: bool,
    /// Swallows the `ok` of this line.
    pub drop_ok: Option<u64>,
    /// Says the `ok` of this line twice.
    pub double_ok: Option<u64>,
    /// Holds the `ok` of this line back for so long.
    pub late_ok: Option<(u64, Duration)>,
    /// Loses each byte that it is sent with this chance (0 to 1). Where lines have no checksum this
    /// is for no driver to find out.
    pub lose_byte: f64,
    /// Understands nothing from this line on and asks for every line again.
    pub storm_at_line: Option<u64>,
    /// Puts a line of line noise before an answer, with this chance (0 to 1).
    pub garbage: f64,
    /// Starts anew, as after a brown-out, instead of executing this line.
    pub reset_at_line: Option<u64>,
    /// Answers this line with this error number instead of executing it.
    pub error_at_line: Option<(u64, u8)>,
    /// Goes into alarm with this number at this line.
    pub alarm_at_line: Option<(u64, u8)>,
    /// Falls silent for good at this line.
    pub silent_at_line: Option<u64>,
    /// Somebody presses the machine's own button at this line.
    pub press_button_at_line: Option<u64>,
    /// Its motors have no supply (what is known of an EBB on USB power alone).
    pub no_motor_power: bool,
    /// Waits that long before each answer.
    pub delay: Duration,
}
