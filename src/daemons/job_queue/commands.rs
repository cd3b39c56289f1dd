//! Command jobs: programs run by the queue itself.

use std::{
    io,
    process::ExitStatus,
    time::{Duration, Instant},
};

use actix::{fut::wrap_future, prelude::*};
use log::{error, info, warn};
use nix::sys::signal::Signal;
use tokio::sync::oneshot;

use super::{
    JobQueue, QueueError, Wake,
    program::{Group, Program, TERM_GRACE, kill_orphans, verdict},
};
use crate::{
    domain::{Backoff, Job, JobAction, JobId, JobKind, JobState, Timestamp},
    store::{
        Store, StoreError,
        jobs::{self, Change},
    },
};

/// Between two tries to write while the disk is full or the database locked.
const RETRY: Duration = Duration::from_secs(1);

/// A command job whose program runs.
pub(super) struct Running {
    job: Job,
    pub(super) group: Group,
    cancelled: bool,
    timed_out: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

impl JobQueue {
    /// Runs the program of a job that is RUNNING in the database already.
    pub(super) fn run_command(&mut self, job: Job, ctx: &mut Context<Self>) {
        let (id, dir) = (job.id, self.options.jobs.join(job.id.to_string()));
        let command = job.command.clone().unwrap_or_default();
        let mut program = match Program::spawn(id, &command, &dir) {
            Ok(program) => program,
            Err(error) => {
                self.end(job, JobState::Failed, Change::because(error.to_string()), ctx);
                return;
            }
        };
        info!("job {id} runs {command:?}");
        let own = job.timeout_seconds.and_then(|limit| Duration::try_from_secs_f64(limit).ok());
        if let Some(limit) = own.or(self.options.command_timeout) {
            ctx.run_later(limit, move |this, ctx| this.time_out(id, ctx));
        }
        let (group, waiting) = (program.group(), Vec::new());
        let running = Running { job, group, cancelled: false, timed_out: false, waiting };
        self.running.insert(id, running);
        let ended = async move { program.wait().await };
        ctx.spawn(wrap_future::<_, Self>(ended).map(move |status, this, ctx| {
            this.ended(id, status, ctx);
        }));
    }

    fn ended(&mut self, id: JobId, status: io::Result<ExitStatus>, ctx: &mut Context<Self>) {
        let Some(running) = self.running.get_mut(&id) else { return };
        let (exit_code, error) = match status {
            Ok(status) => verdict(status),
            Err(error) => (None, Some(format!("failed to wait for the program: {error}"))),
        };
        let (state, reason) = match error {
            _ if running.cancelled => (JobState::Cancelled, "cancelled".to_owned()),
            _ if running.timed_out => (JobState::Failed, "the program took too long".to_owned()),
            None => (JobState::Completed, "completed".to_owned()),
            Some(error) if self.stopping => {
                (JobState::Interrupted, format!("the station was stopped: {error}"))
            }
            Some(error) => (JobState::Failed, error),
        };
        let job = running.job.clone();
        self.end(job, state, Change { exit_code, ..Change::because(reason) }, ctx);
    }

    /// Makes the end durable, and with it that the job is tried again, if it is to be.
    fn end(&mut self, job: Job, state: JobState, change: Change, ctx: &mut Context<Self>) {
        let id = job.id;
        info!("job {id} is {state}: {}", change.reason);
        let usual = self.options.retry;
        let written = persist(self.tools.store.clone(), usual, job, state, change);
        ctx.spawn(wrap_future::<_, Self>(written).map(move |written, this, ctx| {
            match written {
                Ok(job) => this.tools.telemetry.job_ended(&job),
                Err(error) => {
                    error!("job {id} has ended as {state}, but that could not be stored: {error}");
                }
            }
            // Whoever waits learns of it as the sender is dropped.
            this.running.remove(&id);
            ctx.notify(Wake);
        }));
    }

    fn time_out(&mut self, id: JobId, ctx: &mut Context<Self>) {
        if let Some(running) = self.running.get_mut(&id) {
            running.timed_out = true;
            self.terminate(id, ctx);
        }
    }

    fn terminate(&self, id: JobId, ctx: &mut Context<Self>) {
        let Some(running) = self.running.get(&id) else { return };
        running.group.signal(Signal::SIGTERM);
        running.group.signal(Signal::SIGCONT); // a stopped one could not end
        ctx.run_later(TERM_GRACE, move |this, _| {
            if let Some(running) = this.running.get(&id) {
                running.group.signal(Signal::SIGKILL);
            }
        });
    }

