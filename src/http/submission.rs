//! From wishes to jobs, and from jobs to the database: one durable write, all or none.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, http::header, web};
use sha2::{Digest, Sha256};

use super::{
    access::{Identity, Role},
    app::{App, entry},
    error::Problem,
    guard::forbidden,
    intake::{Arrived, clean_name},
    placement::place,
    prepare::{Prepared, prepare},
    settings::Target,
    wish::{Resolved, Wish},
};
use crate::{
    daemons::{Phase, job_queue::Wake},
    domain::{Job, JobId, JobKind, Light, NewJob, Outcome, Payload},
    store::{
        Page,
        jobs::{self, Batch, Inserted},
    },
    toolpath::FileKind,
};

/// The names that jobs of a batch have for each other.
pub(super) type References = BTreeMap<String, JobId>;

/// Refuses work while the station stops or the queue is drained.
pub(super) fn admit(app: &App) -> Result<(), Problem> {
    if app.board.phase() == Phase::Stopping {
        return Err(Problem::Unavailable("the station is stopping: it takes no jobs".to_owned()));
    }
    match app.board.queue_modes().whole() {
        Some(mode) if mode.refuses() => Err(Problem::Unavailable(format!(
            "the queue is {mode}: it takes no jobs until `stationd queue resume`"
        ))),
        _ => Ok(()),
    }
}

/// What a wish means by times and other jobs, all of which must be there.
pub(super) fn resolve(
    app: &App,
    wish: &Wish,
    references: &References,
) -> Result<Resolved, Problem> {
    let known = |id| match app.store.read(|connection| jobs::get(connection, id)) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    wish.resolve(&app.settings().timezone, references, known)
}

/// The command job of a wish.
pub(super) fn command_job(
    app: &web::Data<App>,
    who: &Identity,
    wish: Wish,
    references: &References,
) -> Result<NewJob, Problem> {
    if who.role < Role::Admin {
        app.refused(&who.actor, "job.submit", "command jobs need the role admin");
        return Err(forbidden(app, Role::Admin));
    }
    wish.check(JobKind::Command)?;
    let Some(command) = wish.command.clone() else {
        return Err(Problem::field("command", "a command is a list: the program, its arguments"));
    };
    let resolved = resolve(app, &wish, references)?;
    let name = wish.command_name();
    Ok(wish.into_job(name, Payload::Command(command), who.actor.name.clone(), resolved))
}

/// The device job of a wish and its file.
pub(super) async fn device_job(
    app: &App,
    who: &Identity,
    wish: Wish,
    name: String,
    arrived: Arrived,
    resolved: Resolved,
) -> Result<NewJob, Problem> {
    let settings = app.settings();
    let (device, driver) = (wish.device.as_deref(), wish.driver.as_deref());
    let place = place(arrived.kind, device, driver, &settings.targets)?;
    if let Some(device) = &place.device
        && let Some(mode) = app.board.queue_modes().device(device).filter(|mode| mode.refuses())
    {
        return Err(Problem::Unavailable(format!(
            "device {device} is {mode}: it takes no jobs until `stationd queue resume --device \
             {device}`"
        )));
    }
    let named = |target: &&Target| Some(&target.machine.name) == place.device.as_ref();
    let plot = settings.targets.iter().find(named).map(|target| target.plot.clone());
    let Prepared { payload, program, analysis } =
        prepare(app, arrived, place.machines, plot.unwrap_or_default()).await?;
    let mut job = wish.into_job(name, payload, who.actor.name.clone(), resolved);
    job.program = program;
    job.hold |= place.confirm;
    job.device = place.device;
    job.driver = Some(place.driver);
    job.analysis = Some(analysis);
    Ok(job)
}

/// The name of a device job.
pub(super) fn file_name(wish: &Wish, given: Option<&str>, kind: FileKind) -> String {
    let name = wish.name.as_deref().or(given).or(wish.file_name.as_deref()).and_then(clean_name);
    name.unwrap_or_else(|| format!("job.{}", kind.as_str()))
}

/// So many jobs of the same kind, each with its place among them in its name.
pub(super) fn copies(job: NewJob, count: u32) -> Vec<NewJob> {
    if count == 1 {
        return vec![job];
    }
    let copy = |number| NewJob {
        id: JobId::new(),
        name: format!("{} ({number}/{count})", job.name),
        ..job.clone()
    };
    (1..=count).map(copy).collect()
}

