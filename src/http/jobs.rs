//! Jobs: look, act, delete.

use std::{fs, io};

use actix_web::{HttpRequest, HttpResponse, web};
use log::warn;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    access::Identity,
    app::{App, entry},
    edit::{if_match, versioned},
    error::Problem,
    guard::Who,
    query::{json as json_body, parse, query},
};
use crate::{
    daemons::job_queue::Act,
    domain::{Job, JobAction, JobId, JobKind, Outcome},
    store::{
        Page,
        events::{self, EventFilter, StoredEvent},
        jobs::{self, JobFilter},
    },
};

/// The id in an address; one that cannot be an id names nothing.
pub(super) fn job_id(text: &str) -> Result<JobId, Problem> {
    text.parse().map_err(|_| Problem::NotFound(format!("there is no job {text}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    state: Option<String>,
    device: Option<String>,
    kind: Option<String>,
    name: Option<String>,
    submitted_by: Option<String>,
    /// `KEY=VALUE` or `KEY`; several with commas.
    label: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// `GET /api/v1/jobs`, newest first.
pub(super) async fn list(
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<web::Json<Page<Job>>, Problem> {
    let wanted: ListQuery = query(request.query_string())?;
    let kind = match wanted.kind.as_deref() {
        None => None,
        Some("device") => Some(JobKind::Device),
        Some("command") => Some(JobKind::Command),
        Some(_) => return Err(Problem::field("kind", "kind is device or command")),
    };
    if wanted.limit.is_some_and(|limit| !(1..=1000).contains(&limit)) {
        return Err(Problem::field("limit", "limit must lie between 1 and 1000"));
    }
    let filter = JobFilter {
        state: parse("state", wanted.state.as_deref())?,
        device: wanted.device,
        kind,
        name: wanted.name,
        submitted_by: wanted.submitted_by,
        labels: labels(wanted.label.as_deref().unwrap_or_default()),
        limit: wanted.limit.unwrap_or(0),
        cursor: wanted.cursor,
    };
    let mut page = app.store.read(|connection| jobs::list(connection, &filter))?;
    for job in &mut page.items {
        app.board.overlay(job);
    }
    Ok(web::Json(page))
}

fn labels(text: &str) -> Vec<(String, Option<String>)> {
    let label = |text: &str| match text.split_once('=') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), None),
    };
    text.split(',').filter(|text| !text.is_empty()).map(label).collect()
}

/// `GET /api/v1/jobs/{id}`.
pub(super) async fn show(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let mut job = app.store.read(|connection| jobs::get(connection, id))?;
    app.board.overlay(&mut job);
    Ok(versioned(&job))
}

/// The most events that a history is told by.
const HISTORY: usize = 1000;

/// `GET /api/v1/jobs/{id}/history`: each change of its state, oldest first, as far back as events
/// are kept.
pub(super) async fn history(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<web::Json<Value>, Problem> {
    let id = job_id(&id)?;
    let filter = EventFilter {
        kind: Some("job_state_change".to_owned()),
        resource: Some(format!("job:{id}")),
        channel: None,
    };
    let events = app.store.read(|connection| {
        jobs::get(connection, id)?;
        events::since(connection, 0, &filter, HISTORY)
    })?;
    let change = |event: StoredEvent| {
        let mut event: Value = serde_json::from_str(&event.json).unwrap_or_default();
        let mut field = |name: &str| event[name].take();
        let metadata = field("metadata");
        json!({
            "seq": field("seq"),
            "timestamp": field("timestamp"),
            "from_state": field("from_state"),
            "to_state": field("to_state"),
            "reason": field("reason"),
            "actor": metadata["actor"].as_str().unwrap_or("station"),
            "device": field("device_id"),
            "metadata": metadata,
        })
    };
    let changes: Vec<Value> = events.into_iter().map(change).collect();
    Ok(web::Json(json!({"items": changes, "next_cursor": null})))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ActBody {
    /// Release it although its verdict is red.
    force: bool,
}

/// `POST /api/v1/jobs/{id}/{pause|skip|cancel|retry|release}`; `{"force": true}` releases a job
/// with a red verdict.
pub(super) async fn act(
    request: HttpRequest,
    app: web::Data<App>,
    path: web::Path<(String, JobAction)>,
    Who(who): Who,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let (id, action) = path.into_inner();
    let (id, version) = (job_id(&id)?, if_match(&request)?);
    let ActBody { force } = json_body(&body)?;
    if force && action != JobAction::Release {
        return Err(Problem::field("force", "only a release can be forced"));
    }
    act_on(&app, &who, Act { id, action, actor: who.actor.clone(), force, version }).await
}

/// Has the queue do it; answers with the job as it then is.
pub(super) async fn act_on(app: &App, who: &Identity, act: Act) -> Result<HttpResponse, Problem> {
    let Act { id, action, .. } = act;
    let answer = app.links().job_queue.ask(act).await;
    let answer = answer.map_err(Problem::from).and_then(|answer| answer.map_err(Problem::from));
    if answer.is_err() {
        // What was done the queue has written down itself.
        app.audit(&who.actor, &format!("job.{action}"), format!("job:{id}"), Outcome::Failed);
    }
    let mut job = answer?;
    app.board.overlay(&mut job);
    Ok(versioned(&job))
}

/// `DELETE /api/v1/jobs/{id}`: only a job that has ended.
pub(super) async fn delete(
    request: HttpRequest,
    app: web::Data<App>,
    id: web::Path<String>,
    Who(who): Who,
) -> Result<HttpResponse, Problem> {
    let (id, version) = (job_id(&id)?, if_match(&request)?);
    let record = entry(&who.actor, "job.delete", format!("job:{id}"), Outcome::Ok, "");
    app.store
        .write(move |tx| {
            jobs::check_version(tx, id, version)?;
            jobs::delete(tx, id)?;
            tx.audit(&record).map(drop)
        })
        .await?;
    let output = app.settings().jobs_dir.join(id.to_string());
    if let Err(error) = fs::remove_dir_all(&output)
        && error.kind() != io::ErrorKind::NotFound
    {
        warn!("failed to delete {}: {error}", output.display());
    }
    Ok(HttpResponse::NoContent().finish())
}
