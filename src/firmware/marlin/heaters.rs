//! The hot end and the bed: they warm and cool at an even rate.

/// One heater.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heater {
    /// Degrees Celsius, now.
    pub(super) celsius: f64,
    /// 0 = off.
    pub(super) target: f64,
    /// Degrees a second.
    rate: f64,
}

/// The room.
const AMBIENT: f64 = 21.0;

/// So near is there.
const NEAR: f64 = 1.0;

impl Heater {
    pub(super) fn new(rate: f64) -> Self {
        Self { celsius: AMBIENT, target: 0.0, rate }
    }

    pub(super) fn advance(&mut self, seconds: f64) {
        let goal = self.target.max(AMBIENT);
        let step = self.rate * seconds;
        self.celsius += (goal - self.celsius).clamp(-step, step);
    }

    /// As hot as it gets, at once.
    pub(super) fn settle(&mut self) {
        self.celsius = self.target.max(AMBIENT);
    }

    /// Seconds until it is warm enough, or cold enough too if `cools`.
    pub(super) fn wait(&self, cools: bool) -> f64 {
        let goal = self.target.max(AMBIENT);
        let left = if cools { (goal - self.celsius).abs() } else { goal - self.celsius };
        if self.target > 0.0 && left > NEAR { (left - NEAR) / self.rate } else { 0.0 }
    }
}

/// Both, as M105 reports them.
pub(super) fn report(tool: &Heater, bed: &Heater) -> String {
    let power = |heater: &Heater| if heater.celsius < heater.target { 127 } else { 0 };
    format!(
        "T:{:.2} /{:.2} B:{:.2} /{:.2} @:{} B@:{}",
        tool.celsius,
        tool.target,
        bed.celsius,
        bed.target,
        power(tool),
        power(bed)
    )
}
