//! A motion queue that simulated machines share: trapezoids on a clock of their own.

use std::collections::VecDeque;

use super::Drawing;

/// How fast motion gains and loses speed, in mm/s².
const ACCELERATION: f64 = 1000.0;

/// A corner whose cosine is above this is taken at full speed, any other from rest.
const STRAIGHT: f64 = 0.99;

/// X, Y, Z and the filament, in millimetres.
pub(super) type Axes = [f64; 4];

/// One straight move, planned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) to: Axes,
    /// Millimetres a second.
    pub(super) speed: f64,
    pub(super) draw: bool,
}

/// A block on its way: a ramp up, a cruise, a ramp down.
#[derive(Clone, Copy, Debug)]
struct Travel {
    from: Axes,
    length: f64,
    entry: f64,
    peak: f64,
    exit: f64,
    /// Seconds spent on it.
    spent: f64,
}

impl Travel {
    fn new(from: Axes, block: &Block, entry: f64, junction: f64) -> Self {
        let length = distance(from, block.to);
        let entry = entry.min(block.speed);
        let reach = 2.0 * ACCELERATION * length;
        let exit = junction.min(block.speed).min((entry * entry + reach).sqrt());
        // One that is too short to slow down on leaves as fast as it can.
        let exit = exit.max((entry * entry - reach).max(0.0).sqrt());
        let summit = f64::midpoint(reach, entry * entry + exit * exit).max(0.0).sqrt();
        let summit = summit.max(entry).max(exit);
        Self { from, length, entry, peak: block.speed.min(summit), exit, spent: 0.0 }
    }

    fn ramps(&self) -> (f64, f64) {
        ((self.peak - self.entry) / ACCELERATION, (self.peak - self.exit) / ACCELERATION)
    }

    fn cruise(&self) -> f64 {
        let (up, down) = self.ramps();
        let ramps =
            f64::midpoint(self.entry, self.peak) * up + f64::midpoint(self.peak, self.exit) * down;
        if self.peak > 0.0 { ((self.length - ramps) / self.peak).max(0.0) } else { 0.0 }
    }

    fn seconds(&self) -> f64 {
        let (up, down) = self.ramps();
        if self.length <= 0.0 { 0.0 } else { up + self.cruise() + down }
    }

    /// How much of the way is behind it, 0 to 1.
    fn share(&self) -> f64 {
        if self.length <= 0.0 {
            return 1.0;
        }
        let ((up, down), cruise) = (self.ramps(), self.cruise());
        let (a, b) = (self.spent.min(up), (self.spent - up).clamp(0.0, cruise));
        let c = (self.spent - up - cruise).clamp(0.0, down);
        let way = self.entry * a + ACCELERATION * a * a / 2.0 + self.peak * (b + c)
            - ACCELERATION * c * c / 2.0;
        (way / self.length).clamp(0.0, 1.0)
    }
}

/// Blocks and where the machine is on them.
#[derive(Debug)]
pub(super) struct Planner {
    queue: VecDeque<Block>,
    capacity: usize,
    travel: Option<Travel>,
    exit: f64,
    pub(super) position: Axes,
    pub(super) drawing: Drawing,
    /// Motion takes no time.
    instant: bool,
}

