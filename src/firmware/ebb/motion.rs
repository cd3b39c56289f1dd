//! The motion queue: what is carried out, what waits, where the carriage is.
//!
//! Every 40 µs each motor's rate is added to its accumulator, and a step is made whenever that
//! reaches 2³¹; the acceleration is added to the rate (evil-mad/EggBot, docs/ebb.html, `LM`). Here the
//! sums are taken at once: after T intervals the accumulator is C + R T + A T² / 2.

use std::collections::VecDeque;

use crate::firmware::Drawing;

/// Intervals a second.
pub(super) const CLOCK: f64 = 25_000.0;

/// What the accumulator must reach for a step.
pub(super) const STEP: i128 = 1 << 31;

/// Sixteenth steps for a millimetre along X or Y; a mixed-axis machine makes them with both motors.
const STEPS_PER_MM: f64 = 80.0;

/// How high the pen hangs when it is up, as far as a drawing is concerned.
const PEN_UP_MM: f64 = 1.0;

/// One motor's part of a move.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Axis {
    pub(super) rate: i128,
    pub(super) accel: i128,
    /// With the sign of the direction.
    pub(super) steps: i64,
    /// Begins with an empty accumulator.
    pub(super) clear: bool,
}

/// A command of the motion queue.
#[derive(Clone, Copy, Debug)]
pub(super) enum Motion {
    Steps([Axis; 2]),
    /// So many intervals, however many steps that makes.
    Timed([Axis; 2], u64),
    Delay(f64),
    Pen {
        up: bool,
        seconds: f64,
    },
    /// `EM`: the step mode, if it is set, and which motors are on.
    Motors {
        mode: Option<u8>,
        on: [Option<bool>; 2],
    },
    Home {
        frequency: f64,
        to: [i64; 2],
    },
}

/// One motor on its way.
#[derive(Clone, Copy, Debug)]
struct Leg {
    start: i128,
    rate: i128,
    accel: i128,
    steps: i64,
    direction: i64,
    /// In how many intervals it is done.
    end: u64,
}

impl Leg {
    fn accumulator(&self, intervals: u64) -> i128 {
        let t = i128::from(intervals);
        self.start + i128::midpoint(2 * self.rate * t, self.accel * t * t)
    }

    fn steps_at(&self, intervals: u64) -> i64 {
        if intervals >= self.end {
            return self.steps;
        }
        let steps = self.accumulator(intervals) / STEP;
        i64::try_from(steps).unwrap_or(self.steps).clamp(0, self.steps)
    }
}

#[derive(Debug)]
struct Running {
    motion: Motion,
    legs: Option<[Leg; 2]>,
    from: [i64; 2],
    seconds: f64,
    elapsed: f64,
}

/// Queue, motors and pen.
#[derive(Debug)]
pub(super) struct Machine {
    running: Option<Running>,
    queue: VecDeque<Motion>,
    pub(super) depth: usize,
    accumulators: [i128; 2],
    /// The global step counters.
    pub(super) counters: [i64; 2],
    /// Where the carriage is, in sixteenth steps of the motors.
    place: [i64; 2],
    pub(super) mode: u8,
    pub(super) on: [bool; 2],
    pub(super) pen_up: bool,
    /// The motors have their supply; without it they make no step.
    pub(super) powered: bool,
    /// A limit switch has stopped all motion.
    pub(super) limited: bool,
    /// Moves whose rate fell below zero before they were done: a mistake of whoever sent them.
    pub(super) rollovers: u64,
    /// The fastest that a motor was asked to go, in steps a second.
    pub(super) fastest: f64,
    pub(super) drawing: Drawing,
}

impl Machine {
    pub(super) fn new(powered: bool) -> Self {
        Self {
            running: None,
            queue: VecDeque::new(),
            depth: 1,
            accumulators: [0; 2],
            counters: [0; 2],
            place: [0; 2],
            mode: 1,
            on: [false; 2],
            pen_up: true,
            powered,
            limited: false,
            rollovers: 0,
            fastest: 0.0,
            drawing: Drawing::default(),
        }
    }

