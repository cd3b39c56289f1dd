//! What is particular to plotters.

use std::time::Duration;

use serde::Deserialize;

/// How an HP-GL plotter is driven.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HpglConfig {
    /// How it is kept from losing bytes.
    pub handshake: HpglHandshake,
    /// How many bytes its buffer holds; none is what it says itself.
    pub buffer: Option<usize>,
    /// True if a person changes the pen.
    pub single_pen: bool,
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
