//! Everything that is wrong with the daemons, at once.

use thiserror::Error;

use crate::domain::Misfit;

/// Everything that is wrong with the daemons as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Problems(
    /// At least one.
    pub Vec<Misfit>,
);

impl From<Vec<(usize, Misfit)>> for Problems {
    fn from(found: Vec<(usize, Misfit)>) -> Self {
        Self(found.into_iter().map(|(_, misfit)| misfit).collect())
    }
}
