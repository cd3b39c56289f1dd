//! Jobs: look, act, delete.

use std::{fs, io};

use actix_web::{HttpRequest, HttpResponse, web};
use log::warn;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    access::Identity,
    app::{App, entry},
    error::Problem,
    guard::Who,
    query::{json as json_body, parse, query},
};
use crate::{
    daemons::job_queue::Act,
    domain::{Job, JobAction, JobId, JobKind, JobState, Outcome},
    store::{
        Page,
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
        limit: wanted.limit.unwrap_or(0),
        cursor: wanted.cursor,
    };
    let mut page = app.store.read(|connection| jobs::list(connection, &filter))?;
    for job in &mut page.items {
        app.board.overlay(job);
    }
    Ok(web::Json(page))
}

/// `GET /api/v1/jobs/{id}`.
pub(super) async fn show(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<web::Json<Job>, Problem> {
    let id = job_id(&id)?;
    let mut job = app.store.read(|connection| jobs::get(connection, id))?;
    app.board.overlay(&mut job);
    Ok(web::Json(job))
}

/// The most jobs that the queue is shown by.
const QUEUE_SHOWN: usize = 1000;

/// `GET /api/v1/queue`: what runs, and what waits in the order it will run.
pub(super) async fn queue(app: web::Data<App>) -> Result<web::Json<Value>, Problem> {
    let (mut active, waiting, counts) = app.store.read(|connection| {
        let waiting = jobs::queue(connection, QUEUE_SHOWN)?;
        Ok((jobs::active(connection)?, waiting, jobs::counts(connection)?))
    })?;
    for job in &mut active {
        app.board.overlay(job);
    }
    Ok(web::Json(json!({
        "active": active,
        "items": waiting,
        "queued": counts.of(JobState::Queued),
        "held": counts.of(JobState::Held),
        "interrupted": counts.of(JobState::Interrupted),
    })))
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
    app: web::Data<App>,
    path: web::Path<(String, JobAction)>,
    Who(who): Who,
    body: web::Bytes,
) -> Result<web::Json<Job>, Problem> {
    let (id, action) = path.into_inner();
    let id = job_id(&id)?;
    let ActBody { force } = json_body(&body)?;
    if force && action != JobAction::Release {
        return Err(Problem::field("force", "only a release can be forced"));
    }
    act_on(&app, &who, id, action, force).await
}

/// Has the queue do it; answers with the job as it then is.
pub(super) async fn act_on(
    app: &App,
    who: &Identity,
    id: JobId,
    action: JobAction,
    force: bool,
) -> Result<web::Json<Job>, Problem> {
    let answer =
        app.links().job_queue.ask(Act { id, action, actor: who.actor.clone(), force }).await;
    let answer = answer.map_err(Problem::from).and_then(|answer| answer.map_err(Problem::from));
    if answer.is_err() {
        // What was done the queue has written down itself.
        app.audit(&who.actor, &format!("job.{action}"), format!("job:{id}"), Outcome::Failed);
    }
    let mut job = answer?;
    app.board.overlay(&mut job);
    Ok(web::Json(job))
}

/// `DELETE /api/v1/jobs/{id}`: only a job that has ended.
pub(super) async fn delete(
    app: web::Data<App>,
    id: web::Path<String>,
    Who(who): Who,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let record = entry(&who.actor, "job.delete", format!("job:{id}"), Outcome::Ok, "");
    app.store
        .write(move |tx| {
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
