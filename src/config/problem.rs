//! What is wrong with a configuration, and where.

use std::{fmt, path::Path, sync::Arc};

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: it is the built-in default.
    Default,
    /// A file as a whole.
    File(Arc<Path>),
    /// A place in a file; line and column count from 1.
    Line {
        /// The file.
        file: Arc<Path>,
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
    },
    /// An environment variable.
    Environment(String),
    /// `--set KEY=…`.
    Set(String),
    /// A command line option, with its dashes.
    Flag(String),
}

impl Place {
    /// Where a value comes from, as `config show --effective` says it: a line without its column.
    pub fn origin(&self) -> String {
        match self {
            Self::Line { file, line, .. } => format!("{}:{line}", file.display()),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Line { file, line, column } => write!(f, "{}:{line}:{column}", file.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Set(key) => write!(f, "--set {key}"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The station does not start.
    Error,
    /// The station starts; a person should look.
    Warning,
}

/// One thing that is wrong: `PLACE: error: KEY: what is wrong, what is allowed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub level: Level,
    /// Where it was given.
    pub place: Place,
    /// The key, as `websocket.port` or `devices[0].port`; empty if it concerns no key.
    pub key: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl Problem {
    /// An error at `place`.
    pub fn error(place: Place, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level: Level::Error, place, key: key.into(), message: message.into() }
    }

    /// A warning at `place`.
    pub fn warning(place: Place, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(place, key, message) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        write!(f, "{}: {level}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// `{level, source, line, column, key, message}`; line and column are null outside a file.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (source, line, column) = match &self.place {
            Place::Line { file, line, column } => {
                (file.display().to_string(), Some(line), Some(column))
            }
            other => (other.to_string(), None, None),
        };
        let mut object = serializer.serialize_struct("Problem", 6)?;
        object.serialize_field("level", &self.level)?;
        object.serialize_field("source", &source)?;
        object.serialize_field("line", &line)?;
        object.serialize_field("column", &column)?;
        object.serialize_field("key", &self.key)?;
        object.serialize_field("message", &self.message)?;
        object.end()
    }
}
