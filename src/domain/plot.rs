//! How a drawing becomes a program.

use serde::Deserialize;

/// How a machine draws what is not in its own language. Fields carry the names of their keys in the
/// configuration.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlotOptions {
    /// How far straight pieces may be off a curve.
    pub tolerance_mm: f64,
    /// Lines whose ends are nearer than that are drawn without lifting the pen; 0 joins none.
    pub join_mm: f64,
    /// Lines come in the order that is shortest to travel, not in the order of the file.
    pub optimise: bool,
    /// How fast the pen draws (G-code).
    pub feed_mm_per_min: f64,
    /// Lines that lift the pen (G-code).
    pub pen_up: Vec<String>,
    /// Lines that put the pen down (G-code).
    pub pen_down: Vec<String>,
    /// A job stops before each layer but the first for a person to change the pen.
    pub stop_between_layers: bool,
}

impl Default for PlotOptions {
    /// A pen that is moved by Z.
    fn default() -> Self {
        Self {
            tolerance_mm: 0.05,
            join_mm: 0.05,
            optimise: true,
            feed_mm_per_min: 1500.0,
            pen_up: vec!["G0 Z5".to_owned()],
            pen_down: vec!["G1 Z0 F600".to_owned()],
            stop_between_layers: true,
        }
    }
}

/// How an EBB plotter draws.
#[derive(Clone, Debug, PartialEq)]
pub struct EbbOptions {
    /// The height of the pen when it is up, in percent of the servo's range.
    pub pen_up: f64,
    /// The same when it is down.
    pub pen_down: f64,
    /// How long the pen takes to go up, in milliseconds.
    pub raise_ms: u32,
    /// How long it takes to go down.
    pub lower_ms: u32,
    /// The speed with the pen down, in mm/s.
    pub speed_down_mm_s: f64,
    /// The speed with the pen up.
    pub speed_up_mm_s: f64,
    /// In mm/s².
    pub acceleration: f64,
    /// How far a rounded corner would be from the sharp one, in millimetres: the larger, the faster
    /// corners are taken.
    pub junction_deviation: f64,
    /// Steps for a millimetre along X or Y.
    pub steps_per_mm: f64,
    /// Whether the machine's own Y goes down the sheet, from its upper edge, as that of an `AxiDraw`
    /// does.
    pub y_down: bool,
    /// How high the bed is, if that is known: places on a machine whose Y goes down are then told
    /// with Y up, from its lower edge.
    pub bed_height: Option<f64>,
}

impl Default for EbbOptions {
    fn default() -> Self {
        Self {
            pen_up: 60.0,
            pen_down: 30.0,
            raise_ms: 250,
            lower_ms: 250,
            speed_down_mm_s: 60.0,
            speed_up_mm_s: 200.0,
            acceleration: 800.0,
            junction_deviation: 0.02,
            steps_per_mm: 80.0,
            y_down: true,
            bed_height: None,
        }
    }
}