impl Planner {
    /// `blocks` in the ring, of which one stays empty.
    pub(super) fn new(blocks: usize, instant: bool) -> Self {
        Self {
            queue: VecDeque::new(),
            capacity: blocks.saturating_sub(1).max(1),
            travel: None,
            exit: 0.0,
            position: [0.0; 4],
            drawing: Drawing::default(),
            instant,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.queue.len() < self.capacity
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn free(&self) -> usize {
        self.capacity - self.queue.len()
    }

    /// Where the last planned block ends.
    pub(super) fn end(&self) -> Axes {
        self.queue.back().map_or(self.position, |block| block.to)
    }

    pub(super) fn push(&mut self, block: Block) {
        if self.instant {
            self.position = block.to;
            self.drawing.add([block.to[0], block.to[1], block.to[2]], block.draw);
        } else {
            self.queue.push_back(block);
            self.begin();
        }
    }

    /// Stops dead; what was done of the current block is drawn.
    pub(super) fn clear(&mut self) {
        if let (Some(travel), Some(block)) = (&self.travel, self.queue.front())
            && travel.spent > 0.0
        {
            let [x, y, z, _] = self.position;
            self.drawing.add([x, y, z], block.draw);
        }
        self.queue.clear();
        (self.travel, self.exit) = (None, 0.0);
    }

    /// Seconds until the block ends that is on its way.
    pub(super) fn next(&self) -> Option<f64> {
        self.travel.map(|travel| (travel.seconds() - travel.spent).max(0.0))
    }

    pub(super) fn advance(&mut self, mut seconds: f64) {
        while let Some(travel) = &mut self.travel {
            let left = travel.seconds() - travel.spent;
            // The clock of the caller counts nanoseconds.
            if seconds + 1e-9 < left {
                travel.spent += seconds;
                let (share, from) = (travel.share(), travel.from);
                if let Some(block) = self.queue.front() {
                    self.position = std::array::from_fn(|axis| {
                        from[axis] + (block.to[axis] - from[axis]) * share
                    });
                }
                return;
            }
            seconds = (seconds - left).max(0.0);
            self.exit = travel.exit;
            self.travel = None;
            if let Some(block) = self.queue.pop_front() {
                self.position = block.to;
                self.drawing.add([block.to[0], block.to[1], block.to[2]], block.draw);
            }
            self.begin();
        }
        self.exit = 0.0;
    }

    fn begin(&mut self) {
        if self.travel.is_some() {
            return;
        }
        let Some(block) = self.queue.front() else { return };
        let junction = self.queue.get(1).map_or(0.0, |next| {
            if cosine(self.position, block.to, next.to) > STRAIGHT { next.speed } else { 0.0 }
        });
        self.travel = Some(Travel::new(self.position, block, self.exit, junction));
    }
}

/// The length of the way, or of the filament if there is no other motion.
pub(super) fn distance(from: Axes, to: Axes) -> f64 {
    let way = (0..3).map(|axis| (to[axis] - from[axis]).powi(2)).sum::<f64>().sqrt();
    if way > 0.0 { way } else { (to[3] - from[3]).abs() }
}

fn cosine(a: Axes, b: Axes, c: Axes) -> f64 {
    let dot: f64 = (0..3).map(|axis| (b[axis] - a[axis]) * (c[axis] - b[axis])).sum();
    let lengths = distance(a, b) * distance(b, c);
    if lengths > 0.0 { dot / lengths } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(blocks: &[(f64, f64, f64)]) -> Planner {
        let mut planner = Planner::new(16, false);
        for (x, y, speed) in blocks {
            planner.push(Block { to: [*x, *y, 0.0, 0.0], speed: *speed, draw: true });
        }
        planner
    }

    #[test]
    fn a_move_takes_what_a_trapezoid_takes() {
        // Up in 0.05 s on 1.25 mm, down the same: 97.5 mm at 50 mm/s are 1.95 s.
        let mut planner = planned(&[(100.0, 0.0, 50.0)]);
        assert!((planner.next().unwrap() - 2.05).abs() < 1e-9);
        planner.advance(0.05);
        assert!((planner.position[0] - 1.25).abs() < 1e-9);
        planner.advance(1.0);
        assert!((planner.position[0] - 51.25).abs() < 1e-9);
        planner.advance(1.0);
        assert!(planner.is_empty() && planner.drawing.total == 1);
    }

    #[test]
    fn a_short_move_never_gets_to_its_speed_and_a_straight_corner_is_not_stopped_at() {
        let planner = planned(&[(1.0, 0.0, 100.0)]);
        assert!((planner.next().unwrap() - 2.0 * (1.0_f64 / 1000.0).sqrt()).abs() < 1e-9);
        // The first block begins before the second is known: three are needed to see it.
        let mut straight = planned(&[(10.0, 0.0, 50.0), (60.0, 0.0, 50.0), (110.0, 0.0, 50.0)]);
        straight.advance(straight.next().unwrap());
        // From rest and on at full speed: one ramp.
        assert!((straight.next().unwrap() - (0.05 + 48.75 / 50.0)).abs() < 1e-9);
    }
}
