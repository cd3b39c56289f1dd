//! Cubic curves (G5 of Marlin, marlinfw.org/docs/gcode/G005.html).

/// Straight pieces of a curve.
const PIECES: u32 = 32;

/// The points of a curve after its first, in the plane of X and Y; any other axis goes along evenly.
/// `leaves` and `arrives` are where its handles end.
pub(super) fn points(
    from: [f64; 3],
    leaves: [f64; 2],
    arrives: [f64; 2],
    to: [f64; 3],
) -> impl Iterator<Item = [f64; 3]> {
    (1..=PIECES).map(move |piece| {
        let share = f64::from(piece) / f64::from(PIECES);
        let rest = 1.0 - share;
        let along = |axis: usize| {
            from[axis] * rest.powi(3)
                + 3.0 * leaves[axis] * rest.powi(2) * share
                + 3.0 * arrives[axis] * rest * share.powi(2)
                + to[axis] * share.powi(3)
        };
        [along(0), along(1), from[2] * rest + to[2] * share]
    })
}
