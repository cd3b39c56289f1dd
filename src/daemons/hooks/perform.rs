//! One try of one run.

use std::{rc::Rc, time::Instant};

use log::debug;
use serde_json::{Map, Value};

use super::{actor::Shared, daemon, outcome, program, webhook};
use crate::{
    domain::{Hook, HookAction, Live},
    store::hooks::{Due, Ended},
};

/// How a try went.
#[derive(Debug)]
pub(super) struct Tried {
    /// What is written down.
    pub(super) ended: Ended,
    /// What follows.
    pub(super) verdict: Verdict,
}

/// What follows from a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is done.
    Done,
    /// It has failed, and another try would fail too.
    Failed,
    /// It has failed, and may work later, but not before so many seconds if the other side says so.
    Later(Option<u64>),
}

impl Tried {
    /// It worked.
    pub(super) fn done() -> Self {
        Self { ended: Ended::default(), verdict: Verdict::Done }
    }

    /// It failed for good.
    pub(super) fn failed(why: impl Into<String>) -> Self {
        let ended = Ended { error: Some(why.into()), ..Ended::default() };
        Self { ended, verdict: Verdict::Failed }
    }
}

/// Does it, and sees to what follows.
pub(super) async fn perform(shared: Rc<Shared>, due: Due) {
    let Some(hook) = shared.hooks.find(&due.hook_key) else {
        outcome::skip(&shared, &due).await;
        return;
    };
    let begun = Instant::now();
    let facts: Map<String, Value> = serde_json::from_str(&due.payload).unwrap_or_default();
    let tried = attempt(&shared, hook, &due, &facts).await;
    debug!("hook {} ({}): {:?}", hook.name, due.id, tried.verdict);
    outcome::settle(&shared, hook, &due, &facts, tried, begun.elapsed()).await;
}

async fn attempt(shared: &Shared, hook: &Hook, due: &Due, facts: &Map<String, Value>) -> Tried {
    match &hook.action {
        HookAction::Command(command) => program::command(shared, hook, due, facts, command).await,
        HookAction::Script(path) => program::script(shared, hook, due, facts, path).await,
        HookAction::Webhook(webhook) => webhook::post(hook, webhook, due, facts).await,
        HookAction::Websocket => {
            let word = |name: &str| facts[name].as_str().unwrap_or_default().to_owned();
            shared.tools.feed.live(&Live::Hook {
                hook: hook.name.clone(),
                event: word("event"),
                event_id: due.event_seq,
                about: due.resource.clone(),
                details: facts.clone(),
            });
            Tried::done()
        }
        HookAction::Daemon { name, order } => {
            daemon::order(shared, name, *order, hook.timeout).await
        }
    }
}
