//! `POST /api/v1/daemons/{name}/fault`: only where faults are built in.

use actix_web::web;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    http::{app::App, error::Problem, query::json},
    supervision::{At, Fault, Inject, Unavailable},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    fault: FaultName,
}

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

/// `POST /api/v1/daemons/{name}/fault` `{"fault":"panic"}`.
pub(in crate::http) async fn fault(
    app: web::Data<App>,
    name: web::Path<String>,
    body: web::Bytes,
) -> Result<web::Json<Value>, Problem> {
    let Body { fault } = json(&body)?;
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
