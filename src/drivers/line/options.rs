//! What is particular to a machine that only acknowledges lines.

use std::time::Duration;

use regex_lite::Regex;

/// What a line of the machine looks like; equal if it is written the same way.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// A regular expression, searched for anywhere in a line.
    ///
    /// # Errors
    /// It is none, or too large.
    pub fn new(text: &str) -> Result<Self, regex_lite::Error> {
        Regex::new(text).map(Self)
    }

    /// True if a line has it.
    pub fn matches(&self, line: &str) -> bool {
        self.0.is_match(line)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// How a machine that only acknowledges lines is driven.
#[derive(Clone, Debug, PartialEq)]
pub struct LineOptions {
    /// Acknowledges the line that was sent.
    pub ack: Pattern,
    /// Refuses it. This is looked for first.
    pub error: Pattern,
    /// Says that it works still.
    pub busy: Option<Pattern>,
    /// Says that it has started anew.
    pub banner: Option<Pattern>,
    /// Ends each line that is sent.
    pub eol: &'static [u8],
    /// How long nothing is sent after the port was opened, or until the banner.
    pub settle: Duration,
    /// Sent when a job is paused.
    pub pause: Vec<String>,
    /// Sent before it goes on.
    pub resume: Vec<String>,
    /// Sent to stop the machine, at once and without waiting for answers.
    pub halt: Vec<String>,
    /// The same in an emergency; if there is none, `halt` is.
    pub estop: Vec<String>,
}

impl Default for LineOptions {
    fn default() -> Self {
        let pattern = |text| Pattern::new(text).expect("it is written here and is tested");
        Self {
            ack: pattern("^ok"),
            error: pattern("^(?i:error|!!)"),
            busy: None,
            banner: None,
            eol: b"\n",
            settle: Duration::from_secs(2),
            pause: Vec::new(),
            resume: Vec::new(),
            halt: Vec::new(),
            estop: Vec::new(),
        }
    }
}
