//! The motion queue and its clock.

use std::collections::VecDeque;

use crate::firmware::Drawing;

/// Blocks that can wait (`BLOCK_BUFFER_SIZE` 16, of which one slot stays empty).
pub(super) const CAPACITY: usize = 15;

/// How fast motion slows down in a hold, in mm/s².
const DECELERATION: f64 = 500.0;

/// One straight move, planned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) to: [f64; 3],
    /// Millimetres a second.
    pub(super) speed: f64,
    pub(super) draw: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hold {
    /// Motion goes on.
    No,
    /// It slows down for that many seconds more.
    Slowing(f64),
    /// It stands.
    Standing,
}

/// Moves along its queue at constant feed.
#[derive(Debug)]
pub(super) struct Planner {
    queue: VecDeque<Block>,
    /// In the machine's own coordinates.
    pub(super) position: [f64; 3],
    /// Where their zero lies, from the corner that homing finds: a machine that is switched on
    /// takes the place where it stands for it.
    origin: [f64; 3],
    pub(super) hold: Hold,
    pub(super) drawing: Drawing,
    /// Motion takes no time.
    instant: bool,
}

impl Planner {
    pub(super) fn new(instant: bool) -> Self {
        Self {
            queue: VecDeque::new(),
            position: [0.0; 3],
            origin: [0.0; 3],
            hold: Hold::No,
            drawing: Drawing::default(),
            instant,
        }
    }

    /// The machine has been switched on where it stands.
    pub(super) fn switched_on(&mut self) {
        self.clear();
        self.origin = self.place(self.position);
        self.position = [0.0; 3];
    }

    /// The corner with the switches.
    pub(super) fn home(&self) -> [f64; 3] {
        self.origin.map(|axis| -axis)
    }

    /// It has reached the switches.
    pub(super) fn homed(&mut self) {
        (self.origin, self.position) = ([0.0; 3], [0.0; 3]);
    }

    fn place(&self, position: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|axis| self.origin[axis] + position[axis])
    }

    pub(super) fn has_room(&self) -> bool {
        self.queue.len() < CAPACITY
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn free(&self) -> usize {
        CAPACITY - self.queue.len()
    }

    /// Where the last planned block ends.
    pub(super) fn end(&self) -> [f64; 3] {
        self.queue.back().map_or(self.position, |block| block.to)
    }

    /// Millimetres a second, now.
    pub(super) fn speed(&self) -> f64 {
        match (self.hold, self.queue.front()) {
            (Hold::No, Some(block)) => block.speed,
            (Hold::Slowing(_), Some(block)) => block.speed / 2.0,
            _ => 0.0,
        }
    }

    pub(super) fn push(&mut self, block: Block) {
        self.queue.push_back(block);
        if self.instant && self.hold == Hold::No {
            self.advance(0.0);
        }
    }

    /// Feed hold; from standstill it holds at once.
    pub(super) fn hold(&mut self) {
        if self.hold == Hold::No {
            self.hold = match self.queue.front() {
                Some(block) if !self.instant => Hold::Slowing(block.speed / DECELERATION),
                _ => Hold::Standing,
            };
        }
    }

    /// Forgets all motion; what was done of the current block is drawn.
    pub(super) fn clear(&mut self) {
        if let Some(block) = self.queue.front()
            && let place = self.place(self.position)
            && self.drawing.moves.back().is_some_and(|last| distance(last.to, place) > 0.0)
        {
            self.drawing.add(place, block.draw);
        }
        self.queue.clear();
        self.hold = Hold::No;
    }

    /// Seconds until a block or the slowing ends.
    pub(super) fn next(&self) -> Option<f64> {
        match self.hold {
            Hold::Standing => None,
            Hold::Slowing(left) => Some(left),
            Hold::No => {
                let block = self.queue.front()?;
                Some(distance(self.position, block.to) / block.speed)
            }
        }
    }

    pub(super) fn advance(&mut self, mut seconds: f64) {
        match &mut self.hold {
            Hold::Standing => {}
            Hold::Slowing(left) => {
                let part = seconds.min(*left);
                *left -= part;
                let stands = *left <= 0.0;
                // Constant deceleration covers half the distance of constant speed.
                self.travel(part / 2.0);
                if stands {
                    self.hold = Hold::Standing;
                }
            }
            Hold::No => {
                while !self.queue.is_empty() && (seconds > 0.0 || self.instant) {
                    seconds = self.travel(seconds);
                }
                // A move of no length takes no time.
                while self
                    .queue
                    .front()
                    .is_some_and(|block| distance(block.to, self.position) <= 0.0)
                {
                    self.travel(0.0);
                }
            }
        }
    }

    /// Follows the first block for at most so long; returns what is left of the time.
    fn travel(&mut self, seconds: f64) -> f64 {
        let Some(block) = self.queue.front().copied() else { return 0.0 };
        let left = distance(self.position, block.to);
        let needed = left / block.speed;
        // The clock of the caller counts nanoseconds.
        if self.instant || seconds + 1e-9 >= needed {
            self.queue.pop_front();
            self.position = block.to;
            self.drawing.add(self.place(block.to), block.draw);
            return (seconds - needed).max(0.0);
        }
        let share = seconds / needed;
        for (axis, to) in block.to.into_iter().enumerate() {
            self.position[axis] += (to - self.position[axis]) * share;
        }
        0.0
    }
}

pub(super) fn distance(from: [f64; 3], to: [f64; 3]) -> f64 {
    from.into_iter().zip(to).map(|(from, to)| (to - from).powi(2)).sum::<f64>().sqrt()
}
