//! What boards differ in.

use std::time::Duration;

/// One kind of board. Names in brackets are those of Marlin's own configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Bytes of the receive ring, of which one stays empty (`RX_BUFFER_SIZE`).
    pub rx: usize,
    /// Lines that can wait (`BUFSIZE`).
    pub slots: usize,
    /// Blocks of the planner's ring (`BLOCK_BUFFER_SIZE`).
    pub blocks: usize,
    /// Tells in each `ok` how much room there is (`ADVANCED_OK`).
    pub advanced_ok: bool,
    /// Acts on M108, M112 and M410 as their bytes arrive (`EMERGENCY_PARSER`).
    pub emergency_parser: bool,
    /// How often `ok` follows a `Resend:`; 0 today, 1 before 2.0, 2 with some boards.
    pub oks_after_resend: u8,
    /// Says `wait` that often while it has nothing to do (`NO_TIMEOUTS`).
    pub wait_every: Option<Duration>,
    /// Says that it is busy that often (`HOST_KEEPALIVE_FEATURE`, M113).
    pub busy_every: Option<Duration>,
    /// Knows M155 (`AUTO_REPORT_TEMPERATURES`).
    pub autoreport: bool,
}

impl Default for Dialect {
    /// A board as it is sold today.
    fn default() -> Self {
        Self {
            rx: 128,
            slots: 4,
            blocks: 16,
            advanced_ok: false,
            emergency_parser: true,
            oks_after_resend: 0,
            wait_every: None,
            busy_every: Some(Duration::from_secs(2)),
            autoreport: true,
        }
    }
}

impl Dialect {
    /// A board of 2014: no word while it is busy, an `ok` after each `Resend:`.
    pub fn old() -> Self {
        Self {
            emergency_parser: false,
            oks_after_resend: 1,
            busy_every: None,
            autoreport: false,
            ..Self::default()
        }
    }

    /// A board that tells its room.
    pub fn advanced() -> Self {
        Self { advanced_ok: true, ..Self::default() }
    }
}
