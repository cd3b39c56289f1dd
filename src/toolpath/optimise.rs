//! The order and the direction of strokes, so that a pen travels less between them.
//!
//! 1. Strokes that are there twice are drawn once.
//! 2. Strokes whose ends meet become one.
//! 3. From where the pen is, the stroke that begins or ends nearest comes next.
//! 4. Pieces of that order are turned around where that is shorter (2-opt).
//!
//! Work is bounded by counting, not by time: the same drawing always comes out the same.

use std::collections::HashSet;

use super::{
    drawing::{Drawing, Stroke, gap, travel},
    nearest::Nearest,
};

/// Strokes that 2-opt may turn around, and neighbours it may look at, for one drawing.
const WORK: u64 = 10_000_000;

/// Nodes that the search for neighbours may look at.
const SEARCH: u64 = 400_000_000;

/// 2-opt turns around at most that many strokes at a time.
const LONGEST_TURN: usize = 5_000;

/// Points that differ by less, in millimetres, are the same when strokes are compared.
const SAME: f64 = 1e-3;

/// Puts the strokes of each layer in a good order. Ends that are nearer than `join_mm` to each other
/// are joined. The pen never travels further than it did in the order of the file.
pub fn optimise(drawing: &mut Drawing, join_mm: f64) {
    let mut at = [0.0; 2];
    let mut work = Work { turns: WORK, search: SEARCH };
    for layer in &mut drawing.layers {
        let before = travel(&layer.strokes, at);
        let mut strokes = without_copies(&layer.strokes);
        if join_mm > 0.0 {
            strokes = joined(strokes, join_mm);
        }
        let mut order = greedy(&strokes, at, &mut work);
        turn(&mut order, at, &mut work);
        let strokes = arranged(strokes, &order);
        if travel(&strokes, at) <= before {
            layer.strokes = strokes;
        }
        at = layer.strokes.last().and_then(|stroke| stroke.last()).copied().unwrap_or(at);
    }
}

struct Work {
    turns: u64,
    search: u64,
}

/// A stroke in an order: which, and the ends as they are passed.
#[derive(Clone, Copy)]
struct Step {
    stroke: usize,
    reversed: bool,
    from: [f64; 2],
    to: [f64; 2],
}

impl Step {
    fn of(strokes: &[Stroke], stroke: usize, reversed: bool) -> Self {
        let (first, last) = ends(&strokes[stroke]);
        let (from, to) = if reversed { (last, first) } else { (first, last) };
        Self { stroke, reversed, from, to }
    }

    fn turned(self) -> Self {
        Self { reversed: !self.reversed, from: self.to, to: self.from, ..self }
    }
}

fn ends(stroke: &[[f64; 2]]) -> ([f64; 2], [f64; 2]) {
    match *stroke {
        [first, .., last] => (first, last),
        [only] => (only, only),
        [] => ([0.0; 2], [0.0; 2]),
    }
}

fn without_copies(strokes: &[Stroke]) -> Vec<Stroke> {
    let mut seen = HashSet::with_capacity(strokes.len());
    strokes.iter().filter(|stroke| seen.insert(shape(stroke))).cloned().collect()
}

/// The same for two strokes that look the same, whichever way they are drawn.
fn shape(stroke: &[[f64; 2]]) -> Vec<[i64; 2]> {
    #[expect(clippy::cast_possible_truncation, reason = "a float that is cast saturates")]
    let grid = |value: f64| (value / SAME).round() as i64;
    let mut points: Vec<[i64; 2]> = stroke.iter().map(|point| point.map(grid)).collect();
    if points.iter().rev().lt(points.iter()) {
        points.reverse();
    }
    points
}

/// Makes one stroke of those whose ends meet. Closed ones stay as they are.
fn joined(strokes: Vec<Stroke>, within: f64) -> Vec<Stroke> {
    // Ends 2 i and 2 i + 1 are those of stroke i.
    let points: Vec<_> = strokes.iter().flat_map(|stroke| <[_; 2]>::from(ends(stroke))).collect();
    let mut free = Nearest::new(&points);
    for (index, stroke) in strokes.iter().enumerate() {
        let (first, last) = ends(stroke);
        if gap(first, last) <= within {
            free.remove(2 * index);
            free.remove(2 * index + 1);
        }
    }
    let mut strokes: Vec<Option<Stroke>> = strokes.into_iter().map(Some).collect();
    let mut all = Vec::with_capacity(strokes.len());
    for index in 0..strokes.len() {
        let Some(mut stroke) = strokes[index].take() else { continue };
        if gap(ends(&stroke).0, ends(&stroke).1) > within {
            free.remove(2 * index);
            free.remove(2 * index + 1);
            // At its end, then at its beginning.
            for _ in 0..2 {
                while let Some(end) = free.find(ends(&stroke).1, within) {
                    free.remove(end);
                    free.remove(end ^ 1);
                    let Some(mut next) = strokes[end / 2].take() else { break };
                    if end % 2 == 1 {
                        next.reverse();
                    }
                    let skip = usize::from(stroke.last() == next.first());
                    stroke.extend_from_slice(&next[skip..]);
                }
                stroke.reverse();
            }
        }
        all.push(stroke);
    }
    all
}

