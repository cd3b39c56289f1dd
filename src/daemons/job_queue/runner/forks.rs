//! Whether anybody else has made a process meanwhile.
//!
//! Numbers of processes are given out one after the other. If all that were given out while a
//! program ran are known to be programs of this thread's, it made no process of its own, and has
//! left none behind: a walk over `/proc` for each job would cost more than most of them.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

/// Counts the programs of this thread.
pub(super) struct Forks {
    loadavg: File,
    own: i64,
}

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The number that was given out last, if that can be told.
    last: Option<i64>,
    own: i64,
}

impl Forks {
    /// # Errors
    /// There is no `/proc`.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { loadavg: File::open("/proc/loadavg")?, own: 0 })
    }

    /// A program has been started.
    pub(super) fn count(&mut self) {
        self.own += 1;
    }

    /// Now.
    pub(super) fn mark(&mut self) -> Mark {
        Mark { last: self.last(), own: self.own }
    }

    /// True if nobody but this thread has made a process or a thread since then.
    pub(super) fn none_since(&mut self, then: Mark) -> bool {
        let now = self.mark();
        match (then.last, now.last) {
            // Numbers begin anew at some time: then it cannot be told.
            (Some(before), Some(last)) => last - before == now.own - then.own,
            _ => false,
        }
    }

    fn last(&mut self) -> Option<i64> {
        let mut text = [0; 128];
        self.loadavg.seek(SeekFrom::Start(0)).ok()?;
        let length = self.loadavg.read(&mut text).ok()?;
        let text = str::from_utf8(text.get(..length)?).ok()?;
        text.split_ascii_whitespace().nth(4)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_somebody_elses_is_noticed() {
        let mut forks = Forks::new().unwrap();
        let mark = forks.mark();
        assert!(mark.last.is_some());
        std::process::Command::new("true").status().unwrap();
        assert!(!forks.none_since(mark));
    }
}
