//! Hooks: which there are, what they did, a try.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    app::{App, entry},
    error::Problem,
    guard::Who,
    query::{json, parse, query},
};
use crate::{
    daemons::hooks::{List, NoHook, Retry, Test},
    domain::{HookEvent, Outcome},
    store::{
        Page,
        hooks::{self, HookRun, RunFilter, RunState},
    },
};

/// `GET /api/v1/hooks`: every hook, each with how it last went.
pub(super) async fn list(app: web::Data<App>) -> Result<web::Json<Value>, Problem> {
    let hooks = app.links().hooks.ask(List).await??;
    Ok(web::Json(json!({"items": hooks, "next_cursor": null})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunsQuery {
    state: Option<String>,
    hook: Option<String>,
    resource: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// `GET /api/v1/hooks/runs`, newest first.
pub(super) async fn runs(
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<web::Json<Page<HookRun>>, Problem> {
    let wanted: RunsQuery = query(request.query_string())?;
    if wanted.limit.is_some_and(|limit| !(1..=1000).contains(&limit)) {
        return Err(Problem::field("limit", "limit must lie between 1 and 1000"));
    }
    let state = parse("state", wanted.state.as_deref())?;
    let filter = RunFilter { state, hook: wanted.hook, resource: wanted.resource };
    let (cursor, limit) = (wanted.cursor.as_deref(), wanted.limit.unwrap_or(0));
    Ok(web::Json(app.store.read(|connection| hooks::list(connection, &filter, cursor, limit))?))
}

/// `GET /api/v1/hooks/runs/{id}`.
pub(super) async fn show(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<web::Json<HookRun>, Problem> {
    Ok(web::Json(app.store.read(|connection| hooks::get(connection, &id))?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    event: String,
}

/// `POST /api/v1/hooks/test` `{"event":"COMPLETED"}`: runs the hooks of an event with a made-up
/// one. Answers with the runs, which have not ended yet.
pub(super) async fn test(
    app: web::Data<App>,
    body: web::Bytes,
    Who(who): Who,
) -> Result<HttpResponse, Problem> {
    let Wanted { event } = json(&body)?;
    let known = event.parse::<HookEvent>();
    let event = known.map_err(|wrong| Problem::field("event", format!("{event:?} {wrong}")))?;
    let ids = app.links().hooks.ask(Test { event }).await??;
    let tested = entry(&who.actor, "hook.test", format!("hook:{event}"), Outcome::Ok, "");
    app.note(tested);
    Ok(HttpResponse::Accepted().json(json!({"event": event.to_string(), "runs": ids})))
}

/// `POST /api/v1/hooks/runs/{id}/retry`: tries again what was given up.
pub(super) async fn retry(
    app: web::Data<App>,
    id: web::Path<String>,
    Who(who): Who,
) -> Result<web::Json<HookRun>, Problem> {
    let id = id.into_inner();
    let before = app.store.read(|connection| hooks::get(connection, &id))?;
    match before.state {
        RunState::Failed => {}
        RunState::Waiting | RunState::Running => return Ok(web::Json(before)),
        RunState::Succeeded | RunState::Skipped => {
            let state = before.state.as_str();
            return Err(Problem::Conflict(format!(
                "run {id} is {state}: only a FAILED one can be tried again"
            )));
        }
    }
    let run = app.links().hooks.ask(Retry { id: id.clone() }).await??;
    app.audit(&who.actor, "hook.retry", format!("hook:{}", run.hook), Outcome::Ok);
    Ok(web::Json(run))
}

impl From<NoHook> for Problem {
    fn from(error: NoHook) -> Self {
        match error {
            NoHook::None(_) => Self::Conflict(error.to_string()),
            NoHook::Store(error) => error.into(),
        }
    }
}
