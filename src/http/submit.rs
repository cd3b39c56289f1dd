//! `POST /api/v1/jobs`: a program as JSON, a file as the body, or files in a form.

use actix_multipart::{Field, Multipart};
use actix_web::{HttpRequest, HttpResponse, http::header, web};
use futures_util::StreamExt;

use super::{
    access::Identity,
    app::App,
    error::Problem,
    guard::Who,
    intake::{clean_name, receive},
    query::{json, query},
    submission::{
        References, admit, all_created, command_job, copies, created, device_job, file_name,
        resolve, store, store_all,
    },
    wish::Wish,
};
use crate::domain::{JobKind, NewJob};

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
    admit(&app)?;
    let key = idempotency_key(&request)?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let pairs: Vec<(String, String)> = query(request.query_string())?;
    // A key in the query is a token, not a field.
    let pairs: Vec<_> = pairs.into_iter().filter(|(name, _)| name != "api_key").collect();
    match kind.to_ascii_lowercase().as_str() {
        "application/json" => {
            let wish: Wish = json(&body(payload, JSON_LIMIT).await?)?;
            if wish.reference.is_some() || wish.content.is_some() {
                return Err(Problem::field("ref", "only a job of a batch has a ref or a content"));
            }
            let count = wish.copies();
            let job = command_job(&app, &who, wish, &References::new())?;
            enqueue(&app, &who, key, copies(job, count)).await
        }
        "multipart/form-data" => {
            let form = Multipart::new(request.headers(), payload);
            let jobs = form_jobs(&app, &who, pairs, form).await?;
            enqueue(&app, &who, key, jobs).await
        }
        other if other.starts_with("multipart/") => Err(Problem::UnsupportedMedia(format!(
            "{other} is not taken: send multipart/form-data, or the file as it is"
        ))),
        _ => {
            let wish = Wish::from_pairs(&pairs)?;
            wish.check(JobKind::Device)?;
            let resolved = resolve(&app, &wish, &References::new())?;
            let arrived = receive(&app, &wish.names(), payload).await?;
            let (name, count) = (file_name(&wish, None, arrived.kind), wish.copies());
            let job = device_job(&app, &who, wish, name, arrived, resolved).await?;
            enqueue(&app, &who, key, copies(job, count)).await
        }
    }
}

/// A JSON body of at most `limit` bytes.
pub(super) async fn body(payload: web::Payload, limit: usize) -> Result<web::Bytes, Problem> {
    let body = payload.to_bytes_limited(limit).await;
    let body =
        body.map_err(|_| Problem::TooLarge(format!("a JSON body has at most {limit} bytes")))?;
    body.map_err(|error| Problem::Malformed(error.to_string()))
}

async fn enqueue(
    app: &App,
    who: &Identity,
    key: Option<String>,
    mut jobs: Vec<NewJob>,
) -> Result<HttpResponse, Problem> {
    match jobs.pop() {
        Some(only) if jobs.is_empty() => Ok(created(&store(app, who, key, only).await?)),
        Some(last) => {
            jobs.push(last);
            Ok(all_created(store_all(app, who, key, jobs).await?))
        }
        None => Err(Problem::field("file", "a form needs a part named file")),
    }
}

/// The `Idempotency-Key` of a request.
pub(super) fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(key) = request.headers().get("idempotency-key") else { return Ok(None) };
    match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST_KEY => Ok(Some(key.to_owned())),
        _ => Err(Problem::Malformed(format!(
            "an Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters"
        ))),
    }
}

/// One job for each part named `file`; the fields hold for all, wherever they stand in the form.
async fn form_jobs(
    app: &web::Data<App>,
    who: &Identity,
    mut pairs: Vec<(String, String)>,
    mut form: Multipart,
) -> Result<Vec<NewJob>, Problem> {
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
        let own = given.as_deref().and_then(clean_name);
        files.push((given, receive(app, own.as_slice(), field).await?));
    }
    let mut jobs = Vec::new();
    for (given, arrived) in files {
        let wish = Wish::from_pairs(&pairs)?;
        wish.check(JobKind::Device)?;
        let resolved = resolve(app, &wish, &References::new())?;
        let (name, count) = (file_name(&wish, given.as_deref(), arrived.kind), wish.copies());
        jobs.extend(copies(device_job(app, who, wish, name, arrived, resolved).await?, count));
    }
    Ok(jobs)
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
