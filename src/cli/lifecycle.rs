//! `shutdown`, `restart`, `reload`: the life of the station.

use std::time::{Duration, Instant};

use clap::Args;
use nix::{errno::Errno, unistd::Pid};
use serde_json::json;

use super::{
    client::Client,
    discover::Place,
    failure::Failure,
    print::{Out, plain, print_json, print_line},
};

/// `shutdown`
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ShutdownArgs {
    /// Do not wait for command jobs; machines are made safe all the same
    #[arg(long)]
    pub force: bool,
    /// Wait this many seconds for the station to be gone
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
}

/// Asks the station to stop and waits until it is gone.
pub(super) async fn shutdown(
    client: &Client,
    out: Out,
    args: &ShutdownArgs,
) -> Result<(), Failure> {
    let station = client.get("/api/v1/status").await?;
    client.post("/api/v1/shutdown", &json!({"force": args.force})).await?;
    let pid = station["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
    let local = matches!(client.place(), Place::Socket(_));
    let gone = async {
        while match pid.filter(|_| local) {
            Some(pid) => nix::sys::signal::kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH),
            None => client.get("/health").await.is_ok(),
        } {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(args.timeout), gone).await.is_err() {
        return Err(Failure::Failed(format!(
            "the station still runs after {} s; it goes on stopping, `stationd shutdown --force` \
             hurries it",
            args.timeout
        )));
    }
    if out.is_json() {
        print_json(&json!({"stopped": true}))
    } else {
        print_line("Station stopped")
    }
}

/// Asks the station to stop and start again, and waits until it is ready.
pub(super) async fn restart(client: &Client, out: Out) -> Result<(), Failure> {
    let before = client.get("/api/v1/status").await?;
    let asked = Instant::now();
    client.post("/api/v1/restart", &json!({})).await?;
    let again = async {
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let Ok(now) = client.get("/health").await else { continue };
            // The process keeps its number; only its age tells that it is a new life.
            let uptime = now["uptime_seconds"].as_f64().unwrap_or(f64::MAX);
            if uptime <= asked.elapsed().as_secs_f64() && client.get("/ready").await.is_ok() {
                return;
            }
        }
    };
    if tokio::time::timeout(Duration::from_secs(90), again).await.is_err() {
        return Err(Failure::Failed(
            "the station is not ready again after 90 s; see its log".to_owned(),
        ));
    }
    if out.is_json() {
        print_json(&json!({"restarted": true, "pid": before["pid"]}))
    } else {
        print_line("Station restarted")
    }
}

/// Makes the station read its configuration again.
pub(super) async fn reload(client: &Client, out: Out) -> Result<(), Failure> {
    let answer = client.post("/api/v1/reload", &json!({})).await?;
    if out.is_json() {
        return print_json(&answer);
    }
    print_line("Configuration reloaded")?;
    let changed = answer["changed"].as_array().map(Vec::as_slice).unwrap_or_default();
    changed.iter().try_for_each(|change| print_line(format_args!("  {}", plain(change))))
}
