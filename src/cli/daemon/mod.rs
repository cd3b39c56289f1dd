//! `daemon …`: look at daemons, start and stop them.

mod act;
mod list;
mod show;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::act::{RestartArgs, StopArgs, Verb};
pub(super) use self::list::list;
use super::{
    client::Client,
    config::ConfigCommand,
    events::EventsArgs,
    failure::Failure,
    lifecycle::ShutdownArgs,
    logs::{self, DaemonLogsArgs},
    print::{Out, field, items},
    queue::QueueCommand,
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
    List(ListArgs),
    /// Show daemons in full, with what became of them lately
    Show(Selection),
    /// Tell why daemons are in their present state, and what comes next
    Why(Selection),
    /// Start daemons, with what they depend on
    Start(Selection),
    /// Stop daemons
    Stop(StopArgs),
    /// Restart daemons; without a name, the station
    Restart(RestartArgs),
    /// Print what programs write
    Logs(DaemonLogsArgs),
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

/// `daemon list`
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ListArgs {
    /// Show process, uptime, memory and load of each
    #[arg(long)]
    pub wide: bool,
    /// Show each below what it depends on
    #[arg(long, conflicts_with = "wide")]
    pub tree: bool,
    /// Only daemons of this category
    #[arg(long)]
    pub category: Option<String>,
    /// Only daemons in this state
    #[arg(long)]
    pub state: Option<String>,
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

    /// As the station is told of it.
    fn body(&self) -> Value {
        match &self.category {
            Some(category) => json!({"category": category}),
            None if self.all => json!({"all": true}),
            None => json!({"names": self.names}),
        }
    }

    /// The names, or those of all daemons that are meant.
    async fn names(&self, client: &Client) -> Result<Vec<String>, Failure> {
        if !self.names.is_empty() {
            return Ok(self.names.clone());
        }
        let category = self.category.clone().unwrap_or_default();
        let daemons = client.query("/api/v1/daemons", &[("category", category)]).await?;
        let names: Vec<String> = items(&daemons).iter().map(|it| field(it, "name")).collect();
        match &self.category {
            Some(category) if names.is_empty() => {
                Err(Failure::NotFound(format!("no daemon is of the category \"{category}\"")))
            }
            _ => Ok(names),
        }
    }
}

impl DaemonCommand {
    /// The daemons that a command must be told, if it is one of those.
    pub(super) fn selection(&self) -> Option<&Selection> {
        match self {
            Self::Show(selection) | Self::Why(selection) | Self::Start(selection) => {
                Some(selection)
            }
            Self::Stop(args) => Some(&args.selection),
            Self::Restart(args) => Some(&args.selection),
            _ => None,
        }
    }
}

/// `daemon …`
pub(super) async fn run(client: &Client, out: Out, group: &DaemonGroup) -> Result<(), Failure> {
    match &group.command {
        Some(DaemonCommand::List(args)) => list(client, out, args).await,
        Some(DaemonCommand::Show(selection)) => show::show(client, out, selection).await,
        Some(DaemonCommand::Why(selection)) => show::why(client, out, selection).await,
        Some(DaemonCommand::Start(selection)) => {
            act::act(client, out, Verb::Start, selection, false, false).await
        }
        Some(DaemonCommand::Stop(StopArgs { selection, force })) => {
            act::act(client, out, Verb::Stop, selection, false, *force).await
        }
        Some(DaemonCommand::Restart(RestartArgs { selection, rolling, force })) => {
            act::act(client, out, Verb::Restart, selection, *rolling, *force).await
        }
        Some(DaemonCommand::Logs(args)) => {
            logs::of_daemons(client, out, &args.names, args.how).await
        }
        // The parser has turned everything else into another command.
        _ => Ok(()),
    }
}
