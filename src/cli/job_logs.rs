//! `job logs`: what command jobs write.

use std::time::Duration;

use awc::http::Method;
use futures_util::StreamExt as _;
use serde_json::json;

use super::{
    client::{Client, accept},
    failure::Failure,
    job::{JobLogsArgs, Lines},
    print::{Out, print_json_line, print_line, visible_line},
};
use crate::domain::JobId;

/// A job may be followed for that long.
const PATIENCE: Duration = Duration::from_hours(366 * 24);

/// A line that is longer is printed as several.
const LONGEST_LINE: usize = 1 << 20;

/// `job logs`
pub(super) async fn run(client: &Client, out: Out, args: &JobLogsArgs) -> Result<(), Failure> {
    for id in &args.jobs.ids {
        let lines = match args.lines {
            Lines::All => "all".to_owned(),
            // A job that does not exist is refused even if no line of it is wanted.
            Lines::Last(lines) => lines.max(u32::from(!args.follow)).to_string(),
        };
        let follow = if args.follow { "&follow=true" } else { "" };
        let path = format!("/api/v1/jobs/{id}/log?tail={lines}{follow}");
        let is_wanted = args.follow || args.lines != Lines::Last(0);
        read(client, &path, &mut |line| if is_wanted { print(out, *id, line) } else { Ok(()) })
            .await?;
    }
    Ok(())
}

/// Hands over a log line by line as it comes, to its end.
async fn read(
    client: &Client,
    path: &str,
    line: &mut impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let request = client.request(Method::GET, path).timeout(PATIENCE);
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
        let mut lines = piece.split(|byte| *byte == b'\n');
        let last = lines.next_back().unwrap_or_default();
        for end in lines {
            begun.extend_from_slice(end);
            line(&String::from_utf8_lossy(&begun))?;
            begun.clear();
        }
        begun.extend_from_slice(last);
        if begun.len() > LONGEST_LINE {
            line(&String::from_utf8_lossy(&begun))?;
            begun.clear();
        }
    }
    if begun.is_empty() { Ok(()) } else { line(&String::from_utf8_lossy(&begun)) }
}

fn print(out: Out, id: JobId, line: &str) -> Result<(), Failure> {
    if out.is_json() {
        return print_json_line(&json!({"target": format!("job:{id}"), "message": line}));
    }
    print_line(visible_line(line))
}
