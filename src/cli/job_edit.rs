//! `job move` and `job edit`: changes to a job that waits.

use clap::{ArgGroup, Args};
use serde_json::{Map, Value, json};

use super::{
    client::Client,
    failure::Failure,
    print::{Out, field, print_json_line, print_line},
    wish::label,
};
use crate::domain::{JobId, Priority};

/// `job move`
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(group(ArgGroup::new("place").required(true)))]
pub(super) struct MoveArgs {
    /// The job
    #[arg(value_name = "ID")]
    pub id: JobId,
    /// Right before this one, with its priority
    #[arg(long, value_name = "ID", group = "place")]
    pub before: Option<JobId>,
    /// Before all others
    #[arg(long, group = "place")]
    pub first: bool,
    /// After all others
    #[arg(long, group = "place")]
    pub last: bool,
    /// To where this priority puts it
    #[arg(long, value_name = "N", allow_negative_numbers = true, group = "place")]
    pub priority: Option<Priority>,
    /// Only if it still is this version
    #[arg(long, value_name = "N")]
    pub version: Option<u64>,
}

/// `job edit`
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(group(ArgGroup::new("change").required(true).multiple(true)))]
pub(super) struct EditArgs {
    /// The job
    #[arg(value_name = "ID")]
    pub id: JobId,
    /// What people call it
    #[arg(long, group = "change")]
    pub name: Option<String>,
    /// What comes first: a number, or low, normal, high, critical
    #[arg(long, value_name = "N", allow_negative_numbers = true, group = "change")]
    pub priority: Option<Priority>,
    /// Not before this time; now is at once
    #[arg(long, value_name = "TIME", group = "change")]
    pub at: Option<String>,
    /// These labels in place of those it has; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = label, group = "change")]
    pub label: Vec<(String, String)>,
    /// Only if it still is this version
    #[arg(long, value_name = "N")]
    pub version: Option<u64>,
}

/// `job move`
pub(super) async fn place(client: &Client, out: Out, args: &MoveArgs) -> Result<(), Failure> {
    let body = match (args.before, args.priority) {
        (Some(other), _) => json!({"before": other}),
        (None, Some(Priority(priority))) => json!({"priority": priority}),
        (None, None) => json!({"place": if args.first { "first" } else { "last" }}),
    };
    send(client, out, args.id, args.version, &body).await
}

/// `job edit`
pub(super) async fn edit(client: &Client, out: Out, args: &EditArgs) -> Result<(), Failure> {
    let mut body = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    add("name", args.name.clone().map(Value::from));
    add("priority", args.priority.map(|Priority(value)| value.into()));
    let at = args.at.clone();
    add("not_before", at.map(|at| if at == "now" { Value::Null } else { at.into() }));
    let labels: Map<_, _> =
        args.label.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
    add("labels", (!labels.is_empty()).then_some(labels.into()));
    send(client, out, args.id, args.version, &body.into()).await
}

async fn send(
    client: &Client,
    out: Out,
    id: JobId,
    version: Option<u64>,
    body: &Value,
) -> Result<(), Failure> {
    let job = client.patch(&format!("/api/v1/jobs/{id}"), version, body).await?;
    if out.is_json() {
        return print_json_line(&job);
    }
    print_line(format_args!(
        "{id}  {}: {}, priority {}",
        field(&job, "name"),
        field(&job, "state"),
        field(&job, "priority")
    ))
}
