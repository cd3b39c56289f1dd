//! `submit` and `run`: new jobs.

use std::path::PathBuf;

use clap::Args;

use crate::domain::{JobId, Priority};

/// `submit FILE…`
#[derive(Args, Clone, Debug, PartialEq)]
#[command(after_help = "\
Examples:
  stationd submit drawing.gcode --watch
  stationd submit a.gcode b.gcode --device plotter --priority high
  generate | stationd submit - --name pattern.gcode --hold")]
pub(super) struct SubmitArgs {
    /// The files, a job each; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Run on this device
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// Run on any device of this driver
    #[arg(long)]
    pub driver: Option<String>,
    /// What comes first: a number, or low, normal, high, critical
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub priority: Option<Priority>,
    /// Wait until a person releases it
    #[arg(long)]
    pub hold: bool,
    /// Not before this time, as 2026-01-31T18:00:00Z
    #[arg(long, value_name = "TIME")]
    pub at: Option<crate::domain::Timestamp>,
    /// Not before this job is completed; may be repeated
    #[arg(long, value_name = "JOB")]
    pub after: Vec<JobId>,
    /// What people call the job [default: the file's name]
    #[arg(long)]
    pub name: Option<String>,
    /// The same key again gives the same job instead of a second one
    #[arg(long)]
    pub key: Option<String>,
    /// Stay until it ends; fail unless it completes
    #[arg(long)]
    pub watch: bool,
}

/// `run -- PROGRAM ARG…`
#[derive(Args, Clone, Debug, PartialEq)]
#[command(after_help = "\
The program is started directly, never by a shell.

Examples:
  stationd run -- rsync -a /srv/scans backup:/srv/
  stationd run --name nightly --timeout 600 --retries 2 -- /usr/local/bin/report")]
pub(super) struct RunArgs {
    /// What people call the job [default: the program's name]
    #[arg(long)]
    pub name: Option<String>,
    /// Kill it after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    pub timeout: Option<f64>,
    /// Try again this often if it fails
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..1000))]
    pub retries: u32,
    /// What comes first: a number, or low, normal, high, critical
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub priority: Option<Priority>,
    /// Stay until it ends; fail unless it completes
    #[arg(long)]
    pub watch: bool,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM ARG")]
    pub command: Vec<String>,
}

fn positive(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds.is_finite() => Ok(seconds),
        _ => Err("a number of seconds above 0 is needed"),
    }
}
