//! The station as a whole: stop, start again, read the configuration again.

use actix_web::web;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    app::{App, Control},
    error::{Detail, Problem},
    guard::Who,
    query::json,
};
use crate::domain::Outcome;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShutdownBody {
    #[serde(default)]
    force: bool,
}

/// Asks something of the station as a whole that has no answer.
async fn order(app: &App, control: Control) -> Result<(), Problem> {
    app.control().send(control).await.map_err(|_| stopping())
}

fn stopping() -> Problem {
    Problem::Unavailable("the station is stopping".to_owned())
}

/// Asks something of the station as a whole and waits for the answer.
pub(super) async fn ask<T>(
    app: &App,
    control: impl FnOnce(oneshot::Sender<T>) -> Control,
) -> Result<T, Problem> {
    let (answer, done) = oneshot::channel();
    order(app, control(answer)).await?;
    done.await.map_err(|_| stopping())
}

/// Every reason why the station did not do it.
pub(super) fn refused(reasons: Vec<String>) -> Problem {
    let detail = |detail| Detail { pointer: String::new(), detail };
    Problem::Invalid(reasons.into_iter().map(detail).collect())
}

/// `POST /api/v1/shutdown` `{"force":false}`: answered before the stop begins.
pub(super) async fn shutdown(
    app: web::Data<App>,
    body: web::Bytes,
    Who(who): Who,
) -> Result<web::Json<Value>, Problem> {
    let ShutdownBody { force } = json(&body)?;
    app.audit(&who.actor, "station.shutdown", "station".to_owned(), Outcome::Ok);
    order(&app, Control::Shutdown { force }).await?;
    Ok(web::Json(json!({"status": "stopping", "force": force})))
}

/// `POST /api/v1/restart`: answered before the stop begins.
pub(super) async fn restart(
    app: web::Data<App>,
    Who(who): Who,
) -> Result<web::Json<Value>, Problem> {
    app.audit(&who.actor, "station.restart", "station".to_owned(), Outcome::Ok);
    order(&app, Control::Restart).await?;
    Ok(web::Json(json!({"status": "restarting"})))
}

/// `POST /api/v1/reload`: 422 with every problem if the new configuration is not valid; the old
/// one then stays in force.
pub(super) async fn reload(
    app: web::Data<App>,
    Who(who): Who,
) -> Result<web::Json<Value>, Problem> {
    let done = ask(&app, |answer| Control::Reload { answer }).await;
    let outcome = if matches!(done, Ok(Ok(_))) { Outcome::Ok } else { Outcome::Failed };
    app.audit(&who.actor, "station.reload", "station".to_owned(), outcome);
    let changed = done?.map_err(refused)?;
    Ok(web::Json(json!({"changed": changed})))
}
