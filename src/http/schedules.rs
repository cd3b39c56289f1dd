//! Schedules: jobs that come again and again.

use std::convert::Infallible;

use actix_web::{HttpResponse, http::header, web};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    access::Identity,
    app::{App, entry},
    error::Problem,
    guard::Who,
    intake::receive,
    query::json as read_json,
    submission::{References, command_job, device_job, file_name},
    submit::body,
    wish::{Resolved, Wish},
};
use crate::{
    daemons::job_queue::Wake,
    domain::{
        Job, JobId, JobKind, Missed, NewJob, Outcome, Payload, Schedule, Timestamp, check_cron,
    },
    store::schedules,
};

const LIMIT: usize = 32 << 20;
const LONGEST_NAME: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleBody {
    name: Option<String>,
    cron: String,
    #[serde(default)]
    missed: Missed,
    #[serde(default)]
    overlap: bool,
    #[serde(default)]
    paused: bool,
    job: Wish,
}

/// A schedule with what it submits.
fn shown(schedule: &Schedule) -> Value {
    let job = &schedule.job;
    let mut value = json!(schedule);
    value["job"] = json!({
        "kind": job.payload.kind(),
        "name": job.name,
        "command": match &job.payload {
            Payload::Command(command) => Some(command),
            Payload::Inline(_) | Payload::Stored { .. } => None,
        },
        "env_names": job.surroundings.env.keys().collect::<Vec<_>>(),
        "cwd": job.surroundings.cwd,
        "limits": job.surroundings.limits,
        "device": job.device,
        "driver": job.driver,
        "priority": job.priority,
        "hold": job.hold,
        "labels": job.labels,
        "timeout_seconds": job.timeout_seconds,
        "max_attempts": job.max_attempts,
        "group": job.rules.group,
        "unique_key": job.rules.unique_key,
        "retry": job.rules.retry,
    });
    value
}

/// `GET /api/v1/schedules`, by name.
pub(super) async fn list(app: web::Data<App>) -> Result<web::Json<Value>, Problem> {
    let schedules = app.store.read(schedules::list)?;
    let items: Vec<Value> = schedules.iter().map(shown).collect();
    Ok(web::Json(json!({"items": items, "next_cursor": null})))
}

/// `GET /api/v1/schedules/{name}`, by name or id.
pub(super) async fn show(
    app: web::Data<App>,
    name: web::Path<String>,
) -> Result<web::Json<Value>, Problem> {
    Ok(web::Json(shown(&app.store.read(|connection| schedules::get(connection, &name))?)))
}

/// `POST /api/v1/schedules`.
pub(super) async fn add(
    app: web::Data<App>,
    Who(who): Who,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let ScheduleBody { name, cron, missed, overlap, paused, job } =
        read_json(&body(payload, LIMIT).await?)?;
    let (now, zone) = (Timestamp::now(), app.settings().timezone.clone());
    let next = check_cron(&cron, now, &zone).map_err(|error| Problem::field("cron", error))?;
    if !job.is_repeatable() {
        let hint = "a scheduled job has no not_before, depends_on, copies or ref";
        return Err(Problem::field("job", hint));
    }
    let job = template(&app, &who, job).await?;
    let name = name.unwrap_or_else(|| job.name.clone());
    let fits = |char: char| !char.is_control() && !"/,".contains(char);
    let length = name.chars().count();
    if name.trim() != name || !(1..=LONGEST_NAME).contains(&length) || !name.chars().all(fits) {
        return Err(Problem::field("name", "a name has 1 to 64 characters, no / and no comma"));
    }
    let schedule = Schedule {
        id: JobId::new(),
        name,
        cron,
        missed,
        overlap,
        paused,
        job,
        next_at: (!paused).then_some(next),
        last_at: None,
        last_job: None,
        note: None,
        created_by: who.actor.name.clone(),
        created_at: now,
    };
    let resource = format!("schedule:{}", schedule.name);
    let record = entry(&who.actor, "schedule.add", resource, Outcome::Ok, &schedule.cron);
    let stored = schedule.clone();
    let write = app.store.write(move |tx| {
        schedules::insert(tx, &stored)?;
        tx.audit(&record).map(drop)
    });
    write.await?;
    let _ = app.links().job_queue.tell(Wake); // one that is down looks for work by itself
    let location = format!("/api/v1/schedules/{}", schedule.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(shown(&schedule)))
}

