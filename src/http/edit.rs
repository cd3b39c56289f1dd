//! `PATCH /api/v1/jobs/{id}`: changes to a job that waits, and versions of jobs.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{
    app::{App, entry},
    error::{Detail, Problem},
    guard::Who,
    intake::clean_name,
    jobs::job_id,
    query::json,
    wish::{self, LABELS, LONGEST_NAME, fit},
};
use crate::{
    daemons::job_queue::Wake,
    domain::{Job, JobId, JobKind, Outcome, Priority, Timestamp, when},
    store::jobs::{self, Edit, Place},
};

/// What may be changed of a waiting job; what is left out stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Patch {
    name: Option<String>,
    #[serde(deserialize_with = "priority")]
    priority: Option<Priority>,
    #[serde(deserialize_with = "given")]
    not_before: Option<Value>,
    labels: Option<BTreeMap<String, String>>,
    before: Option<JobId>,
    place: Option<End>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum End {
    First,
    Last,
}

fn priority<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Priority>, D::Error> {
    wish::priority(deserializer).map(Some)
}

/// Tells null from nothing at all.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The version that a request is about, by its `If-Match`.
pub(super) fn if_match(request: &HttpRequest) -> Result<Option<u64>, Problem> {
    let Some(header) = request.headers().get(header::IF_MATCH) else { return Ok(None) };
    let text = header.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let version = version.and_then(|text| text.parse().ok());
    version
        .map(Some)
        .ok_or_else(|| Problem::Malformed("If-Match names the ETag of a job, as \"3\"".to_owned()))
}

/// A job with its version as the `ETag`.
pub(super) fn versioned(job: &Job) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, format!("\"{}\"", job.version))).json(job)
}

pub(super) async fn patch(
    request: HttpRequest,
    app: web::Data<App>,
    id: web::Path<String>,
    Who(who): Who,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let version = if_match(&request)?;
    let kind = app.store.read(|connection| jobs::get(connection, id))?.kind;
    let edit = edit(&app, kind, json(&body)?)?;
    if edit == Edit::default() {
        return Err(Problem::Invalid(vec![Detail {
            pointer: String::new(),
            detail: "name, priority, not_before, labels, before or place is to be changed"
                .to_owned(),
        }]));
    }
    let record = entry(&who.actor, "job.edit", format!("job:{id}"), Outcome::Ok, "");
    let write = app.store.write(move |tx| {
        jobs::check_version(tx, id, version)?;
        let job = jobs::edit(tx, id, &edit)?;
        tx.audit(&record)?;
        Ok(job)
    });
    let job = write.await?;
    let _ = app.links().job_queue.tell(Wake); // one that is down looks for work by itself
    Ok(versioned(&job))
}

fn edit(app: &App, kind: JobKind, patch: Patch) -> Result<Edit, Problem> {
    let place = match (patch.before, patch.place) {
        (Some(_), Some(_)) => {
            return Err(Problem::field("place", "a job is put before another or to an end"));
        }
        (Some(other), None) => Some(Place::Before(other)),
        (None, Some(End::First)) => Some(Place::First),
        (None, Some(End::Last)) => Some(Place::Last),
        (None, None) => None,
    };
    if place.is_some() && patch.priority.is_some() {
        return Err(Problem::field("priority", "the place of a job gives its priority"));
    }
    let name = match (patch.name, kind) {
        (None, _) => None,
        (Some(name), JobKind::Device) => {
            Some(clean_name(&name).ok_or_else(|| Problem::field("name", "a name is not empty"))?)
        }
        (Some(name), JobKind::Command) => {
            let name: String = name.trim().chars().filter(|char| !char.is_control()).collect();
            if name.is_empty() {
                return Err(Problem::field("name", "a name is not empty"));
            }
            Some(name.chars().take(LONGEST_NAME).collect())
        }
    };
    if patch.labels.as_ref().is_some_and(|labels| !fit(labels)) {
        return Err(Problem::field("labels", LABELS));
    }
    let not_before = match patch.not_before {
        None => None,
        Some(Value::Null) => Some(None),
        Some(text) => {
            let text = text.as_str().unwrap_or_default();
            let time = when(text, Timestamp::now(), &app.settings().timezone);
            Some(Some(time.map_err(|error| Problem::field("not_before", error))?))
        }
    };
    Ok(Edit { name, priority: patch.priority, not_before, labels: patch.labels, place })
}
