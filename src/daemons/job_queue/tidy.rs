//! Deleting what is old: ended jobs with their files and output, events, and files without a job.

use std::{fs, time::Duration};

use actix::{fut::wrap_future, prelude::*};
use log::{info, warn};

use super::{JobQueue, actor::Options};
use crate::{
    daemons::Tools,
    domain::Timestamp,
    store::{StoreError, events, jobs},
};

/// Deleted in one write; more waits for the next one, so that submissions are not held up.
const BATCH: usize = 200;

/// A file that no job names may belong to one that is just being submitted.
const ORPHAN_AGE: Duration = Duration::from_hours(1);

/// Deletes what is older than its retention.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub(super) struct Tidy;

impl Handler<Tidy> for JobQueue {
    type Result = ();

    fn handle(&mut self, _: Tidy, ctx: &mut Self::Context) {
        let done = tidy(self.tools.clone(), self.options.clone());
        ctx.spawn(wrap_future::<_, Self>(done).map(|done, _, _| {
            if let Err(error) = done {
                warn!("failed to delete what is old: {error}");
            }
        }));
    }
}

async fn tidy(tools: Tools, options: Options) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let (before, events_before) =
        (now.before(options.retention), now.before(options.event_retention));
    loop {
        let gone = tools.store.write(move |tx| jobs::prune(tx, before, BATCH)).await?;
        for id in &gone {
            let dir = options.jobs.join(id.to_string());
            if let Err(error) = fs::remove_dir_all(&dir)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                warn!("failed to delete {}: {error}", dir.display());
            }
        }
        if !gone.is_empty() {
            info!("deleted {} jobs that ended before {before}", gone.len());
        }
        if gone.len() < BATCH {
            break;
        }
    }
    while tools.store.write(move |tx| jobs::prune_submissions(tx, before, BATCH)).await? == BATCH {}
    while tools.store.write(move |tx| events::prune(tx, events_before, BATCH)).await? == BATCH {}
    let files = tools.store.files();
    let swept = tools.store.read(|connection| files.sweep_orphans(connection, ORPHAN_AGE))?;
    if swept > 0 {
        info!("deleted {swept} files that no job names");
    }
    Ok(())
}
