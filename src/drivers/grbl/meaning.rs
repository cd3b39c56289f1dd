//! What GRBL's numbers mean (gnea/grbl, `doc/csv/error_codes_en_US.csv` and
//! `alarm_codes_en_US.csv`),
//! in words that say what to do.

/// The meaning of `error:N`.
pub fn error(number: u8) -> &'static str {
    match number {
        1 => "a word without a letter",
        2 => "a number is missing or malformed",
        3 => "an unknown $ command",
        4 => "a negative value where only a positive one is allowed",
        5 => "homing is not enabled ($22)",
        6 => "the step pulse is too short ($0)",
        7 => "the settings could not be read and were reset to defaults",
        8 => "a $ command that is allowed only while idle",
        9 => "locked by an alarm or a jog: unlock or home first",
        10 => "soft limits need homing to be enabled",
        11 => "the line is longer than 79 characters",
        12 => "a step rate that is too high",
        13 => "the safety door is open",
        14 => "a start line or build info that is too long",
        15 => "a jog beyond the limits",
        16 => "a jog without = or with a forbidden word",
        17 => "laser mode needs a PWM output",
        20 => "a word or command that is not supported",
        21 => "two commands of one group in a line",
        22 => "no feed (F) has been set",
        23 => "a command that needs a whole number",
        24 => "two commands in a line that both need X, Y or Z",
        25 => "a word twice in a line",
        26 => "a command that needs X, Y or Z, which are missing",
        27 => "a line number out of range",
        28 => "a command that needs a P or L value, which is missing",
        29 => "a coordinate system that does not exist",
        30 => "G53 without G0 or G1",
        31 => "X, Y or Z without a command that uses them",
        32 => "an arc without X or Y in its plane",
        33 => "an arc that does not lead to its end",
        34 => "an arc whose radius is too small",
        35 => "an arc without I, J or K in its plane",
        36 => "words that no command uses",
        37 => "a tool length offset on the wrong axis",
        38 => "a tool number that is too large",
        _ => "an error that GRBL 1.1 does not document",
    }
}

/// The meaning of `ALARM:N`.
pub fn alarm(number: u8) -> &'static str {
    match number {
        1 => "a limit switch was hit: the position is lost, home the machine",
        2 => "a move beyond the soft limits: the position is kept",
        3 => "reset while moving: the position is lost, home the machine",
        4 => "probing began in contact, or out of contact, with the workpiece",
        5 => "the probe touched nothing",
        6 => "homing was reset",
        7 => "homing failed: the safety door was opened",
        8 => "homing failed: a limit switch did not let go",
        9 => "homing failed: no limit switch was found",
        10 => "homing failed: the second limit switch was not found",
        _ => "an alarm that GRBL 1.1 does not document",
    }
}
