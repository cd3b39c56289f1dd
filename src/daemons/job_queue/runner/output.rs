//! What a program writes: kept, published line by line, looked through for its progress.

use std::{io, path::PathBuf, sync::Arc, time::Instant};

use log::warn;

use super::{Host, Task, progress::Word};
use crate::{
    daemons::{
        job_log::JobLog,
        programs::lines::{Lines, Rate, WINDOW},
    },
    domain::{JobId, Live, Progress},
    feed::Feed,
};

/// The output of one program. A file is made once there is something to keep.
pub(super) struct Output {
    id: JobId,
    attempt: u32,
    directory: PathBuf,
    limit: u64,
    feed: Arc<Feed>,
    log: Option<JobLog>,
    lines: Lines,
    rate: Rate,
    word: Word,
    /// Bytes that could not be kept.
    lost: u64,
    /// What was kept last did not end a line.
    is_cut: bool,
}

impl Output {
    pub(super) fn new(host: &Host, task: &Task) -> Self {
        Self {
            id: task.id,
            attempt: task.attempt,
            directory: host.directory(task),
            limit: host.max_output,
            feed: Arc::clone(&host.feed),
            log: None,
            lines: Lines::default(),
            rate: Rate::new(Instant::now()),
            word: Word::default(),
            lost: 0,
            is_cut: false,
        }
    }

    /// Takes the next piece.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.keep(bytes);
        let Self { id, feed, lines, rate, word, .. } = self;
        lines.take(bytes, |line| {
            word.take(line);
            if rate.admit(Instant::now()) {
                publish(feed, *id, line.to_owned());
            }
        });
        if let Some(count) = rate.left_out(Instant::now()) {
            publish(feed, *id, left_out(count));
        }
    }

    /// Writes a line of the station's own.
    pub(super) fn note(&mut self, text: &str) {
        let line = format!("[stationd] {text}");
        let begin = if self.is_cut { "\n" } else { "" };
        self.keep(format!("{begin}{line}\n").as_bytes());
        publish(&self.feed, self.id, line);
    }

    /// No more is coming.
    pub(super) fn end(&mut self) {
        let Self { id, feed, lines, rate, word, .. } = self;
        lines.end(|line| {
            word.take(line);
            if rate.admit(Instant::now()) {
                publish(feed, *id, line.to_owned());
            }
        });
        if let Some(count) = rate.rest() {
            publish(feed, *id, left_out(count));
        }
        // If not even this can be kept, the log of the station has it.
        let _ = self.say_what_is_lost();
    }

    /// When there is something to tell about progress, and then what.
    pub(super) fn word(&mut self) -> &mut Word {
        &mut self.word
    }

    /// The last word on progress.
    pub(super) fn progress(&self) -> Option<Progress> {
        self.word.last().cloned()
    }

    /// What cannot be kept is lost; that is said once, until it can be again.
    fn keep(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let kept = self.say_what_is_lost().and_then(|()| self.append(bytes));
        match kept {
            Ok(()) => self.is_cut = bytes.last() != Some(&b'\n'),
            Err(error) => {
                if self.lost == 0 {
                    warn!("the output of job {} cannot be kept and is lost: {error}", self.id);
                }
                self.lost += u64::try_from(bytes.len()).unwrap_or(0);
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(log) = &mut self.log {
            return log.append(bytes);
        }
        let mut log = JobLog::open(&self.directory, self.limit)?;
        if self.attempt > 1 {
            log.append(format!("[stationd] attempt {}\n", self.attempt).as_bytes())?;
        }
        let log = self.log.insert(log);
        log.append(bytes)
    }

    /// What has been lost stands where it would have stood.
    fn say_what_is_lost(&mut self) -> io::Result<()> {
        if self.lost > 0 {
            self.append(
                format!("\n[stationd] {} bytes could not be kept\n", self.lost).as_bytes(),
            )?;
            warn!("the output of job {} is kept again; {} bytes are lost", self.id, self.lost);
            (self.lost, self.is_cut) = (0, false);
        }
        Ok(())
    }
}

fn publish(feed: &Feed, id: JobId, message: String) {
    let target = format!("job:{id}");
    feed.live(&Live::Log { level: "INFO".to_owned(), target, message });
}

fn left_out(count: u64) -> String {
    format!("({count} more lines in {WINDOW:?} are only in the job's log)")
}
