//! How the station is: for people, for programs, for Prometheus.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    access::{Peer, Role},
    app::App,
    error::Problem,
    guard::{Who, forbidden},
    query::query,
};
use crate::{
    daemons::{
        Phase, Series,
        checkup::{Checkup, checkup},
        telemetry::own_process,
    },
    domain::{DaemonState, HealthStatus, JobState, Live},
    store::jobs,
};

/// `GET /health`: 503 only when unhealthy.
pub(super) async fn health(app: web::Data<App>) -> HttpResponse {
    let Checkup { status, checks } = checkup(&app.board, &app.store);
    let code = if status == HealthStatus::Unhealthy {
        actix_web::http::StatusCode::SERVICE_UNAVAILABLE
    } else {
        actix_web::http::StatusCode::OK
    };
    HttpResponse::build(code).json(json!({
        "status": status,
        "checks": checks,
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "uptime_seconds": uptime(&app),
        "heartbeat_age_seconds": app.board.heartbeat_age().map(|age| age.as_secs_f64()),
    }))
}

fn uptime(app: &App) -> f64 {
    (app.board.started().elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}

/// `GET /ready`: 503 before start-up is over and once shutdown has begun.
pub(super) async fn ready(app: web::Data<App>) -> HttpResponse {
    let reason = match app.board.phase() {
        Phase::Ready => return HttpResponse::Ok().json(json!({"ready": true})),
        Phase::Starting(reason) => reason,
        Phase::Stopping => "the station is stopping".to_owned(),
    };
    HttpResponse::ServiceUnavailable()
        .insert_header((header::RETRY_AFTER, 1))
        .json(json!({"ready": false, "reason": reason}))
}

/// `GET /metrics`: open to this host, else readonly.
pub(super) async fn metrics(
    request: HttpRequest,
    app: web::Data<App>,
    who: Option<Who>,
) -> Result<HttpResponse, Problem> {
    let open = match request.conn_data::<Peer>() {
        Some(Peer::Tcp { remote, .. }) => remote.ip().to_canonical().is_loopback(),
        Some(Peer::Local { .. }) => true,
        None => false,
    };
    if !open && who.is_none_or(|Who(who)| who.role < Role::Readonly) {
        return Err(match app.settings().policy.token {
            Some(_) => Problem::Unauthorized,
            None => forbidden(&app, Role::Readonly),
        });
    }
    let text = web::block(move || app.telemetry.text()).await.map_err(busy)?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

/// The threads for blocking work are gone: the worker is being shut down.
pub(super) fn busy(_: actix_web::error::BlockingError) -> Problem {
    Problem::Unavailable("the station is stopping".to_owned())
}

/// `GET /api/v1/status`.
pub(super) async fn status(
    app: web::Data<App>,
    Who(who): Who,
) -> Result<web::Json<Value>, Problem> {
    let counts = app.store.read(jobs::counts)?;
    let of = |states: &[JobState]| states.iter().map(|state| counts.of(*state)).sum::<u64>();
    let (devices, daemons) = (app.board.devices(), app.board.daemons());
    let (phase, ready) = match app.board.phase() {
        Phase::Starting(_) => ("starting", false),
        Phase::Ready => ("running", true),
        Phase::Stopping => ("stopping", false),
    };
    let Checkup { status: health, .. } = checkup(&app.board, &app.store);
    let (cpu, memory) = match app.board.system().as_deref() {
        Some(Live::SystemStatus { cpu_usage, memory_usage, .. }) => {
            (Some(*cpu_usage), Some(*memory_usage))
        }
        _ => (None, None),
    };
    let settings = app.settings();
    let (resident, descriptors) = own_process();
    Ok(web::Json(json!({
        "status": phase,
        "ready": ready,
        "health": health,
        "name": settings.station,
        "role": who.role.to_string(),
        "pid": std::process::id(),
        "uptime_seconds": uptime(&app),
        "version": env!("CARGO_PKG_VERSION"),
        "socket": settings.socket_path,
        "active_jobs": of(&[JobState::Running, JobState::Paused]),
        "queue_length": of(&[JobState::Queued, JobState::Held]),
        "jobs": JobState::ALL.into_iter().map(|state| (state.as_str().to_owned(), counts.of(state).into()))
            .collect::<serde_json::Map<_, _>>(),
        "devices": devices.len(),
        "devices_connected": devices.iter().filter(|device| device.connected_at.is_some()).count(),
        "daemons": daemons.len(),
        "daemons_running": daemons.iter()
            .filter(|daemon| daemon.state == DaemonState::Running).count(),
        "connections": app.board.connections(),
        "memory_usage_bytes": resident,
        "open_file_descriptors": descriptors,
        "cpu_usage": cpu,
        "memory_usage": memory,
        "last_run": app.board.last_run(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    #[serde(default = "points")]
    points: usize,
}

fn points() -> usize {
    120
}

/// `GET /api/v1/metrics/history?points=`.
pub(super) async fn history(
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<web::Json<Series>, Problem> {
    let HistoryQuery { points } = query(request.query_string())?;
    if !(1..=3600).contains(&points) {
        return Err(Problem::field("points", "points must lie between 1 and 3600"));
    }
    Ok(web::Json(app.history.series(points)))
}
