//! Arcs as chords (gnea/grbl, `motion_control.c`).

use std::f64::consts::TAU;

use super::parser::{Modal, Words};

/// Chords of arcs stay this close to them, in millimetres ($12).
const ARC_TOLERANCE: f64 = 0.002;

impl Modal {
    /// The ends of its chords.
    pub(super) fn arc(
        &self,
        block: &Words,
        from: [f64; 3],
        to: [f64; 3],
        scale: f64,
    ) -> Result<Vec<[f64; 3]>, u8> {
        let (first, second) = self.plane;
        let clockwise = self.motion == 20;
        let (dx, dy) = (to[first] - from[first], to[second] - from[second]);
        // Offset from the start to the centre.
        let (i, j) = if let Some(radius) = block.radius {
            let radius = radius * scale;
            if dx == 0.0 && dy == 0.0 {
                return Err(33);
            }
            let square = 4.0 * radius * radius - dx * dx - dy * dy;
            if square < 0.0 {
                return Err(34);
            }
            let mut h = -square.sqrt() / dx.hypot(dy);
            if !clockwise {
                h = -h;
            }
            if radius < 0.0 {
                h = -h;
            }
            (0.5 * (dx - dy * h), 0.5 * (dy + dx * h))
        } else {
            if block.centre[first].is_none() && block.centre[second].is_none() {
                return Err(35);
            }
            (
                block.centre[first].unwrap_or(0.0) * scale,
                block.centre[second].unwrap_or(0.0) * scale,
            )
        };
        let (from_radius, to_radius) = (i.hypot(j), (dx - i).hypot(dy - j));
        let miss = (from_radius - to_radius).abs();
        if miss > 0.5 || (miss > 0.005 && miss > 0.001 * from_radius) {
            return Err(33);
        }
        let start = (-j).atan2(-i);
        // By cross and dot product, as GRBL does it: zeros of either sign are the same there.
        let (end_x, end_y) = (dx - i, dy - j);
        let mut sweep = (j * end_x - i * end_y).atan2(-i * end_x - j * end_y);
        if clockwise {
            if sweep >= -5e-7 {
                sweep -= TAU;
            }
        } else if sweep <= 5e-7 {
            sweep += TAU;
        }
        let chord = (ARC_TOLERANCE * (2.0 * from_radius - ARC_TOLERANCE)).max(0.0).sqrt();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 100 000")]
        let count = (0.5 * sweep * from_radius / chord).abs().clamp(1.0, 1e5) as u32;
        let third = 3 - first - second;
        let point = |index: u32| {
            if index == count {
                return to;
            }
            let share = f64::from(index) / f64::from(count);
            let angle = start + sweep * share;
            let mut at = from;
            at[first] += i + from_radius * angle.cos();
            at[second] += j + from_radius * angle.sin();
            at[third] += (to[third] - from[third]) * share;
            at
        };
        Ok((1..=count).map(point).collect())
    }
}
