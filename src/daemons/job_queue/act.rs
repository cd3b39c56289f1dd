//! What people ask of a job.

use std::time::Duration;

use actix::{fut::wrap_future, prelude::*};
use thiserror::Error;

use super::{JobQueue, Wake};
use crate::{
    daemons::{
        Tools,
        device_manager::{Control, DeviceError},
    },
    domain::{
        Actor, Analysis, AuditEntry, Denied, Job, JobAction, JobId, JobKind, JobState, Light,
        Outcome,
    },
    store::{
        StoreError, Tx,
        jobs::{self, Change},
    },
};

/// Why the queue did not do as asked.
#[derive(Clone, Debug, Error)]
pub enum QueueError {
    /// The job's state forbids it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// An interrupted device job goes on by a plan that a person has confirmed ([`super::GoOn`]).
    #[error("an interrupted job of a machine goes on only by a plan that a person has confirmed")]
    CannotResume,
    /// What was found in its file speaks against it.
    #[error(
        "its verdict is red: {}; put the file right and submit it again, or release it with \"force\": true",
        .0.reason().unwrap_or_default()
    )]
    Red(Box<Analysis>),
    /// It has just ended.
    #[error("job {0} does not run any more")]
    NotRunning(JobId),
    /// Its program has ended, but that cannot be written yet.
    #[error("its program has ended, but that cannot be written: {0}; it is tried until it can be")]
    Unwritten(StoreError),
    /// The machine did not do as asked.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The device manager is down.
    #[error("the device manager is not running: try again in a moment")]
    Unavailable,
    /// The database did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Does to a job what a person asked; answers with the job as it then is.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<Job, QueueError>")]
pub struct Act {
    /// Which job.
    pub id: JobId,
    /// What to do.
    pub action: JobAction,
    /// Who asked.
    pub actor: Actor,
    /// Release it although its verdict is red.
    pub force: bool,
    /// The version of the job that was decided about; whatever version if none.
    pub version: Option<u64>,
}

/// Who has to do it.
enum Doer {
    /// Nobody: it is so already.
    Nobody(Box<Job>),
    /// The database alone.
    Table { from: JobState, to: JobState },
    /// The machine that the job is on.
    Machine,
    /// The queue, which runs the program.
    Queue,
}

/// How often a job is looked at anew that moves while something is asked of it, and how long apart.
const LOOKS: u32 = 200;
const APART: Duration = Duration::from_millis(10);

impl Handler<Act> for JobQueue {
    type Result = ResponseActFuture<Self, Result<Job, QueueError>>;

    fn handle(&mut self, act: Act, _: &mut Self::Context) -> Self::Result {
        self.act(act, LOOKS)
    }
}

impl JobQueue {
    /// What was decided for one state does not hold for the next: a job that moved meanwhile is
    /// looked at again.
    fn act(&mut self, act: Act, looks: u32) -> ResponseActFuture<Self, Result<Job, QueueError>> {
        let again = act.clone();
        Box::pin(self.try_act(act).then(move |done, _, _| {
            let moved = matches!(
                &done,
                Err(QueueError::Store(StoreError::Moved { .. }) | QueueError::NotRunning(_))
            );
            if !moved || looks == 0 {
                return Box::pin(fut::ready(done)) as ResponseActFuture<Self, _>;
            }
            Box::pin(
                wrap_future::<_, Self>(actix::clock::sleep(APART)).then(
                    move |(), this: &mut Self, _: &mut Context<Self>| this.act(again, looks - 1),
                ),
            )
        }))
    }

    fn try_act(&mut self, act: Act) -> ResponseActFuture<Self, Result<Job, QueueError>> {
        let Act { id, action, .. } = act;
        let tools = self.tools.clone();
        let done = match doer(&tools, &act) {
            Err(error) => return Box::pin(fut::ready(Err(error))),
            Ok(Doer::Nobody(job)) => return Box::pin(fut::ready(Ok(*job))),
            Ok(Doer::Table { from, to }) => {
                let change =
                    Change { actor: Some(act.actor.clone()), ..Change::because(action.as_str()) };
                let moved = move |tx: &Tx<'_>| {
                    jobs::check_version(tx, id, act.version)?;
                    audit(tx, &act)?;
                    if act.force {
                        jobs::force(tx, id)?;
                    }
                    jobs::transition_from(tx, id, from, to, change.clone())
                };
                let moved = tools.store.write(moved);
                let moved = wrap_future::<_, Self>(async { Ok(moved.await?) });
                return Box::pin(moved.map(|job, _, ctx: &mut Context<Self>| {
                    ctx.notify(Wake);
                    job
                }));
            }
            Ok(Doer::Machine) => on_machine(tools.clone(), id, action, act.actor.clone()),
            Ok(Doer::Queue) => self.control(id, action, act.actor.clone()),
        };
        let now = done.map(move |done, _, _| {
            if matches!(done, Ok(()) | Err(QueueError::Unwritten(_))) {
                drop(tools.store.record(move |tx| audit(tx, &act)));
            }
            done?;
            Ok(tools.store.read(|connection| jobs::get(connection, id))?)
        });
        Box::pin(now)
    }
}

fn doer(tools: &Tools, act: &Act) -> Result<Doer, QueueError> {
    let Act { id, action, version, force, .. } = *act;
    let job = tools.store.read(|connection| jobs::get(connection, id))?;
    if let Some(version) = version
        && version != job.version
    {
        return Err(StoreError::Changed { id, found: job.version }.into());
    }
    if action.is_done(job.state) {
        return Ok(Doer::Nobody(Box::new(job)));
    }
    let to = action.target(job.state)?;
    if action == JobAction::Skip && job.kind == JobKind::Command {
        return Err(Denied { action, state: job.state }.into());
    }
    if job.state == JobState::Held
        && to == JobState::Queued
        && !(force || job.forced)
        && let Some(analysis) = &job.analysis
        && analysis.verdict == Light::Red
    {
        return Err(QueueError::Red(Box::new(analysis.clone())));
    }
    let table = |to| Doer::Table { from: job.state, to };
    Ok(match (job.state.is_active(), job.kind) {
        (true, JobKind::Device) => Doer::Machine,
        (true, JobKind::Command) => Doer::Queue,
        (false, JobKind::Device) if to == JobState::Running => {
            return Err(QueueError::CannotResume);
        }
        // Its program is gone: to go on means to run it again.
        (false, _) if to == JobState::Running => table(JobState::Queued),
        (false, _) => table(to),
    })
}

fn on_machine(
    tools: Tools,
    job: JobId,
    action: JobAction,
    actor: Actor,
) -> ResponseActFuture<JobQueue, Result<(), QueueError>> {
    Box::pin(wrap_future(async move {
        let done = tools.links().device_manager.ask(Control { job, action, actor }).await;
        Ok(done.map_err(|_| QueueError::Unavailable)??)
    }))
}

fn audit(tx: &Tx<'_>, act: &Act) -> Result<u64, StoreError> {
    tx.audit(&AuditEntry {
        actor: act.actor.clone(),
        action: format!("job.{}", act.action),
        resource: format!("job:{}", act.id),
        outcome: Outcome::Ok,
        detail: if act.force { "forced".to_owned() } else { String::new() },
    })
}
