//! One write of the queue: what has ended, and what may start in its place, in one commit.
//!
//! One is under way at a time; what ends meanwhile goes into the next. A program makes room by its
//! end, not by the commit of it. While short programs follow each other, and enough are claimed ahead
//! for that, a write waits a little for more of them: to reach the disk costs as much as to run some.

use std::time::{Duration, Instant};

use actix::{fut::wrap_future, prelude::*};
use log::{debug, error, info, warn};

use super::{JobQueue, Wake, actor::Look, commands::End};
use crate::{
    domain::{Job, JobId, JobState, Timestamp},
    store::{
        StoreError, Tx,
        jobs::{self, Change, Groups},
        queue_modes::Mode,
    },
};

/// Between two tries to write while the disk is full or the database locked.
const RETRY: Duration = Duration::from_secs(1);

/// Between two writes while short programs follow each other.
const GATHER: Duration = Duration::from_millis(4);

/// Try again to write.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
struct Again;

/// What one write did.
struct Turn {
    ended: Vec<Result<Job, StoreError>>,
    claimed: Vec<Job>,
}

impl Handler<Again> for JobQueue {
    type Result = ();

    fn handle(&mut self, _: Again, ctx: &mut Self::Context) {
        self.turn(ctx);
    }
}

impl JobQueue {
    /// Writes what there is to write, unless a write is under way.
    pub(super) fn turn(&mut self, ctx: &mut Context<Self>) {
        let limit = self.room();
        if self.programs.is_under_way
            || (self.ended.is_empty() && (!self.programs.is_wanted || limit == 0))
        {
            return;
        }
        if let Some(timer) = self.gathering {
            let is_short = self.running.len() - self.over < self.options.max_concurrent_commands;
            if !is_short && !self.stopping {
                return;
            }
            ctx.cancel_future(timer);
            self.gathering = None;
        }
        self.programs = Look { is_wanted: false, is_under_way: true };
        let ended = std::mem::take(&mut self.ended);
        let ends = ended.clone();
        let groups = Groups {
            named: self.options.groups.clone(),
            usual: self.options.max_concurrent_commands,
        };
        let turn = move |tx: &Tx<'_>| turn(tx, &ends, &groups, limit);
        // What has happened is never refused for load.
        let written = self.tools.store.record(turn);
        ctx.spawn(wrap_future::<_, Self>(written).map(move |written, this, ctx| {
            this.programs.is_under_way = false;
            this.trouble = written.as_ref().err().map(ToString::to_string);
            match written {
                Ok(turn) => this.turned(ended, turn, ctx),
                Err(error) => this.not_turned(ended, &error, ctx),
            }
            if this.pace.is_brisk(Instant::now()) {
                this.gathering = Some(ctx.run_later(GATHER, |this, ctx| {
                    this.gathering = None;
                    this.turn(ctx);
                }));
            }
            this.turn(ctx);
        }));
    }

    /// How many jobs may be claimed.
    fn room(&mut self) -> usize {
        // What has ended needs less room on the disk without what comes after.
        let is_in_trouble = self.trouble.is_some() && !self.ended.is_empty();
        let is_paused = self.tools.board.queue_modes().whole() == Some(Mode::Paused);
        if self.stopping || is_in_trouble || is_paused {
            return 0;
        }
        let slots = self.options.max_concurrent_commands + self.pace.ahead(Instant::now());
        slots.saturating_sub(self.running.len() - self.over)
    }

    fn turned(&mut self, ended: Vec<End>, turn: Turn, ctx: &mut Context<Self>) {
        let is_over = !ended.is_empty();
        for (end, stored) in ended.into_iter().zip(turn.ended) {
            match stored {
                Ok(job) => self.tools.telemetry.job_ended(&job),
                Err(error) => error!(
                    "job {} has ended as {}, but that could not be stored: {error}",
                    end.id, end.state
                ),
            }
            self.forget(end.id);
        }
        for job in turn.claimed {
            self.run_command(job);
        }
        if is_over {
            ctx.notify(Wake); // who has waited for one of them may be for a machine
        }
    }

    fn not_turned(&mut self, ended: Vec<End>, error: &StoreError, ctx: &mut Context<Self>) {
        if ended.is_empty() {
            warn!("failed to claim jobs: {error}"); // looked again by the fallback
        } else if matches!(error, StoreError::Full | StoreError::Busy) {
            self.tell_unwritten(&ended, error);
            self.ended.splice(0..0, ended);
            self.programs.is_under_way = true; // until it is tried again
            ctx.run_later(RETRY, |this, ctx| {
                this.programs.is_under_way = false;
                ctx.notify(Again);
            });
        } else {
            for end in ended {
                error!(
                    "job {} has ended as {}, but that could not be stored: {error}",
                    end.id, end.state
                );
                self.forget(end.id);
            }
        }
    }

    fn forget(&mut self, id: JobId) {
        self.tools.board.forget_progress(id);
        // Whoever waits learns of it as the sender is dropped.
        if self.running.remove(&id).is_some() {
            self.over -= 1;
        }
    }

    /// Looks again at that time, once.
    pub(super) fn wake_at(&mut self, at: Option<Timestamp>, ctx: &mut Context<Self>) {
        let Some(at) = at.filter(|at| self.next.is_none_or(|(next, _)| *at != next)) else {
            return;
        };
        if let Some((_, timer)) = self.next.take() {
            ctx.cancel_future(timer);
        }
        let wait = Timestamp::now().until(at) + Duration::from_millis(1);
        let timer = ctx.run_later(wait, |this, ctx| {
            this.next = None;
            ctx.notify(Wake);
        });
        self.next = Some((at, timer));
    }
}

fn turn(tx: &Tx<'_>, ends: &[End], groups: &Groups, limit: usize) -> Result<Turn, StoreError> {
    let mut ended = Vec::with_capacity(ends.len());
    for end in ends {
        ended.push(match write_end(tx, end) {
            // It was refused before anything was written; the others need not suffer.
            Err(error @ (StoreError::IllegalMove { .. } | StoreError::NotFound(_))) => Err(error),
            written => Ok(written?),
        });
    }
    let claimed = jobs::claim_commands(tx, groups, Timestamp::now(), limit)?;
    Ok(Turn { ended, claimed })
}

/// The end of a job, and with it that it is tried again, if it is to be.
fn write_end(tx: &Tx<'_>, end: &End) -> Result<Job, StoreError> {
    if let Some(progress) = &end.progress {
        jobs::checkpoint_progress(tx, end.id, progress)?;
    }
    if end.state == JobState::Queued {
        return jobs::put_back(tx, end.id);
    }
    let ended = jobs::transition(tx, end.id, end.state, end.change.clone())?;
    if let Some(again) = &end.again {
        let not_before = Some(Timestamp::now().after(again.after));
        // It stands beside the job until that starts again.
        let error = Some(again.why.clone());
        let again = Change { error, not_before, ..Change::because(again.why.clone()) };
        jobs::transition(tx, end.id, JobState::Queued, again)?;
    }
    Ok(ended)
}

impl End {
    /// For the station's log.
    pub(super) fn log(&self) {
        if self.state == JobState::Queued {
            return debug!("job {} waits again: there is no room for it", self.id);
        }
        info!("job {} is {}: {}", self.id, self.state, self.change.reason);
    }
}
