//! Why a program does not run.

use std::{fmt::Display, io};

use nix::errno::Errno;
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

/// What the system says, as the rest of a sentence.
pub(super) fn plain(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => lower(&Errno::from_raw(code).desc()),
        None => lower(error),
    }
}

/// The same of what a library says.
pub(super) fn lower(error: &impl Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use nix::libc;

    use super::*;

    #[test]
    fn what_the_system_says_is_the_rest_of_a_sentence() {
        let error = io::Error::from_raw_os_error(libc::ECONNREFUSED);
        assert_eq!(plain(&error), "connection refused");
        assert_eq!(lower(&""), "");
    }
}
