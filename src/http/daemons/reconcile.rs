//! `POST /api/v1/reconcile`: compare what should be with what is, now.

use actix_web::web;
use serde::Deserialize;
use serde_json::{Value, json};

use super::act::to_its_end;
use crate::{
    daemons::device_manager::Reconnect,
    domain::Outcome,
    http::{
        app::{App, entry},
        error::Problem,
        guard::Who,
        query::json,
    },
    supervision::{Reconcile, Unavailable},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    name: Option<String>,
}

/// `POST /api/v1/reconcile` `{"name":".."}`: one daemon, or all daemons and machines.
pub(in crate::http) async fn reconcile(
    app: web::Data<App>,
    body: web::Bytes,
    Who(who): Who,
) -> Result<web::Json<Value>, Problem> {
    let Body { name } = json(&body)?;
    let all = name.is_none();
    let checked = if all { app.board.daemons().len() + app.board.devices().len() } else { 1 };
    let done = to_its_end(async move {
        let resource = name.as_ref().map_or("station".to_owned(), |name| format!("daemon:{name}"));
        let answer = app.links().supervisor.send(Reconcile { name }).await;
        let mut answer =
            answer.map_err(|_| Unavailable.into()).and_then(|it| it.map_err(Problem::from));
        if let (Ok(mended), true) = (&mut answer, all) {
            // A device manager that is down is itself what differs.
            mended.extend(app.links().device_manager.ask(Reconnect).await.unwrap_or_default());
        }
        let (outcome, detail) = match &answer {
            Ok(mended) => (Outcome::Ok, format!("{} mended", mended.len())),
            Err(problem) => (Outcome::Failed, problem.to_string()),
        };
        app.note(entry(&who.actor, "daemon.reconcile", resource, outcome, &detail));
        answer
    });
    let mended = done.await??;
    Ok(web::Json(json!({"checked": checked, "mended": mended})))
}
