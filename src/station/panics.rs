//! Panics, as one line each.

use std::{
    any::Any,
    io::{self, Write as _},
    panic::{self, PanicHookInfo},
    sync::{Mutex, PoisonError},
    thread,
};

use log::{LevelFilter, error};

static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Every panic from now on becomes one line of the log, or of stderr before there is a log, and
/// is remembered.
///
/// A daemon has no stderr, and the backtrace of the default hook can take longer than a
/// supervisor is willing to wait.
pub(super) fn install_hook() {
    panic::set_hook(Box::new(|info| {
        let line = describe(info);
        if log::max_level() == LevelFilter::Off {
            // There is nobody else to tell when stderr is closed.
            let _ = writeln!(io::stderr(), "stationd: {line}");
        } else {
            error!(target: "panic", "{line}");
        }
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }));
}

/// The last panic of this process: thread, place and message.
pub(super) fn last() -> Option<String> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let thread = thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let message = message(info.payload());
    let message = message.lines().collect::<Vec<_>>().join(" ");
    match info.location() {
        Some(place) => format!("thread {thread} panicked at {place}: {message}"),
        None => format!("thread {thread} panicked: {message}"),
    }
}

fn message(payload: &dyn Any) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
