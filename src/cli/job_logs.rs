//! `job logs`: what command jobs write.

use std::time::Duration;

use awc::http::Method;
use futures_util::StreamExt as _;
use serde_json::json;

use super::{
    client::{Client, accept},
    failure::Failure,
    job::JobLogsArgs,
    print::{Out, print_json_line, print_line, visible_line},
};
use crate::domain::JobId;

/// A job may be followed for that long.
const PATIENCE: Duration = Duration::from_hours(366 * 24);

/// `job logs`
pub(super) async fn run(client: &Client, out: Out, args: &JobLogsArgs) -> Result<(), Failure> {
    for id in &args.jobs.ids {
        if args.follow {
            follow(client, out, *id, args.lines).await?;
        } else {
            // A job that does not exist is refused even if no line of it is wanted.
            let lines = args.lines.max(1);
            let text = client.text(&format!("/api/v1/jobs/{id}/log?tail={lines}")).await?;
            let mut shown = text.lines().filter(|_| args.lines > 0);
            shown.try_for_each(|line| print(out, *id, line))?;
        }
    }
    Ok(())
}

/// Line by line, until the job is over.
async fn follow(client: &Client, out: Out, id: JobId, lines: u32) -> Result<(), Failure> {
    let path = format!("/api/v1/jobs/{id}/log?tail={lines}&follow=true");
    let request = client.request(Method::GET, &path).timeout(PATIENCE);
    let mut response = request.send().await.map_err(|error| client.unreachable(&error))?;
    if !response.status().is_success() {
        let text = response.body().await.unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        return accept(response.status(), text).map(drop);
    }
    let mut begun = Vec::new();
    while let Some(piece) = response.next().await {
        let piece = piece.map_err(|_| {
            Failure::NotRunning("the station has stopped in the middle of the log".to_owned())
        })?;
        begun.extend_from_slice(&piece);
        while let Some(end) = begun.iter().position(|byte| *byte == b'\n') {
            let rest = begun.split_off(end + 1);
            let line = std::mem::replace(&mut begun, rest);
            print(out, id, &String::from_utf8_lossy(&line[..end]))?;
        }
    }
    if begun.is_empty() { Ok(()) } else { print(out, id, &String::from_utf8_lossy(&begun)) }
}

fn print(out: Out, id: JobId, line: &str) -> Result<(), Failure> {
    if out.is_json() {
        return print_json_line(&json!({"target": format!("job:{id}"), "message": line}));
    }
    print_line(visible_line(line))
}
