//! Nobody supervises the supervisor: its panic ends the process, and the init system starts it anew.

use std::thread;

use actix::System;
use log::error;

/// The process's exit code when the supervisor has panicked (`EX_SOFTWARE` of sysexits.h).
const SUPERVISOR_LOST: i32 = 70;

/// Part of the supervisor; blows when dropped by a panic.
pub(super) struct Fuse;

impl Drop for Fuse {
    fn drop(&mut self) {
        if thread::panicking()
            && let Some(system) = System::try_current()
        {
            error!("the supervisor panicked: the process ends");
            system.stop_with_code(SUPERVISOR_LOST);
        }
    }
}
