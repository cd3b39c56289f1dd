//! Why a program does not run.

use thiserror::Error;

/// Why a program cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProcessError {
    /// The command is empty.
    #[error("there is no program to run")]
    Empty,
    /// The signal that asks it to stop is unknown.
    #[error("there is no signal \"{0}\"")]
    Signal(String),
    /// What its output is to match is no regular expression.
    #[error("\"{pattern}\" is no regular expression: {why}")]
    Pattern {
        /// What is to be matched.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// It did not get as far as running.
    #[error("failed to start \"{program}\": {why}")]
    Start {
        /// As configured.
        program: String,
        /// The rest of the sentence.
        why: String,
    },
}
