//! `POST /api/v1/daemons/{name}/{start|stop|restart}`.

use std::{future::Future, slice};

use actix_web::{rt, web};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    domain::{Actor, Daemon, Outcome},
    http::{
        app::{App, entry},
        error::Problem,
        guard::Who,
        query::json,
    },
    supervision::{Done, Restart, Start, Stop, Unavailable},
};

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::http) enum Verb {
    Start,
    Stop,
    Restart,
}

impl Verb {
    /// Its name in the audit trail.
    fn action(self) -> &'static str {
        match self {
            Self::Start => "daemon.start",
            Self::Stop => "daemon.stop",
            Self::Restart => "daemon.restart",
        }
    }
}

/// What is said to a start by force.
pub(super) const NO_FORCE: &str = "only a stop or a restart can be forced";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default)]
    force: bool,
}

/// `POST /api/v1/daemons/{name}/{start|stop|restart}` `{"force":false}`.
pub(in crate::http) async fn act(
    app: web::Data<App>,
    path: web::Path<(String, Verb)>,
    body: web::Bytes,
    Who(who): Who,
) -> Result<web::Json<Value>, Problem> {
    let (name, verb) = path.into_inner();
    let Body { force } = json(&body)?;
    if force && verb == Verb::Start {
        return Err(Problem::field("force", NO_FORCE));
    }
    let own = app.clone();
    let order = async move { order(&own, &who.actor, verb, name, force).await };
    let Done { daemon, did } = to_its_end(order).await??;
    let mut shown = shown(&app, daemon)?;
    shown["did"] = json!(did);
    Ok(web::Json(shown))
}

/// Carries something out even if the client goes away meanwhile.
pub(super) async fn to_its_end<T: 'static>(
    work: impl Future<Output = T> + 'static,
) -> Result<T, Problem> {
    rt::spawn(work).await.map_err(|_| Unavailable.into())
}

/// Orders one daemon about, and writes down who did and what came of it.
pub(super) async fn order(
    app: &App,
    actor: &Actor,
    verb: Verb,
    name: String,
    force: bool,
) -> Result<Done, Problem> {
    let supervisor = &app.links().supervisor;
    let asked = name.clone();
    let answer = match verb {
        Verb::Start => supervisor.send(Start { name }).await,
        Verb::Stop => supervisor.send(Stop { name, force }).await,
        Verb::Restart => supervisor.send(Restart { name, force }).await,
    };
    let answer = answer.map_err(|_| Unavailable.into()).and_then(|it| it.map_err(Problem::from));
    let (name, outcome, detail) = match &answer {
        Ok(done) => (&done.daemon.name, Outcome::Ok, done.did.clone()),
        Err(problem) => (&asked, Outcome::Failed, problem.to_string()),
    };
    app.note(entry(actor, verb.action(), format!("daemon:{name}"), outcome, &detail));
    answer
}

/// A daemon as JSON, with what it uses.
pub(super) fn shown(app: &App, mut daemon: Daemon) -> Result<Value, Problem> {
    app.telemetry.usage().overlay(slice::from_mut(&mut daemon));
    serde_json::to_value(daemon).map_err(|error| Problem::Internal(error.to_string()))
}
