//! `job …`: look at jobs and decide about them.

use clap::{Args, Subcommand};

use crate::domain::{JobId, JobState};

/// `job …`
#[derive(Subcommand, Clone, Debug, PartialEq)]
pub(super) enum JobCommand {
    /// List jobs, newest first
    List(JobFilter),
    /// Show one job in full
    Show(JobIds),
    /// Watch jobs until they end; fails unless all complete
    Watch(JobIds),
    /// Print what a command job wrote
    Logs(JobIds),
    /// Hold a running job still, or keep a queued one from starting
    Pause(JobIds),
    /// Go on with a paused or interrupted job
    Resume(JobIds),
    /// End a job and make its machine safe
    Cancel(JobIds),
    /// Run a failed, cancelled or interrupted job again from its beginning
    Retry(JobIds),
    /// Let a held job go
    Release(JobIds),
    /// Forget a job that has ended
    Delete(JobIds),
}

/// Which jobs.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(super) struct JobIds {
    /// The job, as `submit` and `job list` print it
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<JobId>,
}

/// Which jobs are listed.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct JobFilter {
    /// Only jobs in this state
    #[arg(long)]
    pub state: Option<JobState>,
    /// Only jobs of this device
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// Go on where an earlier list ended
    #[arg(long)]
    pub cursor: Option<String>,
}
