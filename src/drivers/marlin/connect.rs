//! From an open port to a machine that has said who it is.

use std::time::Duration;

use super::{Event, Marlin, Phase, Recovery, Tag};

/// How long a banner may take. Most boards start anew when the port is opened, and their boot
/// loader takes its time; the others are asked then.
pub(super) const GREETING: Duration = Duration::from_millis(2500);

/// How long the answer to the question who it is may take; a machine that has been asked in vain
/// is asked less often.
pub(super) fn patience(tries: u32) -> Duration {
    Duration::from_secs(if tries < 3 { 3 } else { 15 })
}

impl Marlin {
    /// Begins the count of lines anew, and asks who it is. A line end goes before that, so that
    /// nothing is added to a line that was left half-sent; such a line has a number and no checksum,
    /// and is not carried out.
    pub(super) fn identify(&mut self, tries: u32) {
        self.window.restart();
        self.recovery = Recovery::default();
        self.machine.error = None;
        self.machine.restless = false;
        self.phase = Phase::Identifying { since: self.now, tries, who: None, answers: false };
        self.window.send_count(&mut self.out);
        self.send_line(b"M115", Tag::Who);
    }

    /// It has started anew, or is out of step.
    pub(super) fn greet_again(&mut self) {
        self.forget_position();
        self.since_rest = 0;
        self.identify(0);
    }

    pub(super) fn tick_connecting(&mut self) {
        match &mut self.phase {
            Phase::Greeting { since } if self.now >= *since + GREETING => self.identify(0),
            Phase::Identifying { since, tries, who, answers }
                if self.now >= *since + patience(*tries) =>
            {
                let tries = tries.saturating_add(1);
                // An old one that does not know the question; or its answer was lost on the way.
                if *answers && tries >= 3 {
                    who.get_or_insert_with(|| "unknown".to_owned());
                    return self.identified();
                }
                let answers = *answers;
                self.identify(tries);
                if let Phase::Identifying { answers: heard, .. } = &mut self.phase {
                    *heard = answers;
                }
            }
            _ => {}
        }
    }

    /// A line of the answer to M115: `FIRMWARE_NAME:Marlin 2.1 (date) SOURCE_CODE_URL:…`, `Cap:X:1`.
    pub(super) fn hear_identity(&mut self, text: &str) {
        let Phase::Identifying { who, .. } = &mut self.phase else { return };
        if let Some((_, rest)) = text.split_once("FIRMWARE_NAME:") {
            *who = Some(name(rest));
        } else if text.starts_with("Cap:AUTOREPORT_TEMP:1") {
            self.machine.reports = true;
        } else if text.contains("Unknown command") && text.contains("M115") {
            *who = Some("unknown".to_owned());
        }
    }

    /// The end of the answer to M115, if that is what the `ok` was.
    pub(super) fn identified(&mut self) {
        let Phase::Identifying { who, answers, .. } = &mut self.phase else { return };
        *answers = true;
        let Some(version) = who.take() else { return };
        while self.window.acknowledge(None) > 0 {}
        self.phase = Phase::Ready;
        self.machine.asked = self.now;
        if self.machine.reports {
            self.send_line(b"M155 S4", Tag::Warmth);
        }
        self.say(Event::Identified(version));
    }
}

/// `Marlin 2.1.2 (May 16 2023) SOURCE_CODE_URL:…` is Marlin 2.1.2.
fn name(text: &str) -> String {
    let words = text.split_ascii_whitespace();
    let name: Vec<&str> =
        words.take_while(|word| !word.contains(':') && !word.starts_with('(')).take(6).collect();
    if name.is_empty() { "unknown".to_owned() } else { name.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_ends_where_the_next_field_begins() {
        assert_eq!(name("Marlin 2.1.2 (May 16 2023) SOURCE_CODE_URL:x"), "Marlin 2.1.2");
        assert_eq!(name("Marlin V1.0.0; Sprinter PROTOCOL_VERSION:1.0"), "Marlin V1.0.0; Sprinter");
        assert_eq!(name(" PROTOCOL_VERSION:1"), "unknown");
    }
}
