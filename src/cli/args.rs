//! The command line: one tree of commands, one set of global options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::{
    check_file::CheckFileArgs,
    config::ConfigCommand,
    daemon::DaemonGroup,
    demo::DemoArgs,
    device::DeviceCommand,
    events::EventsArgs,
    hook::HookCommand,
    job::JobCommand,
    lifecycle::ShutdownArgs,
    logs::LogsArgs,
    plugin::PluginCommand,
    queue::QueueCommand,
    reconcile::ReconcileArgs,
    schedule::ScheduleCommand,
    start::StartArgs,
    submit::{RunArgs, SubmitArgs},
};
use crate::config::Sources;

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Refuses what is not `KEY=VALUE`.
fn key_value(text: &str) -> Result<String, &'static str> {
    match text.split_once('=') {
        Some((key, _)) if !key.is_empty() => Ok(text.to_owned()),
        _ => Err("write KEY=VALUE, for example websocket.port=9000"),
    }
}

/// Options that every command takes, before it or after it.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Directory that holds all state of the station
    ///
    /// By default `$XDG_DATA_HOME/stationd` or `~/.local/share/stationd`; as root `/var/lib/stationd`.
    /// Commands talk to the station whose workspace this is.
    #[arg(short, long, global = true, value_name = "DIR", alias = "data-dir")]
    pub workspace: Option<PathBuf>,
    /// Configuration file
    ///
    /// By default `~/.config/stationd/config.yaml`, else `/etc/stationd/config.yaml`, else none.
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Override one configuration key; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<String>,
    /// Print for people (text) or for programs (json)
    #[arg(short, long, global = true, value_name = "FORMAT", value_enum)]
    pub output: Option<Format>,
    /// Short for --output json
    #[arg(long, global = true)]
    pub json: bool,
    /// Talk to the station at this address instead of over its socket
    #[arg(long, global = true, value_name = "http://HOST:PORT")]
    pub url: Option<String>,
    /// Token or API key to show to the station at --url
    #[arg(long, global = true, env = "STATIOND_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

impl Global {
    /// How data is to be printed.
    pub(super) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.output.unwrap_or_default() }
    }

    /// Where configuration comes from for this command line.
    pub(super) fn sources(&self) -> Sources {
        Sources {
            file: self.config.clone(),
            workspace: self.workspace.clone(),
            set: self.set.clone(),
            ..Sources::from_process()
        }
    }
}

/// The whole command line.
#[derive(Parser, Clone, Debug, PartialEq)]
#[command(
    name = "stationd",
    version,
    about = "One daemon for a workshop: supervised services, a durable job queue, machines, live \
             status",
    long_about = "One daemon for a workshop: it supervises services, keeps a durable queue of \
                  jobs, streams files to machines and shows all of it live in the browser.\n\n\
                  Without a command it starts the station in the foreground.",
    after_help = EXAMPLES,
    max_term_width = 100
)]
pub(super) struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// How to start the station, if no command is named.
    #[command(flatten)]
    pub start: StartArgs,
    /// What to do; to start the station if absent.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  stationd demo                          try it: a throw-away station with a simulated plotter
  stationd --simulate grbl               start a station with a simulated machine
  stationd start -d --pid-file run.pid   start it in the background
  stationd submit drawing.gcode --watch  send a file to the machine and watch it run
  stationd status                        ask the running station how it is

Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 the station is not running, 4 not allowed,
5 no such thing, 130 interrupted.";

