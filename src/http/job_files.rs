//! What belongs to a job beside its row: the file, its picture, what its program wrote.

use std::{
    fs::File,
    io::{Cursor, Read},
};

use actix_web::{
    HttpResponse,
    body::SizedStream,
    http::header::{self, ContentDisposition, DispositionParam, DispositionType},
    web::{self, Bytes},
};
use futures_util::stream;

use super::{app::App, error::Problem, health::busy, jobs::job_id};
use crate::{
    domain::{Job, Payload},
    store::jobs,
    toolpath,
};

/// Bytes read from a stored file at a time.
const PIECE: usize = 64 * 1024;
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
    let (job, _) = find(&app, &id)?;
    let payload = app.store.read(|connection| jobs::runs(connection, job.id))?;
    let store = app.store.clone();
    let machine = app.settings().machine(&job);
    let preview = web::block(move || -> Result<_, Problem> {
        let unreadable = |error| Problem::Internal(format!("the file cannot be read: {error}"));
        match payload {
            Payload::Inline(bytes) => toolpath::preview(Cursor::new(bytes), &machine, POINTS),
            Payload::Stored { sha256, .. } => {
                toolpath::preview(store.files().open(&sha256)?, &machine, POINTS)
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
