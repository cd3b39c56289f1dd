//! The options that start a station.

use std::path::{Path, PathBuf};

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};

use super::args::Global;
use crate::station::StartOptions;

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
    /// Run the daemons of this profile only, with what they depend on
    #[arg(long, value_name = "NAME", conflicts_with = "daemons")]
    pub profile: Option<String>,
    /// Run these daemons only, with what they depend on
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub daemons: Vec<String>,
    /// Attach simulated machines, one for each driver named, or one of every kind
    #[arg(long, value_name = "DRIVER,...", num_args = 0..=1, default_missing_value = "")]
    pub simulate: Option<String>,
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
            foreground: later.foreground || self.foreground,
            parent: later.parent.or(self.parent),
        }
    }
}

/// What the command line says of a start, checked for its form alone, with every path made
/// absolute.
pub(super) fn options(args: StartArgs, global: &Global) -> std::io::Result<StartOptions> {
    let absolute = |path: Option<&Path>| path.map(std::path::absolute).transpose();
    Ok(StartOptions {
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
        parent: args.parent,
    })
}
