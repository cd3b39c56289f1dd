//! `run --batch FILE`: many jobs at once, all of them or none.

use std::{fs, io, path::Path};

use awc::http::Method;
use serde_json::{Value, json};

use super::{
    client::Client,
    failure::Failure,
    print::{Out, items},
    submit::told,
    watch,
    wish::Wishes,
};

/// Reads jobs as JSON objects, one a line, and submits them as one. A job with a `file` is one for
/// a machine; the path is relative to the batch.
pub(super) async fn run(
    client: &Client,
    out: Out,
    file: &Path,
    wishes: &Wishes,
) -> Result<(), Failure> {
    let unreadable =
        |error: io::Error| Failure::Failed(format!("{} cannot be read: {error}", file.display()));
    let from_stdin = file == Path::new("-");
    let text = if from_stdin { io::read_to_string(io::stdin()) } else { fs::read_to_string(file) };
    let directory = file.parent().filter(|_| !from_stdin).unwrap_or(Path::new(""));
    let mut jobs = Vec::new();
    for (index, line) in text.map_err(unreadable)?.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::Failed(format!("{}:{}: {error}", file.display(), index + 1))
        };
        let mut job: Value = serde_json::from_str(line).map_err(|error| wrong(&error))?;
        let Some(fields) = job.as_object_mut() else {
            return Err(wrong(&"a job is a JSON object"));
        };
        if let Some(path) = fields.remove("file") {
            let path = directory.join(path.as_str().unwrap_or_default());
            let content = fs::read_to_string(&path)
                .map_err(|error| wrong(&format!("{} cannot be read: {error}", path.display())))?;
            fields.insert("content".to_owned(), content.into());
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            fields.entry("name").or_insert_with(|| name.clone().into());
            fields.insert("file_name".to_owned(), name.into());
        }
        jobs.push(job);
    }
    let request = client
        .request(Method::POST, "/api/v1/jobs/batch")
        .insert_header(("Idempotency-Key", wishes.idempotency_key()));
    let answer = client.json(request.send_json(&json!({"jobs": jobs}))).await?;
    let ids = items(&answer).iter().map(|job| told(out, job)).collect::<Result<Vec<_>, _>>()?;
    if wishes.watch { watch::until_ended(client, out, &ids).await } else { Ok(()) }
}
