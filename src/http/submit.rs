//! `POST /api/v1/jobs`: a program as JSON, a file as the body, or files in a form.

use actix_multipart::{Field, Multipart};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes},
};
use futures_util::StreamExt;
use serde_json::json;

use super::{
    access::{Identity, Role},
    app::{App, entry},
    error::Problem,
    guard::{Who, forbidden},
    intake::{Arrived, analyse, clean_name, receive},
    placement::place,
    query::{json as read_json, query},
    wish::Wish,
};
use crate::{
    daemons::{Phase, job_queue::Wake},
    domain::{Job, JobKind, Light, NewJob, Outcome, Payload},
    store::jobs::{self, Inserted},
};

const JSON_LIMIT: usize = 256 * 1024;
/// Files in one form.
const MOST_FILES: usize = 32;
/// Bytes of one text field of a form.
const FIELD_LIMIT: usize = 16 * 1024;
const LONGEST_KEY: usize = 255;

pub(super) async fn submit(
    request: HttpRequest,
    app: web::Data<App>,
    Who(who): Who,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    if app.board.phase() == Phase::Stopping {
        return Err(Problem::Unavailable("the station is stopping: it takes no jobs".to_owned()));
    }
    let key = idempotency_key(&request)?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let pairs: Vec<(String, String)> = query(request.query_string())?;
    // A key in the query is a token, not a field.
    let pairs: Vec<_> = pairs.into_iter().filter(|(name, _)| name != "api_key").collect();
    match kind.to_ascii_lowercase().as_str() {
        "application/json" => {
            let body = payload.to_bytes_limited(JSON_LIMIT).await.map_err(|_| {
                Problem::TooLarge(format!("a JSON body has at most {JSON_LIMIT} bytes"))
            })?;
            let body = body.map_err(|error| Problem::Malformed(error.to_string()))?;
            let inserted = store(&app, &who, key, command(&app, &who, &body)?).await?;
            Ok(created(&inserted))
        }
        "multipart/form-data" => {
            let form = Multipart::new(request.headers(), payload);
            let mut inserted = form_jobs(&app, &who, pairs, key, form).await?;
            match inserted.pop() {
                Some(only) if inserted.is_empty() => Ok(created(&only)),
                None => Err(Problem::field("file", "a form needs a part named file")),
                Some(last) => {
                    let jobs: Vec<Job> =
                        inserted.into_iter().chain([last]).map(|it| it.job).collect();
                    Ok(HttpResponse::Created().json(json!({"items": jobs, "next_cursor": null})))
                }
            }
        }
        other if other.starts_with("multipart/") => Err(Problem::UnsupportedMedia(format!(
            "{other} is not taken: send multipart/form-data, or the file as it is"
        ))),
        _ => {
            let wish = Wish::from_pairs(&pairs)?;
            check(&app, &wish, JobKind::Device)?;
            // Without a name of its own, only its content tells what a file is.
            let hint = wish.name.as_deref().and_then(clean_name).unwrap_or_default();
            let arrived = receive(&app, &hint, payload).await?;
            let name = file_name(&wish, None);
            let job = device_job(&app, &who, wish, name, arrived).await?;
            Ok(created(&store(&app, &who, key, job).await?))
        }
    }
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(key) = request.headers().get("idempotency-key") else { return Ok(None) };
    match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST_KEY => Ok(Some(key.to_owned())),
        _ => Err(Problem::Malformed(format!(
            "an Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters"
        ))),
    }
}

fn check(app: &App, wish: &Wish, kind: JobKind) -> Result<(), Problem> {
    wish.check(kind)?;
    for id in &wish.depends_on {
        let known = app.store.read(|connection| jobs::get(connection, *id));
        known.map_err(|error| Problem::field("depends_on", error))?;
    }
    Ok(())
}

fn command(app: &web::Data<App>, who: &Identity, body: &Bytes) -> Result<NewJob, Problem> {
    let wish: Wish = read_json(body)?;
    if who.role < Role::Admin {
        app.refused(&who.actor, "job.submit", "command jobs need the role admin");
        return Err(forbidden(app, Role::Admin));
    }
    check(app, &wish, JobKind::Command)?;
    let Some(command) = wish.command.clone() else {
        return Err(Problem::field("command", "a command is a list: the program, its arguments"));
    };
    let name = wish.command_name();
    Ok(wish.into_job(name, Payload::Command(command), who.actor.name.clone()))
}