/// Every command.
#[derive(Subcommand, Clone, Debug, PartialEq)]
pub(super) enum Command {
    /// Start the station (the word may be left out)
    #[command(after_help = START_EXAMPLES)]
    Start(StartArgs),
    /// Show a throw-away station with a simulated plotter
    Demo(DemoArgs),
    /// Show how the station is
    Status {
        /// Show devices and daemons one by one as well
        #[arg(short, long)]
        verbose: bool,
    },
    /// Show the health document; fails if the station is unhealthy
    Health,
    /// Ask whether the station takes work; fails if it does not
    Ready,
    /// Judge the heartbeat file alone, without asking the station
    #[command(after_help = "Exit codes: 0 HEALTHY, 1 UNHEALTHY (no heartbeat, or older than \
                            twice its interval), 2 ERROR (unreadable).")]
    DaemonStatus {
        /// Directory that holds the heartbeat file [default: the station's workspace]
        #[arg(value_name = "WORKSPACE")]
        directory: Option<PathBuf>,
    },
    /// Stop the station gracefully
    Shutdown(ShutdownArgs),
    /// Stop the station and start it again, keeping the queue
    Restart,
    /// Make the station read its configuration again
    Reload,
    /// Queue a file for a machine
    Submit(SubmitArgs),
    /// Queue a program to run
    Run(RunArgs),
    /// Look at jobs and decide about them
    #[command(subcommand, visible_alias = "jobs", subcommand_required = true)]
    Job(JobCommand),
    /// Look at the queue, pause it, drain it
    #[command(subcommand, subcommand_required = true)]
    Queue(QueueCommand),
    /// Jobs that come again and again
    #[command(subcommand, visible_alias = "schedules", subcommand_required = true)]
    Schedule(ScheduleCommand),
    /// Look at machines and operate them
    #[command(subcommand, visible_alias = "devices", subcommand_required = true)]
    Device(DeviceCommand),
    /// Look at daemons, start and stop them
    #[command(visible_alias = "daemons", after_help = DAEMON_EXAMPLES)]
    Daemon(DaemonGroup),
    /// Print the log of a daemon's program, or the station's own
    Logs(LogsArgs),
    /// Compare what should run with what runs, now, and mend what differs
    Reconcile(ReconcileArgs),
    /// Look at plug-ins, add and remove them
    #[command(subcommand, visible_alias = "plugins", subcommand_required = true)]
    Plugin(PluginCommand),
    /// Look at what is done when something happens, and try it
    #[command(subcommand, visible_alias = "hooks", subcommand_required = true)]
    Hook(HookCommand),
    /// Show what happened, or what happens
    Events(EventsArgs),
    /// Print the metrics as Prometheus text
    Metrics,
    /// Look at the configuration, check it, write a first one
    #[command(subcommand, subcommand_required = true)]
    Config(ConfigCommand),
    /// Check parts of the installation
    #[command(subcommand, subcommand_required = true)]
    Check(CheckCommand),
    /// Print the completion script of a shell
    #[command(after_help = "Example: stationd completions bash > \
                            /etc/bash_completion.d/stationd")]
    Completions {
        /// For this shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(after_help = "Example: stationd man | man -l -")]
    Man,
}

const START_EXAMPLES: &str = "\
Examples:
  stationd start --workspace ./work --port 9000
  stationd start --simulate grbl --set simulator.speed=10
  stationd start --daemonize --pid-file /run/stationd.pid --user stationd

Signals: TERM and INT stop the station, a second one at once but still safely; HUP reloads the
configuration and reopens logs; USR1 reopens logs only.";

const DAEMON_EXAMPLES: &str = "\
With options alone, `stationd daemon` starts the station.

Examples:
  stationd daemon list --wide
  stationd daemon why camera
  stationd daemon restart sync metrics
  stationd daemon restart --all --rolling
  stationd daemon logs camera -f";

/// `check …`
#[derive(Subcommand, Clone, Debug, PartialEq)]
pub(super) enum CheckCommand {
    /// The same as `stationd config check`
    Config {
        /// The file to check instead of the one in use
        file: Option<PathBuf>,
    },
    /// Report what a file would make a machine do, and whether it should run
    File(CheckFileArgs),
    /// Judge the age of the heartbeat file
    #[command(after_help = "Exit codes with --nagios: 0 OK, 1 WARNING (older than 60 s), \
                            2 CRITICAL (older than 120 s, or missing), 3 UNKNOWN.")]
    Health {
        /// Print one line for Nagios, with its exit codes
        #[arg(long)]
        nagios: bool,
    },
}