    /// What a restart does: everything is forgotten but where the carriage and the pen are.
    pub(super) fn restart(&mut self) {
        self.stop();
        self.depth = 1;
        self.accumulators = [0; 2];
        self.counters = [0; 2];
        self.mode = 1;
        self.on = [false; 2];
        self.limited = false;
        self.pen_up = true;
    }

    pub(super) fn has_room(&self) -> bool {
        self.queue.len() < self.depth
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_executing(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn moves(&self, motor: usize) -> bool {
        self.running.as_ref().is_some_and(|running| {
            running.legs.is_some_and(|legs| running.elapsed * CLOCK < as_f64(legs[motor].end))
        })
    }

    pub(super) fn push(&mut self, motion: Motion) {
        if self.limited && !matches!(motion, Motion::Motors { .. }) {
            return;
        }
        self.queue.push_back(motion);
        self.begin();
    }

    /// Stops at once and forgets what waits; true if there was anything.
    pub(super) fn stop(&mut self) -> bool {
        let waited = !self.queue.is_empty();
        self.queue.clear();
        let Some(running) = self.running.take() else { return waited };
        if running.legs.is_some() && running.elapsed > 0.0 {
            self.draw();
        }
        true
    }

    pub(super) fn clear_counters(&mut self) {
        self.counters = [0; 2];
        self.accumulators = [0; 2];
    }

    /// Seconds until the command that is carried out is done.
    pub(super) fn next(&self) -> Option<f64> {
        self.running.as_ref().map(|running| running.seconds - running.elapsed)
    }

    pub(super) fn advance(&mut self, seconds: f64) {
        let Some(running) = &mut self.running else { return };
        running.elapsed += seconds;
        // The clock of the caller counts nanoseconds.
        let done = running.elapsed + 1e-9 >= running.seconds;
        if let Some(legs) = running.legs {
            let intervals = if done { u64::MAX } else { whole((running.elapsed * CLOCK).max(0.0)) };
            let (from, shift) = (running.from, u32::from(self.mode.max(1) - 1));
            for motor in 0..2 {
                let leg = &legs[motor];
                let counter = from[motor] + leg.direction * leg.steps_at(intervals);
                let made = counter - std::mem::replace(&mut self.counters[motor], counter);
                if self.powered {
                    self.place[motor] += made << shift;
                }
            }
        }
        if done {
            self.end();
            self.begin();
        }
    }

    fn end(&mut self) {
        let Some(running) = self.running.take() else { return };
        if let Some(legs) = running.legs {
            for (accumulator, leg) in self.accumulators.iter_mut().zip(legs) {
                *accumulator =
                    (leg.accumulator(leg.end) - i128::from(leg.steps) * STEP).clamp(0, STEP - 1);
            }
            self.draw();
        }
        if let Motion::Pen { .. } = running.motion {
            self.draw();
        }
    }

    /// Takes the next command of the queue.
    fn begin(&mut self) {
        while self.running.is_none()
            && let Some(motion) = self.queue.pop_front()
        {
            let from = self.counters;
            let (legs, seconds) = match motion {
                Motion::Steps(axes) => {
                    let legs = self.legs(axes, None);
                    (Some(legs), as_f64(legs[0].end.max(legs[1].end)) / CLOCK)
                }
                Motion::Timed(axes, intervals) => {
                    (Some(self.legs(axes, Some(intervals))), as_f64(intervals) / CLOCK)
                }
                Motion::Home { frequency, to } => {
                    let distance = [to[0] - from[0], to[1] - from[1]];
                    let longest = distance[0].abs().max(distance[1].abs());
                    let intervals = (steps(longest) / frequency * CLOCK).max(1.0);
                    let axes = distance.map(|steps| Axis {
                        rate: rate(steps.abs(), intervals),
                        steps,
                        clear: true,
                        ..Axis::default()
                    });
                    let legs = self.legs(axes, None);
                    (Some(legs), as_f64(legs[0].end.max(legs[1].end)) / CLOCK)
                }
                Motion::Delay(seconds) => (None, seconds),
                Motion::Pen { up, seconds } => {
                    self.pen_up = up;
                    (None, seconds)
                }
                Motion::Motors { mode, on } => {
                    self.motors(mode, on);
                    continue;
                }
            };
            if legs.is_some() {
                self.on = [true; 2];
            }
            self.running = Some(Running { motion, legs, from, seconds, elapsed: 0.0 });
        }
    }

    fn motors(&mut self, mode: Option<u8>, on: [Option<bool>; 2]) {
        self.limited = false;
        self.mode = mode.unwrap_or(self.mode);
        for (motor, on) in self.on.iter_mut().zip(on) {
            *motor = on.unwrap_or(*motor);
        }
        self.counters = [0; 2];
    }

    fn legs(&mut self, axes: [Axis; 2], intervals: Option<u64>) -> [Leg; 2] {
        let mut legs = [0, 1].map(|motor| {
            let part = axes[motor];
            let start = if part.clear { 0 } else { self.accumulators[motor] };
            let mut leg = Leg {
                start,
                rate: part.rate.abs(),
                accel: part.accel,
                steps: part.steps.abs(),
                direction: part.steps.signum(),
                end: 0,
            };
            if part.rate < 0 {
                (leg.direction, leg.accel) = (-leg.direction, -part.accel);
            }
            leg
        });
        for leg in &mut legs {
            if let Some(intervals) = intervals {
                leg.end = intervals;
                let made = leg.accumulator(intervals) / STEP;
                leg.steps = i64::try_from(made).unwrap_or(0).max(0);
            } else {
                leg.end = self.intervals(leg);
            }
            let last = leg.rate + leg.accel * i128::from(leg.end);
            let fastest = big(leg.rate.max(last)) / big(STEP) * CLOCK;
            if leg.steps > 0 {
                self.fastest = self.fastest.max(fastest);
            }
        }
        legs
    }

    /// In how many intervals the motor makes its steps.
    fn intervals(&mut self, leg: &mut Leg) -> u64 {
        let wanted = i128::from(leg.steps) * STEP;
        if leg.steps == 0 || (leg.rate == 0 && leg.accel <= 0) {
            // Nothing moves such a motor.
            leg.steps = 0;
            return 0;
        }
        let (a, b, c) = (big(leg.accel) / 2.0, big(leg.rate), big(leg.start - wanted));
        let root = b * b - 4.0 * a * c;
        if root < 0.0 {
            // The rate falls below zero and rolls over: the rest is made at full speed.
            self.rollovers += 1;
            return whole(b / -big(leg.accel)) + leg.steps.unsigned_abs();
        }
        let mut end = whole((-2.0 * c / (b + root.sqrt())).max(1.0));
        while end > 1 && leg.accumulator(end - 1) >= wanted {
            end -= 1;
        }
        while leg.accumulator(end) < wanted && leg.accumulator(end + 1) > leg.accumulator(end) {
            end += 1;
        }
        if leg.accumulator(end) < wanted {
            self.rollovers += 1;
        }
        end
    }

    fn draw(&mut self) {
        let [first, second] = self.place.map(steps);
        let z = if self.pen_up { PEN_UP_MM } else { 0.0 };
        let to =
            [f64::midpoint(first, second) / STEPS_PER_MM, (first - second) / 2.0 / STEPS_PER_MM, z];
        let moved = self.drawing.moves.back().is_none_or(|last| last.to[..2] != to[..2]);
        self.drawing.add(to, !self.pen_up && moved);
    }
}

/// The rate that makes so many steps in so many intervals.
#[expect(clippy::cast_possible_truncation, reason = "a float that is cast saturates")]
pub(super) fn rate(steps_wanted: i64, intervals: f64) -> i128 {
    (steps(steps_wanted) * big(STEP) / intervals).ceil() as i128
}

#[expect(clippy::cast_precision_loss, reason = "accumulators are compared exactly afterwards")]
fn big(value: i128) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn steps(value: i64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn as_f64(value: u64) -> f64 {
    value as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that is cast saturates"
)]
fn whole(value: f64) -> u64 {
    value as u64
}
