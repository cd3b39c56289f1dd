//! `events`: what happened, and what happens.

use clap::Args;

use crate::domain::Channel;

/// `events`
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  stationd events --since 1041
  stationd events --follow --channel jobs
  stationd events --type system_alert --json")]
pub(super) struct EventsArgs {
    /// Go on with what happens from now on
    #[arg(short, long)]
    pub follow: bool,
    /// Only events of this type, as job_state_change
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Only what this is about, as job:ID, device:NAME or daemon:NAME
    #[arg(long, value_name = "RESOURCE")]
    pub resource: Option<String>,
    /// Only events of this channel: jobs, devices, daemons, system, logs, audit
    #[arg(long)]
    pub channel: Option<Channel>,
    /// Only what happened after this number or time
    #[arg(long, value_name = "SEQ|TIME")]
    pub since: Option<String>,
}
