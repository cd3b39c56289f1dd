//! How long motion takes on a machine that accelerates.
//!
//! Like GRBL's planner (gnea/grbl, planner.c): each move has a speed it is asked to have and one at
//! which it may pass the corner before it (junction deviation); looking ahead over a window of
//! moves, the last of which ends at a standstill, no move is entered faster than can be braked.
//! The time of a move is settled when it leaves the window.

use std::collections::VecDeque;

use super::gcode::{Arc, Segment};
use crate::domain::Motion;

/// Moves that are looked ahead over (`BLOCK_BUFFER_SIZE` 16, of which one slot stays empty).
const WINDOW: usize = 15;

/// Moves that are settled in one go: looking ahead costs as much for one as for all of them.
const AT_ONCE: usize = 6;

/// Chords of arcs stay this close to them, in millimetres (`$12`).
const ARC_TOLERANCE: f64 = 0.002;

/// A move whose time is not settled.
#[derive(Clone, Copy, Debug)]
struct Block {
    length: f64,
    /// mm/s it is asked to have.
    nominal: f64,
    acceleration: f64,
    /// The fastest it may be entered, squared.
    entry: f64,
    /// The fastest at which what follows can still be braked for, squared.
    planned: f64,
    /// Lines of the file that ended since the move before.
    lines: u64,
}

/// What became of the next move or lines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Settled {
    /// Lines that ended before it began.
    pub(super) lines: u64,
    /// How long it takes.
    pub(super) seconds: f64,
}

/// Plans moves one after the other, in constant memory.
#[derive(Debug)]
pub(super) struct Planner {
    motion: Motion,
    window: VecDeque<Block>,
    /// Speed at which the first move of the window is entered, squared.
    entered: f64,
    /// Direction and speed at the end of the last move.
    last: Option<([f64; 3], f64)>,
    /// Lines that ended since the last move.
    lines: u64,
}

impl Planner {
    pub(super) fn new(motion: Motion) -> Self {
        let window = VecDeque::with_capacity(2 * WINDOW);
        Self { motion, window, entered: 0.0, last: None, lines: 0 }
    }

    /// A move; hands out what is settled by it.
    pub(super) fn push(&mut self, segment: &Segment, settle: &mut impl FnMut(Settled)) {
        if segment.length <= 0.0 {
            return;
        }
        let (start, end) = directions(segment);
        let acceleration = limit(segment, &start, &self.motion.acceleration);
        let nominal = self.nominal(segment, &start, acceleration);
        let entry = match self.last {
            None => 0.0,
            Some((direction, before)) => {
                let corner = self.corner(&direction, &start);
                corner.min(nominal * nominal).min(before * before)
            }
        };
        let lines = std::mem::take(&mut self.lines);
        self.last = Some((end, nominal));
        let length = segment.length;
        self.window.push_back(Block { length, nominal, acceleration, entry, planned: 0.0, lines });
        if self.window.len() >= WINDOW + AT_ONCE / 2 {
            self.settle(AT_ONCE, settle);
        }
    }

    /// A line has ended.
    pub(super) fn line(&mut self) {
        self.lines += 1;
    }

    /// All motion ends here, and so much time passes.
    pub(super) fn stop(&mut self, seconds: f64, settle: &mut impl FnMut(Settled)) {
        self.settle(self.window.len(), settle);
        (self.entered, self.last) = (0.0, None);
        settle(Settled { lines: std::mem::take(&mut self.lines), seconds });
    }

    /// Settles the first so many moves.
    fn settle(&mut self, count: usize, settle: &mut impl FnMut(Settled)) {
        // Backwards from the standstill: how fast may each be entered?
        let mut exit = 0.0;
        for block in self.window.iter_mut().skip(1).rev() {
            exit = block.entry.min(exit + 2.0 * block.acceleration * block.length);
            block.planned = exit;
        }
        for _ in 0..count {
            let Some(block) = self.window.pop_front() else { return };
            let exit = self.window.front().map_or(0.0, |next| next.planned);
            let exit = exit.min(self.entered + 2.0 * block.acceleration * block.length);
            settle(Settled { lines: block.lines, seconds: block.seconds(self.entered, exit) });
            self.entered = exit;
        }
    }

