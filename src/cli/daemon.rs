//! `daemon …`: look at daemons, start and stop them.

use clap::{Args, Subcommand};

use super::{events::EventsArgs, lifecycle::ShutdownArgs, start::StartArgs};

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
    Restart {
        /// Which daemons
        #[arg(value_name = "NAME", conflicts_with_all = ["category", "all"])]
        names: Vec<String>,
        /// All daemons of this category
        #[arg(long, conflicts_with = "all")]
        category: Option<String>,
        /// All daemons
        #[arg(long)]
        all: bool,
    },
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
    /// The same as `stationd queue`
    #[command(hide = true, subcommand, subcommand_required = true)]
    Queue(super::args::QueueCommand),
}

/// Which daemons.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// Which daemons
    #[arg(value_name = "NAME", required_unless_present_any = ["category", "all"],
          conflicts_with_all = ["category", "all"])]
    pub names: Vec<String>,
    /// All daemons of this category
    #[arg(long, conflicts_with = "all")]
    pub category: Option<String>,
    /// All daemons
    #[arg(long)]
    pub all: bool,
}
