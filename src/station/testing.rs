//! For tests that need a process of their own.

use std::{
    env,
    process::Command,
    thread,
    time::{Duration, Instant},
};

const CHILD: &str = "STATIOND_TEST_CHILD";

/// Runs the named test of this binary again, alone, in a process where [`in_child`] is true.
pub(super) fn rerun(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(CHILD, "1");
    command
}

pub(super) fn in_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// What `look` finds, as soon as it does.
pub(super) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
