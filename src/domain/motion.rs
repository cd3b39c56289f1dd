//! How a machine accelerates.

use serde::{Deserialize, Serialize};

/// How fast a machine moves and how it gets there. Axes are X Y Z.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Motion {
    /// Acceleration of each axis in mm/s²; infinite: speeds change at once.
    pub acceleration: [f64; 3],
    /// How far a corner may be cut, in mm: the larger, the faster it is passed (`$11`).
    pub junction_deviation: f64,
    /// Rapid moves of each axis, in mm/min.
    pub rapid: [f64; 3],
    /// Working moves of each axis are never faster, in mm/min.
    pub max_feed: [f64; 3],
}

impl Motion {
    /// A simulated machine: it moves at constant feed, and never faster than 3000 mm/min.
    pub const SIMULATED: Self = Self {
        acceleration: [f64::INFINITY; 3],
        junction_deviation: 0.01,
        rapid: [3000.0; 3],
        max_feed: [3000.0; 3],
    };

    /// A simulated printer: 1 m/s² along its path, never faster than 300 mm/s, corners almost from
    /// rest.
    pub const SIMULATED_MARLIN: Self = Self {
        acceleration: [1000.0; 3],
        junction_deviation: 0.001,
        rapid: [18_000.0; 3],
        max_feed: [18_000.0; 3],
    };

    /// What a small GRBL machine mostly has for `$110` to `$122` and `$11`.
    pub const GRBL: Self = Self {
        acceleration: [500.0; 3],
        junction_deviation: 0.01,
        rapid: [3000.0; 3],
        max_feed: [3000.0; 3],
    };

    /// What Marlin has if nobody changes it (Marlin/Configuration.h: `DEFAULT_MAX_FEEDRATE`,
    /// `DEFAULT_MAX_ACCELERATION`, `JUNCTION_DEVIATION_MM`).
    pub const MARLIN: Self = Self {
        acceleration: [3000.0, 3000.0, 100.0],
        junction_deviation: 0.013,
        rapid: [18_000.0, 18_000.0, 300.0],
        max_feed: [18_000.0, 18_000.0, 300.0],
    };

    /// An EBB plotter: its commands themselves say how long they take.
    pub const AS_TOLD: Self = Self {
        acceleration: [f64::INFINITY; 3],
        junction_deviation: 0.01,
        rapid: [1e9; 3],
        max_feed: [1e9; 3],
    };

    /// A pen plotter as the HP 7475A: 38.1 cm/s and 2 g.
    pub const HPGL: Self = Self {
        acceleration: [19_600.0; 3],
        junction_deviation: 0.01,
        rapid: [22_860.0; 3],
        max_feed: [22_860.0; 3],
    };

    /// What a machine of this driver has if nothing is known of it.
    pub fn usual(driver: &str, simulated: bool) -> Self {
        match driver {
            "ebb" => Self::AS_TOLD,
            "hpgl" if simulated => Self { acceleration: [f64::INFINITY; 3], ..Self::HPGL },
            "hpgl" => Self::HPGL,
            "marlin" if simulated => Self::SIMULATED_MARLIN,
            _ if simulated => Self::SIMULATED,
            "marlin" => Self::MARLIN,
            _ => Self::GRBL,
        }
    }
}
