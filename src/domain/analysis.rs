//! What is known of a file before it runs.

use serde::{Deserialize, Serialize};

/// What is known of a file before it runs. Lengths are millimetres. It is kept as JSON: records of
/// earlier versions lack what has a default here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Lines that go to the machine.
    pub lines: u64,
    /// Smallest corner of all motion; absent without motion.
    pub min: Option<[f64; 3]>,
    /// Largest corner of all motion.
    pub max: Option<[f64; 3]>,
    /// Length of working moves.
    pub draw_length_mm: f64,
    /// Length of rapid moves.
    pub travel_length_mm: f64,
    /// How long the motion takes, by the acceleration of the machine.
    pub estimated_seconds: f64,
    /// What a person should know, each with the line it was seen on.
    pub warnings: Vec<String>,
    /// Whether it should run.
    #[serde(default)]
    pub verdict: Light,
    /// Why the verdict is not green, worst first: the file's own problems and those with the machine
    /// that suits it best.
    #[serde(default)]
    pub problems: Vec<Finding>,
    /// The verdict for each machine that it may run on.
    #[serde(default)]
    pub devices: Vec<DeviceVerdict>,
    /// How often the tool is lifted off its work.
    #[serde(default)]
    pub pen_lifts: u64,
    /// Where it stops and waits for a person.
    #[serde(default)]
    pub stops: Vec<Stop>,
    /// Where the layers of a drawing begin, in the order in which they are drawn; none if the file
    /// was no drawing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerStart>,
}

/// Where a layer of a drawing begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerStart {
    /// What people call it.
    pub name: String,
    /// `#rrggbb`, if it has one colour.
    pub colour: Option<String>,
    /// Its first line of those that go to the machine, counted from 1.
    pub line: u64,
}

impl Analysis {
    /// The worst of its problems in one sentence; none if its verdict is green.
    pub fn reason(&self) -> Option<String> {
        let worst = self.problems.iter().find(|problem| problem.severity == self.verdict)?;
        let others = self.problems.iter().filter(|it| it.severity == self.verdict).count() - 1;
        let more = match others {
            0 => String::new(),
            1 => " (and 1 more)".to_owned(),
            others => format!(" (and {others} more)"),
        };
        Some(format!("{worst}{more}"))
    }

    /// What was found about one machine.
    pub fn of_device(&self, name: &str) -> Option<&DeviceVerdict> {
        self.devices.iter().find(|it| it.device == name)
    }
}

/// Whether a file should run.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Light {
    /// Nothing speaks against it.
    #[default]
    Green,
    /// A person should read what was found.
    Amber,
    /// It does not start unless a person insists.
    Red,
}

impl Light {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }
}

impl std::fmt::Display for Light {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something found in a file, however often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Amber or red.
    pub severity: Light,
    /// The line of the file it was seen on first, from 1; absent if it is about the whole.
    pub line: Option<u64>,
    /// What kind it is, in one word for programs.
    pub code: String,
    /// What it is, for people.
    pub message: String,
    /// How many lines have it.
    pub count: u64,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message)?,
            None => f.write_str(&self.message)?,
        }
        if self.count > 1 { write!(f, " ({} lines)", self.count) } else { Ok(()) }
    }
}

/// The verdict for one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceVerdict {
    /// The machine's name.
    pub device: String,
    /// Whether the file should run there, its own problems included.
    pub verdict: Light,
    /// What speaks against this machine.
    pub problems: Vec<Finding>,
}

/// Where a job stops and waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The line of the file, from 1.
    pub line: u64,
    /// What the file says about it, or the command that stops.
    pub message: String,
    /// The line does nothing else.
    #[serde(default)]
    pub alone: bool,
    /// A layer of a drawing begins with the line, and the pen is changed before.
    #[serde(default)]
    pub layer: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_an_earlier_version_is_read() {
        let old = r#"{"lines":9,"min":[0.0,0.0,0.0],"max":null,"draw_length_mm":85.0,
            "travel_length_mm":1.0,"estimated_seconds":2.0,"warnings":["line 2: no units"]}"#;
        let read: Analysis = serde_json::from_str(old).unwrap();
        assert_eq!((read.lines, read.verdict, read.problems.len()), (9, Light::Green, 0));
        assert_eq!(read.warnings, ["line 2: no units"]);
    }

    #[test]
    fn the_reason_is_the_worst_problem() {
        let finding = |severity, line, message: &str, count| Finding {
            severity,
            line,
            code: String::new(),
            message: message.to_owned(),
            count,
        };
        let analysis = Analysis {
            verdict: Light::Red,
            problems: vec![
                finding(Light::Red, Some(7), "M502 is denied", 3),
                finding(Light::Red, None, "too large", 1),
                finding(Light::Amber, Some(1), "no units", 1),
            ],
            ..Analysis::default()
        };
        let reason = analysis.reason().unwrap();
        assert_eq!(reason, "line 7: M502 is denied (3 lines) (and 1 more)");
        assert_eq!(Analysis::default().reason(), None);
    }
}