/// What is submitted each time. Its file is kept beside the database, whatever its size.
async fn template(app: &web::Data<App>, who: &Identity, mut wish: Wish) -> Result<NewJob, Problem> {
    let Some(content) = wish.content.take() else {
        return command_job(app, who, wish, &References::new());
    };
    wish.check(JobKind::Device)?;
    let pieces = stream::iter([Ok::<_, Infallible>(web::Bytes::from(content))]);
    let mut arrived = receive(app, &wish.names(), pieces).await?;
    if let Payload::Inline(content) = &arrived.payload {
        let saved = app.store.files().save(content.as_slice())?;
        arrived.payload = Payload::Stored { sha256: saved.sha256, size: saved.size };
    }
    let name = file_name(&wish, None, arrived.kind);
    let mut job = device_job(app, who, wish, name, arrived, Resolved::default()).await?;
    if let Some(Payload::Inline(program)) = &job.program {
        let saved = app.store.files().save(program.as_slice())?;
        job.program = Some(Payload::Stored { sha256: saved.sha256, size: saved.size });
    }
    Ok(job)
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    Pause,
    Resume,
}

/// `POST /api/v1/schedules/{name}/{pause|resume}`.
pub(super) async fn set(
    app: web::Data<App>,
    path: web::Path<(String, Verb)>,
    Who(who): Who,
) -> Result<web::Json<Value>, Problem> {
    let (name, verb) = path.into_inner();
    let zone = app.settings().timezone.clone();
    let (actor, word) =
        (who.actor.clone(), if matches!(verb, Verb::Pause) { "pause" } else { "resume" });
    let write = app.store.write(move |tx| {
        let schedule = schedules::get(tx, &name)?;
        let paused = matches!(verb, Verb::Pause);
        if schedule.paused != paused {
            // What came due during the pause is not missed.
            let next = schedule.next_after(Timestamp::now(), &zone).filter(|_| !paused);
            schedules::pause(tx, schedule.id, paused, next)?;
            let resource = format!("schedule:{}", schedule.name);
            tx.audit(&entry(&actor, &format!("schedule.{word}"), resource, Outcome::Ok, ""))?;
        }
        schedules::get(tx, &name)
    });
    let schedule = write.await?;
    let _ = app.links().job_queue.tell(Wake); // as above
    Ok(web::Json(shown(&schedule)))
}

/// `POST /api/v1/schedules/{name}/run`: a job of it now, whatever the time. Answers with the job.
pub(super) async fn run(
    app: web::Data<App>,
    name: web::Path<String>,
    Who(who): Who,
) -> Result<HttpResponse, Problem> {
    super::submission::admit(&app)?;
    let (name, actor, limit) = (name.into_inner(), who.actor.clone(), app.settings().max_storage);
    let write = app.store.write(move |tx| {
        let schedule = schedules::get(tx, &name)?;
        let inserted = schedules::submit(tx, &schedule, limit)?;
        let resource = format!("job:{}", inserted.job.id);
        tx.audit(&entry(&actor, "schedule.run", resource, Outcome::Ok, &schedule.name))?;
        Ok(inserted.job)
    });
    let job: Job = write.await?;
    let _ = app.links().job_queue.tell(Wake); // as above
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/jobs/{}", job.id)))
        .json(job))
}

/// `DELETE /api/v1/schedules/{name}`: the jobs that came from it stay.
pub(super) async fn delete(
    app: web::Data<App>,
    name: web::Path<String>,
    Who(who): Who,
) -> Result<HttpResponse, Problem> {
    let (name, actor) = (name.into_inner(), who.actor.clone());
    let write = app.store.write(move |tx| {
        let schedule = schedules::get(tx, &name)?;
        schedules::delete(tx, schedule.id)?;
        let resource = format!("schedule:{}", schedule.name);
        tx.audit(&entry(&actor, "schedule.delete", resource, Outcome::Ok, "")).map(drop)
    });
    write.await?;
    Ok(HttpResponse::NoContent().finish())
}
