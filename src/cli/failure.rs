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
            _ = writeln!(io::stderr(), "error: {}", visible(&plain(&self.to_string())));
        }
        ExitCode::from(self.code())
    }
}

/// A sentence without the numbers that the system has for its errors.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" (os error ") {
        let Some((_, behind)) = after.split_once(')') else { break };
        let (begin, said) = match before.rsplit_once(": ") {
            Some((begin, said)) => (format!("{begin}: "), said),
            None => (String::new(), before),
        };
        let words = if said == "No such file or directory" {
            "there is no such file".to_owned()
        } else {
            // As it stands in the middle of a sentence.
            let mut letters = said.chars();
            letters
                .next()
                .map(|first| first.to_lowercase().chain(letters).collect())
                .unwrap_or_default()
        };
        plain.push_str(&begin);
        plain.push_str(&words);
        rest = behind;
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_reads_the_number_of_an_error() {
        let said = |kind: i32| io::Error::from_raw_os_error(kind);
        let of = |text: String| plain(&text);
        assert_eq!(
            of(format!("a.nc cannot be read: {}", said(2))),
            "a.nc cannot be read: there is no such file"
        );
        assert_eq!(of(format!("a: {}; try", said(13))), "a: permission denied; try");
        assert_eq!(of(said(2).to_string()), "there is no such file");
        assert_eq!(
            of(format!("a: {} b: {}", said(2), said(28))),
            "a: there is no such file b: no space left on device"
        );
        for untouched in ["", "job 7: failed", "a (os error 2", "a (b) c"] {
            assert_eq!(plain(untouched), untouched);
        }
    }
}
