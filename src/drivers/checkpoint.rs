//! How far a job got, kept so that nothing is claimed that is not known.

use serde::{Deserialize, Serialize};

/// How far a job got. What is acknowledged, what was sent and what is executed are three things:
/// an `ok` says that a line was understood and planned, not that the tool has been there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Lines of the file acknowledged by the machine, counted as `Analysis::lines` counts them.
    pub lines_acknowledged: u64,
    /// Lines of the file sent to the machine, counted the same way.
    pub lines_sent: u64,
    /// The line number in the file (from 1) that was acknowledged last; 0 before the first.
    pub acknowledged_line: u64,
    /// The line number in the file (from 1) that was sent last; 0 before the first.
    pub sent_line: u64,
    /// How many of the acknowledged lines the machine's planner may still have held: the upper
    /// bound of what was planned and perhaps not executed.
    pub planner_lines: u64,
    /// Lines that were sent and not acknowledged: what the machine's receive buffer may have held.
    pub receive_lines: u64,
    /// The bytes of those lines.
    pub receive_bytes: u64,
}

impl Checkpoint {
    /// Of a job that begins after that many lines of its file.
    pub(super) fn after(lines: u64) -> Self {
        Self { lines_acknowledged: lines, lines_sent: lines, ..Self::default() }
    }

    /// Lines of the file up to this number were passed over while the machine had nothing to do.
    pub(super) fn pass(&mut self, lines: u64, number: u64) {
        self.lines_acknowledged += lines;
        self.lines_sent += lines;
        self.acknowledged_line = number;
        self.sent_line = number;
    }
}