/// Always the nearest next.
fn greedy(strokes: &[Stroke], start: [f64; 2], work: &mut Work) -> Vec<Step> {
    let points: Vec<_> = strokes.iter().flat_map(|stroke| <[_; 2]>::from(ends(stroke))).collect();
    let mut free = Nearest::new(&points);
    let mut order = Vec::with_capacity(strokes.len());
    let mut used = vec![false; strokes.len()];
    let mut at = start;
    while free.work < work.search
        && let Some(end) = free.find(at, f64::INFINITY)
    {
        free.remove(end);
        free.remove(end ^ 1);
        used[end / 2] = true;
        let step = Step::of(strokes, end / 2, end % 2 == 1);
        at = step.to;
        order.push(step);
    }
    work.search = work.search.saturating_sub(free.work);
    // What the search did not get to comes in the order of the file.
    let rest = (0..strokes.len()).filter(|stroke| !used[*stroke]);
    order.extend(rest.map(|stroke| Step::of(strokes, stroke, false)));
    order
}

/// Turns around pieces of the order while that makes the way shorter. Between a step and the next one
/// there is a gap; two gaps are exchanged for two others by turning what lies between them. One of
/// the new gaps must be shorter than an old one at the same end: only such are looked at closely.
fn turn(order: &mut [Step], start: [f64; 2], work: &mut Work) {
    let reach = LONGEST_TURN.min(window(order.len()));
    let mut improved = true;
    while std::mem::take(&mut improved) {
        for at in 0..order.len() {
            let (before, next) = (end_before(order, start, at), order[at].from);
            let now = squared(before, next);
            // Nothing is gained where there is no gap.
            if now <= 0.0 {
                continue;
            }
            let mut best = (1e-9, None);
            let mut try_out = |first: usize, last: usize| {
                let gain = gain(order, start, first, last);
                if gain > best.0 {
                    best = (gain, Some((first, last)));
                }
            };
            let ahead = at..order.len().min(at + reach);
            let behind = at.saturating_sub(reach)..at;
            let looked = u64::try_from(ahead.len() + behind.len()).unwrap_or(u64::MAX);
            for last in ahead {
                if squared(before, order[last].to) < now {
                    try_out(at, last);
                }
            }
            for first in behind {
                if squared(order[first].from, next) < now {
                    try_out(first, at - 1);
                }
            }
            work.turns = work.turns.saturating_sub(looked);
            if let (_, Some((first, last))) = best {
                order[first..=last].reverse();
                order[first..=last].iter_mut().for_each(|step| *step = step.turned());
                improved = true;
            }
            if work.turns == 0 {
                return;
            }
        }
    }
}

fn end_before(order: &[Step], start: [f64; 2], at: usize) -> [f64; 2] {
    if at == 0 { start } else { order[at - 1].to }
}

/// By how much the way becomes shorter if these steps and all between them are turned around.
fn gain(order: &[Step], start: [f64; 2], first: usize, last: usize) -> f64 {
    let before = end_before(order, start, first);
    let after = |from: [f64; 2]| order.get(last + 1).map_or(0.0, |next| gap(from, next.from));
    let (from, to) = (order[first].from, order[last].to);
    gap(before, from) + after(to) - gap(before, to) - after(from)
}

fn squared(from: [f64; 2], to: [f64; 2]) -> f64 {
    let (x, y) = (to[0] - from[0], to[1] - from[1]);
    x * x + y * y
}

/// How far ahead is looked, so that the work is shared by all steps.
fn window(steps: usize) -> usize {
    let share = WORK / 8 / u64::try_from(steps.max(1)).unwrap_or(u64::MAX);
    usize::try_from(share).unwrap_or(usize::MAX).max(50)
}

