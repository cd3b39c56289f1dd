//! What belongs to a job beside its row: the file, its picture, what its program wrote.

use std::{
    fs::File,
    io::{Cursor, Read, Seek, SeekFrom},
    path::Path,
};

use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    http::header::{self, ContentDisposition, DispositionParam, DispositionType},
    web::{self, Bytes},
};
use futures_util::stream;
use serde::Deserialize;

use super::{app::App, error::Problem, health::busy, jobs::job_id, query::query};
use crate::{
    domain::{Job, Payload},
    store::{StoreError, jobs},
    toolpath,
};

/// Bytes read from a stored file at a time.
const PIECE: usize = 64 * 1024;
/// Bytes of the end of a log that are looked at.
const LOG_LIMIT: u64 = 1024 * 1024;
const USUAL_LINES: usize = 1000;
const MOST_LINES: usize = 10_000;
/// Points of a picture; more are not seen on any screen.
const POINTS: usize = 20_000;

fn find(app: &App, id: &str) -> Result<(Job, Payload), Problem> {
    let id = job_id(id)?;
    Ok(app
        .store
        .read(|connection| Ok((jobs::get(connection, id)?, jobs::payload(connection, id)?)))?)
}

fn no_file(job: &Job) -> Problem {
    Problem::NotFound(format!("job {} runs a program and has no file", job.id))
}

/// `GET /api/v1/jobs/{id}/file`: always a download, never shown as a page of this station.
pub(super) async fn file(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (job, payload) = find(&app, &id)?;
    let mut response = HttpResponse::Ok();
    response
        .content_type("application/octet-stream")
        .insert_header(("content-security-policy", "sandbox"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(ContentDisposition {
            disposition: DispositionType::Attachment,
            parameters: vec![DispositionParam::Filename(job.name.clone())],
        });
    match payload {
        Payload::Inline(bytes) => Ok(response.body(bytes)),
        Payload::Stored { sha256, size } => {
            let file = app.store.files().open(&sha256)?;
            Ok(response.body(SizedStream::new(size, Box::pin(pieces(file)))))
        }
        Payload::Command(_) => Err(no_file(&job)),
    }
}

fn pieces(file: File) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    stream::unfold(Some(file), |file| async {
        let mut file = file?;
        let read = web::block(move || {
            let mut piece = Vec::with_capacity(PIECE);
            let read = (&mut file).take(PIECE as u64).read_to_end(&mut piece);
            read.map(|_| (file, Bytes::from(piece)))
        });
        match read.await {
            Ok(Ok((_, piece))) if piece.is_empty() => None,
            Ok(Ok((file, piece))) => Some((Ok(piece), Some(file))),
            Ok(Err(error)) => Some((Err(error), None)),
            Err(_) => Some((Err(std::io::ErrorKind::Interrupted.into()), None)),
        }
    })
}

/// `GET /api/v1/jobs/{id}/toolpath`: see [`toolpath::Preview`].
pub(super) async fn toolpath(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (job, payload) = find(&app, &id)?;
    let store = app.store.clone();
    let preview = web::block(move || -> Result<_, Problem> {
        let unreadable = |error| Problem::Internal(format!("the file cannot be read: {error}"));
        match payload {
            Payload::Inline(bytes) => toolpath::preview(Cursor::new(bytes), POINTS),
            Payload::Stored { sha256, .. } => {
                toolpath::preview(store.files().open(&sha256)?, POINTS)
            }
            Payload::Command(_) => return Err(no_file(&job)),
        }
        .map_err(unreadable)
    });
    let preview = preview.await.map_err(busy)??;
    // A job's file never changes.
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, max-age=86400"))
        .json(preview))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogQuery {
    tail: Option<usize>,
}

/// `GET /api/v1/jobs/{id}/log?tail=`: the last lines of what the program wrote.
pub(super) async fn log(
    request: HttpRequest,
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let LogQuery { tail } = query(request.query_string())?;
    let lines = tail.unwrap_or(USUAL_LINES);
    if !(1..=MOST_LINES).contains(&lines) {
        return Err(Problem::field("tail", format!("1 to {MOST_LINES} lines are shown")));
    }
    let id = job_id(&id)?;
    app.store.read(|connection| jobs::get(connection, id))?;
    let path = app.settings().jobs_dir.join(id.to_string()).join("output.log");
    let text = web::block(move || end_of(&path, lines)).await.map_err(busy)??;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text))
}

/// The last `lines` of a file; nothing if there is no file yet.
fn end_of(path: &Path, lines: usize) -> Result<String, StoreError> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOG_LIMIT)))?;
        let mut bytes = Vec::new();
        file.take(LOG_LIMIT).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = match read() {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(source) => {
            return Err(StoreError::Io {
                path: path.to_owned(),
                source: std::sync::Arc::new(source),
            });
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let body = text.strip_suffix('\n').unwrap_or(&text);
    let start = body.rmatch_indices('\n').nth(lines - 1).map_or(0, |(at, _)| at + 1);
    Ok(text[start..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("output.log");
        assert_eq!(end_of(&path, 3).unwrap(), "");
        std::fs::write(&path, "a\nb\nc\n").unwrap();
        assert_eq!(end_of(&path, 2).unwrap(), "b\nc\n");
        assert_eq!(end_of(&path, 9).unwrap(), "a\nb\nc\n");
        std::fs::write(&path, "a\nb\nc").unwrap();
        assert_eq!(end_of(&path, 1).unwrap(), "c");
    }
}
