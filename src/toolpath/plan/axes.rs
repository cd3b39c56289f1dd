//! From millimetres to the steps of a mixed-axis machine, and back.

/// What a motor's step is worth. Motor 1 makes x + y, motor 2 makes x − y (evil-mad/EggBot,
/// docs/ebb.html, `XM`); on an `AxiDraw` 80 sixteenth steps are a millimetre along X or Y.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axes {
    /// Steps of both motors for a millimetre along X or Y.
    pub steps_per_mm: f64,
    /// If the machine counts Y from the upper edge of its bed downwards, how high the bed is; its
    /// coordinates are then given with Y up, from the lower edge. 0 if nobody knows: all that it
    /// reaches is below 0 then.
    pub height: Option<f64>,
}

impl Default for Axes {
    fn default() -> Self {
        Self { steps_per_mm: 80.0, height: None }
    }
}

impl Axes {
    /// Where the motors are when the carriage is there.
    pub fn steps(&self, [x, y]: [f64; 2]) -> [i64; 2] {
        let y = self.height.map_or(y, |height| height - y);
        [x + y, x - y].map(|sum| whole(sum * self.steps_per_mm))
    }

    /// Where the carriage is when the motors are there.
    pub fn point(&self, motors: [i64; 2]) -> [f64; 2] {
        let [first, second] = motors.map(real);
        let (x, y) = (f64::midpoint(first, second), f64::midpoint(first, -second));
        let [x, y] = [x, y].map(|steps| steps / self.steps_per_mm);
        [x, self.height.map_or(y, |height| height - y)]
    }
}

/// The nearest whole number of steps.
#[expect(clippy::cast_possible_truncation, reason = "a float that is cast saturates")]
pub(super) fn whole(value: f64) -> i64 {
    value.round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(super) fn real(steps: i64) -> f64 {
    steps as f64
}
