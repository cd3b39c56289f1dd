//! Where the pen is and where it goes.

use std::collections::VecDeque;

use crate::firmware::Drawing;

/// Plotter units in a millimetre.
pub(super) const UNITS: f64 = 40.0;

/// The fastest, in cm/s (`VS`).
pub(super) const FASTEST: f64 = 38.1;

/// How high the pen hangs when it is up, as far as a drawing is concerned.
const PEN_UP_MM: f64 = 1.0;

/// How long the pen takes to go up or down.
const PEN_SECONDS: f64 = 0.1;

/// How long the carousel takes.
const CHANGE_SECONDS: f64 = 1.0;

#[derive(Clone, Copy, Debug)]
enum Step {
    To { at: [f64; 2], speed: f64 },
    Pen { down: bool },
    Change,
}

/// What is still to be done, and what has been.
#[derive(Debug)]
pub(super) struct Motion {
    queue: VecDeque<Step>,
    /// Seconds since the first step of the queue began.
    elapsed: f64,
    /// In plotter units.
    pub(super) at: [f64; 2],
    pub(super) down: bool,
    pub(super) drawing: Drawing,
}

impl Default for Motion {
    fn default() -> Self {
        let drawing = Drawing::default();
        Self { queue: VecDeque::new(), elapsed: 0.0, at: [0.0; 2], down: false, drawing }
    }
}

impl Motion {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Where it will be.
    pub(super) fn end(&self) -> [f64; 2] {
        let last = self.queue.iter().rev().find_map(|step| match step {
            Step::To { at, .. } => Some(*at),
            _ => None,
        });
        last.unwrap_or(self.at)
    }

    /// To a point, at so many cm/s.
    pub(super) fn go(&mut self, at: [f64; 2], speed: f64) {
        self.queue.push_back(Step::To { at, speed });
    }

    pub(super) fn pen(&mut self, down: bool) {
        let last = self.queue.iter().rev().find_map(|step| match step {
            Step::Pen { down } => Some(*down),
            _ => None,
        });
        if last.unwrap_or(self.down) != down {
            self.queue.push_back(Step::Pen { down });
        }
    }

    pub(super) fn change(&mut self) {
        self.queue.push_back(Step::Change);
    }

    /// Forgets what has not been done; the pen stays where it is.
    pub(super) fn stop(&mut self) {
        self.queue.clear();
        self.elapsed = 0.0;
    }

    fn seconds(&self, step: &Step) -> f64 {
        match step {
            Step::To { at, speed } => {
                let [dx, dy] = [at[0] - self.at[0], at[1] - self.at[1]];
                dx.hypot(dy) / UNITS / 10.0 / speed.max(0.1)
            }
            Step::Pen { .. } => PEN_SECONDS,
            Step::Change => CHANGE_SECONDS,
        }
    }

    /// Seconds until the step that is being done is done.
    pub(super) fn next(&self) -> Option<f64> {
        self.queue.front().map(|step| self.seconds(step) - self.elapsed)
    }

    pub(super) fn advance(&mut self, seconds: f64) {
        let Some(step) = self.queue.front().copied() else { return };
        self.elapsed += seconds;
        // The clock of the caller counts nanoseconds.
        if self.elapsed + 1e-9 < self.seconds(&step) {
            return;
        }
        self.queue.pop_front();
        self.elapsed = 0.0;
        let draw = match step {
            Step::To { at, .. } => {
                let moved = (self.at[0] - at[0]).hypot(self.at[1] - at[1]) > 0.0;
                self.at = at;
                self.down && moved
            }
            Step::Pen { down } => {
                self.down = down;
                false
            }
            Step::Change => return,
        };
        let z = if self.down { 0.0 } else { PEN_UP_MM };
        self.drawing.add([self.at[0] / UNITS, self.at[1] / UNITS, z], draw);
    }
}