/// One durable write: the job, its event and its audit record.
pub(super) async fn store(
    app: &App,
    who: &Identity,
    key: Option<String>,
    mut job: NewJob,
) -> Result<Inserted, Problem> {
    job.idempotency_key = key;
    let resource = format!("job:{}", job.id);
    let detail = if is_forced(&job) {
        format!("{}: forced although its verdict is red", job.name)
    } else {
        job.name.clone()
    };
    let record = entry(&who.actor, "job.submit", resource, Outcome::Ok, &detail);
    let limit = app.settings().max_storage;
    let write = app.store.write(move |tx| {
        let needed = size(&job);
        if needed > 0 {
            jobs::make_room(tx, needed, limit)?;
        }
        let inserted = jobs::insert(tx, &job)?;
        if inserted.created {
            tx.audit(&record)?;
        }
        Ok(inserted)
    });
    let inserted = write.await?;
    // A queue that is down or has a full mailbox looks for work by itself.
    let _ = app.links().job_queue.tell(Wake);
    Ok(inserted)
}

/// One durable write of many jobs, with one audit record.
pub(super) async fn store_all(
    app: &App,
    who: &Identity,
    key: Option<String>,
    jobs: Vec<NewJob>,
) -> Result<Vec<Inserted>, Problem> {
    let forced = jobs.iter().filter(|job| is_forced(job)).count();
    let detail = match forced {
        0 => format!("{} jobs", jobs.len()),
        forced => format!("{} jobs, {forced} forced although their verdict is red", jobs.len()),
    };
    let record = entry(&who.actor, "job.submit", "queue".to_owned(), Outcome::Ok, &detail);
    let limit = app.settings().max_storage;
    let batch = Batch { fingerprint: fingerprint(&jobs), jobs, key };
    let write = app.store.write(move |tx| {
        let needed = batch.jobs.iter().map(size).sum();
        if needed > 0 {
            jobs::make_room(tx, needed, limit)?;
        }
        let inserted = jobs::insert_batch(tx, &batch)?;
        if inserted.iter().any(|one| one.created) {
            tx.audit(&record)?;
        }
        Ok(inserted)
    });
    let inserted = write.await?;
    let _ = app.links().job_queue.tell(Wake); // as above
    Ok(inserted)
}

fn is_forced(job: &NewJob) -> bool {
    job.forced && job.analysis.as_ref().is_some_and(|analysis| analysis.verdict == Light::Red)
}

/// Bytes of its file and of what that was converted to.
fn size(job: &NewJob) -> u64 {
    let of = |payload: &Payload| match payload {
        Payload::Inline(content) => content.len() as u64,
        Payload::Stored { size, .. } => *size,
        Payload::Command(_) => 0,
    };
    of(&job.payload) + job.program.as_ref().map_or(0, of)
}

/// Two batches with the same fingerprint ask for the same, as far as names and contents go.
fn fingerprint(jobs: &[NewJob]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    for job in jobs {
        add(job.name.as_bytes());
        match &job.payload {
            Payload::Inline(content) => add(content),
            Payload::Stored { sha256, .. } => add(sha256.as_bytes()),
            Payload::Command(words) => words.iter().for_each(|word| add(word.as_bytes())),
        }
    }
    hash.finalize().into()
}

/// The answer to one submission.
pub(super) fn created(inserted: &Inserted) -> HttpResponse {
    let Inserted { job, created, taken } = inserted;
    let mut response = if *taken { HttpResponse::Ok() } else { HttpResponse::Created() };
    response.insert_header((header::LOCATION, format!("/api/v1/jobs/{}", job.id)));
    if !created && !taken {
        response.insert_header(("idempotent-replayed", "true"));
    }
    response.json(job)
}

/// The answer to the submission of several jobs.
pub(super) fn all_created(inserted: Vec<Inserted>) -> HttpResponse {
    let mut response = HttpResponse::Created();
    if inserted.iter().all(|one| !one.created && !one.taken) {
        response.insert_header(("idempotent-replayed", "true"));
    }
    let jobs: Vec<Job> = inserted.into_iter().map(|one| one.job).collect();
    response.json(Page { items: jobs, next_cursor: None })
}
