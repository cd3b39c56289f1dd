//! All daemons as a whole: whether they fit together, and in what order they start. Pure.

use thiserror::Error;

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
    #[error("daemon \"{name}\" depends on \"{dependency}\", which does not exist{}", super::orders::did_you_mean(.nearest.as_deref()))]
    Unknown {
        /// Which daemon.
        name: String,
        /// What it depends on.
        dependency: String,
        /// The name that looks most like it.
        nearest: Option<String>,
    },
    /// An enabled daemon depends on one that is not.
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
        /// The way round, the first name again at the end.
        Vec<String>,
    ),
}

/// Everything that is wrong with the daemons, at once.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Problems(
    /// In the order of the daemons; at least one.
    pub Vec<Problem>,
);
