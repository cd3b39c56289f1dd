//! The jobs that a submitter wants to be waited for.

use serde::Deserialize;

use crate::domain::On;

/// A job that is waited for: by its id, or in a batch by the name it has there.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a job's id, or {\"job\": ID, \"on\": \"completed|failed|ended\"}")]
pub(super) enum Need {
    Bare(String),
    Full(Full),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Full {
    job: String,
    #[serde(default)]
    on: On,
}

impl Need {
    /// Which job, and which end of it.
    pub(super) fn parts(&self) -> (&str, On) {
        match self {
            Self::Bare(job) => (job, On::Completed),
            Self::Full(Full { job, on }) => (job, *on),
        }
    }
}

/// Those of a list with commas.
pub(super) fn needs(list: &str, on: On) -> impl Iterator<Item = Need> {
    let ids = list.split(',').map(str::trim).filter(|id| !id.is_empty());
    ids.map(move |id| match on {
        On::Completed => Need::Bare(id.to_owned()),
        on => Need::Full(Full { job: id.to_owned(), on }),
    })
}