fn file_name(wish: &Wish, given: Option<&str>) -> String {
    let name = wish.name.as_deref().or(given).and_then(clean_name);
    name.unwrap_or_else(|| "job.gcode".to_owned())
}

async fn device_job(
    app: &App,
    who: &Identity,
    wish: Wish,
    name: String,
    arrived: Arrived,
) -> Result<NewJob, Problem> {
    let Arrived { payload, kind } = arrived;
    let settings = app.settings();
    let place = place(kind, wish.device.as_deref(), wish.driver.as_deref(), &settings.targets)?;
    let analysis = analyse(app, &payload, place.machines).await?;
    let mut job = wish.into_job(name, payload, who.actor.name.clone());
    job.hold |= place.confirm;
    job.device = place.device;
    job.driver = Some(place.driver);
    job.analysis = Some(analysis);
    Ok(job)
}

/// One job for each part named `file`; the fields hold for all, wherever they stand in the form.
async fn form_jobs(
    app: &web::Data<App>,
    who: &Identity,
    mut pairs: Vec<(String, String)>,
    key: Option<String>,
    mut form: Multipart,
) -> Result<Vec<Inserted>, Problem> {
    let broken = |error: actix_multipart::MultipartError| {
        Problem::Malformed(format!("the form cannot be read: {error}"))
    };
    let mut files = Vec::new();
    while let Some(field) = form.next().await {
        let field = field.map_err(broken)?;
        let name = field.name().unwrap_or_default().to_owned();
        if name != "file" {
            pairs.push((name, text(field).await?));
            continue;
        }
        if files.len() == MOST_FILES {
            return Err(Problem::TooLarge(format!("a form has at most {MOST_FILES} files")));
        }
        let given = field.content_disposition().and_then(|it| it.get_filename().map(str::to_owned));
        let hint = given.as_deref().and_then(clean_name).unwrap_or_default();
        files.push((given, receive(app, &hint, field).await?));
    }
    let mut jobs = Vec::new();
    for (given, arrived) in files {
        let wish = Wish::from_pairs(&pairs)?;
        check(app, &wish, JobKind::Device)?;
        let name = file_name(&wish, given.as_deref());
        jobs.push(device_job(app, who, wish, name, arrived).await?);
    }
    let mut inserted = Vec::new();
    let several = jobs.len() > 1;
    for (index, job) in jobs.into_iter().enumerate() {
        let key =
            key.as_ref().map(|key| if several { format!("{key}/{index}") } else { key.clone() });
        inserted.push(store(app, who, key, job).await?);
    }
    Ok(inserted)
}

async fn text(mut field: Field) -> Result<String, Problem> {
    let name = field.name().unwrap_or_default().to_owned();
    let bytes = field
        .bytes(FIELD_LIMIT)
        .await
        .map_err(|_| Problem::TooLarge(format!("the field {name} is too long")))?
        .map_err(|error| Problem::Malformed(format!("the form cannot be read: {error}")))?;
    String::from_utf8(bytes.into()).map_err(|_| Problem::field(&name, "the field is not UTF-8"))
}

fn is_red(job: &NewJob) -> bool {
    job.analysis.as_ref().is_some_and(|analysis| analysis.verdict == Light::Red)
}

/// One durable write: the job, its event and its audit record.
async fn store(
    app: &App,
    who: &Identity,
    key: Option<String>,
    mut job: NewJob,
) -> Result<Inserted, Problem> {
    job.idempotency_key = key;
    let resource = format!("job:{}", job.id);
    let detail = if is_red(&job) && job.forced {
        format!("{}: forced although its verdict is red", job.name)
    } else {
        job.name.clone()
    };
    let record = entry(&who.actor, "job.submit", resource, Outcome::Ok, &detail);
    let write = app.store.write(move |tx| {
        let inserted = jobs::insert(tx, &job)?;
        if inserted.created {
            tx.audit(&record)?;
        }
        Ok(inserted)
    });
    let inserted = write.await?;
    // A queue that is down or has a full mailbox looks for work by itself.
    let _ = app.links().job_queue.tell(Wake);
    Ok(inserted)
}

fn created(inserted: &Inserted) -> HttpResponse {
    let Inserted { job, created } = inserted;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/v1/jobs/{}", job.id)));
    if !created {
        response.insert_header(("idempotent-replayed", "true"));
    }
    response.json(job)
}
