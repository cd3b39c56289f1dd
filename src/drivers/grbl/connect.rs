//! From an open port to a machine that has said who it is.

use std::time::Duration;

use super::{
    Event, Grbl, Phase, Polled, RESET, SILENCE,
    status::{Report, State},
};
use crate::domain::Axes;

/// How long the answer to `$I` may take.
pub(super) const IDENTIFY: Duration = Duration::from_secs(3);

/// How long a machine that did not greet may take to say what it does.
const MEETING: Duration = Duration::from_secs(1);

/// GRBL tells its place with three digits behind the point.
const SAME_PLACE: f64 = 0.002;

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

    /// What a machine does that did not greet. Once it stands, it can be reset without harm.
    pub(super) fn met(&mut self, report: &Report) {
        let Phase::Meeting { answered, .. } = &mut self.phase else { return };
        *answered = true;
        if !report.state.moves() {
            self.machine.stood = report.stands(self.machine.planner);
            self.greet_again();
        }
    }

    /// The first report after that: it stands where it stood, or it has lost its place.
    pub(super) fn met_again(&mut self, report: &Report) {
        let Some(stood) = self.machine.stood.take() else { return };
        let here = report.stands(self.machine.planner);
        let same = |here: Axes| {
            here.iter().zip(stood).all(|(here, stood)| (here - stood).abs() < SAME_PLACE)
        };
        if here.is_some_and(same) {
            self.say(Event::RanOn);
        }
    }

    pub(super) fn tick_connecting(&mut self) {
        match &mut self.phase {
            Phase::Greeting { since, resets: 0 } if self.now >= *since + patience(0) => {
                self.phase = Phase::Meeting { since: self.now, answered: false };
            }
            Phase::Meeting { since, answered } => {
                let silent = if *answered {
                    self.now.saturating_sub(self.machine.reported) > SILENCE
                } else {
                    self.now >= *since + MEETING
                };
                if silent {
                    self.greet_again();
                }
            }
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
