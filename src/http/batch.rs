//! `POST /api/v1/jobs/batch`: up to a thousand jobs, all of them or none.

use std::convert::Infallible;

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use serde::Deserialize;

use super::{
    access::Identity,
    app::App,
    error::{Detail, Problem},
    guard::Who,
    intake::receive,
    query::json,
    submission::{
        References, admit, all_created, command_job, copies, device_job, file_name, resolve,
        store_all,
    },
    submit::{body, idempotency_key},
    wish::Wish,
};
use crate::{
    domain::{JobKind, NewJob},
    store::files::INLINE_LIMIT,
};

const LIMIT: usize = 32 << 20;
const MOST_JOBS: usize = 1_000;
const LONGEST_REFERENCE: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchBody {
    jobs: Vec<Wish>,
}

/// `{"jobs": […]}`, each as the body of a single one. A job may have a `ref`, by which those after
/// it may depend on it, and a `content`, which makes it a device job. Answers with all jobs, in
/// their order.
pub(super) async fn submit(
    request: HttpRequest,
    app: web::Data<App>,
    Who(who): Who,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    admit(&app)?;
    let key = idempotency_key(&request)?;
    let BatchBody { jobs: wishes } = json(&body(payload, LIMIT).await?)?;
    if !(1..=MOST_JOBS).contains(&wishes.len()) {
        return Err(Problem::field("jobs", format!("a batch has 1 to {MOST_JOBS} jobs")));
    }
    let (mut jobs, mut references, mut problems) = (Vec::new(), References::new(), Vec::new());
    for (index, wish) in wishes.into_iter().enumerate() {
        match one(&app, &who, wish, &mut references).await {
            Ok(made) => jobs.extend(made),
            Err(Problem::Invalid(errors)) => {
                let below = |error: Detail| Detail {
                    pointer: format!("/jobs/{index}{}", error.pointer),
                    detail: error.detail,
                };
                problems.extend(errors.into_iter().map(below));
            }
            Err(other) => return Err(other),
        }
    }
    if !problems.is_empty() {
        return Err(Problem::Invalid(problems));
    }
    if jobs.len() > MOST_JOBS {
        return Err(Problem::field("jobs", format!("a batch has 1 to {MOST_JOBS} jobs")));
    }
    Ok(all_created(store_all(&app, &who, key, jobs).await?))
}

/// The job of a wish, or its copies; the last of them is what its reference names.
async fn one(
    app: &web::Data<App>,
    who: &Identity,
    mut wish: Wish,
    references: &mut References,
) -> Result<Vec<NewJob>, Problem> {
    let reference = wish.reference.take();
    if let Some(name) = &reference {
        if name.is_empty() || name.len() > LONGEST_REFERENCE {
            return Err(Problem::field("ref", "a ref has 1 to 128 bytes"));
        }
        if references.contains_key(name) {
            return Err(Problem::field("ref", format!("\"{name}\" names another job already")));
        }
    }
    let count = wish.copies();
    let job = match wish.content.take() {
        None => command_job(app, who, wish, references)?,
        Some(_) if wish.command.is_some() => {
            let detail = "a job has a command or the content of a file, not both";
            return Err(Problem::field("content", detail));
        }
        Some(content) => {
            wish.check(JobKind::Device)?;
            if content.len() > INLINE_LIMIT {
                let detail = format!("a file in a batch has at most {INLINE_LIMIT} bytes");
                return Err(Problem::field("content", detail));
            }
            let resolved = resolve(app, &wish, references)?;
            let pieces = stream::iter([Ok::<_, Infallible>(web::Bytes::from(content))]);
            let arrived = receive(app, &wish.names(), pieces).await?;
            let name = file_name(&wish, None, arrived.kind);
            device_job(app, who, wish, name, arrived, resolved).await?
        }
    };
    let jobs = copies(job, count);
    if let (Some(name), Some(last)) = (reference, jobs.last()) {
        references.insert(name, last.id);
    }
    Ok(jobs)
}
