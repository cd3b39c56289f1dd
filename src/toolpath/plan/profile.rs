//! How fast along a line of points: as fast as is allowed, slower into corners, at rest at both ends.

/// What limits motion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Millimetres a second along the line.
    pub(super) speed: f64,
    /// Millimetres a second².
    pub(super) acceleration: f64,
    /// How far a rounded corner would be from the sharp one, in millimetres: sets the speed that a
    /// corner is taken at.
    pub(super) deviation: f64,
    /// What a motor may make, in millimetres a second along its own axis.
    pub(super) motor: f64,
    /// No line between two points is run through in less: the board reads no faster.
    pub(super) least_seconds: f64,
}

/// A straight piece with constant acceleration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Piece {
    /// Where it ends.
    pub(super) to: [f64; 2],
    pub(super) seconds: f64,
    /// Speeds at its two ends.
    pub(super) from_speed: f64,
    pub(super) to_speed: f64,
}

struct Segment {
    from: [f64; 2],
    unit: [f64; 2],
    length: f64,
    speed: f64,
    /// At its beginning.
    entry: f64,
}

/// Gives the pieces of the way along `points` one by one.
pub(super) fn pieces(points: &[[f64; 2]], limits: &Limits, mut each: impl FnMut(Piece)) {
    let mut segments: Vec<Segment> = Vec::with_capacity(points.len());
    for pair in points.windows(2) {
        let [dx, dy] = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]];
        let length = dx.hypot(dy);
        if length <= 0.0 {
            continue;
        }
        let unit = [dx / length, dy / length];
        let motor = (unit[0] + unit[1]).abs().max((unit[0] - unit[1]).abs());
        let speed =
            limits.speed.min(limits.motor / motor).min(length / limits.least_seconds).max(1e-3);
        let entry = segments
            .last()
            .map_or(0.0, |before| corner(before.unit, unit, limits).min(speed).min(before.speed));
        segments.push(Segment { from: pair[0], unit, length, speed, entry });
    }
    let reach =
        |speed: f64, length: f64| (speed * speed + 2.0 * limits.acceleration * length).sqrt();
    let mut next = 0.0;
    for segment in segments.iter_mut().rev() {
        segment.entry = segment.entry.min(reach(next, segment.length));
        next = segment.entry;
    }
    for index in 1..segments.len() {
        let most = reach(segments[index - 1].entry, segments[index - 1].length);
        segments[index].entry = segments[index].entry.min(most);
    }
    for (index, segment) in segments.iter().enumerate() {
        let exit = segments.get(index + 1).map_or(0.0, |next| next.entry);
        segment.pieces(exit, limits, &mut each);
    }
}

/// The speed at which a corner is as far from the sharp one as is allowed.
fn corner(before: [f64; 2], after: [f64; 2], limits: &Limits) -> f64 {
    let cosine = -(before[0] * after[0] + before[1] * after[1]);
    if cosine <= -0.999_999 {
        return f64::INFINITY;
    }
    let half = ((1.0 - cosine) / 2.0).max(0.0).sqrt();
    (limits.acceleration * limits.deviation * half / (1.0 - half).max(1e-9)).sqrt()
}

impl Segment {
    /// Up to three pieces: faster, steady, slower.
    fn pieces(&self, exit: f64, limits: &Limits, each: &mut impl FnMut(Piece)) {
        let (entry, a) = (self.entry, limits.acceleration);
        let peak = ((2.0 * a * self.length + entry * entry + exit * exit) / 2.0).sqrt();
        let top = peak.min(self.speed);
        let up = ((top * top - entry * entry) / (2.0 * a)).max(0.0);
        let down = ((top * top - exit * exit) / (2.0 * a)).max(0.0);
        let flat = (self.length - up - down).max(0.0);
        let times = [2.0 * up / (entry + top), flat / top, 2.0 * down / (exit + top)];
        let total: f64 = times.iter().filter(|time| time.is_finite()).sum();
        // Short pieces are not worth a command each: one constant acceleration does.
        if total < 3.0 * limits.least_seconds && entry + exit > top {
            let seconds = 2.0 * self.length / (entry + exit);
            let to = self.at(self.length);
            return each(Piece { to, seconds, from_speed: entry, to_speed: exit });
        }
        let ends = [up, up + flat, self.length];
        let speeds = [(entry, top), (top, top), (top, exit)];
        for ((end, seconds), (from_speed, to_speed)) in ends.into_iter().zip(times).zip(speeds) {
            if seconds.is_finite() && seconds > 1e-9 {
                each(Piece { to: self.at(end), seconds, from_speed, to_speed });
            }
        }
    }

    fn at(&self, distance: f64) -> [f64; 2] {
        [self.from[0] + self.unit[0] * distance, self.from[1] + self.unit[1] * distance]
    }
}
