//! `daemon …`: look at daemons, start and stop them.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    args::QueueCommand,
    client::{Client, encoded},
    config::ConfigCommand,
    events::EventsArgs,
    failure::Failure,
    job::keep_first,
    lifecycle::ShutdownArgs,
    print::{
        Out, field, items, megabytes, object, print_json, print_json_line, print_line, print_text,
        seconds,
    },
    start::StartArgs,
};

/// `daemon …`: a group of commands, or with options alone the same as `start`.
#[derive(Args, Clone, Debug, PartialEq)]
pub(super) struct DaemonGroup {
    /// How to start the station, if no command is named.
    #[command(flatten)]
    pub start: StartArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<DaemonCommand>,
}

/// `daemon …`
#[derive(Subcommand, Clone, Debug, PartialEq)]
pub(super) enum DaemonCommand {
    /// List daemons with their states
    List {
        /// Show process, uptime, memory and load of each
        #[arg(long)]
        wide: bool,
        /// Only daemons of this category
        #[arg(long)]
        category: Option<String>,
        /// Only daemons in this state
        #[arg(long)]
        state: Option<String>,
    },
    /// Show daemons in full
    Show(Selection),
    /// Start daemons, with what they depend on
    Start(Selection),
    /// Stop daemons
    Stop(Selection),
    /// Restart daemons; without a name, the station
    Restart(Selection),
    /// The same as `stationd status`
    #[command(hide = true)]
    Status {
        /// Show devices and daemons one by one as well
        #[arg(short, long)]
        verbose: bool,
    },
    /// The same as `stationd shutdown`
    #[command(hide = true)]
    Shutdown(ShutdownArgs),
    /// The same as `stationd events`
    #[command(hide = true)]
    Events(EventsArgs),
    /// The same as `stationd metrics`
    #[command(hide = true)]
    Metrics,
    /// The same as `stationd config`
    #[command(hide = true, subcommand, subcommand_required = true)]
    Config(ConfigCommand),
    /// The same as `stationd queue`
    #[command(hide = true, subcommand, subcommand_required = true)]
    Queue(QueueCommand),
}

/// Which daemons.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// Which daemons
    #[arg(value_name = "NAME", conflicts_with_all = ["category", "all"])]
    pub names: Vec<String>,
    /// All daemons of this category
    #[arg(long, conflicts_with = "all")]
    pub category: Option<String>,
    /// All daemons
    #[arg(long)]
    pub all: bool,
}

impl Selection {
    /// True if nothing is selected.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.category.is_none() && !self.all
    }

    /// The names, or those of all daemons that are meant.
    async fn names(&self, client: &Client) -> Result<Vec<String>, Failure> {
        if !self.names.is_empty() {
            return Ok(self.names.clone());
        }
        let daemons = client.get("/api/v1/daemons").await?;
        let names: Vec<String> = matching(&daemons, self.category.as_deref(), None)
            .map(|daemon| field(daemon, "name"))
            .collect();
        match &self.category {
            Some(category) if names.is_empty() => {
                Err(Failure::NotFound(format!("no daemon is of the category \"{category}\"")))
            }
            _ => Ok(names),
        }
    }
}

/// `daemon …`
pub(super) async fn run(client: &Client, out: Out, group: &DaemonGroup) -> Result<(), Failure> {
    match &group.command {
        Some(DaemonCommand::List { wide, category, state }) => {
            list(client, out, *wide, category.as_deref(), state.as_deref()).await
        }
        Some(DaemonCommand::Show(selection)) => show(client, out, selection).await,
        Some(DaemonCommand::Start(selection)) => act(client, out, selection, "start").await,
        Some(DaemonCommand::Stop(selection)) => act(client, out, selection, "stop").await,
        Some(DaemonCommand::Restart(selection)) => act(client, out, selection, "restart").await,
        // The parser has turned everything else into another command.
        _ => Ok(()),
    }
}

/// The daemons, a line each.
pub(super) async fn list(
    client: &Client,
    out: Out,
    wide: bool,
    category: Option<&str>,
    state: Option<&str>,
) -> Result<(), Failure> {
    let mut daemons = client.get("/api/v1/daemons").await?;
    if out.is_json() {
        let items: Vec<_> = matching(&daemons, category, state).cloned().collect();
        return print_json(&json!({"items": items, "next_cursor": null}));
    }
    if wide {
        in_the_station(client, &mut daemons).await?;
    } else {
        print_line("Daemon Status:")?;
    }
    matching(&daemons, category, state).try_for_each(|daemon| {
        print_line(if wide { wide_line(daemon) } else { short_line(daemon) })
    })
}

/// Gives the built-in daemons the process they run in.
async fn in_the_station(client: &Client, daemons: &mut Value) -> Result<(), Failure> {
    let station = client.get("/api/v1/status").await?;
    for daemon in daemons["items"].as_array_mut().into_iter().flatten() {
        if daemon["kind"] == "builtin" {
            daemon["pid"] = station["pid"].clone();
        }
    }
    Ok(())
}

