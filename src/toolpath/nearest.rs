//! Finds the nearest of many points, of which ever more are taken away.
//!
//! A tree that halves its points by X and Y in turn. Each half knows how many of its points are
//! left, so that what is used up costs nothing; how points are spread does not matter.

/// Points by number.
pub(super) struct Nearest {
    /// The points' numbers, in the order of the tree: a node is a range of it, its root in the
    /// middle.
    order: Vec<u32>,
    /// The points in that order.
    points: Vec<[f64; 2]>,
    /// Where each point stands in `order`.
    place: Vec<u32>,
    /// How many points of the node whose root stands here are left.
    left: Vec<u32>,
    gone: Vec<bool>,
    /// Nodes looked at.
    pub(super) work: u64,
}

impl Nearest {
    /// At most `u32::MAX` points.
    pub(super) fn new(points: &[[f64; 2]]) -> Self {
        let count = u32::try_from(points.len()).unwrap_or(u32::MAX);
        let mut order: Vec<u32> = (0..count).collect();
        let mut left = vec![0; order.len()];
        arrange(points, &mut order, &mut left, 0);
        let mut place = vec![0; order.len()];
        for (at, point) in (0..count).zip(&order) {
            place[*point as usize] = at;
        }
        let gone = vec![false; order.len()];
        let points = order.iter().map(|point| points[*point as usize]).collect();
        Self { points, order, place, left, gone, work: 0 }
    }

    /// Takes a point away.
    pub(super) fn remove(&mut self, point: usize) {
        let place = self.place[point] as usize;
        if std::mem::replace(&mut self.gone[place], true) {
            return;
        }
        let (mut from, mut to) = (0_usize, self.order.len());
        loop {
            let middle = from.midpoint(to);
            self.left[middle] -= 1;
            match place.cmp(&middle) {
                std::cmp::Ordering::Equal => return,
                std::cmp::Ordering::Less => to = middle,
                std::cmp::Ordering::Greater => from = middle + 1,
            }
        }
    }

    /// The nearest point that is left, if it is nearer than `within`.
    pub(super) fn find(&mut self, to: [f64; 2], within: f64) -> Option<usize> {
        let mut best = (within * within, None);
        self.search(to, (0, self.order.len()), 0, &mut best);
        best.1
    }

    fn search(
        &mut self,
        to: [f64; 2],
        (from, end): (usize, usize),
        axis: usize,
        best: &mut (f64, Option<usize>),
    ) {
        let middle = from.midpoint(end);
        // Nothing is nearer than no distance at all.
        if from >= end || self.left[middle] == 0 || (best.0 <= 0.0 && best.1.is_some()) {
            return;
        }
        self.work += 1;
        let point = self.points[middle];
        if !self.gone[middle] {
            let root = self.order[middle] as usize;
            let squared = (point[0] - to[0]).powi(2) + (point[1] - to[1]).powi(2);
            // Of equally near ones the first: the result is the same every time.
            let nearer =
                squared < best.0 || (squared <= best.0 && best.1.is_none_or(|known| root < known));
            if nearer {
                *best = (squared, Some(root));
            }
        }
        let beyond = to[axis] - point[axis];
        let (near, far) = ((from, middle), (middle + 1, end));
        let (near, far) = if beyond <= 0.0 { (near, far) } else { (far, near) };
        self.search(to, near, 1 - axis, best);
        if beyond * beyond <= best.0 {
            self.search(to, far, 1 - axis, best);
        }
    }
}

fn arrange(points: &[[f64; 2]], order: &mut [u32], left: &mut [u32], axis: usize) {
    if order.is_empty() {
        return;
    }
    let middle = order.len() / 2;
    order.select_nth_unstable_by(middle, |a, b| {
        let value = |point: &u32| points[*point as usize][axis];
        value(a).total_cmp(&value(b)).then(a.cmp(b))
    });
    left[middle] = u32::try_from(order.len()).unwrap_or(u32::MAX);
    let (before, after) = order.split_at_mut(middle);
    let (left_before, left_after) = left.split_at_mut(middle);
    arrange(points, before, left_before, 1 - axis);
    arrange(points, &mut after[1..], &mut left_after[1..], 1 - axis);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Nearest;

    proptest! {
        /// It finds what looking at every point finds, whatever has been taken away.
        #[test]
        fn the_nearest_is_found(
            points in proptest::collection::vec((0..20_i32, 0..20_i32), 1..60),
            gone in proptest::collection::vec(any::<proptest::sample::Index>(), 0..40),
            to in (0..20_i32, 0..20_i32),
            within in 0.5_f64..30.0,
        ) {
            let points: Vec<[f64; 2]> =
                points.into_iter().map(|(x, y)| [f64::from(x), f64::from(y)]).collect();
            let to = [f64::from(to.0), f64::from(to.1)];
            let mut tree = Nearest::new(&points);
            let mut left = vec![true; points.len()];
            for gone in gone {
                let gone = gone.index(points.len());
                tree.remove(gone);
                left[gone] = false;
            }
            let distance = |index: usize| super::super::drawing::gap(points[index], to);
            let expected = (0..points.len())
                .filter(|index| left[*index] && distance(*index) <= within)
                .min_by(|a, b| distance(*a).total_cmp(&distance(*b)).then(a.cmp(b)));
            let found = tree.find(to, within);
            prop_assert_eq!(found.map(distance), expected.map(distance));
        }
    }
}
