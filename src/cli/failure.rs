//! Why a command failed, and the exit code that says so.

use std::{io, io::Write, process::ExitCode};

use thiserror::Error;

use super::print::visible;

/// Why a command failed.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// It was tried and did not work.
    #[error("{0}")]
    Failed(String),
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// No station answers.
    #[error("{0}")]
    NotRunning(String),
    /// The station refuses to do it for this person.
    #[error("{0}")]
    NotAllowed(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The answer, already printed, has an exit code of its own.
    #[error("exit code {0}")]
    Verdict(u8),
    /// The output could not be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
    /// Ended by the person at the keyboard.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// The exit code, as documented for every command.
    pub(super) fn code(&self) -> u8 {
        match self {
            // Whoever reads the output has seen enough, as `head` does.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Failed(_) | Self::Output(_) => 1,
            Self::Usage(_) => 2,
            Self::NotRunning(_) => 3,
            Self::NotAllowed(_) => 4,
            Self::NotFound(_) => 5,
            Self::Verdict(code) => *code,
            Self::Interrupted => 130,
        }
    }

    /// Says it in one line on standard error, unless it has been said.
    pub(super) fn report(&self) -> ExitCode {
        if self.code() != 0 && !matches!(self, Self::Verdict(_) | Self::Interrupted) {
            // Nothing can be done if standard error is gone.
            _ = writeln!(io::stderr(), "error: {}", visible(&self.to_string()));
        }
        ExitCode::from(self.code())
    }
}
