//! Daemons: look, start, stop, restart.

use actix_web::web;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{app::App, error::Problem, guard::Who};
use crate::{
    domain::{Daemon, Outcome},
    supervision::{Done, OrderError, Restart, Show, Start, Stop, Unavailable},
};

/// `GET /api/v1/daemons`, in the order of their start.
pub(super) async fn list(app: web::Data<App>) -> web::Json<Value> {
    let mut items: Vec<_> = app.board.daemons().iter().map(|it| Daemon::clone(it)).collect();
    items.iter_mut().for_each(age);
    web::Json(json!({"items": items, "next_cursor": null}))
}

/// Uptime moves on while nothing changes on the board.
fn age(daemon: &mut Daemon) {
    if daemon.uptime_seconds.is_some() {
        let now = crate::domain::Timestamp::now();
        daemon.uptime_seconds = daemon.started_at.map(|since| since.until(now).as_secs_f64());
    }
}

/// `GET /api/v1/daemons/{name}`.
pub(super) async fn show(
    app: web::Data<App>,
    name: web::Path<String>,
) -> Result<web::Json<Daemon>, Problem> {
    let name = name.into_inner();
    let answer = app.links().supervisor.send(Show { name }).await.map_err(|_| Unavailable)?;
    Ok(web::Json(answer?))
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Start,
    Stop,
    Restart,
}

/// `POST /api/v1/daemons/{name}/{start|stop|restart}`.
pub(super) async fn act(
    app: web::Data<App>,
    path: web::Path<(String, Action)>,
    Who(who): Who,
) -> Result<web::Json<Daemon>, Problem> {
    let (name, action) = path.into_inner();
    let supervisor = &app.links().supervisor;
    let resource = format!("daemon:{name}");
    let (word, answer) = match action {
        Action::Start => ("daemon.start", supervisor.send(Start { name }).await),
        Action::Stop => ("daemon.stop", supervisor.send(Stop { name, force: false }).await),
        Action::Restart => {
            ("daemon.restart", supervisor.send(Restart { name, force: false }).await)
        }
    };
    let answer: Result<Done, OrderError> = answer.map_err(|_| Unavailable)?;
    let outcome = if answer.is_ok() { Outcome::Ok } else { Outcome::Failed };
    app.audit(&who.actor, word, resource, outcome);
    Ok(web::Json(answer?.daemon))
}

#[cfg(feature = "faults")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultBody {
    fault: FaultName,
}

#[cfg(feature = "faults")]
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum FaultName {
    Panic,
    PanicStarted,
    PanicStopping,
    PanicTwice,
    Error,
    Hang,
}

/// `POST /api/v1/daemons/{name}/fault` `{"fault":"panic"}`: only where faults are built in.
#[cfg(feature = "faults")]
pub(super) async fn fault(
    app: web::Data<App>,
    name: web::Path<String>,
    body: web::Bytes,
) -> Result<web::Json<Value>, Problem> {
    use crate::supervision::{At, Fault, Inject};

    let FaultBody { fault } = super::query::json(&body)?;
    let fault = match fault {
        FaultName::Panic => Fault::Panic(At::Handler),
        FaultName::PanicStarted => Fault::Panic(At::Started),
        FaultName::PanicStopping => Fault::Panic(At::Stopping),
        FaultName::PanicTwice => Fault::PanicTwice,
        FaultName::Error => Fault::Error,
        FaultName::Hang => Fault::Hang,
    };
    let name = name.into_inner();
    let answer = app.links().supervisor.send(Inject { name, fault }).await;
    answer.map_err(|_| Unavailable)??;
    Ok(web::Json(json!({"injected": true})))
}
