//! All daemons as a whole: whether they fit together, and in what order they start. Pure.

use thiserror::Error;

use super::{orders::did_you_mean, spec::Spec};
use crate::domain::same_name;

/// How likely two names must look (0 to 1) for one to be offered in place of the other.
const ALIKE: f64 = 0.75;

/// Something wrong with the daemons as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
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
    /// Daemons depend on each other.
    #[error("daemons depend on each other: {}", .0.join(" -> "))]
    Cycle(
        /// The way round, with the first name once more at the end.
        Vec<String>,
    ),
}

/// Everything that is wrong with the daemons, at once.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Problems(
    /// At least one.
    pub Vec<Problem>,
);

/// How daemons depend on each other, by their places in what was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Every daemon once, each after all it depends on; otherwise in the order given.
    pub order: Vec<usize>,
    /// What each daemon depends on, itself.
    pub dependencies: Vec<Vec<usize>>,
}

impl Plan {
    /// Orders `specs`, or says all that is wrong with them.
    pub fn new(specs: &[Spec]) -> Result<Self, Problems> {
        let mut problems = duplicates(specs);
        let dependencies =
            specs.iter().map(|spec| dependencies(spec, specs, &mut problems)).collect::<Vec<_>>();
        let mut walk = Walk {
            dependencies: &dependencies,
            seen: vec![false; specs.len()],
            path: Vec::new(),
            order: Vec::new(),
            cycles: Vec::new(),
        };
        (0..specs.len()).for_each(|index| walk.visit(index));
        let name = |&index: &usize| specs[index].name.clone();
        let spell = |cycle: &Vec<usize>| Problem::Cycle(cycle.iter().map(name).collect());
        problems.extend(walk.cycles.iter().map(spell));
        if problems.is_empty() {
            Ok(Self { order: walk.order, dependencies })
        } else {
            Err(Problems(problems))
        }
    }
}

/// The place of the daemon that is called `name`.
pub(super) fn find<'a>(name: &str, mut names: impl Iterator<Item = &'a str>) -> Option<usize> {
    names.position(|known| same_name(known, name))
}

/// The one of `names` that looks most like `name`, if any does.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let fold = |name: &str| name.to_lowercase().replace('_', "-");
    let name = fold(name);
    names
        .map(|known| (strsim::jaro_winkler(&name, &fold(known)), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .min_by(|(a, _), (b, _)| b.total_cmp(a)) // the first of the likeliest
        .map(|(_, known)| known.to_owned())
}

fn names(specs: &[Spec]) -> impl Iterator<Item = &str> {
    specs.iter().map(|spec| spec.name.as_str())
}

fn duplicates(specs: &[Spec]) -> Vec<Problem> {
    let twin = |(index, spec): (usize, &Spec)| {
        find(&spec.name, names(&specs[..index])).map(|first| Problem::Duplicate {
            first: specs[first].name.clone(),
            second: spec.name.clone(),
        })
    };
    specs.iter().enumerate().filter_map(twin).collect()
}

fn dependencies(spec: &Spec, specs: &[Spec], problems: &mut Vec<Problem>) -> Vec<usize> {
    let mut found = Vec::new();
    for dependency in &spec.depends_on {
        let name = spec.name.clone();
        match find(dependency, names(specs)) {
            None => problems.push(Problem::Unknown {
                name,
                dependency: dependency.clone(),
                nearest: nearest(dependency, names(specs)),
            }),
            Some(index) => {
                if spec.enabled && !specs[index].enabled {
                    let dependency = specs[index].name.clone();
                    problems.push(Problem::Disabled { name, dependency });
                }
                if !found.contains(&index) {
                    found.push(index);
                }
            }
        }
    }
    found
}

/// A walk through all daemons, dependencies first.
struct Walk<'a> {
    dependencies: &'a [Vec<usize>],
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
        self.dependencies[index].iter().for_each(|&dependency| self.visit(dependency));
        self.path.pop();
        self.order.push(index);
    }
}