fn arranged(strokes: Vec<Stroke>, order: &[Step]) -> Vec<Stroke> {
    let mut strokes: Vec<Option<Stroke>> = strokes.into_iter().map(Some).collect();
    let step = |step: &Step| {
        let mut stroke = strokes[step.stroke].take()?;
        if step.reversed {
            stroke.reverse();
        }
        Some(stroke)
    };
    order.iter().filter_map(step).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::Layer, *};

    fn drawing(layers: Vec<Vec<Stroke>>) -> Drawing {
        let layers =
            layers.into_iter().map(|strokes| Layer { strokes, ..Layer::default() }).collect();
        Drawing { layers, ..Drawing::default() }
    }

    fn optimised(strokes: Vec<Stroke>, join: f64) -> Vec<Stroke> {
        let mut drawing = drawing(vec![strokes]);
        optimise(&mut drawing, join);
        drawing.layers.remove(0).strokes
    }

    fn line(from: [f64; 2], to: [f64; 2]) -> Stroke {
        vec![from, to]
    }

    #[test]
    fn the_nearest_end_comes_next_whichever_it_is() {
        let strokes = vec![
            line([0.0, 30.0], [50.0, 30.0]),
            line([0.0, 10.0], [50.0, 10.0]),
            line([0.0, 20.0], [50.0, 20.0]),
        ];
        let expected = [
            line([0.0, 10.0], [50.0, 10.0]),
            line([50.0, 20.0], [0.0, 20.0]),
            line([0.0, 30.0], [50.0, 30.0]),
        ];
        assert_eq!(optimised(strokes, 0.0), expected);
    }

    #[test]
    fn ends_that_meet_are_joined_and_copies_go() {
        let strokes = vec![
            line([10.0, 0.0], [10.0, 10.0]),
            line([0.0, 0.0], [0.0, 10.0]),
            line([10.0, 10.0], [10.0, 0.0]),
            line([0.0, 10.0], [10.0, 10.01]),
            line([10.0, 10.0], [10.0, 0.0]),
        ];
        let joined = optimised(strokes, 0.05);
        assert_eq!(
            joined,
            [vec![[0.0, 0.0], [0.0, 10.0], [10.0, 10.01], [10.0, 10.0], [10.0, 0.0]]]
        );
    }

    #[test]
    fn an_order_that_the_nearest_neighbour_gets_wrong_is_mended() {
        // Always the nearest next jumps to and fro around the start.
        let at = |x: f64| line([x, 5.0], [x, 5.001]);
        let strokes: Vec<Stroke> = [1.0, -2.0, 4.0, -8.0, 16.0, -32.0].map(at).to_vec();
        let mut order = greedy(&strokes, [0.0; 2], &mut Work { turns: WORK, search: SEARCH });
        let nearest = travel(&arranged(strokes.clone(), &order), [0.0; 2]);
        turn(&mut order, [0.0; 2], &mut Work { turns: WORK, search: SEARCH });
        let mended = travel(&arranged(strokes, &order), [0.0; 2]);
        assert!(mended < 0.95 * nearest, "{mended} {nearest}");
    }

    #[test]
    fn strokes_at_one_spot_and_far_away_take_no_time() {
        let mut strokes: Vec<Stroke> =
            (0..50_000).map(|n| line([1.0, 1.0], [1.0 + f64::from(n) * 1e-7, 2.0])).collect();
        strokes.push(line([1e6, 1e6], [-1e6, 1e6]));
        let start = std::time::Instant::now();
        let _ = optimised(strokes, 0.05);
        assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    }

    /// The pieces of strokes, each from its smaller end, in an order of their own.
    fn pieces(strokes: &[Stroke]) -> Vec<[[f64; 2]; 2]> {
        let piece = |pair: &[[f64; 2]]| {
            let (a, b) = (pair[0], pair[1]);
            if a <= b { [a, b] } else { [b, a] }
        };
        let mut all: Vec<_> = strokes.iter().flat_map(|it| it.windows(2)).map(piece).collect();
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        all
    }

    fn strokes() -> impl Strategy<Value = Vec<Stroke>> {
        let point = (0..12_i32, 0..12_i32).prop_map(|(x, y)| [f64::from(x), f64::from(y)]);
        proptest::collection::vec(proptest::collection::vec(point, 2..5), 0..40)
    }

    proptest! {
        /// Every piece is drawn as often as before, but for copies of whole strokes; nothing else is
        /// drawn; the pen travels no further; and a second time changes nothing of that.
        #[test]
        fn geometry_stays_and_travel_shrinks(strokes in strokes(), join in prop_oneof![Just(0.0), Just(0.1)]) {
            let kept = without_copies(&strokes);
            let found = optimised(strokes.clone(), join);
            prop_assert!(travel(&found, [0.0; 2]) <= travel(&strokes, [0.0; 2]) + 1e-9);
            let whole = pieces(&found);
            prop_assert!(whole == pieces(&kept) || whole == pieces(&strokes));
            prop_assert_eq!(&found, &optimised(strokes, join));
        }

        /// Layers stay apart.
        #[test]
        fn layers_keep_their_own(first in strokes(), second in strokes()) {
            let mut both = drawing(vec![first.clone(), second.clone()]);
            optimise(&mut both, 0.0);
            for (layer, before) in both.layers.iter().zip([first, second]) {
                let whole = pieces(&layer.strokes);
                prop_assert!(whole == pieces(&without_copies(&before)) || whole == pieces(&before));
            }
        }
    }
}
