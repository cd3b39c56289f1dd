//! The modal state of a machine that follows a file.

use super::filament::Filament;

/// Which way the spindle turns, or a pen that is driven by its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spindle {
    /// M3.
    Clockwise,
    /// M4; a laser of variable power.
    Counter,
    /// M5.
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::toolpath) enum Motion {
    None,
    Rapid,
    Feed,
    Arc { clockwise: bool },
}

/// What a coordinate is measured from, as far as the file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::toolpath) enum Anchor {
    /// The origin of the coordinate system that the machine is in.
    Origin,
    /// Where the machine stood when the file began.
    Start,
    /// Nobody knows.
    Lost,
}

/// What stays from line to line. Lengths are millimetres whatever the file's units.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "so many modal groups have two words")]
pub(in crate::toolpath) struct Modal {
    pub(in crate::toolpath) motion: Motion,
    /// Millimetres of a unit, once the file has said.
    pub(in crate::toolpath) units: Option<f64>,
    pub(in crate::toolpath) relative: Option<bool>,
    pub(in crate::toolpath) plane: (usize, usize),
    pub(super) centre_absolute: bool,
    pub(in crate::toolpath) inverse_time: bool,
    pub(in crate::toolpath) feed: Option<f64>,
    pub(in crate::toolpath) spindle: Option<Spindle>,
    /// It has been on.
    pub(super) spindle_used: bool,
    pub(in crate::toolpath) speed: Option<f64>,
    /// M7 and M8.
    pub(in crate::toolpath) coolant: [bool; 2],
    /// 540 for G54 to 590 for G59.
    pub(in crate::toolpath) system: i32,
    pub(in crate::toolpath) tool: Option<f64>,
    /// It has been changed, and nothing has moved since.
    pub(super) tool_changed: bool,
    pub(in crate::toolpath) z_used: bool,
    pub(in crate::toolpath) position: [f64; 3],
    /// What G92 has put between the file's numbers and the position.
    pub(in crate::toolpath) offset: [f64; 3],
    pub(in crate::toolpath) filament: Filament,
    /// What each axis's position is measured from.
    pub(in crate::toolpath) anchor: [Anchor; 3],
    /// What each axis's offset is measured from.
    pub(in crate::toolpath) offset_anchor: [Anchor; 3],
}

impl Default for Modal {
    fn default() -> Self {
        Self {
            // GRBL starts in G0.
            motion: Motion::Rapid,
            units: None,
            relative: None,
            plane: (0, 1),
            centre_absolute: false,
            inverse_time: false,
            feed: None,
            spindle: None,
            spindle_used: false,
            speed: None,
            coolant: [false; 2],
            system: 540,
            tool: None,
            tool_changed: false,
            z_used: false,
            position: [0.0; 3],
            offset: [0.0; 3],
            filament: Filament::default(),
            anchor: [Anchor::Start; 3],
            offset_anchor: [Anchor::Origin; 3],
        }
    }
}
