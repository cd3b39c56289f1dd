//! From an open port to a machine that has said who it is.

use std::time::Duration;

use super::{Event, Grbl, Phase, Polled, RESET, status::State};

/// How long the answer to `$I` may take.
pub(super) const IDENTIFY: Duration = Duration::from_secs(3);

/// How long a banner may take. Most boards start anew when the port is opened, and their boot
/// loader takes its time; a machine that has been asked in vain is asked less often.
pub(super) fn patience(resets: u32) -> Duration {
    match resets {
        0 => Duration::from_millis(2500),
        1..3 => Duration::from_secs(3),
        _ => Duration::from_secs(15),
    }
}

impl Grbl {
    /// Starts over with a machine that may be out of step.
    pub(super) fn greet_again(&mut self) {
        self.window.clear();
        self.out.push(RESET);
        self.phase = Phase::Greeting { since: self.now, resets: 1 };
    }

    /// A banner: the machine has just started, and knows nothing of what was before.
    pub(super) fn identify(&mut self) {
        self.window.clear();
        self.forget_position();
        self.machine.state = None;
        self.since_idle = 0;
        self.send_line(b"$I", super::Origin::Console);
        self.phase = Phase::Identifying { since: self.now, version: None };
    }

    pub(super) fn tick_connecting(&mut self) {
        match &mut self.phase {
            Phase::Greeting { since, resets } if self.now >= *since + patience(*resets) => {
                *since = self.now;
                *resets = resets.saturating_add(1);
                self.out.push(RESET);
            }
            // An older firmware, or noise instead of an answer: once more from the start.
            Phase::Identifying { since, .. } if self.now >= *since + IDENTIFY => {
                self.greet_again();
            }
            _ => {}
        }
    }

    /// A line of the answer to `$I`: `[VER:1.1h.20190830:name]`, `[OPT:V,15,128]`.
    pub(super) fn hear_identity(&mut self, text: &str) {
        let Phase::Identifying { version, .. } = &mut self.phase else { return };
        let field = |name: &str| text.strip_prefix(name)?.strip_suffix(']');
        if let Some(text) = field("[VER:") {
            *version = Some(short_version(text));
        } else if let Some(options) = field("[OPT:") {
            let mut numbers = options.split(',').skip(1).map(str::parse::<usize>);
            if let Some(Ok(blocks)) = numbers.next() {
                self.machine.planner = blocks.clamp(1, 1024) as u64;
            }
            if let Some(Ok(bytes)) = numbers.next() {
                self.window.set_buffer(bytes);
            }
        }
    }

    /// The end of the answer to `$I`.
    pub(super) fn identified(&mut self) {
        let Phase::Identifying { version, .. } = &mut self.phase else { return };
        let version = version.take().unwrap_or_else(|| "unknown".to_owned());
        self.window.clear();
        self.phase = Phase::Ready;
        if self.machine.alarm.is_some() {
            self.machine.state = Some(State::Alarm);
        }
        // The first poll is due now.
        self.polled = Polled { at: self.now.saturating_sub(super::POLL_IDLE), outstanding: false };
        self.say(Event::Identified(version));
    }
}

/// `1.1h.20190830:` is version 1.1h.
fn short_version(text: &str) -> String {
    let number = text.split(':').next().unwrap_or(text);
    let parts: Vec<&str> = number.split('.').collect();
    parts.get(..2).map_or_else(|| number.to_owned(), |parts| parts.join("."))
}
