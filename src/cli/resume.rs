//! `job resume`: a paused job goes on at once, an interrupted one after a look at how.

use std::{
    io::{self, IsTerminal, Write},
    thread,
};

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    client::Client,
    failure::Failure,
    job::{JobIds, act_with, keep_first},
    print::{Out, field, note, print_json, print_line, visible},
};
use crate::domain::{JobAction, JobId};

/// How a person confirms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Consent {
    /// Without being asked.
    pub yes: bool,
    /// Although the machine may not be where it says it is.
    pub force: bool,
}

/// Lets jobs go on, every one as it may.
pub(super) async fn resume(
    client: &Client,
    out: Out,
    ids: &[JobId],
    consent: Consent,
) -> Result<(), Failure> {
    let mut result = Ok(());
    for id in ids {
        if let Err(failure) = one(client, out, *id, consent).await {
            result = keep_first(result, failure);
        }
    }
    result
}

async fn one(client: &Client, out: Out, id: JobId, consent: Consent) -> Result<(), Failure> {
    let job = client.get(&format!("/api/v1/jobs/{id}")).await?;
    if job["state"] != "INTERRUPTED" || job["kind"] != "device" {
        let jobs = JobIds { ids: vec![id] };
        return act_with(client, out, &jobs, JobAction::Resume, &json!({})).await;
    }
    let address = format!("/api/v1/jobs/{id}/resume");
    let plan = client.get(&address).await?;
    if !consent.yes {
        if out.is_json() {
            print_json(&plan)?;
        } else {
            tell(&job, &plan)?;
        }
        if !asked(&plan).await? {
            return Err(Failure::Failed(format!(
                "nothing was sent; to let it go on: stationd job resume {id} --yes{}",
                if is_certain(&plan) { "" } else { " --force" }
            )));
        }
    }
    let body = json!({"token": plan["token"], "force": consent.force});
    let job = client.post(&address, &body).await?;
    if out.is_json() {
        return print_json(&job);
    }
    print_line(format_args!("{id}: {}", field(&job, "state")))
}

fn is_certain(plan: &Value) -> bool {
    plan["confidence"] == "certain"
}

/// The plan as text.
fn tell(job: &Value, plan: &Value) -> Result<(), Failure> {
    let lines = |name: &str| -> Vec<String> {
        let lines = plan[name].as_array().into_iter().flatten();
        lines.map(|line| visible(line.as_str().unwrap_or_default()).to_string()).collect()
    };
    let from = match &plan["from_line"] {
        Value::Null => "its end (nothing of the file is left)".to_owned(),
        line => format!("line {line}"),
    };
    print_line(format_args!("Job: {}", field(job, "name")))?;
    print_line(format_args!("Interrupted: {}", field(job, "error")))?;
    print_line(format_args!("Done for certain: up to line {}", plan["last_certain_line"]))?;
    print_line(format_args!(
        "Goes on: at {from} on {}, {} lines left ({} sent again)",
        field(plan, "device"),
        plan["lines_left"],
        plan["redo_lines"],
    ))?;
    let certainty = match plan["confidence"].as_str() {
        Some("certain") => "certain",
        Some("needs_homing") => "needs homing",
        _ => "not to be trusted",
    };
    let reason = match field(plan, "reason") {
        reason if reason.is_empty() => reason,
        reason => format!(" ({reason})"),
    };
    print_line(format_args!("Position: {certainty}{reason}"))?;
    print_line(format_args!("State: {}", lines("state").join(", ")))?;
    print_line("First it would send:")?;
    for line in lines("preamble") {
        print_line(format_args!("  {line}"))?;
    }
    for warning in lines("warnings") {
        note(format_args!("warning: {warning}"))?;
    }
    Ok(())
}

/// Asks on a terminal; elsewhere nobody can answer.
async fn asked(plan: &Value) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    let unreadable = |error: io::Error| Failure::Failed(format!("no answer: {error}"));
    let device = field(plan, "device");
    let mut screen = io::stderr();
    write!(screen, "The machine moves at once. Is the way of {device} clear? [y/N] ")
        .and_then(|()| screen.flush())
        .map_err(unreadable)?;
    let (sender, answer) = oneshot::channel();
    // Whoever interrupts instead of answering is not waited for, which the runtime's threads are.
    thread::spawn(move || {
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        _ = sender.send(read.map(|_| answer)); // nobody may wait any more
    });
    let Ok(answer) = answer.await else { return Ok(false) };
    Ok(matches!(answer.map_err(unreadable)?.trim(), "y" | "Y" | "yes"))
}
