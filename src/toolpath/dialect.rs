//! What a dialect's lines mean.

use super::{Dialect, Follower, Lines, ebb, gcode::Interpreter, hpgl, plan::Axes};

impl Dialect {
    /// Follows a file of this dialect; commands on the `watch` list, as `M502` or `$RST`, are
    /// reported. `axes`: what the steps of an EBB mean.
    pub fn follower(self, axes: Axes, watch: &[String]) -> Box<dyn Follower> {
        match self {
            Self::Gcode | Self::Marlin => Box::new(Interpreter::new(self, watch)),
            Self::Ebb => Box::new(ebb::Interpreter::new(axes)),
            Self::Hpgl => Box::new(hpgl::Interpreter::default()),
            Self::Lines => Box::new(Lines),
        }
    }

    /// The longest line that its firmware takes, blanks not counted, and what happens to longer ones.
    pub(super) fn longest(self) -> Option<(usize, &'static str)> {
        match self {
            // LINE_BUFFER_SIZE 80, of which one ends it (gnea/grbl, protocol.h): error:11.
            Self::Gcode => Some((79, "is longer than 79 characters: GRBL refuses it")),
            // MAX_CMD_SIZE 96, of which number and checksum take some (Marlin, queue.h).
            Self::Marlin => Some((80, "is longer than 80 characters: Marlin cuts it")),
            // A command has at most 256 characters (evil-mad/EggBot, docs/ebb.html).
            Self::Ebb => Some((255, "is longer than 255 characters: an EBB refuses it")),
            Self::Hpgl | Self::Lines => None,
        }
    }
}
