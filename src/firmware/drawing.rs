//! What a simulated machine drew.

use std::collections::VecDeque;

use serde::{Serialize, Serializer, ser::SerializeTuple};

/// One straight piece of motion that the machine has carried out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Move {
    /// Where it ended, X Y Z in millimetres of machine coordinates.
    pub to: [f64; 3],
    /// True if the tool worked on the way: a G1, G2 or G3 with the pen down or the spindle on.
    pub draw: bool,
}

impl Serialize for Move {
    /// As `[x, y, z, draw]` with `draw` 1 or 0.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(4)?;
        for coordinate in self.to {
            tuple.serialize_element(&coordinate)?;
        }
        tuple.serialize_element(&u8::from(self.draw))?;
        tuple.end()
    }
}

/// What a simulated machine drew since it was first plugged in. The oldest moves are forgotten
/// beyond a hundred thousand.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Drawing {
    /// Moves carried out in all.
    pub total: u64,
    /// Bytes that were lost because the receive buffer was full. Never with a good driver.
    pub overflows: u64,
    /// Lines the firmware has executed, whatever they said.
    pub lines: u64,
    /// The newest moves, oldest first.
    pub moves: VecDeque<Move>,
}

/// Older moves are forgotten beyond that.
const MOST_MOVES: usize = 100_000;

impl Drawing {
    pub(super) fn add(&mut self, to: [f64; 3], draw: bool) {
        if self.moves.len() == MOST_MOVES {
            self.moves.pop_front();
        }
        self.total += 1;
        self.moves.push_back(Move { to, draw });
    }
}
