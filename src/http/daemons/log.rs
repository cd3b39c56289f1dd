//! `GET /api/v1/daemons/{name}/log`: what a daemon's program writes.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use serde::Deserialize;

use super::look::find;
use crate::http::{
    app::App,
    error::Problem,
    health::busy,
    query::query,
    tail::{MOST_LINES, tail},
};

const USUAL_LINES: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogQuery {
    lines: Option<usize>,
}

/// `GET /api/v1/daemons/{name}/log?lines=100`: the last lines. What comes after is on the
/// WebSocket, on the channel `daemon:NAME`.
pub(in crate::http) async fn log(
    request: HttpRequest,
    app: web::Data<App>,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let LogQuery { lines } = query(request.query_string())?;
    let lines = lines.unwrap_or(USUAL_LINES);
    if !(1..=MOST_LINES).contains(&lines) {
        return Err(Problem::field("lines", format!("1 to {MOST_LINES} lines are shown")));
    }
    let daemon = find(&app, name.into_inner()).await?;
    let Some(file) = daemon.log_file else {
        return Err(Problem::NotFound(format!(
            "{} is part of the station and has no log of its own: it writes to the station's",
            daemon.name
        )));
    };
    let path = app.settings().workspace.join(file);
    let text = web::block(move || tail(&path, lines)).await.map_err(busy)??;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text))
}
