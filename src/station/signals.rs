//! Signals, as what they ask of the station.

use std::io;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// TERM or INT: stop; a second one: at once, still safe.
    Stop,
    /// HUP: read the configuration again and reopen the logs.
    Reload,
    /// USR1: reopen the logs only.
    ReopenLogs,
}

/// The signals sent to this process. Any number of the same kind that arrive before they are
/// asked for count as one, and a stop goes before everything else. SIGPIPE is ignored from the
/// program's start by Rust itself.
pub struct Signals {
    terminate: Stream,
    interrupt: Stream,
    hangup: Stream,
    user: Stream,
}

impl Signals {
    /// Catches the signals from now on, for the life of the process. Needs a tokio runtime.
    ///
    /// # Errors
    /// The runtime cannot watch signals.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user: signal(SignalKind::user_defined1())?,
        })
    }

    /// Waits for the next one. Nothing is lost when the wait is given up.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.user.recv() => Signal::ReopenLogs,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nix::sys::signal::{Signal::*, raise};
    use tokio::time::timeout;

    use super::{Signal, Signals};

    #[tokio::test]
    async fn a_storm_counts_once_and_a_stop_goes_first() {
        let mut signals = Signals::new().unwrap();
        for _ in 0..10_000 {
            raise(SIGHUP).unwrap();
        }
        raise(SIGUSR1).unwrap();
        raise(SIGTERM).unwrap();
        let mut seen = Vec::new();
        // Other runtimes of this process take part in passing signals on, one after the other.
        while !seen.contains(&Signal::ReopenLogs) || !seen.contains(&Signal::Stop) {
            seen.push(timeout(Duration::from_secs(10), signals.next()).await.unwrap());
        }
        assert!(seen.len() <= 4, "{seen:?}");
        assert!(seen.contains(&Signal::Reload), "{seen:?}");
        raise(SIGINT).unwrap();
        assert_eq!(timeout(Duration::from_secs(10), signals.next()).await, Ok(Signal::Stop));
    }
}
