//! `demo`: a throw-away station with a simulated plotter.

use std::path::PathBuf;

use clap::Args;

/// `demo [FILE…]`
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
Everything it makes lies in a temporary directory, which is removed at the end.

Examples:
  stationd demo
  stationd demo drawing.gcode --exit-when-done")]
pub(super) struct DemoArgs {
    /// Files to plot [default: the samples that come with the program]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// End once every job has ended; fail unless all are completed
    #[arg(long)]
    pub exit_when_done: bool,
    /// Port of the dashboard [default: 8766, or a free one if that is taken]
    #[arg(long)]
    pub port: Option<u16>,
}
