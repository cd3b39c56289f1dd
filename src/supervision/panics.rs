//! Panics as values.

use std::{
    any::Any,
    mem,
    panic::{self, AssertUnwindSafe},
};

use log::error;

/// Runs `work`; a panic in it becomes its message.
///
/// What `work` touched must be given up afterwards: it may be half changed.
pub(super) fn contain<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(message)
}

fn message(payload: Box<dyn Any + Send>) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    payload.downcast::<String>().map_or_else(
        |unknown| {
            mem::forget(unknown); // dropping it might panic once more
            "a panic without a message".to_owned()
        },
        |text| *text,
    )
}

/// Sends every panic to the log instead of stderr. Call once, early in `main`.
///
/// A daemon has no stderr, and the default hook's backtrace can take longer than the supervisor
/// is willing to wait.
pub fn log_panics() {
    panic::set_hook(Box::new(|info| error!("{info}")));
}
