//! Command jobs: what becomes of those whose programs run.

use std::time::{Duration, Instant};

use actix::{fut::wrap_future, prelude::*};
use log::{debug, info, warn};
use tokio::sync::oneshot;

use super::{
    JobQueue, QueueError,
    runner::{Ended, How, News, Task, Why},
};
use crate::{
    daemons::programs::{
        census::{Census, Scope},
        end,
    },
    domain::{Actor, Job, JobAction, JobId, JobKind, JobState, Progress, Retry},
    store::{
        Store, StoreError,
        jobs::{self, Change},
    },
};

/// How often a sweep looks whether somebody forked meanwhile.
const SWEEPS: usize = 20;

/// A job whose program runs or is about to.
pub(super) struct Running {
    attempts: u32,
    max_attempts: u32,
    retry: Option<Retry>,
    /// Longer than that it does not run.
    limit: Option<Duration>,
    /// Who has cancelled it.
    cancelled_by: Option<Actor>,
    /// Who asked for its end: told once that is written, or why it cannot be.
    waiting: Vec<oneshot::Sender<QueueError>>,
}

/// When a job that has failed is tried again, and what is said of it.
#[derive(Clone, Debug)]
pub(super) struct Again {
    pub(super) after: Duration,
    pub(super) why: String,
}

/// What is to be written of a job that is over. One that comes to be QUEUED has not been started.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) id: JobId,
    pub(super) state: JobState,
    pub(super) change: Change,
    pub(super) progress: Option<Progress>,
    /// It is tried again.
    pub(super) again: Option<Again>,
}

impl StreamHandler<Vec<News>> for JobQueue {
    fn handle(&mut self, news: Vec<News>, ctx: &mut Self::Context) {
        for news in news {
            match news {
                News::Ended(ended) => self.ended(*ended),
                News::NotStarted(id) => {
                    let change = Change::default();
                    self.over(End {
                        id,
                        state: JobState::Queued,
                        change,
                        progress: None,
                        again: None,
                    });
                }
            }
        }
        self.turn(ctx);
    }
}

impl JobQueue {
    /// Runs the program of a job that is RUNNING in the database already.
    pub(super) fn run_command(&mut self, job: Job) {
        debug!("job {} runs {:?}", job.id, job.command);
        let own = job.timeout_seconds.and_then(|limit| Duration::try_from_secs_f64(limit).ok());
        let limit = own.or(self.options.command_timeout);
        let running = Running {
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            retry: job.retry,
            limit,
            cancelled_by: None,
            waiting: Vec::new(),
        };
        self.running.insert(job.id, running);
        self.runner.run(Task {
            id: job.id,
            name: job.name,
            attempt: job.attempts,
            command: job.command.unwrap_or_default(),
            surroundings: job.surroundings,
            timeout: limit,
        });
        if self.stopping {
            self.runner.give_back();
        }
    }

    fn ended(&mut self, ended: Ended) {
        let Some(running) = self.running.get(&ended.id) else { return };
        if matches!(ended.how, How::Ran(_)) {
            self.pace.note(ended.ran, Instant::now());
        }
        let (state, change) = judge(&ended, running, self.stopping);
        let is_tried_again = state == JobState::Failed && running.attempts < running.max_attempts;
        let again = is_tried_again.then(|| self.again(ended.id, running, &change.reason));
        self.over(End { id: ended.id, state, change, progress: ended.progress, again });
    }

    fn again(&self, id: JobId, running: &Running, reason: &str) -> Again {
        let usual = self.options.retry;
        let Running { attempts, max_attempts, retry, .. } = *running;
        let own = retry.and_then(|retry| retry.over(usual).ok()).unwrap_or(usual);
        let after = own.delay(attempts.saturating_sub(1), chance(id, attempts));
        let seconds = after.as_secs_f64();
        let why = format!(
            "attempt {attempts} of {max_attempts} failed: {reason}; tried again in {seconds:.1} s"
        );
        Again { after, why }
    }

    /// Notes what is to be written, and that there is room.
    fn over(&mut self, end: End) {
        end.log();
        self.over += 1;
        self.ended.push(end);
    }

