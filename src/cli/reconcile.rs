//! `reconcile`: compare what should run with what runs, now.

use clap::Args;
use serde_json::json;

use super::{
    client::Client,
    failure::Failure,
    print::{Out, field, print_json, print_line},
};

/// `reconcile`
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReconcileArgs {
    /// Which daemon
    #[arg(conflicts_with = "all")]
    pub name: Option<String>,
    /// All daemons, which is the default
    #[arg(long)]
    pub all: bool,
}

/// A line for everything that was mended, then how much was checked.
pub(super) async fn run(client: &Client, out: Out, args: &ReconcileArgs) -> Result<(), Failure> {
    let body = args.name.as_ref().map_or(json!({}), |name| json!({"name": name}));
    let answer = client.post("/api/v1/reconcile", &body).await?;
    if out.is_json() {
        return print_json(&answer);
    }
    let mended = answer["mended"].as_array().map(Vec::as_slice).unwrap_or_default();
    for one in mended {
        print_line(format_args!("{}: {}", field(one, "what"), field(one, "did")))?;
    }
    let checked = field(&answer, "checked");
    match mended.len() {
        0 => print_line(format_args!("{checked} checked, nothing to mend")),
        count => print_line(format_args!("{checked} checked, {count} mended")),
    }
}
