//! Hooks that order daemons about.

use std::time::Duration;

use tokio::time::timeout;

use super::{actor::Shared, perform::Tried};
use crate::{
    daemons::sync,
    domain::HookOrder,
    supervision::{Restart, Start, Stop},
};

/// Tells a daemon what to do, and waits until it is done.
pub(super) async fn order(shared: &Shared, name: &str, order: HookOrder, limit: Duration) -> Tried {
    match timeout(limit, tell(shared, name.to_owned(), order)).await {
        Ok(Ok(())) => Tried::done(),
        Ok(Err(why)) => Tried::failed(why),
        Err(_) => {
            Tried::failed(format!("did not {} within {} s", order.as_str(), limit.as_secs_f64()))
        }
    }
}

async fn tell(shared: &Shared, name: String, order: HookOrder) -> Result<(), String> {
    let links = shared.tools.links();
    let supervisor = &links.supervisor;
    let done = match order {
        HookOrder::Start => supervisor.send(Start { name }).await,
        HookOrder::Stop => supervisor.send(Stop { name, force: false }).await,
        HookOrder::Restart => supervisor.send(Restart { name, force: false }).await,
        HookOrder::Now => {
            let copied = links.sync.ask(sync::Now).await;
            return copied.map(drop).map_err(|error| format!("{name}: {error}"));
        }
    };
    match done {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(gone) => Err(gone.to_string()),
    }
}
