//! Following a file: what each of its lines does, in whatever language.

use std::borrow::Cow;

use super::gcode::Segment;
use crate::domain::Light;

/// Follows a file of one dialect line by line.
pub trait Follower {
    /// Takes one line, as [`super::Splitter`] cuts it, and adds to `found`, which is empty, what the
    /// line does.
    fn line(&mut self, text: &[u8], found: &mut Found);

    /// What a line says to people, comments included, which the splitter takes out. `raw` is the
    /// line as it stands in the file. Asked for lines that stop.
    fn message(&self, _raw: &[u8]) -> Option<String> {
        None
    }
}

/// What a line does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Its motion, piece by piece.
    pub segments: Vec<Segment>,
    /// Seconds that it waits once all motion before it has ended.
    pub dwell_seconds: f64,
    /// All motion before it must have ended before it is carried out.
    pub waits: bool,
    /// It stops and waits for a person; what it is in a few words.
    pub stop: Option<Cow<'static, str>>,
    /// It does something else as well: a motion, another command, a new mode.
    pub more: bool,
    /// The commands in it that are watched for.
    pub commands: Vec<String>,
    /// What a person should know.
    pub notes: Vec<Note>,
}

impl Found {
    /// As before the first line; memory is kept.
    pub fn clear(&mut self) {
        self.segments.clear();
        self.commands.clear();
        self.notes.clear();
        (self.dwell_seconds, self.waits, self.stop, self.more) = (0.0, false, None, false);
    }

    /// Adds something that a person should know; a line tells each code once.
    pub fn note(
        &mut self,
        severity: Light,
        code: &'static str,
        text: impl Into<Cow<'static, str>>,
    ) {
        if !self.notes.iter().any(|note| note.code == code) {
            self.notes.push(Note { severity, code, text: text.into() });
        }
    }
}

/// What a person should know about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Amber or red.
    pub severity: Light,
    /// What kind it is, in one word for programs.
    pub code: &'static str,
    /// In words.
    pub text: Cow<'static, str>,
}

/// Follows lines that nothing is known about.
pub struct Lines;

impl Follower for Lines {
    fn line(&mut self, _: &[u8], _: &mut Found) {}
}
