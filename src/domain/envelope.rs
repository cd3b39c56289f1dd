//! How far a machine reaches, and whether that is enough.

use serde::{Deserialize, Serialize};

/// Files are written with three decimals; what is rounded is not out of reach.
const TOLERANCE: f64 = 0.0015;

const AXES: [char; 3] = ['X', 'Y', 'Z'];

/// How far a machine can reach from its origin, in millimetres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// Along X.
    pub x: f64,
    /// Along Y.
    pub y: f64,
    /// Along Z, both ways; unlimited if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z: Option<f64>,
}

impl Envelope {
    /// True if a box does not lie within it.
    pub fn is_left_by(&self, min: [f64; 3], max: [f64; 3]) -> bool {
        self.excess(min, max).next().is_some()
    }

    /// In words by how much a box leaves it on which axes; none if it does not.
    pub fn left_by(&self, min: [f64; 3], max: [f64; 3]) -> Option<String> {
        let part = |(axis, beyond, limit): (usize, f64, f64)| {
            let side = if beyond < 0.0 { "below" } else { "beyond" };
            format!("{} goes {:.3} mm {side} {limit}", AXES[axis], beyond.abs())
        };
        let parts: Vec<String> = self.excess(min, max).map(part).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Axis, millimetres beyond (negative: below) and the limit, for each side that is left.
    fn excess(
        &self,
        min: [f64; 3],
        max: [f64; 3],
    ) -> impl Iterator<Item = (usize, f64, f64)> + use<> {
        let z = self.z.unwrap_or(f64::INFINITY);
        let limits = [(0.0, self.x), (0.0, self.y), (-z, z)];
        limits.into_iter().enumerate().flat_map(move |(axis, (low, high))| {
            let below = (min[axis] < low - TOLERANCE).then_some((axis, min[axis] - low, low));
            let beyond = (max[axis] > high + TOLERANCE).then_some((axis, max[axis] - high, high));
            below.into_iter().chain(beyond)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_by_axis_and_side() {
        let flat = Envelope { x: 300.0, y: 218.0, z: None };
        let told = |envelope: &Envelope, min, max| envelope.left_by(min, max);
        assert_eq!(told(&flat, [0.0, 0.0, -900.0], [300.001, 218.0, 900.0]), None);
        assert_eq!(
            told(&flat, [-0.5, 0.0, 0.0], [312.5, 300.0, 0.0]).unwrap(),
            "X goes 0.500 mm below 0, X goes 12.500 mm beyond 300, Y goes 82.000 mm beyond 218"
        );
        let deep = Envelope { z: Some(50.0), ..flat };
        assert_eq!(told(&deep, [0.0, 0.0, -50.0], [1.0, 1.0, 50.0]), None);
        assert!(deep.is_left_by([0.0, 0.0, -50.1], [1.0, 1.0, 0.0]));
    }
}
