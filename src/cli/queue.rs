//! `queue …`: what waits and why; pause, resume, drain.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    client::Client,
    failure::Failure,
    print::{Out, field, items, print_json, print_line},
};
use crate::domain::same_name;

/// Between two looks whether the queue is drained.
const LOOK: Duration = Duration::from_millis(200);

/// `queue …`
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub(super) enum QueueCommand {
    /// Show what runs and what waits, in the order in which it will run, and why it waits
    Show(Part),
    /// Start no more jobs; what runs goes on
    Pause(Part),
    /// Start jobs and take them in again
    Resume(Part),
    /// Run what waits, take no new jobs
    ///
    /// What waits for a person, or for a time that has not come, stays. The queue is drained once
    /// nothing else is left; it takes jobs again after `queue resume`.
    Drain {
        /// Of what.
        #[command(flatten)]
        part: Part,
        /// Stay until it is drained
        #[arg(long)]
        wait: bool,
    },
}

/// All of the queue, or the part of one device.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// Only this device
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
}

/// `queue …`
pub(super) async fn run(client: &Client, out: Out, command: &QueueCommand) -> Result<(), Failure> {
    match command {
        QueueCommand::Show(part) => show(client, out, part.device.as_deref()).await,
        QueueCommand::Pause(part) => told(out, part, &set(client, "pause", part).await?),
        QueueCommand::Resume(part) => told(out, part, &set(client, "resume", part).await?),
        QueueCommand::Drain { part, wait } => {
            let mut queue = set(client, "drain", part).await?;
            while *wait && state(&queue, part) == "draining" {
                tokio::time::sleep(LOOK).await;
                queue = client.get("/api/v1/queue").await?;
            }
            if *wait && state(&queue, part) != "drained" {
                let failure = "the drain was called off by somebody else";
                return Err(Failure::Failed(failure.to_owned()));
            }
            told(out, part, &queue)
        }
    }
}

async fn set(client: &Client, verb: &str, part: &Part) -> Result<Value, Failure> {
    let body = match &part.device {
        Some(device) => json!({"device": device}),
        None => json!({}),
    };
    client.post(&format!("/api/v1/queue/{verb}"), &body).await
}

/// What that part does.
fn state(queue: &Value, part: &Part) -> String {
    let Some(name) = &part.device else { return field(queue, "state") };
    let parts = queue["parts"].as_array().into_iter().flatten();
    let its = |part: &&Value| part["device"].as_str().is_some_and(|it| same_name(it, name));
    parts.into_iter().find(its).map_or("running".to_owned(), |part| field(part, "mode"))
}

fn told(out: Out, part: &Part, queue: &Value) -> Result<(), Failure> {
    if out.is_json() {
        return print_json(queue);
    }
    let what = part.device.as_ref().map_or("queue".to_owned(), |name| format!("device {name}"));
    print_line(format_args!("{what}: {}", in_words(&state(queue, part))))
}

/// A mode with what it means for jobs.
fn in_words(mode: &str) -> &str {
    match mode {
        "paused" => "paused (takes jobs, starts none)",
        "draining" => "draining (runs what can run, takes no new jobs)",
        "drained" => "drained (nothing is left that can run, takes no new jobs)",
        other => other,
    }
}

async fn show(client: &Client, out: Out, device: Option<&str>) -> Result<(), Failure> {
    let mut queue = client.get("/api/v1/queue").await?;
    // A job without a device may come to run on any.
    let may_run = |job: &Value| {
        device.is_none_or(|name| job["device"].as_str().is_none_or(|its| same_name(its, name)))
    };
    for part in ["active", "items"] {
        if let Some(jobs) = queue[part].as_array_mut() {
            jobs.retain(may_run);
        }
    }
    if out.is_json() {
        return print_json(&queue);
    }
    if field(&queue, "state") != "running" {
        print_line(format_args!("queue: {}", in_words(&field(&queue, "state"))))?;
    }
    for part in queue["parts"].as_array().into_iter().flatten() {
        if let Some(device) = part["device"].as_str() {
            print_line(format_args!("device {device}: {}", in_words(&field(part, "mode"))))?;
        }
    }
    let active = queue["active"].as_array().into_iter().flatten();
    let row = |job: &Value| {
        ["id", "name", "state", "device", "priority", "why"].map(|name| field(job, name)).to_vec()
    };
    let rows: Vec<_> = active.chain(items(&queue)).map(row).collect();
    out.table(&["ID", "NAME", "STATE", "DEVICE", "PRIORITY", "WHY"], &rows)
}
