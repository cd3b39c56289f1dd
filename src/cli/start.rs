//! The options that start a station.

use std::path::{Path, PathBuf};

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use nix::{
    sys::{
        prctl::set_pdeathsig,
        signal::{Signal, raise},
    },
    unistd::getppid,
};

use super::args::Global;
use crate::config::Sources;

/// Options of `stationd [start]`, as they are written.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Station options")]
pub(super) struct StartArgs {
    /// Address to listen on; `localhost` is 127.0.0.1 and, where present, `::1`
    #[arg(short = 'H', long, value_name = "ADDR")]
    pub host: Option<String>,
    /// Port to listen on; 0 takes any free one and prints it [default: 8766]
    #[arg(short, long)]
    pub port: Option<u16>,
    /// Log this and what is worse [default: info]
    #[arg(short, long, value_name = "LEVEL", value_parser = log_level())]
    pub log_level: Option<String>,
    /// Log as plain lines or as JSON objects [default: text]
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"])]
    pub log_format: Option<String>,
    /// Detach; return 0 only once the station is ready, else say why it is not
    #[arg(short, long, alias = "daemon")]
    pub daemonize: bool,
    /// Write the process id here, and refuse to start if its station lives
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,
    /// Become this user once the port is bound (root only)
    #[arg(short, long)]
    pub user: Option<String>,
    /// Become this group once the port is bound (root only)
    #[arg(short, long)]
    pub group: Option<String>,
    /// Scheduling priority, from -20 (most urgent) to 19
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = clap::value_parser!(i32).range(-20..=19))]
    pub nice: Option<i32>,
    /// Run the daemons of this profile only
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Run these daemons only, with what they depend on
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub daemons: Vec<String>,
    /// Attach simulated machines, one for each driver named, or one of every kind
    #[arg(long, value_name = "DRIVER,...", num_args = 0..=1, default_missing_value = "")]
    pub simulate: Option<String>,
    /// Shed load when the station uses more memory than this (a bare number is MB)
    #[arg(long, value_name = "SIZE")]
    pub max_memory: Option<String>,
    /// Stay in the foreground, which is the default
    #[arg(long)]
    pub foreground: bool,
    /// End when this process, which must be the parent, ends
    #[arg(long, hide = true, value_name = "PID")]
    pub parent: Option<u32>,
}

fn log_level() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new([
        PossibleValue::new("error").alias("critical"),
        PossibleValue::new("warn").alias("warning"),
        PossibleValue::new("info"),
        PossibleValue::new("debug"),
        PossibleValue::new("trace"),
    ])
    .map(|level| match level.as_str() {
        "critical" => "error".to_owned(),
        "warning" => "warn".to_owned(),
        _ => level,
    })
}

impl StartArgs {
    /// Both together; where both say something, `later` wins.
    #[must_use]
    pub(super) fn merge(self, later: Self) -> Self {
        Self {
            host: later.host.or(self.host),
            port: later.port.or(self.port),
            log_level: later.log_level.or(self.log_level),
            log_format: later.log_format.or(self.log_format),
            daemonize: later.daemonize || self.daemonize,
            pid_file: later.pid_file.or(self.pid_file),
            user: later.user.or(self.user),
            group: later.group.or(self.group),
            nice: later.nice.or(self.nice),
            profile: later.profile.or(self.profile),
            daemons: if later.daemons.is_empty() { self.daemons } else { later.daemons },
            simulate: later.simulate.or(self.simulate),
            max_memory: later.max_memory.or(self.max_memory),
            foreground: later.foreground || self.foreground,
            parent: later.parent.or(self.parent),
        }
    }
}

/// How a station is to be started: what the command line says, checked for its form alone, with
/// every path made absolute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartOptions {
    /// Bind address.
    pub host: Option<String>,
    /// Bind port; 0 for any free one.
    pub port: Option<u16>,
    /// Where all state lies.
    pub workspace: Option<PathBuf>,
    /// The configuration file that must exist.
    pub config: Option<PathBuf>,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: Option<String>,
    /// `text` or `json`.
    pub log_format: Option<String>,
    /// Detach.
    pub daemonize: bool,
    /// Where the process id is written.
    pub pid_file: Option<PathBuf>,
    /// Drop to this user.
    pub user: Option<String>,
    /// Drop to this group.
    pub group: Option<String>,
    /// Scheduling priority.
    pub nice: Option<i32>,
    /// Start the daemons of this profile.
    pub profile: Option<String>,
    /// Start these daemons and what they depend on; all if empty.
    pub daemons: Vec<String>,
    /// Attach a simulated machine per driver named here, of every driver if empty; none if absent.
    pub simulate: Option<Vec<String>>,
    /// Configuration keys set by `--set`, in order.
    pub set: Vec<String>,
    /// Shed load above this size.
    pub max_memory: Option<String>,
    /// End when this process, the parent, ends.
    pub parent: Option<u32>,
}

impl StartOptions {
    pub(super) fn new(args: StartArgs, global: &Global) -> std::io::Result<Self> {
        let absolute = |path: Option<&Path>| path.map(std::path::absolute).transpose();
        Ok(Self {
            workspace: absolute(global.workspace.as_deref())?,
            config: absolute(global.config.as_deref())?,
            pid_file: absolute(args.pid_file.as_deref())?,
            host: args.host,
            port: args.port,
            log_level: args.log_level,
            log_format: args.log_format,
            daemonize: args.daemonize,
            user: args.user,
            group: args.group,
            nice: args.nice,
            profile: args.profile,
            daemons: args.daemons,
            simulate: args.simulate.map(|list| {
                list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
            }),
            set: global.set.clone(),
            max_memory: args.max_memory,
            parent: args.parent,
        })
    }

    /// Arranges for a SIGTERM when the parent that was named ends. Called before anything else, on
    /// the main thread.
    pub fn follow_parent(&self) -> nix::Result<()> {
        let Some(parent) = self.parent else { return Ok(()) };
        set_pdeathsig(Signal::SIGTERM)?;
        // It may have ended before this was arranged.
        if u32::try_from(getppid().as_raw()) == Ok(parent) {
            Ok(())
        } else {
            raise(Signal::SIGTERM)
        }
    }

    /// Where the station's configuration comes from: this command line and this process.
    pub fn sources(&self) -> Sources {
        Sources {
            file: self.config.clone(),
            workspace: self.workspace.clone(),
            set: self.set.clone(),
            ..Sources::from_process()
        }
        .flag("--host", "websocket.host", self.host.as_ref())
        .flag("--port", "websocket.port", self.port)
        .flag("--log-level", "logging.level", self.log_level.as_ref())
        .flag("--log-format", "logging.format", self.log_format.as_ref())
        .flag("--max-memory", "station.max_memory", self.max_memory.as_ref())
    }
}
