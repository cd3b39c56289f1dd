//! What happened on a machine, as the state of a job that survives everything.

use std::time::Duration;

use crate::{
    domain::{Job, JobId, JobState, Progress},
    link::{Checkpoint, End},
    store::{
        Store, StoreError,
        jobs::{self, Change},
    },
};

/// Between two tries to write while the disk is full or the database locked.
const RETRY: Duration = Duration::from_secs(1);

/// What the end of a job on its machine means for the job.
pub(super) fn verdict(end: End, checkpoint: Checkpoint) -> (JobState, Change) {
    let at = format!(
        "the machine acknowledged {} lines (up to line {} of the file); of these it may not have \
         carried out the last {}, and {} more had been sent",
        checkpoint.lines_acknowledged,
        checkpoint.acknowledged_line,
        checkpoint.planner_lines,
        checkpoint.receive_lines,
    );
    match end {
        End::Completed => (JobState::Completed, Change::because("completed")),
        End::Cancelled => (JobState::Cancelled, Change::because("cancelled")),
        End::Failed { line, message } => {
            let error = match line {
                Some(line) => format!("line {line}: {message}"),
                None => message,
            };
            (JobState::Failed, Change::because(error))
        }
        End::Interrupted { reason, position_known } => {
            let home =
                if position_known { "" } else { "; its position may be lost: home it first" };
            let error = Some(format!("{reason}; {at}{home}"));
            (JobState::Interrupted, Change { error, ..Change::because(reason) })
        }
    }
}

/// Writes a state until it is written: a full disk or a locked database passes, and what happened
/// on the machine has happened.
pub(super) async fn persist(
    store: Store,
    job: JobId,
    progress: Progress,
    state: JobState,
    change: Change,
) -> Result<Job, StoreError> {
    loop {
        let (change, progress) = (change.clone(), progress.clone());
        let written = store.record(move |tx| {
            jobs::checkpoint_progress(tx, job, &progress)?;
            jobs::transition(tx, job, state, change.clone())
        });
        match written.await {
            Err(StoreError::Full | StoreError::Busy) => actix::clock::sleep(RETRY).await,
            written => return written,
        }
    }
}
