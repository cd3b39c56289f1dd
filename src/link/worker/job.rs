//! The job on the machine: its file in, its progress out.

use std::time::Duration;

use super::{Command, Event, Leaving, PACE, Report, Worker};
use crate::{
    domain::JobId,
    drivers::{Checkpoint, End},
    link::{
        Run,
        source::{Piece, Reader},
    },
};

/// A job on the machine.
pub(super) struct Active {
    pub(super) id: JobId,
    reader: Reader,
    ended: bool,
    /// When progress was last reported, and what.
    reported: Option<Duration>,
    shown: Checkpoint,
}

impl Active {
    /// When progress should be looked at next.
    pub(super) fn due(&self) -> Option<Duration> {
        self.reported.map(|at| at + PACE)
    }
}

impl Worker {
    pub(super) fn run_job(&mut self, run: Run) {
        let id = run.job;
        let refuse = |reason: String| Report::Ended {
            job: id,
            end: End::Interrupted { reason, position_known: true },
            checkpoint: Checkpoint::default(),
        };
        if self.state.job.is_some() {
            return (self.report)(refuse(
                "nothing was sent: another job is on the machine".to_owned(),
            ));
        }
        if self.state.leaving != Leaving::No {
            return (self.report)(refuse("nothing was sent: the port is being closed".to_owned()));
        }
        let reader = match Reader::new(run.source, &self.shared) {
            Ok(reader) => reader,
            Err(error) => return (self.report)(refuse(format!("nothing was sent: {error}"))),
        };
        let shown = Checkpoint::default();
        self.state.job = Some(Active { id, reader, ended: false, reported: None, shown });
        self.driver.command(Command::Start(run.start), self.now());
        self.feed();
        self.write();
    }

    /// Gives the driver as much of the file as it wants.
    pub(super) fn feed(&mut self) {
        while self.driver.wants_file() {
            let Some(job) = &mut self.state.job else { return };
            if job.ended {
                return;
            }
            let piece = job.reader.next();
            job.ended = matches!(piece, Piece::End | Piece::Failed(_));
            let now = self.shared.born.elapsed();
            match piece {
                Piece::Bytes(bytes) => self.driver.supply(&bytes, now),
                Piece::End => self.driver.end_of_file(now),
                Piece::Failed(message) => self.driver.command(Command::FileFailed(message), now),
                Piece::NotYet => return,
            }
        }
    }

    /// Reports how far the job is, if it is time to and there is anything new.
    pub(super) fn progress(&mut self, now_or_never: bool) {
        let now = self.shared.born.elapsed();
        let Some(job) = &mut self.state.job else { return };
        if !now_or_never && job.due().is_some_and(|at| at > now) {
            return;
        }
        let checkpoint = self.driver.checkpoint();
        // Looked at, if not reported: what is late by one look is not late.
        job.reported = Some(now);
        if checkpoint != job.shown {
            job.shown = checkpoint;
            (self.report)(Report::Progress { job: job.id, checkpoint });
        } else if !now_or_never {
            // Nothing moves: the driver's own clock wakes the thread when it does.
            job.reported = None;
        }
    }

    pub(super) fn job_event(&mut self, event: Event) {
        let Some(job) = self.state.job.as_ref().map(|job| job.id) else { return };
        let checkpoint = self.driver.checkpoint();
        let report = match event {
            Event::Paused(halt) => Report::Paused { job, checkpoint, halt },
            Event::Resumed => Report::Resumed { job },
            Event::Ended(end) => {
                self.progress(true);
                self.state.job = None;
                Report::Ended { job, end, checkpoint }
            }
            _ => return,
        };
        (self.report)(report);
    }
}
