//! Motion words as Marlin 2.1 understands them (marlinfw.org/docs, G000 to G092, M082, M083).

use std::f64::consts::TAU;

use crate::firmware::{
    motion::{Axes, Block, distance},
    words::{Word, value},
};

/// The fastest that the axes go, in mm/s (`DEFAULT_MAX_FEEDRATE`).
const FASTEST: f64 = 300.0;

/// Arcs are cut into pieces of that many millimetres (`MM_PER_ARC_SEGMENT`).
const ARC_PIECE: f64 = 1.0;

/// The modal state.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "so many modal groups have two words")]
pub(super) struct Modal {
    motion: u8,
    inches: bool,
    relative: bool,
    filament_relative: bool,
    /// Millimetres a minute; G0 and G1 share it.
    feed: f64,
    spindle: Option<bool>,
    z_used: bool,
    filament_used: bool,
    /// What was added to the coordinates of a line to get the machine's (G92).
    offset: Axes,
}

impl Default for Modal {
    fn default() -> Self {
        Self {
            motion: 0,
            inches: false,
            relative: false,
            filament_relative: false,
            feed: 1500.0,
            spindle: None,
            z_used: false,
            filament_used: false,
            offset: [0.0; 4],
        }
    }
}

impl Modal {
    /// The logical position that M114 tells.
    pub(super) fn logical(&self, machine: Axes) -> Axes {
        std::array::from_fn(|axis| machine[axis] - self.offset[axis])
    }

    pub(super) fn set_motion(&mut self, number: u8) {
        self.motion = number;
    }

    pub(super) fn set_inches(&mut self, inches: bool) {
        self.inches = inches;
    }

    /// G90 and G91 hold for the filament too.
    pub(super) fn set_relative(&mut self, relative: bool) {
        (self.relative, self.filament_relative) = (relative, relative);
    }

    pub(super) fn set_filament_relative(&mut self, relative: bool) {
        self.filament_relative = relative;
    }

    pub(super) fn set_spindle(&mut self, on: bool) {
        self.spindle = Some(on);
    }

    /// G92.
    pub(super) fn set_position(&mut self, words: &[Word], machine: Axes) {
        for (axis, letter) in b"XYZE".iter().enumerate() {
            if let Some(value) = value(words, *letter) {
                self.offset[axis] = machine[axis] - value * self.scale();
            }
        }
    }

    /// Where the way home of G28 ends.
    pub(super) fn home(&mut self, words: &[Word], machine: Axes) -> Block {
        let named = |letter| words.iter().any(|(known, _)| *known == letter);
        let all = !b"XYZ".iter().any(|letter| named(*letter));
        let mut to = machine;
        for (axis, letter) in b"XYZ".iter().enumerate() {
            if all || named(*letter) {
                (to[axis], self.offset[axis]) = (0.0, 0.0);
            }
        }
        Block { to, speed: 50.0, draw: false }
    }

    /// The blocks of a G0, G1, G2 or G3; the error is what Marlin says of it.
    pub(super) fn travel(&mut self, words: &[Word], from: Axes) -> Result<Vec<Block>, String> {
        let scale = self.scale();
        if let Some(feed) = value(words, b'F').filter(|feed| *feed > 0.0) {
            self.feed = feed * scale;
        }
        self.z_used |= value(words, b'Z').is_some();
        self.filament_used |= value(words, b'E').is_some();
        let mut to = from;
        for (axis, letter) in b"XYZE".iter().enumerate() {
            let relative = if axis == 3 { self.filament_relative } else { self.relative };
            if let Some(value) = value(words, *letter) {
                to[axis] = value * scale + if relative { from[axis] } else { self.offset[axis] };
            }
        }
        let points = if self.motion >= 2 {
            self.arc(words, from, to).ok_or("G2/G3 bad parameters")?
        } else {
            vec![to]
        };
        let mut before = from;
        let blocks = points.into_iter().map(|to| {
            let from = std::mem::replace(&mut before, to);
            Block { to, speed: (self.feed / 60.0).clamp(0.01, FASTEST), draw: self.draws(from, to) }
        });
        Ok(blocks.collect())
    }

    /// A printer draws where it extrudes; a machine that has no filament draws with the pen down
    /// (at or below zero) or with the spindle on.
    fn draws(&self, from: Axes, to: Axes) -> bool {
        if self.filament_used {
            let moves = (0..3).any(|axis| (to[axis] - from[axis]).abs() > 0.0);
            return moves && to[3] > from[3];
        }
        let on = self.spindle == Some(true);
        let down = if self.spindle.is_some() && !self.z_used {
            on
        } else {
            to[2] - self.offset[2] <= 0.0 || on
        };
        self.motion > 0 && down
    }

    fn scale(&self) -> f64 {
        if self.inches { 25.4 } else { 1.0 }
    }

    fn arc(&self, words: &[Word], from: Axes, to: Axes) -> Option<Vec<Axes>> {
        let clockwise = self.motion == 2;
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let scale = self.scale();
        let (i, j) = if let Some(radius) = value(words, b'R') {
            let (radius, chord) = (radius * scale, dx.hypot(dy));
            if chord <= 0.0 || chord > 2.0 * radius.abs() {
                return None;
            }
            // From the middle of the chord to the centre, to the left for a G3.
            let height = (radius * radius - chord * chord / 4.0).sqrt();
            let side = if clockwise == (radius > 0.0) { -1.0 } else { 1.0 };
            (dx / 2.0 - side * height * dy / chord, dy / 2.0 + side * height * dx / chord)
        } else {
            let (i, j) = (value(words, b'I'), value(words, b'J'));
            if i.is_none() && j.is_none() {
                return None;
            }
            (i.unwrap_or(0.0) * scale, j.unwrap_or(0.0) * scale)
        };
        let radius = i.hypot(j);
        let start = (-j).atan2(-i);
        let mut sweep = (dy - j).atan2(dx - i) - start;
        if clockwise && sweep >= -1e-9 {
            sweep -= TAU;
        } else if !clockwise && sweep <= 1e-9 {
            sweep += TAU;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10 000")]
        let count = (sweep.abs() * radius / ARC_PIECE).ceil().clamp(8.0, 1e4) as u32;
        let point = |index: u32| {
            if index == count {
                return to;
            }
            let share = f64::from(index) / f64::from(count);
            let angle = start + sweep * share;
            let mut at: Axes =
                std::array::from_fn(|axis| from[axis] + (to[axis] - from[axis]) * share);
            at[0] = from[0] + i + radius * angle.cos();
            at[1] = from[1] + j + radius * angle.sin();
            at
        };
        Some((1..=count).map(point).collect())
    }
}

/// True if a block leads nowhere: Marlin does not plan it.
pub(super) fn is_empty(from: Axes, block: &Block) -> bool {
    distance(from, block.to) <= 0.0
}
