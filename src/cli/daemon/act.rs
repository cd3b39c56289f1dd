//! `daemon start|stop|restart`.

use std::time::Duration;

use awc::http::{Method, StatusCode};
use clap::Args;
use serde_json::{Value, json};

use super::Selection;
use crate::cli::{
    client::{Client, accept, refusal},
    failure::Failure,
    job::keep_first,
    print::{Out, field, items, print_json, print_line},
};

/// A rolling restart of many daemons takes its time; each has limits of its own.
const PATIENCE: Duration = Duration::from_hours(24);

/// `daemon stop`
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct StopArgs {
    /// Which daemons.
    #[command(flatten)]
    pub selection: Selection,
    /// Kill programs at once; built-in daemons get two seconds to leave things whole
    #[arg(long)]
    pub force: bool,
}

/// `daemon restart`
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct RestartArgs {
    /// Which daemons.
    #[command(flatten)]
    pub selection: Selection,
    /// One at a time, what is needed first, each healthy before the next; stop at the first that
    /// is not
    #[arg(long)]
    pub rolling: bool,
    /// Kill programs at once; built-in daemons get two seconds to leave things whole
    #[arg(long)]
    pub force: bool,
}

impl RestartArgs {
    /// True if nothing is said, not even how.
    pub(in crate::cli) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Start,
    Stop,
    Restart,
}

/// Every daemon is tried, even if one of them refuses; a rolling restart stops there.
pub(super) async fn act(
    client: &Client,
    out: Out,
    verb: Verb,
    selection: &Selection,
    rolling: bool,
    force: bool,
) -> Result<(), Failure> {
    let verb = match verb {
        Verb::Start => "start",
        Verb::Stop => "stop",
        Verb::Restart => "restart",
    };
    let mut body = selection.body();
    for (name, _) in [("rolling", rolling), ("force", force)].iter().filter(|(_, said)| *said) {
        body[*name] = json!(true);
    }
    let request = client.request(Method::POST, &format!("/api/v1/daemons/{verb}"));
    let sent = request.timeout(PATIENCE).send_json(&body);
    let (status, text) = client.answer(sent).await?;
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    if !answer["items"].is_array() {
        return accept(status, text).map(drop);
    }
    if out.is_json() {
        print_json(&answer)?;
    }
    told(out, status, &answer)
}

/// A line for each daemon that obeyed, and a failure for the others.
fn told(out: Out, status: StatusCode, answer: &Value) -> Result<(), Failure> {
    let mut result = Ok(());
    for item in items(answer) {
        if item["ok"] == true {
            if !out.is_json() {
                print_line(format_args!("{}: {}", field(item, "name"), field(item, "did")))?;
            }
        } else if status.is_success() {
            result = keep_first(result, failure(item));
        }
    }
    if status.is_success() {
        return result;
    }
    let name = field(answer, "stopped_at");
    Err(Failure::Failed(with_advice(&field(answer, "detail"), &name)))
}

/// Why one daemon did not obey.
fn failure(item: &Value) -> Failure {
    let status = item["status"].as_u64().and_then(|code| u16::try_from(code).ok());
    let status = status.and_then(|code| StatusCode::from_u16(code).ok());
    let error = field(item, "error");
    match status.unwrap_or(StatusCode::CONFLICT) {
        StatusCode::CONFLICT => Failure::Failed(with_advice(&error, &field(item, "name"))),
        status => refusal(status, error),
    }
}

fn with_advice(what: &str, name: &str) -> String {
    format!("{what}; `stationd daemon why {name}` says more")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Global;

    fn code(status: u16, answer: &Value) -> Option<(u8, String)> {
        let status = StatusCode::from_u16(status).unwrap();
        let failure = told(Out::new(&Global::default()), status, answer).err()?;
        Some((failure.code(), failure.to_string()))
    }

    fn item(name: &str, status: u16, error: Option<&str>) -> Value {
        json!({"name": name, "ok": error.is_none(), "status": status, "did": "started (PID 123)",
               "error": error, "daemon": null})
    }

    #[test]
    fn the_exit_code_tells_what_became_of_them() {
        let fine = item("camera", 200, None);
        assert_eq!(code(200, &json!({"items": [fine], "stopped_at": null})), None);
        let unknown = item("kamera", 404, Some("no daemon is called \"kamera\""));
        let answer = json!({"items": [fine, unknown], "stopped_at": null});
        assert_eq!(code(200, &answer), Some((5, "no daemon is called \"kamera\"".to_owned())));
        let failed = item("camera", 409, Some("camera did not start: no such program"));
        let (code_, text) = code(200, &json!({"items": [failed], "stopped_at": null})).unwrap();
        assert_eq!(code_, 1);
        insta::assert_snapshot!(
            text,
            @"camera did not start: no such program; `stationd daemon why camera` says more"
        );
        let halted = json!({"items": [fine, failed], "stopped_at": "camera",
                            "detail": "the rolling restart stopped at \"camera\": it is ill"});
        let (code_, text) = code(409, &halted).unwrap();
        assert_eq!(code_, 1);
        insta::assert_snapshot!(
            text,
            @"the rolling restart stopped at \"camera\": it is ill; `stationd daemon why camera` says more"
        );
    }
}
