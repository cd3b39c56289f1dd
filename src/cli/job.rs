//! `job …`: look at jobs and decide about them.

use std::str::FromStr;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    client::Client,
    failure::Failure,
    job_edit::{self, EditArgs, MoveArgs},
    job_logs,
    print::{
        Out, field, items, note, object, print_json, print_json_line, print_line, print_text,
        seconds,
    },
    report::report,
    resume::{Consent, resume},
    watch,
};
use crate::domain::{JobAction, JobId, JobState};

/// `job …`
#[derive(Subcommand, Clone, Debug, PartialEq)]
pub(super) enum JobCommand {
    /// List jobs, newest first
    List(JobFilter),
    /// Show one job in full
    Show(ShowArgs),
    /// Watch jobs until they end; fails unless all complete
    Watch(JobIds),
    /// Print what command jobs wrote
    Logs(JobLogsArgs),
    /// Hold a running job still, or keep a queued one from starting
    Pause(JobIds),
    /// Go on with a paused or interrupted job
    #[command(after_help = "\
A paused job goes on at once. Of an interrupted one it shows what the machine is known to have done,
what it would be sent first and where the file would go on, and asks.")]
    Resume {
        #[command(flatten)]
        jobs: JobIds,
        /// Do not ask before an interrupted job goes on
        #[arg(long)]
        yes: bool,
        /// Go on although the machine may not be where it says it is
        #[arg(long, requires = "yes")]
        force: bool,
    },
    /// Leave out the layer that a job waits to begin, and go on with the next one
    Skip(JobIds),
    /// End a job and make its machine safe
    Cancel(JobIds),
    /// Run a failed, cancelled or interrupted job again from its beginning
    Retry(RetryArgs),
    /// Let a held job go
    Release(ReleaseArgs),
    /// Change the place of a waiting job in the queue
    Move(MoveArgs),
    /// Change what a waiting job is called and asks for
    Edit(EditArgs),
    /// Forget a job that has ended
    Delete(JobIds),
}

/// Which jobs.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(super) struct JobIds {
    /// The job, as `submit` and `job list` print it
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<JobId>,
}

/// `job release`
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(super) struct ReleaseArgs {
    /// Which jobs.
    #[command(flatten)]
    pub jobs: JobIds,
    /// Let it run although what was found in its file speaks against it
    #[arg(long)]
    pub force: bool,
}

/// `job show`
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(super) struct ShowArgs {
    /// Which.
    #[command(flatten)]
    pub jobs: JobIds,
    /// Show every change of its state as well: when, why and by whom
    #[arg(long)]
    pub history: bool,
}

/// `job retry`
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(super) struct RetryArgs {
    /// The job, as `submit` and `job list` print it
    #[arg(value_name = "ID", required_unless_present = "all_failed")]
    pub ids: Vec<JobId>,
    /// Every failed job
    #[arg(long, conflicts_with = "ids")]
    pub all_failed: bool,
}

/// Which logs, and how much of them.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(super) struct JobLogsArgs {
    /// Which jobs.
    #[command(flatten)]
    pub jobs: JobIds,
    /// Go on with what is written from now on, until the job is over
    #[arg(short, long)]
    pub follow: bool,
    /// Begin with so many of the last lines (at most 10000), or with all that is kept
    #[arg(short = 'n', long, value_name = "N|all", default_value = "1000")]
    pub lines: Lines,
}

/// How much of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// All that is kept.
    All,
    /// So many of the last lines.
    Last(u32),
}

impl FromStr for Lines {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("all") {
            return Ok(Self::All);
        }
        let lines = text.parse().ok().filter(|lines| *lines <= 10_000);
        lines.map(Self::Last).ok_or("0 to 10000 of the last lines can be asked for, or all")
    }
}

/// Which jobs are listed.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct JobFilter {
    /// Only jobs in this state
    #[arg(long)]
    pub state: Option<JobState>,
    /// Only jobs of this device
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// Only jobs of this name; * stands for anything
    #[arg(long)]
    pub name: Option<String>,
    /// Only jobs of this kind: device or command
    #[arg(long)]
    pub kind: Option<String>,
    /// Only jobs with this label, whatever its value if none is given; may be repeated
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub label: Vec<String>,
    /// Only jobs that were submitted by them
    #[arg(long, value_name = "NAME")]
    pub submitted_by: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// Go on where an earlier list ended
    #[arg(long)]
    pub cursor: Option<String>,
}

/// `job …`
pub(super) async fn run(client: &Client, out: Out, command: &JobCommand) -> Result<(), Failure> {
    match command {
        JobCommand::List(filter) => list(client, out, filter).await,
        JobCommand::Show(args) => show(client, out, args).await,
        JobCommand::Watch(JobIds { ids }) => watch::until_ended(client, out, ids).await,
        JobCommand::Logs(args) => job_logs::run(client, out, args).await,
        JobCommand::Delete(JobIds { ids }) => delete(client, out, ids).await,
        JobCommand::Pause(jobs) => act(client, out, jobs, JobAction::Pause).await,
        JobCommand::Resume { jobs, yes, force } => {
            let consent = Consent { yes: *yes, force: *force };
            resume(client, out, &jobs.ids, consent).await
        }
        JobCommand::Skip(jobs) => act(client, out, jobs, JobAction::Skip).await,
        JobCommand::Cancel(jobs) => act(client, out, jobs, JobAction::Cancel).await,
        JobCommand::Retry(args) => retry(client, out, args).await,
        JobCommand::Move(args) => job_edit::place(client, out, args).await,
        JobCommand::Edit(args) => job_edit::edit(client, out, args).await,
        JobCommand::Release(ReleaseArgs { jobs, force }) => {
            let body = if *force { json!({"force": true}) } else { json!({}) };
            act_with(client, out, jobs, JobAction::Release, &body).await
        }
    }
}

