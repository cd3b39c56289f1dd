//! What is particular to a machine that only acknowledges lines.

use std::time::Duration;

use serde::Deserialize;

/// How a machine is driven that acknowledges each line. Patterns are regular expressions, searched
/// for anywhere in a line that the machine says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineConfig {
    /// Acknowledges a line.
    pub ack: String,
    /// Refuses it; looked for first.
    pub error: String,
    /// Says that it works still.
    pub busy: Option<String>,
    /// Says that it has started anew.
    pub banner: Option<String>,
    /// What ends each line.
    pub eol: LineEnd,
    /// How long nothing is sent after the port was opened, or until the banner.
    pub settle: Duration,
    /// Sent when a job is paused.
    pub pause: Vec<String>,
    /// Sent before it goes on.
    pub resume: Vec<String>,
    /// Sent to stop the machine, at once.
    pub halt: Vec<String>,
    /// The same in an emergency; none is `halt`.
    pub estop: Vec<String>,
}

impl Default for LineConfig {
    fn default() -> Self {
        Self {
            ack: "^ok".to_owned(),
            error: "^(?i:error|!!)".to_owned(),
            busy: None,
            banner: None,
            eol: LineEnd::Lf,
            settle: Duration::from_secs(2),
            pause: Vec::new(),
            resume: Vec::new(),
            halt: Vec::new(),
            estop: Vec::new(),
        }
    }
}

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnd {
    /// Line feed.
    Lf,
    /// Carriage return.
    Cr,
    /// Both.
    Crlf,
}

impl LineEnd {
    /// The bytes.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::Cr => b"\r",
            Self::Crlf => b"\r\n",
        }
    }
}
