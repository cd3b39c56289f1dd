//! `status`, `health`, `ready`, `metrics`: how the station is.

use awc::http::{Method, StatusCode};
use serde_json::Value;

use super::{
    client::{Client, accept},
    daemon::ListArgs,
    failure::Failure,
    print::{Out, field, megabytes, object, print_json, print_text, seconds},
};

/// `status`
pub(super) async fn status(client: &Client, out: Out, verbose: bool) -> Result<(), Failure> {
    let status = client.get("/api/v1/status").await?;
    if out.is_json() {
        return print_json(&status);
    }
    print_text(&summary(&status))?;
    if verbose {
        super::device::list(client, out).await?;
        let wide = ListArgs { wide: true, ..ListArgs::default() };
        super::daemon::list(client, out, &wide).await?;
    }
    Ok(())
}

/// One `Key: value` a line.
fn summary(status: &Value) -> String {
    let word = field(status, "status");
    let mut letters = word.chars();
    let capital: String =
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let memory = megabytes(&status["memory_usage_bytes"], 0).unwrap_or_default();
    [
        ("Status", capital),
        ("PID", field(status, "pid")),
        ("Uptime", seconds(&status["uptime_seconds"], 4)),
        ("Version", field(status, "version")),
        ("Socket", field(status, "socket")),
        ("Active Jobs", field(status, "active_jobs")),
        ("Queue Length", field(status, "queue_length")),
        ("Devices", field(status, "devices")),
        ("Daemons", field(status, "daemons")),
        ("Memory Usage", format!("{memory} MB")),
        ("Open File Descriptors", field(status, "open_file_descriptors")),
    ]
    .into_iter()
    .chain(last_run(&status["last_run"]).map(|how| ("Last Run", how)))
    .map(|(key, value)| format!("{key}: {value}\n"))
    .collect::<Vec<_>>()
    .concat()
}

/// How the run before this one ended, if that was not as it should be.
fn last_run(last: &Value) -> Option<String> {
    let verdict = last["verdict"].as_str().filter(|it| !matches!(*it, "clean" | "first"))?;
    let verdict = verdict.replace('_', " ");
    Some(match field(last, "detail") {
        detail if detail.is_empty() => verdict,
        detail => format!("{verdict} - {detail}"),
    })
}

/// `health`: fails if the station is unhealthy.
pub(super) async fn health(client: &Client, out: Out) -> Result<(), Failure> {
    document(client, out, "/health").await
}

/// `ready`: fails if the station takes no work.
pub(super) async fn ready(client: &Client, out: Out) -> Result<(), Failure> {
    document(client, out, "/ready").await
}

/// A document whose status code is a verdict: 503 has the same body, and says no.
async fn document(client: &Client, out: Out, path: &str) -> Result<(), Failure> {
    let (status, text) = client.answer(client.request(Method::GET, path).send()).await?;
    let verdict = match status {
        StatusCode::SERVICE_UNAVAILABLE => Err(Failure::Verdict(1)),
        _ => Ok(()),
    };
    let text = if verdict.is_err() { text } else { accept(status, text)? };
    let document: Value = serde_json::from_str(&text).map_err(|_| {
        Failure::Failed(format!("{} does not answer as a station does", client.place()))
    })?;
    if out.is_json() {
        print_json(&document)?;
    } else {
        print_text(&object(&document, 0))?;
    }
    verdict
}

/// `metrics`
pub(super) async fn metrics(client: &Client) -> Result<(), Failure> {
    print_text(&client.text("/metrics").await?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_summary_is_a_key_and_a_value_a_line() {
        let status = json!({"status": "running", "pid": 12345, "uptime_seconds": 8130.4,
            "version": "0.1.0", "socket": "/w/stationd.sock", "active_jobs": 1, "queue_length": 2,
            "devices": 1, "daemons": 5, "memory_usage_bytes": 245_300_000.0,
            "open_file_descriptors": 31.0});
        insta::assert_snapshot!(summary(&status), @r"
        Status: Running
        PID: 12345
        Uptime: 2h 15m 30s
        Version: 0.1.0
        Socket: /w/stationd.sock
        Active Jobs: 1
        Queue Length: 2
        Devices: 1
        Daemons: 5
        Memory Usage: 245 MB
        Open File Descriptors: 31
        ");
    }

    #[test]
    fn a_last_run_that_ended_badly_is_told() {
        let run = |verdict, detail| json!({"verdict": verdict, "detail": detail, "ended_at": null});
        assert_eq!(last_run(&Value::Null), None);
        assert_eq!(last_run(&run("clean", "it was stopped")), None);
        assert_eq!(last_run(&run("first", "")), None);
        let told = last_run(&run("out_of_memory", "the kernel killed it"));
        assert_eq!(told.as_deref(), Some("out of memory - the kernel killed it"));
    }
}
