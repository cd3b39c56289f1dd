//! What people ask of hooks.

use actix::{fut::wrap_future, prelude::*};
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;

use super::{Hooks, happened::Happened, plan::run};
use crate::{
    domain::{HookEvent, JobId, OnFail, Timestamp, When},
    store::{
        StoreError,
        hooks::{self, HookRun},
    },
};

/// A hook as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct Known {
    /// Where it is configured, as `COMPLETED[0]` or `PLUGIN/COMPLETED[0]`.
    pub hook: String,
    /// What it waits for.
    pub event: String,
    /// What it is particular about; none if nothing.
    pub when: Option<When>,
    /// How it does what it does.
    pub kind: &'static str,
    /// What it does, without what is secret.
    pub target: String,
    /// How long it may take.
    pub timeout_seconds: f64,
    /// What follows if it fails.
    pub on_fail: OnFail,
    /// How it last went.
    pub last_run: Option<HookRun>,
}

/// Shows every hook.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Result<Vec<Known>, StoreError>")]
pub struct List;

impl Handler<List> for Hooks {
    type Result = Result<Vec<Known>, StoreError>;

    fn handle(&mut self, _: List, _: &mut Self::Context) -> Self::Result {
        let known = self.0.hooks.iter().map(|(key, hook)| {
            let last = |connection: &_| hooks::last_of(connection, key);
            Ok(Known {
                hook: hook.name.clone(),
                event: hook.event.to_string(),
                when: (!hook.when.is_empty()).then(|| hook.when.clone()),
                kind: hook.action.kind(),
                target: hook.action.target(),
                timeout_seconds: hook.timeout.as_secs_f64(),
                on_fail: hook.on_fail,
                last_run: self.0.tools.store.read(last)?,
            })
        });
        known.collect()
    }
}

/// Why a hook cannot be tried.
#[derive(Clone, Debug, Error)]
pub enum NoHook {
    /// Nothing is configured for the event.
    #[error("no hook waits for {0}")]
    None(HookEvent),
    /// The database did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs every hook of an event with a made-up one; answers with the ids of the runs.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Result<Vec<String>, NoHook>")]
pub struct Test {
    /// Which; for every state, some state is made up.
    pub event: HookEvent,
}

impl Handler<Test> for Hooks {
    type Result = ResponseActFuture<Self, Result<Vec<String>, NoHook>>;

    fn handle(&mut self, Test { event }: Test, _: &mut Self::Context) -> Self::Result {
        let shared = self.0.clone();
        // What covers it, and what it covers.
        let concerned = shared
            .hooks
            .iter()
            .filter(|(_, hook)| hook.event.covers(event) || event.covers(hook.event));
        let sample = sample(event);
        let station = &shared.options.station;
        let runs: Vec<_> = concerned.map(|(key, hook)| run(station, key, hook, &sample)).collect();
        Box::pin(wrap_future(async move {
            if runs.is_empty() {
                return Err(NoHook::None(event));
            }
            let ids = runs.iter().map(|run| run.id.clone()).collect();
            shared.tools.store.write(move |tx| hooks::plan(tx, None, &runs)).await?;
            shared.stirred.set(true);
            shared.options.bell.ring();
            Ok(ids)
        }))
    }
}

/// An event that has not happened.
fn sample(event: HookEvent) -> Happened {
    let is_it = |it: &HookEvent| event.covers(*it) && it.state() != "*";
    let event = HookEvent::all().find(is_it).unwrap_or(event);
    let id = JobId::new().to_string();
    let (job_id, job_name, device, daemon, resource) = match event {
        HookEvent::Job(_) => (id.as_str(), "sample.gcode", "plotter", "", format!("job:{id}")),
        HookEvent::Device(_) => ("", "", "plotter", "", "device:plotter".to_owned()),
        HookEvent::Daemon(_) => ("", "", "", "sample", "daemon:sample".to_owned()),
    };
    let facts = json!({
        "event": event.to_string(),
        "event_id": null,
        "timestamp": Timestamp::now(),
        "resource": resource,
        "state": event.state(),
        "from_state": "",
        "reason": "a test",
        "job_id": job_id,
        "job_name": job_name,
        "device": device,
        "daemon_name": daemon,
        "test": true,
    });
    let facts = if let Value::Object(facts) = facts { facts } else { serde_json::Map::new() };
    Happened { seq: None, event, resource, facts, job: None }
}

/// Tries a run again that was given up; answers with the run as it then is.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<HookRun, StoreError>")]
pub struct Retry {
    /// Which.
    pub id: String,
}

impl Handler<Retry> for Hooks {
    type Result = ResponseActFuture<Self, Result<HookRun, StoreError>>;

    fn handle(&mut self, Retry { id }: Retry, _: &mut Self::Context) -> Self::Result {
        let shared = self.0.clone();
        Box::pin(wrap_future(async move {
            let run = shared.tools.store.write(move |tx| hooks::retry(tx, &id)).await?;
            shared.stirred.set(true);
            shared.options.bell.ring();
            Ok(run)
        }))
    }
}
