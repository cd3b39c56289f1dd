//! The only waiting there is: until a condition holds, with a deadline.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Long enough for a loaded machine; whatever takes longer has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

const PAUSE: Duration = Duration::from_millis(5);

/// Asks `probe` again and again until it gives something; fails at the deadline, naming `what`.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "not within {} s: {what}", DEADLINE.as_secs());
        thread::sleep(PAUSE);
    }
}
