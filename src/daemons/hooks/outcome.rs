//! What follows from how a run went: it is over, or tried again, or somebody is told.

use std::time::Duration;

use log::warn;
use serde_json::{Map, Value, json};

use super::{
    actor::Shared,
    perform::{Tried, Verdict},
};
use crate::{
    daemons::job_queue::Act,
    domain::{
        Actor, Backoff, Body, Hook, HookAction, JobAction, JobId, JobState, OnFail, Severity,
        Timestamp,
    },
    store::{
        StoreError,
        hooks::{self, Due, Ended, RunState},
        jobs,
    },
};

/// Between two tries to deliver something: at first, and at most.
const DELAYS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));

/// By how much of it a delay may be shorter, so that not all come back at the same moment.
const JITTER: f64 = 0.1;

/// Between two tries to write while the disk is full or the database locked.
const AGAIN: Duration = Duration::from_secs(1);

/// What is to be written about a run.
#[derive(Clone, Copy)]
enum Note {
    Over(RunState),
    Again(Timestamp),
}

/// Its hook is not configured any more.
pub(super) async fn skip(shared: &Shared, due: &Due) {
    let error = Some("the hook is not configured any more".to_owned());
    let ended = Ended { error, ..Ended::default() };
    write(shared, due, Note::Over(RunState::Skipped), ended).await;
}

/// Writes down how a try went, and sees to what follows.
pub(super) async fn settle(
    shared: &Shared,
    hook: &Hook,
    due: &Due,
    facts: &Map<String, Value>,
    tried: Tried,
    took: Duration,
) {
    let Tried { ended, verdict } = tried;
    let attempts = due.attempts + 1;
    let retries = match &hook.action {
        HookAction::Webhook(webhook) => webhook.retries,
        _ => 0,
    };
    let (note, outcome) = match verdict {
        Verdict::Done => (Note::Over(RunState::Succeeded), "succeeded"),
        Verdict::Later(wait) if attempts <= retries => {
            (Note::Again(Timestamp::now().after(delay(attempts, wait))), "retried")
        }
        Verdict::Failed | Verdict::Later(_) => (Note::Over(RunState::Failed), "failed"),
    };
    shared.tools.telemetry.hook_ran(hook.action.kind(), outcome, took);
    let why = ended.error.clone().unwrap_or_default();
    write(shared, due, note, ended).await;
    if outcome == "failed" {
        warn!("hook {} failed: {why}", hook.name);
        failed(shared, hook, due, facts, &why).await;
    }
}

fn delay(attempts: u32, wait: Option<u64>) -> Duration {
    let own = Backoff::new(DELAYS.0, 2.0, DELAYS.1, JITTER).unwrap_or_default();
    // Not random, but different from one moment to the next.
    let chance = f64::from(u32::try_from(Timestamp::now().as_ms() % 1000).unwrap_or(0)) / 1000.0;
    own.delay(attempts.saturating_sub(1), chance).max(Duration::from_secs(wait.unwrap_or(0)))
}

/// Writes it until it is written: what is not would be done again.
async fn write(shared: &Shared, due: &Due, note: Note, ended: Ended) {
    let seq = due.seq;
    loop {
        let ended = ended.clone();
        let written = shared.tools.store.record(move |tx| match note {
            Note::Over(state) => hooks::finish(tx, seq, state, &ended),
            Note::Again(at) => hooks::defer(tx, seq, at, &ended),
        });
        match written.await {
            Ok(()) => return,
            Err(StoreError::Full | StoreError::Busy) => actix::clock::sleep(AGAIN).await,
            Err(error) => {
                warn!("how hook run {} went could not be stored: {error}", due.id);
                return;
            }
        }
    }
}

async fn failed(shared: &Shared, hook: &Hook, due: &Due, facts: &Map<String, Value>, why: &str) {
    if hook.on_fail == OnFail::Ignore {
        return;
    }
    let mut message = format!("hook {} of {}: {why}", hook.name, due.resource);
    let id = facts.get("job_id").and_then(Value::as_str).and_then(|id| id.parse::<JobId>().ok());
    if let (OnFail::AbortJob, Some(id)) = (hook.on_fail, id) {
        match abort(shared, hook, id).await {
            Ok(true) => message.push_str("; the job was cancelled"),
            Ok(false) => {}
            Err(error) => message = format!("{message}; the job could not be cancelled: {error}"),
        }
    }
    let mut body = Body::alert(Severity::Warning, "hooks", "A hook failed", message);
    if let Body::SystemAlert { metadata, details, .. } = &mut body {
        let about = json!({"hook": hook.name, "run_id": due.id, "resource": due.resource});
        *metadata = about.as_object().cloned().unwrap_or_default();
        details.clone_from(metadata);
    }
    let cause = due.event_seq;
    drop(shared.tools.store.record(move |tx| tx.emit("system", cause, body.clone())));
}

/// Cancels a job that waits or runs; false if there is nothing to cancel.
async fn abort(shared: &Shared, hook: &Hook, id: JobId) -> Result<bool, String> {
    let job = shared.tools.store.read(|connection| jobs::get(connection, id));
    let waits = |state| matches!(state, JobState::Held | JobState::Queued);
    match job {
        Ok(job) if waits(job.state) || job.state.is_active() => {}
        Ok(_) | Err(StoreError::NotFound(_)) => return Ok(false),
        Err(error) => return Err(error.to_string()),
    }
    let actor = Actor { name: format!("hook:{}", hook.name), source: "station".to_owned() };
    let act = Act { id, action: JobAction::Cancel, force: false, version: None, actor };
    match shared.tools.links().job_queue.ask(act).await {
        Ok(Ok(_)) => Ok(true),
        Ok(Err(error)) => Err(error.to_string()),
        Err(down) => Err(down.to_string()),
    }
}