    /// Pauses, resumes or cancels a running program. A cancelled one answers once it has ended.
    pub(super) fn control(
        &mut self,
        id: JobId,
        action: JobAction,
        ctx: &mut Context<Self>,
    ) -> ResponseActFuture<Self, Result<(), QueueError>> {
        let Some(running) = self.running.get_mut(&id) else {
            return Box::pin(fut::ready(Err(QueueError::NotRunning(id))));
        };
        let (state, signal) = match action {
            JobAction::Pause => (JobState::Paused, Signal::SIGSTOP),
            JobAction::Resume => (JobState::Running, Signal::SIGCONT),
            _ => {
                let (waiter, done) = oneshot::channel();
                running.cancelled = true;
                running.waiting.push(waiter);
                self.terminate(id, ctx);
                return Box::pin(wrap_future(async {
                    drop(done.await); // the sender is dropped once it has ended
                    Ok(())
                }));
            }
        };
        running.group.signal(signal);
        let change = Change::because(format!("{action} was asked for"));
        let moved = self
            .tools
            .store
            .record(move |tx| jobs::transition(tx, id, state, change.clone()).map(drop));
        Box::pin(wrap_future(async { Ok(moved.await?) }))
    }
}

/// Writes the end of a command job until it is written; a failed one with attempts left waits again
/// after a growing delay.
async fn persist(
    store: Store,
    usual: Backoff,
    job: Job,
    end: JobState,
    change: Change,
) -> Result<Job, StoreError> {
    let retry = end == JobState::Failed && job.attempts < job.max_attempts;
    let own = job.retry.and_then(|retry| retry.over(usual).ok()).unwrap_or(usual);
    let (id, delay) = (job.id, own.delay(job.attempts.saturating_sub(1), chance(&job)));
    let attempt = format!("attempt {} of {} failed", job.attempts, job.max_attempts);
    loop {
        let (change, attempt) = (change.clone(), attempt.clone());
        let written = store.record(move |tx| {
            let ended = jobs::transition(tx, id, end, change.clone())?;
            if retry {
                let not_before = Some(Timestamp::now().after(delay));
                let why = &change.reason;
                let seconds = delay.as_secs_f64();
                let again = format!("{attempt}: {why}; tried again in {seconds:.1} s");
                // It stands beside the job until that starts again.
                let error = Some(again.clone());
                let again = Change { error, not_before, ..Change::because(again) };
                jobs::transition(tx, id, JobState::Queued, again)?;
            }
            Ok(ended)
        });
        match written.await {
            Err(StoreError::Full | StoreError::Busy) => actix::clock::sleep(RETRY).await,
            written => return written,
        }
    }
}

/// Where within the jitter a job is tried again: the last bits of an id are random.
fn chance(job: &Job) -> f64 {
    let [.., high, low] = *job.id.as_bytes();
    let turned = u16::from_be_bytes([high, low]).rotate_left(job.attempts % 16);
    f64::from(turned) / f64::from(u16::MAX)
}

/// No queue of this process runs these any more: the station, or an earlier incarnation of this
/// daemon, went down meanwhile. What is left of their programs is killed; then they wait again,
/// unless they have been started once more than their policy allows.
pub(super) fn requeue_left_over(store: &Store) -> Result<(), StoreError> {
    let left = store.read(|connection| jobs::running(connection, JobKind::Command))?;
    if left.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = left.iter().map(|job| job.id).collect();
    let begun = Instant::now();
    match kill_orphans(&ids) {
        Ok(killed) => info!("killed {killed} left-over processes in {:?}", begun.elapsed()),
        Err(error) => warn!("failed to look for left-over processes: {error}"),
    }
    for job in left {
        let again = job.attempts <= job.max_attempts;
        warn!("job {} was running when the station went down", job.id);
        store
            .write(move |tx| {
                let change = Change::because("the station went down while the program ran");
                jobs::transition(tx, job.id, JobState::Interrupted, change)?;
                if again {
                    let change = Change::because("run again after the interruption");
                    jobs::transition(tx, job.id, JobState::Queued, change)?;
                }
                Ok(())
            })
            .wait()?;
    }
    Ok(())
}
