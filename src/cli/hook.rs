//! `hook …`: what is done when something happens.

use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    client::{Client, encoded},
    failure::Failure,
    print::{
        Out, field, items, note, object, plain, print_json, print_line, print_text, visible_line,
    },
};

/// `hook …`
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub(super) enum HookCommand {
    /// List the hooks, each with how it last went
    List,
    /// List what hooks did, newest first
    #[command(visible_alias = "log")]
    Runs {
        /// Only what failed and was given up
        #[arg(long)]
        failed: bool,
        /// Only those of this hook, as COMPLETED[0]
        #[arg(long, value_name = "HOOK")]
        hook: Option<String>,
        /// Only those about this job
        #[arg(long, value_name = "ID")]
        job: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
        /// Go on where an earlier list ended
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show one run: what it was told, how it went, what it wrote
    Show {
        /// Which run
        id: String,
    },
    /// Run the hooks of an event with a made-up one, and show how it went
    #[command(after_help = "Example: stationd hook test COMPLETED")]
    Test {
        /// As COMPLETED, device:alarm or daemon:FAILED
        event: String,
    },
    /// Try again what was given up
    Retry {
        /// Which runs
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// Between two looks at runs that have not ended.
const LOOK: Duration = Duration::from_millis(100);

/// `hook …`
pub(super) async fn run(client: &Client, out: Out, command: &HookCommand) -> Result<(), Failure> {
    match command {
        HookCommand::List => list(client, out).await,
        HookCommand::Runs { failed, hook, job, limit, cursor } => {
            let parameters = [
                ("state", if *failed { "FAILED" } else { "" }.to_owned()),
                ("hook", hook.clone().unwrap_or_default()),
                ("resource", job.as_ref().map(|id| format!("job:{id}")).unwrap_or_default()),
                ("limit", limit.map(|limit| limit.to_string()).unwrap_or_default()),
                ("cursor", cursor.clone().unwrap_or_default()),
            ];
            runs(client, out, &parameters).await
        }
        HookCommand::Show { id } => {
            let run = client.get(&format!("/api/v1/hooks/runs/{}", encoded(id))).await?;
            if out.is_json() { print_json(&run) } else { show(run) }
        }
        HookCommand::Test { event } => test(client, out, event).await,
        HookCommand::Retry { ids } => retry(client, out, ids).await,
    }
}

async fn list(client: &Client, out: Out) -> Result<(), Failure> {
    let hooks = client.get("/api/v1/hooks").await?;
    if out.is_json() {
        return print_json(&hooks);
    }
    let row = |hook: &Value| {
        let last = &hook["last_run"];
        vec![
            field(hook, "hook"),
            field(hook, "kind"),
            field(hook, "target"),
            field(last, "state"),
            field(last, "started_at"),
            field(last, "error"),
        ]
    };
    let rows: Vec<_> = items(&hooks).iter().map(row).collect();
    out.table(&["HOOK", "KIND", "DOES", "LAST", "AT", "ERROR"], &rows)
}

async fn runs(client: &Client, out: Out, parameters: &[(&str, String)]) -> Result<(), Failure> {
    let runs = client.query("/api/v1/hooks/runs", parameters).await?;
    if out.is_json() {
        return print_json(&runs);
    }
    table(out, items(&runs))?;
    match field(&runs, "next_cursor") {
        cursor if cursor.is_empty() => Ok(()),
        cursor => note(format_args!("there are more: add --cursor {cursor}")),
    }
}

fn table(out: Out, runs: &[Value]) -> Result<(), Failure> {
    let row = |run: &Value| {
        let took = run["duration_seconds"].as_f64().map(|took| format!("{took:.1}s"));
        vec![
            field(run, "id"),
            field(run, "hook"),
            field(run, "kind"),
            field(run, "resource"),
            field(run, "state"),
            field(run, "attempts"),
            field(run, "created_at"),
            took.unwrap_or_default(),
            field(run, "error"),
        ]
    };
    let rows: Vec<_> = runs.iter().map(row).collect();
    let heads = ["ID", "HOOK", "KIND", "ABOUT", "STATE", "TRIES", "AT", "TOOK", "ERROR"];
    out.table(&heads, &rows)
}

/// Fields first, then what it wrote, line by line.
fn show(mut run: Value) -> Result<(), Failure> {
    let output = run["output"].take();
    let lost = run["output_lost_bytes"].as_u64().unwrap_or(0);
    print_text(&object(&run, 0))?;
    let Some(output) = output.as_str() else { return Ok(()) };
    print_line("output:")?;
    for line in output.lines() {
        print_line(format_args!("  {}", visible_line(line)))?;
    }
    if lost > 0 {
        print_line(format_args!("  … and {lost} bytes more"))?;
    }
    Ok(())
}

/// Waits until every run has ended, or is to be tried again later.
async fn test(client: &Client, out: Out, event: &str) -> Result<(), Failure> {
    let begun = client.post("/api/v1/hooks/test", &json!({"event": event})).await?;
    let ids: Vec<_> = begun["runs"].as_array().into_iter().flatten().map(plain).collect();
    let mut runs = Vec::new();
    for id in ids {
        loop {
            let run = client.get(&format!("/api/v1/hooks/runs/{}", encoded(&id))).await?;
            let state = run["state"].as_str().unwrap_or_default();
            let waits = state == "RUNNING" || (state == "WAITING" && run["error"].is_null());
            if !waits {
                runs.push(run);
                break;
            }
            actix::clock::sleep(LOOK).await;
        }
    }
    if out.is_json() {
        print_json(&json!({"items": runs}))?;
    } else {
        table(out, &runs)?;
    }
    let bad = runs.iter().filter(|run| run["state"] != "SUCCEEDED").count();
    match bad {
        0 => Ok(()),
        bad => Err(Failure::Failed(format!(
            "{bad} of {} hooks failed; `stationd hook show ID` says more",
            runs.len()
        ))),
    }
}

async fn retry(client: &Client, out: Out, ids: &[String]) -> Result<(), Failure> {
    for id in ids {
        let path = format!("/api/v1/hooks/runs/{}/retry", encoded(id));
        let run = client.post(&path, &json!({})).await?;
        if out.is_json() {
            print_json(&run)?;
        } else {
            let (hook, state) = (field(&run, "hook"), field(&run, "state"));
            print_line(format_args!("{id}  {hook}: {state}"))?;
        }
    }
    Ok(())
}