fn matching<'a>(
    daemons: &'a Value,
    category: Option<&'a str>,
    state: Option<&'a str>,
) -> impl Iterator<Item = &'a Value> {
    let is = |daemon: &Value, name: &str, wanted: Option<&str>| {
        wanted.is_none_or(|wanted| field(daemon, name).eq_ignore_ascii_case(wanted))
    };
    items(daemons)
        .iter()
        .filter(move |daemon| is(daemon, "category", category) && is(daemon, "state", state))
}

fn short_line(daemon: &Value) -> String {
    let (name, state) = (field(daemon, "name"), field(daemon, "state"));
    match note(daemon) {
        note if note.is_empty() => format!("  {name}: {state}"),
        note => format!("  {name}: {state} ({note})"),
    }
}

/// How a running daemon is, or why another one does not run.
fn note(daemon: &Value) -> String {
    let health = &daemon["health"];
    let message = field(health, "message");
    match daemon["state"].as_str() {
        Some("RUNNING") => match field(health, "status") {
            status if status == "healthy" || message.is_empty() => status,
            status => format!("{status} - {message}"),
        },
        Some("BACKOFF" | "FAILED") => field(daemon, "last_error"),
        Some("STARTING") => message,
        _ => String::new(),
    }
}

fn wide_line(daemon: &Value) -> String {
    let (name, state) = (field(daemon, "name"), field(daemon, "state"));
    if state != "RUNNING" {
        let reason = match note(daemon) {
            note if note.is_empty() => state,
            note => format!("{state}: {note}"),
        };
        return format!("[DEAD] {name} - {reason}");
    }
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let memory = megabytes(&daemon["memory_bytes"], 1);
    let cpu = daemon["cpu_usage"].as_f64();
    format!(
        "[OK] {name} - PID: {}, Uptime: {}, Mem: {}, CPU: {}",
        or_dash(field(daemon, "pid")),
        or_dash(seconds(&daemon["uptime_seconds"], 4)),
        memory.map_or("-".to_owned(), |memory| memory + "MB"),
        cpu.map_or("-".to_owned(), |share| format!("{:.1}%", share * 100.0)),
    )
}

async fn show(client: &Client, out: Out, selection: &Selection) -> Result<(), Failure> {
    for name in selection.names(client).await? {
        let daemon = client.get(&format!("/api/v1/daemons/{}", encoded(&name))).await?;
        if out.is_json() { print_json(&daemon)? } else { print_text(&object(&daemon, 0))? }
    }
    Ok(())
}

/// Every daemon is tried, even if one of them refuses.
async fn act(client: &Client, out: Out, selection: &Selection, verb: &str) -> Result<(), Failure> {
    let mut result = Ok(());
    for name in selection.names(client).await? {
        let path = format!("/api/v1/daemons/{}/{verb}", encoded(&name));
        match client.post(&path, &json!({})).await {
            Ok(daemon) if out.is_json() => print_json_line(&daemon)?,
            Ok(daemon) => print_line(short_line(&daemon).trim_start())?,
            Err(failure) => result = keep_first(result, failure),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daemon(name: &str, state: &str, status: &str, message: &str) -> Value {
        json!({"name": name, "state": state, "health": {"status": status, "message": message},
               "last_error": "panicked: out of paper", "pid": 12345, "uptime_seconds": 5400.0,
               "memory_bytes": 12_345_678, "cpu_usage": 0.005})
    }

    fn all() -> [Value; 5] {
        [
            daemon("EVENT_ROUTER", "RUNNING", "healthy", "ok"),
            daemon("AUTO_SYNC", "RUNNING", "degraded", "2 sync errors"),
            daemon("EVALUATION", "STOPPED", "unknown", "not running"),
            daemon("camera", "FAILED", "unknown", ""),
            daemon("sync", "STARTING", "unknown", "waits for job-queue"),
        ]
    }

    #[test]
    fn a_line_tells_state_and_health() {
        insta::assert_snapshot!(all().map(|daemon| short_line(&daemon)).join("\n"), @r"
          EVENT_ROUTER: RUNNING (healthy)
          AUTO_SYNC: RUNNING (degraded - 2 sync errors)
          EVALUATION: STOPPED
          camera: FAILED (panicked: out of paper)
          sync: STARTING (waits for job-queue)
        ");
    }

    #[test]
    fn a_wide_line_tells_the_process_or_why_there_is_none() {
        insta::assert_snapshot!(all().map(|daemon| wide_line(&daemon)).join("\n"), @r"
        [OK] EVENT_ROUTER - PID: 12345, Uptime: 1h 30m, Mem: 12.3MB, CPU: 0.5%
        [OK] AUTO_SYNC - PID: 12345, Uptime: 1h 30m, Mem: 12.3MB, CPU: 0.5%
        [DEAD] EVALUATION - STOPPED
        [DEAD] camera - FAILED: panicked: out of paper
        [DEAD] sync - STARTING: waits for job-queue
        ");
    }
}
