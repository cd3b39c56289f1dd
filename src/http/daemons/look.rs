//! `GET /api/v1/daemons` and `/daemons/{name}`.

use std::{slice, sync::Arc};

use actix_web::{HttpRequest, web};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    domain::{Daemon, DaemonState, Timestamp},
    http::{app::App, error::Problem, health::busy, query::query},
    supervision::{Show, Unavailable},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    category: Option<String>,
    state: Option<String>,
}

/// `GET /api/v1/daemons?category=&state=`, in the order in which they were given.
pub(in crate::http) async fn list(
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<web::Json<Value>, Problem> {
    let wanted: ListQuery = query(request.query_string())?;
    let state = wanted.state.as_deref().map(known_state).transpose()?;
    let of = |daemon: &&Arc<Daemon>| {
        state.is_none_or(|state| daemon.state == state)
            && wanted.category.as_ref().is_none_or(|it| daemon.category.eq_ignore_ascii_case(it))
    };
    let mut items: Vec<Daemon> =
        app.board.daemons().iter().filter(of).map(|daemon| Daemon::clone(daemon)).collect();
    items.iter_mut().for_each(age);
    if items.iter().any(|daemon| daemon.pid.is_some()) {
        items = web::block(move || {
            app.telemetry.usage().overlay(&mut items);
            items
        })
        .await
        .map_err(busy)?;
    }
    Ok(web::Json(json!({"items": items, "next_cursor": null})))
}

fn known_state(text: &str) -> Result<DaemonState, Problem> {
    let states = DaemonState::ALL;
    states.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| {
        let names = states.map(DaemonState::as_str).join(", ");
        Problem::field("state", format!("\"{text}\" is not a state: there is {names}"))
    })
}

/// Uptime moves on while nothing changes on the board.
fn age(daemon: &mut Daemon) {
    if daemon.uptime_seconds.is_some() {
        let now = Timestamp::now();
        daemon.uptime_seconds = daemon.started_at.map(|since| since.until(now).as_secs_f64());
    }
}

/// `GET /api/v1/daemons/{name}`.
pub(in crate::http) async fn show(
    app: web::Data<App>,
    name: web::Path<String>,
) -> Result<web::Json<Daemon>, Problem> {
    let mut daemon = find(&app, name.into_inner()).await?;
    app.telemetry.usage().overlay(slice::from_mut(&mut daemon));
    Ok(web::Json(daemon))
}

/// The daemon of that name as it is now.
pub(super) async fn find(app: &App, name: String) -> Result<Daemon, Problem> {
    let answer = app.links().supervisor.send(Show { name }).await.map_err(|_| Unavailable)?;
    Ok(answer?)
}
