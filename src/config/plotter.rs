//! What is particular to plotters.

use std::time::Duration;

use serde::Deserialize;

use crate::domain::{EbbOptions, Envelope, Machine};

/// How an HP-GL plotter is driven.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HpglConfig {
    /// How it is kept from losing bytes.
    pub handshake: HpglHandshake,
    /// How many bytes its buffer holds; none is what it says itself.
    pub buffer: Option<usize>,
    /// True if a person changes the pen.
    pub single_pen: bool,
    /// How many its carousel holds otherwise.
    pub pens: u32,
}

impl Default for HpglConfig {
    fn default() -> Self {
        let handshake = HpglHandshake::default();
        Self { handshake, buffer: None, single_pen: false, pens: Machine::HPGL_PENS }
    }
}

/// How a plotter is kept from losing bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HpglHandshake {
    /// It is asked how much room it has.
    #[default]
    Poll,
    /// It says XOFF and XON.
    XonXoff,
    /// RTS and CTS.
    RtsCts,
}

/// How an EBB plotter draws.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EbbConfig {
    /// The height of the pen when it is up, in percent of the servo's range.
    pub pen_up: f64,
    /// The same when it is down.
    pub pen_down: f64,
    /// How long the pen takes to go up.
    pub raise: Duration,
    /// How long it takes to go down.
    pub lower: Duration,
    /// The speed with the pen down, in mm/s.
    pub speed_down: f64,
    /// The speed with the pen up.
    pub speed_up: f64,
    /// In mm/s².
    pub acceleration: f64,
    /// How far a rounded corner would be from the sharp one, in millimetres.
    pub junction_deviation: f64,
    /// Steps for a millimetre along X or Y.
    pub steps_per_mm: f64,
    /// Whether the machine's own Y goes down the sheet.
    pub y_down: bool,
}

impl EbbConfig {
    /// How a plotter with this envelope draws.
    pub fn options(&self, envelope: Option<Envelope>) -> EbbOptions {
        // A minute is beyond what any pen takes.
        let milliseconds =
            |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX).min(60_000);
        EbbOptions {
            pen_up: self.pen_up,
            pen_down: self.pen_down,
            raise_ms: milliseconds(self.raise),
            lower_ms: milliseconds(self.lower),
            speed_down_mm_s: self.speed_down,
            speed_up_mm_s: self.speed_up,
            acceleration: self.acceleration,
            junction_deviation: self.junction_deviation,
            steps_per_mm: self.steps_per_mm,
            y_down: self.y_down,
            bed_height: envelope.map(|envelope| envelope.y),
        }
    }
}

impl Default for EbbConfig {
    fn default() -> Self {
        Self {
            pen_up: 60.0,
            pen_down: 30.0,
            raise: Duration::from_millis(250),
            lower: Duration::from_millis(250),
            speed_down: 60.0,
            speed_up: 200.0,
            acceleration: 800.0,
            junction_deviation: 0.02,
            steps_per_mm: 80.0,
            y_down: true,
        }
    }
}
