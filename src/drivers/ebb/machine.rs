//! What is known of the machine, and what it is being asked.

use std::{collections::VecDeque, time::Duration};

use super::Origin;

/// A command that waits for its answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) origin: Asker,
    pub(super) name: String,
    pub(super) text: Vec<u8>,
    pub(super) part: Option<String>,
    pub(super) since: Duration,
    /// How long the answer may take.
    pub(super) patience: Duration,
}

/// Who wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// The job's file and scripts.
    Feed(Origin),
    /// What the driver does of its own accord, one after the other.
    Script,
    /// A question that is asked again and again.
    Poll,
    /// A person.
    Console,
    /// The stop.
    Stop,
}

/// What is known of the machine.
#[derive(Debug, Default)]
pub(super) struct Machine {
    pub(super) future: bool,
    pub(super) version: [u32; 2],
    pub(super) version_text: String,
    /// Commands that wait in its motion queue, at most.
    pub(super) depth: u64,
    /// As of the last answer, unless something was sent since.
    pub(super) status: Option<Status>,
    pub(super) steps: Option<[i64; 2]>,
    pub(super) motors_on: bool,
    pub(super) powered: Option<bool>,
    pub(super) heard: Duration,
    /// Everything that was sent is done by then, at its own pace.
    pub(super) busy_until: Duration,
}

/// The bits of `QG`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status(pub(super) u8);

impl Status {
    pub(super) fn waits(self) -> bool {
        self.0 & 0x01 != 0
    }

    pub(super) fn busy(self) -> bool {
        self.0 & 0x0f != 0
    }

    pub(super) fn pen_up(self) -> bool {
        self.0 & 0x10 != 0
    }

    pub(super) fn button(self) -> bool {
        self.0 & 0x20 != 0
    }

    pub(super) fn limit(self) -> bool {
        self.0 & 0x80 != 0
    }
}

#[derive(Debug, Default)]
pub(super) struct Polls {
    pub(super) at: Duration,
    pub(super) slow: Duration,
    pub(super) due: VecDeque<&'static str>,
}