async fn list(client: &Client, out: Out, filter: &JobFilter) -> Result<(), Failure> {
    let parameters = [
        ("state", filter.state.map(|state| state.to_string()).unwrap_or_default()),
        ("device", filter.device.clone().unwrap_or_default()),
        ("name", filter.name.clone().unwrap_or_default()),
        ("kind", filter.kind.clone().unwrap_or_default()),
        ("label", filter.label.join(",")),
        ("submitted_by", filter.submitted_by.clone().unwrap_or_default()),
        ("limit", filter.limit.map(|limit| limit.to_string()).unwrap_or_default()),
        ("cursor", filter.cursor.clone().unwrap_or_default()),
    ];
    let jobs = client.query("/api/v1/jobs", &parameters).await?;
    if out.is_json() {
        return print_json(&jobs);
    }
    table(out, items(&jobs))?;
    match field(&jobs, "next_cursor") {
        cursor if cursor.is_empty() => Ok(()),
        cursor => note(format_args!("there are more: add --cursor {cursor}")),
    }
}

/// Jobs, one a line.
pub(super) fn table(out: Out, jobs: &[Value]) -> Result<(), Failure> {
    let row = |job: &Value| {
        let percent = job["progress_percentage"].as_f64().unwrap_or_default();
        vec![
            field(job, "id"),
            field(job, "name"),
            field(job, "state"),
            format!("{percent:.0}%"),
            seconds(&job["eta_seconds"], 2),
            field(job, "device"),
            field(job, "priority"),
            field(job, "created_at"),
        ]
    };
    let rows: Vec<_> = jobs.iter().map(row).collect();
    out.table(&["ID", "NAME", "STATE", "DONE", "LEFT", "DEVICE", "PRIORITY", "SUBMITTED"], &rows)
}

async fn show(client: &Client, out: Out, args: &ShowArgs) -> Result<(), Failure> {
    for id in &args.jobs.ids {
        let mut job = client.get(&format!("/api/v1/jobs/{id}")).await?;
        let history = if args.history {
            Some(client.get(&format!("/api/v1/jobs/{id}/history")).await?)
        } else {
            None
        };
        if out.is_json() {
            if let Some(mut history) = history {
                job["history"] = history["items"].take();
            }
            print_json(&job)?;
            continue;
        }
        let mut rest = job.clone();
        if let Some(fields) = rest.as_object_mut() {
            fields.remove("analysis");
        }
        print_text(&object(&rest, 0))?;
        if job["analysis"].is_object() {
            print_text(&report(out, &job["analysis"]))?;
        }
        if let Some(history) = history {
            let row = |change: &Value| {
                ["timestamp", "from_state", "to_state", "actor", "reason"]
                    .map(|name| field(change, name))
                    .to_vec()
            };
            let rows: Vec<_> = items(&history).iter().map(row).collect();
            out.table(&["TIME", "FROM", "TO", "BY", "REASON"], &rows)?;
        }
    }
    Ok(())
}

async fn retry(client: &Client, out: Out, args: &RetryArgs) -> Result<(), Failure> {
    if !args.all_failed {
        return act(client, out, &JobIds { ids: args.ids.clone() }, JobAction::Retry).await;
    }
    let (mut result, mut cursor) = (Ok(()), String::new());
    loop {
        let parameters =
            [("state", "FAILED".to_owned()), ("limit", "1000".to_owned()), ("cursor", cursor)];
        let page = client.query("/api/v1/jobs", &parameters).await?;
        let ids = items(&page).iter().filter_map(|job| field(job, "id").parse().ok()).collect();
        if let Err(failure) = act(client, out, &JobIds { ids }, JobAction::Retry).await {
            result = keep_first(result, failure);
        }
        cursor = field(&page, "next_cursor");
        if cursor.is_empty() {
            return result;
        }
    }
}

async fn delete(client: &Client, out: Out, ids: &[JobId]) -> Result<(), Failure> {
    for id in ids {
        client.delete(&format!("/api/v1/jobs/{id}")).await?;
        if !out.is_json() {
            print_line(format_args!("{id}: deleted"))?;
        }
    }
    Ok(())
}

async fn act(client: &Client, out: Out, jobs: &JobIds, action: JobAction) -> Result<(), Failure> {
    act_with(client, out, jobs, action, &json!({})).await
}

/// Every job is tried, even if one of them refuses.
pub(super) async fn act_with(
    client: &Client,
    out: Out,
    JobIds { ids }: &JobIds,
    action: JobAction,
    body: &Value,
) -> Result<(), Failure> {
    let mut result = Ok(());
    for id in ids {
        match client.post(&format!("/api/v1/jobs/{id}/{action}"), body).await {
            Ok(job) if out.is_json() => print_json_line(&job)?,
            Ok(job) => {
                print_line(format_args!(
                    "{}  {}: {}",
                    id,
                    field(&job, "name"),
                    field(&job, "state")
                ))?;
            }
            Err(failure) => result = keep_first(result, failure),
        }
    }
    result
}

/// Remembers the first of several failures and tells of the others at once.
pub(super) fn keep_first(result: Result<(), Failure>, failure: Failure) -> Result<(), Failure> {
    match result {
        Ok(()) => Err(failure),
        Err(first) => {
            failure.report();
            Err(first)
        }
    }
}
