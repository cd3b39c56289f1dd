//! The queue as a whole: what waits and why; pause, resume, drain.

use actix_web::web;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{app::App, error::Problem, guard::Who, query::json as read_json};
use crate::{
    daemons::job_queue::{SetMode, Waiting},
    domain::{JobState, same_name},
    store::{
        jobs,
        queue_modes::{Mode, Modes},
    },
};

/// The most jobs that the queue is shown by.
const SHOWN: usize = 1000;

/// `GET /api/v1/queue`: what runs, and what waits, in the order it will run, each with why.
pub(super) async fn show(app: web::Data<App>) -> Result<web::Json<Value>, Problem> {
    let (mut active, waiting, counts) = app.store.read(|connection| {
        let waiting = jobs::queue(connection, SHOWN)?;
        let active = jobs::active(connection)?;
        let waiting = Waiting::of(connection, &app.board, &active, waiting)?;
        Ok((active, waiting, jobs::counts(connection)?))
    })?;
    for job in &mut active {
        app.board.overlay(job);
    }
    let mut queue = state(&app.board.queue_modes());
    queue["active"] = json!(active);
    queue["items"] = json!(waiting);
    queue["queued"] = counts.of(JobState::Queued).into();
    queue["held"] = counts.of(JobState::Held).into();
    queue["interrupted"] = counts.of(JobState::Interrupted).into();
    Ok(web::Json(queue))
}

/// The state of the whole, and of the parts that are not as usual.
fn state(modes: &Modes) -> Value {
    let state = modes.whole().map_or("running", Mode::as_str);
    json!({
        "state": state,
        "paused": modes.whole() == Some(Mode::Paused),
        "parts": modes.0,
    })
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    Pause,
    Resume,
    Drain,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Body {
    device: Option<String>,
}

/// `POST /api/v1/queue/{pause|resume|drain}`, `{"device": NAME}` for the part of one device.
pub(super) async fn set(
    app: web::Data<App>,
    verb: web::Path<Verb>,
    Who(who): Who,
    body: web::Bytes,
) -> Result<web::Json<Value>, Problem> {
    let Body { device } = read_json(&body)?;
    let settings = app.settings();
    let device = match device {
        None => None,
        Some(name) => {
            let known =
                settings.targets.iter().find(|target| same_name(&target.machine.name, &name));
            let known = known.map(|target| target.machine.name.clone());
            Some(known.ok_or_else(|| {
                Problem::NotFound(format!("there is no device called \"{name}\""))
            })?)
        }
    };
    let mode = match *verb {
        Verb::Pause => Some(Mode::Paused),
        Verb::Drain => Some(Mode::Draining),
        Verb::Resume => None,
    };
    let order = SetMode { device, mode, actor: who.actor.clone() };
    let modes = app.links().job_queue.ask(order).await?.map_err(Problem::from)?;
    Ok(web::Json(state(&modes)))
}
