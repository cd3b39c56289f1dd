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
        }
    }
}