    /// mm/s that the move is asked to have and the axes allow.
    fn nominal(&self, segment: &Segment, start: &[f64; 3], acceleration: f64) -> f64 {
        let rapid = segment.seconds <= 0.0;
        let limits = if rapid { &self.motion.rapid } else { &self.motion.max_feed };
        let most = limit(segment, start, limits) / 60.0;
        let asked = if rapid { most } else { most.min(segment.length / segment.seconds) };
        let allowed = match segment.arc {
            // Its chords are moves of their own to GRBL: they meet at corners, and there are only
            // so many of them in the window.
            Some(arc) => {
                let radius = arc.radius().max(ARC_TOLERANCE);
                let corners = self.motion.junction_deviation * radius / ARC_TOLERANCE;
                let chord = 2.0 * (ARC_TOLERANCE * (2.0 * radius - ARC_TOLERANCE)).sqrt();
                let ahead = 2.0 * chord * (WINDOW - 1) as f64;
                asked.min((acceleration * corners.min(ahead)).sqrt())
            }
            None => asked,
        };
        allowed.max(1e-6)
    }

    /// The fastest at which a corner may be passed, squared (gnea/grbl, planner.c).
    fn corner(&self, before: &[f64; 3], after: &[f64; 3]) -> f64 {
        let cosine: f64 = -before.iter().zip(after).map(|(a, b)| a * b).sum::<f64>();
        if cosine > 0.999_999 {
            return 0.0;
        }
        if cosine < -0.999_999 {
            return f64::INFINITY;
        }
        let change = [after[0] - before[0], after[1] - before[1], after[2] - before[2]];
        let length = norm(&change);
        let change = change.map(|part| part / length);
        let acceleration = along(&change, &self.motion.acceleration);
        let sine = (0.5 * (1.0 - cosine)).sqrt();
        acceleration * self.motion.junction_deviation * sine / (1.0 - sine)
    }
}

impl Block {
    /// How long it takes between two speeds, both squared.
    fn seconds(&self, entered: f64, left: f64) -> f64 {
        let Self { length, nominal, acceleration, .. } = *self;
        let rise = (nominal * nominal - entered) / (2.0 * acceleration);
        let fall = (nominal * nominal - left) / (2.0 * acceleration);
        let (from, to) = (entered.sqrt(), left.sqrt());
        if rise + fall <= length {
            let changing = (2.0 * nominal - from - to) / acceleration;
            return changing + (length - rise - fall) / nominal;
        }
        // It never gets that fast.
        let peak = (acceleration * length + f64::midpoint(entered, left)).sqrt();
        (2.0 * peak - from - to) / acceleration
    }
}

/// The most that no axis's limit forbids on the way of a segment that begins in this direction. On
/// an arc every axis has to carry it alone somewhere.
fn limit(segment: &Segment, start: &[f64; 3], limits: &[f64; 3]) -> f64 {
    let Some(arc) = &segment.arc else { return along(start, limits) };
    let moved = arc.axes().into_iter().zip(limits).filter(|(moved, _)| *moved);
    moved.map(|(_, limit)| *limit).fold(f64::INFINITY, f64::min)
}

/// The most that no axis's limit forbids along a direction.
fn along(direction: &[f64; 3], limits: &[f64; 3]) -> f64 {
    let parts = direction.iter().zip(limits);
    parts
        .filter(|(part, _)| **part != 0.0)
        .map(|(part, limit)| limit / part.abs())
        .fold(f64::INFINITY, f64::min)
}

fn norm(vector: &[f64; 3]) -> f64 {
    vector.iter().map(|part| part * part).sum::<f64>().sqrt()
}

/// Unit vectors at the beginning and at the end.
fn directions(segment: &Segment) -> ([f64; 3], [f64; 3]) {
    if let Some(arc) = &segment.arc {
        return Arc::directions(arc);
    }
    let ([x, y, z], length) = (segment.from, segment.length);
    let [to_x, to_y, to_z] = segment.to;
    let direction = [(to_x - x) / length, (to_y - y) / length, (to_z - z) / length];
    (direction, direction)
}

#[cfg(test)]
mod tests;