    /// Pauses, resumes or cancels a running program. A cancelled one answers once it has ended.
    pub(super) fn control(
        &mut self,
        id: JobId,
        action: JobAction,
        actor: Actor,
    ) -> ResponseActFuture<Self, Result<(), QueueError>> {
        let Some(running) = self.running.get_mut(&id) else {
            return Box::pin(fut::ready(Err(QueueError::NotRunning(id))));
        };
        let state = match action {
            JobAction::Pause => {
                self.runner.pause(id);
                JobState::Paused
            }
            JobAction::Resume => {
                self.runner.resume(id);
                JobState::Running
            }
            _ => {
                let (waiter, done) = oneshot::channel();
                running.cancelled_by.get_or_insert(actor);
                running.waiting.push(waiter);
                self.runner.end(id, Why::Cancelled);
                return Box::pin(wrap_future(async {
                    // The sender is dropped once its end is written.
                    done.await.map_or(Ok(()), Err)
                }));
            }
        };
        let reason = format!("{action} was asked for");
        let change = Change { actor: Some(actor), ..Change::because(reason) };
        let moved = self
            .tools
            .store
            .record(move |tx| jobs::transition(tx, id, state, change.clone()).map(drop));
        Box::pin(wrap_future(async { Ok(moved.await?) }))
    }

    /// Tells whoever waits for the end of these that it cannot be written yet.
    pub(super) fn tell_unwritten(&mut self, ended: &[End], error: &StoreError) {
        for end in ended {
            let Some(running) = self.running.get_mut(&end.id) else { continue };
            for waiter in running.waiting.drain(..) {
                // Whoever waited may be gone.
                let _ = waiter.send(QueueError::Unwritten(error.clone()));
            }
        }
    }

    /// Asks every program that still runs to end.
    pub(super) fn end_all(&self) {
        for id in self.running.keys() {
            self.runner.end(*id, Why::Stopping);
        }
    }
}

/// Where within the jitter a job is tried again: the last bits of an id are random.
fn chance(id: JobId, attempts: u32) -> f64 {
    let [.., high, low] = *id.as_bytes();
    let turned = u16::from_be_bytes([high, low]).rotate_left(attempts % 16);
    f64::from(turned) / f64::from(u16::MAX)
}

/// What a job has come to, and why.
fn judge(ended: &Ended, running: &Running, is_stopping: bool) -> (JobState, Change) {
    let (exit_code, trouble) = match &ended.how {
        How::Ran(end::End::Code(0)) => (Some(0), None),
        How::Ran(end::End::Code(code)) => {
            (Some(*code), Some(format!("the program exited with {code}")))
        }
        How::Ran(end) => (None, Some(format!("the program {end}"))),
        How::Failed(why) => (None, Some(why.clone())),
        How::NotBegun => (None, Some("it was not started".to_owned())),
    };
    let (state, reason) = match trouble {
        _ if running.cancelled_by.is_some() => (JobState::Cancelled, "cancelled".to_owned()),
        _ if ended.why == Some(Why::TimedOut) => (JobState::Failed, too_long(running.limit)),
        None => (JobState::Completed, "completed".to_owned()),
        Some(trouble) if is_stopping && matches!(ended.how, How::Ran(_)) => {
            (JobState::Interrupted, format!("the station was stopped: {trouble}"))
        }
        Some(trouble) => (JobState::Failed, trouble),
    };
    let cancelled_by = running.cancelled_by.clone();
    let actor = cancelled_by.filter(|_| state == JobState::Cancelled);
    (state, Change { actor, exit_code, ..Change::because(reason) })
}

fn too_long(limit: Option<Duration>) -> String {
    match limit {
        Some(limit) => {
            format!("the program ran longer than its limit of {} s", limit.as_secs_f64())
        }
        None => "the program ran too long".to_owned(),
    }
}

/// No queue of this process runs these any more: the station, or an earlier incarnation of this
/// daemon, went down meanwhile. What is left of their programs is killed; then they wait again,
/// unless they have been started once more than their policy allows.
pub(in super::super) fn requeue_left_over(store: &Store) -> Result<(), StoreError> {
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

/// Kills every process that carries the mark of one of these jobs: what a station that was killed
/// has left behind. Returns how many there were.
fn kill_orphans(jobs: &[JobId]) -> std::io::Result<usize> {
    let jobs: Vec<_> = jobs.iter().map(|id| id.to_string().into_bytes()).collect();
    let everything = Scope { is_wide: true, ..Scope::default() };
    let mut killed = Vec::new();
    for _ in 0..SWEEPS {
        let left = Census::take(&everything)?.of_jobs(&jobs);
        if left.is_empty() {
            break;
        }
        for member in left {
            member.signal(nix::sys::signal::Signal::SIGKILL);
            if !killed.contains(&member) {
                killed.push(member);
            }
        }
        std::thread::yield_now();
    }
    Ok(killed.len())
}
