//! How an interrupted job would go on, and letting it.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{
    app::App,
    edit::{if_match, versioned},
    error::Problem,
    guard::Who,
    health::busy,
    jobs::{act_on, job_id},
    query::json,
};
use crate::{
    daemons::{
        job_queue::{Act, GoOn},
        resume::{self, NoOffer, Offer},
    },
    domain::{Device, Job, JobAction, JobId, JobKind, JobState, Outcome},
    link::Start,
    store::{StoreError, jobs},
};

/// `GET /api/v1/jobs/{id}/resume`: what would be done; nothing is.
pub(super) async fn show(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<web::Json<Offer>, Problem> {
    let id = job_id(&id)?;
    offer(&app, id).await.map(|(_, _, offer)| web::Json(offer))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Confirmation {
    token: Option<String>,
    force: bool,
}

/// `POST /api/v1/jobs/{id}/resume`: a paused job goes on at once, an interrupted one only with the
/// token of the plan that was shown, and where that cannot be trusted only by `force`.
pub(super) async fn resume(
    app: web::Data<App>,
    id: web::Path<String>,
    Who(who): Who,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let (id, version) = (job_id(&id)?, if_match(&request)?);
    let Confirmation { token, force } = json(&body)?;
    let job = app.store.read(|connection| jobs::get(connection, id))?;
    if job.state != JobState::Interrupted || job.kind == JobKind::Command {
        let (action, actor) = (JobAction::Resume, who.actor.clone());
        return act_on(&app, &who, Act { id, action, actor, force: false, version }).await;
    }
    if let Some(version) = version
        && version != job.version
    {
        return Err(StoreError::Changed { id, found: job.version }.into());
    }
    let confirmed = confirm(&app, id, token.as_deref(), force).await;
    if confirmed.is_err() {
        app.audit(&who.actor, "job.resume", format!("job:{id}"), Outcome::Failed);
    }
    let (start, detail) = confirmed?;
    let order = GoOn { id, start, actor: who.actor.clone(), detail };
    let mut job = app.links().job_queue.ask(order).await??;
    app.board.overlay(&mut job);
    Ok(versioned(&job))
}

async fn confirm(
    app: &web::Data<App>,
    id: JobId,
    token: Option<&str>,
    force: bool,
) -> Result<(Start, String), Problem> {
    let (job, device, offer) = offer(app, id).await?;
    let Some(token) = token else {
        return Err(Problem::Conflict(format!(
            "an interrupted job goes on only as a person has confirmed: look at the plan \
             (GET /api/v1/jobs/{id}/resume, stationd job resume {id}), then send its token"
        )));
    };
    if token != offer.token {
        let detail = "the plan has changed since it was shown: look at it again";
        return Err(Problem::Conflict(detail.to_owned()));
    }
    offer.check(&device)?;
    if offer.needs_force() && !force {
        let reason = offer.plan.reason.as_deref().unwrap_or("its position is not certain");
        return Err(Problem::Conflict(format!(
            "{reason}: home the machine and look at the new plan, or, if it stands where it says \
             it is, send \"force\": true"
        )));
    }
    let from = offer.plan.from_line.map_or("its end".to_owned(), |line| format!("line {line}"));
    let forced = if offer.needs_force() { ", forced" } else { "" };
    let start = Start {
        preamble: Some(offer.plan.preamble),
        skip: offer.plan.skip_lines,
        stops: resume::stops(&job),
    };
    Ok((start, format!("goes on at {from} of the file{forced}")))
}

async fn offer(app: &web::Data<App>, id: JobId) -> Result<(Job, Device, Offer), Problem> {
    let app = app.clone();
    let offered = web::block(move || {
        let job = app.store.read(|connection| jobs::get(connection, id))?;
        let device = job.device.as_deref().and_then(|name| app.board.device(name));
        let jobs_dir = app.settings().jobs_dir.clone();
        let machine = app.settings().machine(&job);
        let offer = resume::offer(&app.store, &jobs_dir, device.as_ref(), &machine, &job)?;
        let device = device.ok_or(NoOffer::NoMachine)?;
        Ok((job, device, offer))
    });
    let offered: Result<_, NoOffer> = offered.await.map_err(busy)?;
    Ok(offered?)
}
