//! What becomes of the supervisor's news: the board, durable events, alerts, and a new life for a
//! station whose daemons stand still again and again.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::{Duration, Instant},
};

use log::error;
use tokio::sync::mpsc::Sender;

use crate::{
    daemons::Tools,
    domain::{Body, Daemon, Severity},
    http::Control,
    store::daemons,
    supervision::Notice,
};

/// So many threads that were left to themselves are enough.
const ABANDONED: u32 = 3;

/// One alert of restarts held back is enough for that long.
const QUIET: Duration = Duration::from_mins(1);

/// Shows every change of a daemon, makes it a durable event, and alerts.
pub(super) fn observer(tools: Tools, control: Sender<Control>) -> impl Fn(Notice<'_>) {
    let restarts: RefCell<HashMap<String, u64>> = RefCell::default();
    let held_back: Cell<Option<Instant>> = Cell::new(None);
    move |notice| match notice {
        Notice::Changed(daemon) => {
            tools.board.show_daemon(daemon);
            let total = daemon.restarts_total;
            let before = restarts.borrow_mut().insert(daemon.name.clone(), total);
            let counted = (daemon.restarts > 0 && before != Some(total)).then_some(total);
            record(&tools, daemon, counted);
        }
        Notice::Touched(daemon) => tools.board.show_daemon(daemon),
        Notice::CrashLoop(daemon) => {
            let title = format!("{} is in a crash loop", daemon.name);
            alert(&tools, Severity::Warning, &daemon.name, &title, &failures(daemon));
        }
        Notice::GivenUp(daemon) => {
            let severity = if daemon.critical { Severity::Critical } else { Severity::Error };
            let title = format!("{} was given up", daemon.name);
            alert(&tools, severity, &daemon.name, &title, &failures(daemon));
        }
        Notice::Abandoned { name, count } => {
            let title = format!("{name} stood still");
            let text = "its thread was left to itself and another one was started";
            alert(&tools, Severity::Error, name, &title, text);
            if count >= ABANDONED {
                let why = format!("{count} threads stand still, the last one that of {name}");
                error!("{why}: the station starts anew");
                drop(control.try_send(Control::Renew { why })); // full: somebody asked for an end already
            }
        }
        Notice::HeldBack { name, per_minute } => {
            if held_back.get().is_none_or(|last| last.elapsed() > QUIET) {
                held_back.set(Some(Instant::now()));
                let text = format!(
                    "{name} waits: there were more than {per_minute} restarts within a minute"
                );
                alert(&tools, Severity::Warning, name, "Restarts are held back", &text);
            }
        }
        Notice::Gone { name } => tools.board.forget_daemon(name),
    }
}

fn failures(daemon: &Daemon) -> String {
    let count = match daemon.attempt {
        1 => "1 failure".to_owned(),
        count => format!("{count} failures in a row"),
    };
    let error = daemon.last_error.as_deref().unwrap_or("no reason is known");
    let words = daemon.last_lines.last().map(|line| format!("; its last words: {line}"));
    format!("{count}, the last one: {error}{}", words.unwrap_or_default())
}

fn record(tools: &Tools, daemon: &Daemon, restarts: Option<u64>) {
    let body = Body::of_daemon(daemon);
    let name = daemon.name.clone();
    drop(tools.store.record(move |tx| {
        if let Some(restarts) = restarts {
            daemons::set_restarts(tx, &name, restarts)?;
        }
        tx.emit(&format!("daemon:{name}"), None, body.clone())
    }));
}

fn alert(tools: &Tools, severity: Severity, name: &str, title: &str, message: &str) {
    let body = Body::alert(severity, "supervisor", title, message);
    let resource = format!("daemon:{name}");
    drop(tools.store.record(move |tx| tx.emit(&resource, None, body.clone())));
}
