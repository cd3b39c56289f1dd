//! How far the job on a machine is, by the time that its lines take: one line may take a thousand
//! times as long as the next.
//!
//! What is acknowledged is planned, not done. Between the last line that is certainly done and the
//! last that is acknowledged, the clock tells where the machine is.

use std::time::{Duration, Instant};

use crate::{domain::Progress, link::Checkpoint, toolpath::Estimate};

/// The share of a job that is taken to run as estimated, so that its first lines, which a machine
/// takes in before it moves, do not pass for its pace.
const PACE_TRUST: f64 = 0.05;
/// What is said at most of a job that is not complete, in percent.
const ALMOST: f64 = 99.9;

/// See above.
#[derive(Default)]
pub(super) struct Course {
    lines: u64,
    /// Lines that were done before it began.
    skipped: u64,
    /// When each line is done, once the file has been read for it.
    estimate: Option<Estimate>,
    moving: Stopwatch,
    drawing: Stopwatch,
    /// The machine waits for its heaters.
    is_warming: bool,
    is_complete: bool,
    /// The most that was said, in percent: a better guess does not take that back.
    said: f64,
}

impl Course {
    /// Of a file of so many lines, of which so many are done.
    pub(super) fn new(lines: u64, skipped: u64) -> Self {
        Self { lines, skipped, ..Self::default() }
    }

    /// The time that its lines take is known.
    pub(super) fn know(&mut self, estimate: Estimate) {
        self.estimate = Some(estimate);
    }

    /// The machine waits for its heaters, or no longer.
    pub(super) fn warm(&mut self, is_warming: bool) {
        self.is_warming = is_warming;
    }

    /// True while the machine waits for its heaters.
    pub(super) fn is_warming(&self) -> bool {
        self.is_warming
    }

    /// Everything is done.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Starts and stops the clocks: they stand still while the machine does.
    pub(super) fn watch(&mut self, busy: bool, pen_up: Option<bool>) {
        let moving = busy && !self.is_warming;
        self.moving.run(moving);
        self.drawing.run(moving && pen_up == Some(false));
    }

    /// Since it began to run, without what it stood still.
    pub(super) fn moved(&self) -> Duration {
        self.moving.elapsed()
    }

    /// Of that, with the tool down.
    pub(super) fn drawn(&self) -> Duration {
        self.drawing.elapsed()
    }

    /// How far it is.
    pub(super) fn progress(&mut self, checkpoint: &Checkpoint) -> Progress {
        let by_lines = Progress::of(checkpoint.lines_acknowledged, self.lines);
        let timed = self.estimate.as_ref().filter(|estimate| estimate.total() > 0.0);
        let (percent, eta) = match timed {
            Some(estimate) => {
                let done = self.done(estimate, checkpoint);
                (100.0 * done / estimate.total(), Some(self.left(estimate, done).round()))
            }
            None => (by_lines.progress_percentage, None),
        };
        // Rounded down: 100 is said of what is complete, and of nothing else.
        let percent = ((percent * 10.0).floor() / 10.0).clamp(0.0, ALMOST);
        self.said = if self.is_complete { 100.0 } else { percent.max(self.said) };
        let eta_seconds = if self.is_complete { Some(0.0) } else { eta };
        Progress { progress_percentage: self.said, eta_seconds, ..by_lines }
    }

    /// Seconds of the file that are done.
    fn done(&self, estimate: &Estimate, checkpoint: &Checkpoint) -> f64 {
        let at = |lines: u64| estimate.total() - estimate.remaining(lines);
        let acknowledged = checkpoint.lines_acknowledged;
        let certain = at(acknowledged.saturating_sub(checkpoint.planner_lines).max(self.skipped));
        let by_clock = at(self.skipped) + self.moving.elapsed().as_secs_f64();
        by_clock.clamp(certain, at(acknowledged).max(certain))
    }

    /// Seconds until the end: what the file says is left, at the pace seen so far.
    fn left(&self, estimate: &Estimate, done: f64) -> f64 {
        let trust = PACE_TRUST * estimate.total() + 1.0;
        let skipped = estimate.total() - estimate.remaining(self.skipped);
        let pace = (self.moving.elapsed().as_secs_f64() + trust) / (done - skipped + trust);
        (estimate.total() - done) * pace
    }
}

/// Counts time only while it runs.
#[derive(Default)]
struct Stopwatch {
    counted: Duration,
    since: Option<Instant>,
}

impl Stopwatch {
    fn run(&mut self, run: bool) {
        self.counted = self.elapsed();
        self.since = run.then(Instant::now);
    }

    fn elapsed(&self) -> Duration {
        self.counted + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}
