//! An interrupted job goes on, as a person has confirmed.

use actix::{fut::wrap_future, prelude::*};
use log::{info, warn};

use super::{JobQueue, QueueError};
use crate::{
    daemons::{Tools, device_manager::RunJob, resume::source},
    domain::{Actor, AuditEntry, Job, JobId, JobState, Outcome},
    link::Start,
    store::{
        Tx,
        jobs::{self, Change},
    },
};

/// Lets an interrupted device job go on; answers with the job once its machine has it.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<Job, QueueError>")]
pub struct GoOn {
    /// Which job.
    pub id: JobId,
    /// Where and how it begins.
    pub start: Start,
    /// Who has confirmed it.
    pub actor: Actor,
    /// What is said of it in the audit trail.
    pub detail: String,
}

impl Handler<GoOn> for JobQueue {
    type Result = ResponseActFuture<Self, Result<Job, QueueError>>;

    fn handle(&mut self, order: GoOn, _: &mut Self::Context) -> Self::Result {
        Box::pin(wrap_future(go_on(self.tools.clone(), order)))
    }
}

async fn go_on(tools: Tools, order: GoOn) -> Result<Job, QueueError> {
    let GoOn { id, start, actor, detail } = order;
    let job = tools.store.read(|connection| jobs::get(connection, id))?;
    let source = source(&tools.store, &job)?;
    let Some(device) = job.device.clone() else { return Err(QueueError::NotRunning(id)) };
    let entry = AuditEntry {
        actor: actor.clone(),
        action: "job.resume".to_owned(),
        resource: format!("job:{id}"),
        outcome: Outcome::Ok,
        detail: detail.clone(),
    };
    // RUNNING is durable before the first byte leaves, as at every start.
    let running = tools.store.write(move |tx| {
        let change = Change { actor: Some(actor.clone()), ..Change::because(detail.clone()) };
        let job = jobs::transition(tx, id, JobState::Running, change)?;
        tx.audit(&entry)?;
        Ok(job)
    });
    let running = running.await?;
    info!("job {id} goes on with {device}");
    let run = RunJob { device, job: running, source, start };
    let refused = match tools.links().device_manager.ask(run).await {
        Ok(Ok(())) => return Ok(tools.store.read(|connection| jobs::get(connection, id))?),
        Ok(Err(error)) => QueueError::Device(error),
        Err(_) => QueueError::Unavailable,
    };
    warn!("job {id} does not go on: {refused}");
    let reason = format!("nothing was sent: {refused}");
    // How far it had come stays in its journal.
    let back = move |tx: &Tx<'_>| {
        let change = Change::because(reason.clone());
        jobs::transition(tx, id, JobState::Interrupted, change).map(drop)
    };
    tools.store.record(back).await?;
    Err(refused)
}
