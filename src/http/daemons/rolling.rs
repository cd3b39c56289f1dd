//! A rolling restart: one daemon at a time, each well before the next.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    act::{Verb, order},
    bulk::item,
    look::find,
};
use crate::{
    domain::{Actor, Daemon, DaemonState, HealthStatus, same_name},
    http::{app::App, error::Problem},
    supervision::{CheckOne, Done, InOrder, Unavailable},
};

/// Between two questions to a daemon that is not well yet.
const PAUSE: Duration = Duration::from_millis(100);

/// Restarts `names`, what is needed first, and ends at the first that does not come up well.
/// Nothing is done if one of them does not exist.
pub(super) async fn roll(
    app: &App,
    actor: &Actor,
    names: Vec<String>,
    force: bool,
) -> Result<Value, Problem> {
    for name in &names {
        find(app, name.clone()).await?;
    }
    let order_of_all = app.links().supervisor.send(InOrder).await.map_err(|_| Unavailable)?;
    let wanted = |name: &String| names.iter().any(|wanted| same_name(wanted, name));
    let mut items = Vec::new();
    for name in order_of_all.into_iter().filter(wanted) {
        let done = match order(app, actor, Verb::Restart, name.clone(), force).await {
            Ok(done) => well(app, &name).await.map(|daemon| Done { daemon, ..done }),
            Err(problem) => Err(problem),
        };
        let failure = done.as_ref().err().map(ToString::to_string);
        items.push(item(app, &name, done));
        if let Some(why) = failure {
            return Err(Problem::Halted { detail: halted(&name, &why), at: name, items });
        }
    }
    Ok(json!({"items": items, "stopped_at": null}))
}

fn halted(name: &str, why: &str) -> String {
    format!("the rolling restart stopped at \"{name}\": {why}")
}

/// Waits until a daemon that has just been restarted says that it is healthy.
async fn well(app: &App, name: &str) -> Result<Daemon, Problem> {
    let patience = app.settings().health_timeout;
    let asked = Instant::now();
    loop {
        let question = CheckOne { name: name.to_owned() };
        let answer = app.links().supervisor.send(question).await.map_err(|_| Unavailable)?;
        let daemon = answer?;
        let is_up = matches!(daemon.state, DaemonState::Running | DaemonState::Starting);
        match daemon.health.status {
            HealthStatus::Healthy if daemon.state == DaemonState::Running => return Ok(daemon),
            _ if is_up && asked.elapsed() < patience => sleep(PAUSE).await,
            _ => return Err(Problem::Conflict(unwell(&daemon))),
        }
    }
}

/// What is wrong with a daemon that was restarted.
fn unwell(Daemon { name, state, health, last_error, .. }: &Daemon) -> String {
    let message = &health.message;
    match (state, last_error) {
        (DaemonState::Running, _) => {
            format!("{name} was restarted but is {}: {message}", health.status)
        }
        (_, Some(error)) => format!("{name} was restarted but is {state}: {error}"),
        (_, None) => format!("{name} was restarted but is {state}: {message}"),
    }
}
