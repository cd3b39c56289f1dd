//! A program whose settings have been understood, and what is decided by them alone.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use regex_lite::Regex;

use super::{Options, ProcessError, end::End};
use crate::domain::Readiness;

/// How long before its deadline a program is killed, so that its whole tree is gone by then.
pub const KILL_MARGIN: Duration = Duration::from_secs(2);

/// See above.
pub(super) struct Plan {
    pub(super) options: Options,
    pub(super) stop_signal: Signal,
    /// The line that says that it is up.
    pub(super) pattern: Option<Regex>,
}

impl Plan {
    /// Understands the settings.
    ///
    /// # Errors
    /// There is no program, no such signal, or no such regular expression.
    pub(super) fn new(options: Options) -> Result<Self, ProcessError> {
        let program = &options.program;
        if program.command.is_empty() {
            return Err(ProcessError::Empty);
        }
        let stop_signal = signal(&program.stop_signal)?;
        let pattern = match &program.ready {
            Readiness::Log(pattern) => Some(Regex::new(pattern).map_err(|error| {
                ProcessError::Pattern { pattern: pattern.clone(), why: error.to_string() }
            })?),
            _ => None,
        };
        Ok(Self { options, stop_signal, pattern })
    }

    /// What to think of a program that has ended by itself: how, and whether that is well.
    pub(super) fn verdict(&self, end: End, was_up: bool) -> (String, bool) {
        let is_expected =
            matches!(end, End::Code(code) if self.options.program.exit_codes.contains(&code));
        if was_up {
            (end.to_string(), is_expected)
        } else {
            (format!("{end} before it was ready"), false)
        }
    }
}

/// `TERM` or `SIGTERM`.
fn signal(name: &str) -> Result<Signal, ProcessError> {
    let upper = name.to_ascii_uppercase();
    let full = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    full.parse().map_err(|_| ProcessError::Signal(name.to_owned()))
}

/// When to kill a program that was asked at `asked` to stop within `limit`, and to be gone by
/// `deadline`. A deadline too near for the whole margin leaves half of the time for it.
pub(super) fn kill_at(asked: Instant, limit: Duration, deadline: Option<Instant>) -> Instant {
    let patient = asked.checked_add(limit);
    let hurried = deadline.map(|deadline| {
        let left = deadline.saturating_duration_since(asked);
        deadline.checked_sub(KILL_MARGIN.min(left / 2)).unwrap_or(asked)
    });
    match (patient, hurried) {
        (Some(patient), Some(hurried)) => patient.min(hurried),
        (Some(at), None) | (None, Some(at)) => at,
        (None, None) => asked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn signals_are_known_with_and_without_sig() {
        assert_eq!(signal("TERM"), Ok(Signal::SIGTERM));
        assert_eq!(signal("sigint"), Ok(Signal::SIGINT));
        assert_eq!(signal("NOPE").unwrap_err().to_string(), "there is no signal \"NOPE\"");
    }

    #[test]
    fn a_program_is_killed_in_time() {
        let now = Instant::now();
        assert_eq!(kill_at(now, 10 * S, None), now + 10 * S);
        assert_eq!(kill_at(now, 10 * S, Some(now + 12 * S)), now + 10 * S);
        assert_eq!(kill_at(now, 30 * S, Some(now + 10 * S)), now + 8 * S);
        assert_eq!(kill_at(now, 30 * S, Some(now + 2 * S)), now + S);
        assert_eq!(kill_at(now, 30 * S, Some(now)), now);
        assert!(kill_at(now, 30 * S, now.checked_sub(S)) <= now);
        assert_eq!(kill_at(now, Duration::MAX, Some(now + 10 * S)), now + 8 * S);
    }
}
