//! `shutdown`, `restart`, `reload`: the life of the station.

use clap::Args;

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
