//! All daemons as a whole: whether they fit together, and in what order they start.

use std::collections::HashMap;

use thiserror::Error;

use super::{Condition, Dependency, RestartMode, same_name};

/// How likely two names must look (0 to 1) for one to be offered in place of the other.
const ALIKE: f64 = 0.75;

/// So many problems are told with a hint.
const HINTS: usize = 100;

/// A daemon as far as the others are concerned.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// What it is called.
    pub name: &'a str,
    /// True if it is to run from the start.
    pub enabled: bool,
    /// When it is restarted.
    pub restart: RestartMode,
    /// What must be there before it.
    pub depends_on: &'a [Dependency],
}

/// Something wrong with the daemons as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Misfit {
    /// Two daemons have the same name.
    #[error("daemon \"{second}\" has the same name as \"{first}\"")]
    Duplicate {
        /// Given first.
        first: String,
        /// Given later.
        second: String,
    },
    /// A daemon depends on one that does not exist.
    #[error(
        "daemon \"{name}\" depends on \"{dependency}\", which does not exist{}",
        did_you_mean(.nearest.as_deref())
    )]
    Unknown {
        /// Which daemon.
        name: String,
        /// What it depends on.
        dependency: String,
        /// The name that looks most like it.
        nearest: Option<String>,
    },
    /// An enabled daemon depends on one that is not: it would wait for ever.
    #[error("daemon \"{name}\" depends on \"{dependency}\", which is disabled")]
    Disabled {
        /// Which daemon.
        name: String,
        /// What it depends on.
        dependency: String,
    },
    /// A daemon waits for the end of one that is always started again.
    #[error(
        "daemon \"{name}\" waits until \"{dependency}\" is completed, which is always restarted"
    )]
    Endless {
        /// Which daemon.
        name: String,
        /// What it depends on.
        dependency: String,
    },
    /// Daemons depend on each other.
    #[error("daemons depend on each other: {}", .0.join(" -> "))]
    Cycle(
        /// The way round, with the first name once more at the end.
        Vec<String>,
    ),
}

/// A dependency whose daemon was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its place in what was given.
    pub on: usize,
    /// How far it must be.
    pub condition: Condition,
    /// False: it only comes first if it is to run at all.
    pub required: bool,
}

/// How daemons depend on each other, by their places in what was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Every daemon once, each after all it depends on; otherwise in the order given.
    pub order: Vec<usize>,
    /// What each daemon depends on, itself; without what is not required and not there.
    pub dependencies: Vec<Vec<Edge>>,
}

impl Plan {
    /// Orders `nodes`, or says all that is wrong with them: each problem with the place of the
    /// daemon that it is about.
    pub fn new(nodes: &[Node<'_>]) -> Result<Self, Vec<(usize, Misfit)>> {
        let mut survey =
            Survey { nodes, places: HashMap::with_capacity(nodes.len()), problems: Vec::new() };
        survey.names();
        let dependencies: Vec<_> =
            (0..nodes.len()).map(|index| survey.dependencies(index)).collect();
        let mut problems = survey.problems;
        let mut walk = Walk {
            dependencies: &dependencies,
            seen: vec![false; nodes.len()],
            path: Vec::new(),
            order: Vec::new(),
            cycles: Vec::new(),
        };
        (0..nodes.len()).for_each(|index| walk.visit(index));
        problems.extend(walk.cycles.iter().map(|cycle| {
            let names = cycle.iter().map(|&index| nodes[index].name.to_owned());
            (cycle[0], Misfit::Cycle(names.collect()))
        }));
        if problems.is_empty() {
            Ok(Self { order: walk.order, dependencies })
        } else {
            Err(problems)
        }
    }

    /// The daemons `wanted` and all that they need, in no order: for a start of only some.
    /// What is not required is left out.
    pub fn closure(&self, wanted: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut found = Vec::new();
        let mut todo: Vec<_> = wanted.into_iter().collect();
        while let Some(index) = todo.pop() {
            if !found.contains(&index) {
                found.push(index);
                let needed = self.dependencies[index].iter().filter(|edge| edge.required);
                todo.extend(needed.map(|edge| edge.on));
            }
        }
        found
    }
}

/// The one of `names` that looks most like `name`, if any does.
pub fn nearest_name<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = folded(name);
    names
        .map(|known| (strsim::jaro_winkler(&name, &folded(known)), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .min_by(|(a, _), (b, _)| b.total_cmp(a)) // the first of the likeliest
        .map(|(_, known)| known.to_owned())
}

/// The end of a sentence about an unknown name.
pub fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(", did you mean \"{name}\"?")).unwrap_or_default()
}

/// Equal for names that mean the same.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// A look at every daemon in turn.
struct Survey<'a> {
    nodes: &'a [Node<'a>],
    places: HashMap<String, usize>,
    problems: Vec<(usize, Misfit)>,
}

impl Survey<'_> {
    fn names(&mut self) {
        for (index, node) in self.nodes.iter().enumerate() {
            let first = *self.places.entry(folded(node.name)).or_insert(index);
            debug_assert!(same_name(self.nodes[first].name, node.name));
            if first != index {
                let (first, second) = (self.nodes[first].name.to_owned(), node.name.to_owned());
                self.problems.push((index, Misfit::Duplicate { first, second }));
            }
        }
    }

    fn dependencies(&mut self, index: usize) -> Vec<Edge> {
        let node = self.nodes[index];
        let mut found: Vec<Edge> = Vec::new();
        for Dependency { name: wanted, condition, required } in node.depends_on {
            let name = node.name.to_owned();
            let Some(&on) = self.places.get(&folded(wanted)) else {
                if *required {
                    let names = self.nodes.iter().map(|node| node.name);
                    let few = self.problems.len() < HINTS; // each looks at every name
                    let nearest = few.then(|| nearest_name(wanted, names)).flatten();
                    let dependency = wanted.clone();
                    self.problems.push((index, Misfit::Unknown { name, dependency, nearest }));
                }
                continue;
            };
            let other = self.nodes[on];
            let dependency = other.name.to_owned();
            if node.enabled && *required && !other.enabled {
                self.problems.push((index, Misfit::Disabled { name, dependency }));
            } else if *condition == Condition::Completed && other.restart == RestartMode::Always {
                self.problems.push((index, Misfit::Endless { name, dependency }));
            }
            match found.iter_mut().find(|edge| edge.on == on) {
                Some(edge) => edge.required |= *required,
                None => found.push(Edge { on, condition: *condition, required: *required }),
            }
        }
        found
    }
}

/// A walk through all daemons, dependencies first.
struct Walk<'a> {
    dependencies: &'a [Vec<Edge>],
    seen: Vec<bool>,
    path: Vec<usize>,
    order: Vec<usize>,
    cycles: Vec<Vec<usize>>,
}

impl Walk<'_> {
    fn visit(&mut self, index: usize) {
        if let Some(from) = self.path.iter().position(|&on_path| on_path == index) {
            let mut cycle = self.path[from..].to_vec();
            cycle.push(index);
            self.cycles.push(cycle);
            return;
        }
        if std::mem::replace(&mut self.seen[index], true) {
            return;
        }
        self.path.push(index);
        self.dependencies[index].iter().for_each(|edge| self.visit(edge.on));
        self.path.pop();
        self.order.push(index);
    }
}

#[cfg(test)]
mod tests;
