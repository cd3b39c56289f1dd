//! Changes to a job that waits: what it asks for, and its place.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};

use super::{
    super::{StoreError, Tx},
    change::UNJUDGED,
    row,
};
use crate::domain::{Job, JobId, JobState, Priority, Timestamp};

/// Where a job is put among those that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Right before that job, with its priority.
    Before(JobId),
    /// Before all others, with at least the highest priority among them.
    First,
    /// After all others, with at most the lowest priority among them.
    Last,
}

/// What is to be changed; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit {
    /// What people call it.
    pub name: Option<String>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// Not before then; `Some(None)` is at once.
    pub not_before: Option<Option<Timestamp>>,
    /// In place of all it had.
    pub labels: Option<BTreeMap<String, String>>,
    /// Where it is put, after all else.
    pub place: Option<Place>,
}

const FIRST: &str = "SELECT priority, rank FROM jobs INDEXED BY jobs_waiting
    WHERE state IN ('HELD', 'QUEUED') AND seq <> ?1 ORDER BY priority DESC, rank, seq LIMIT 1";
const LAST: &str = "SELECT priority, rank FROM jobs INDEXED BY jobs_waiting
    WHERE state IN ('HELD', 'QUEUED') AND seq <> ?1
    ORDER BY priority, rank DESC, seq DESC LIMIT 1";
const NEIGHBOUR: &str = "SELECT max(rank) FROM jobs INDEXED BY jobs_waiting
    WHERE state IN ('HELD', 'QUEUED') AND priority = ?1 AND rank < ?2 AND seq <> ?3";

/// Changes a waiting job; refuses one that does not wait.
pub fn edit(tx: &Tx<'_>, id: JobId, edit: &Edit) -> Result<Job, StoreError> {
    let row::Numbered { seq, mut job } = waiting(tx, id)?;
    job.version += 1;
    if let Some(name) = &edit.name {
        job.name.clone_from(name);
    }
    if let Some(priority) = edit.priority {
        job.priority = priority;
    }
    if let Some(labels) = &edit.labels {
        job.labels.clone_from(labels);
    }
    let sql = "UPDATE jobs SET name = ?2, priority = ?3, labels = ?4, version = ?5 WHERE seq = ?1";
    let labels = (!job.labels.is_empty()).then(|| serde_json::to_string(&job.labels));
    let labels = labels.transpose().map_err(|error| StoreError::unreadable("labels", &error))?;
    let row = params![seq, job.name, job.priority.0, labels, job.version];
    tx.prepare_cached(sql)?.execute(row)?;
    if let Some(time) = edit.not_before {
        job.not_before = time;
        let look_at = if job.depends_on.is_empty() { 0 } else { UNJUDGED };
        // A claim that finds it too early puts it aside again.
        let sql = "UPDATE jobs SET not_before = ?2, look_at = ?3 WHERE seq = ?1";
        tx.prepare_cached(sql)?.execute(params![seq, time.map(Timestamp::as_ms), look_at])?;
    }
    if let Some(place) = edit.place {
        put(tx, seq, &mut job, place)?;
    }
    Ok(job)
}

fn put(tx: &Tx<'_>, seq: i64, job: &mut Job, place: Place) -> Result<(), StoreError> {
    let end = |sql: &str| -> Result<Option<(i32, f64)>, StoreError> {
        let mut statement = tx.prepare_cached(sql)?;
        let found = statement.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    };
    let (priority, rank): (i32, f64) = match place {
        Place::First => match end(FIRST)? {
            // Alone in its new priority, if that is higher than the others'.
            Some((priority, rank)) => (job.priority.0.max(priority), rank - 1.0),
            None => return Ok(()),
        },
        Place::Last => match end(LAST)? {
            Some((priority, rank)) => (job.priority.0.min(priority), rank + 1.0),
            None => return Ok(()),
        },
        Place::Before(other) => {
            let next = waiting(tx, other)?;
            if next.seq == seq {
                return Ok(());
            }
            let mut rank = tx.prepare_cached("SELECT rank FROM jobs WHERE seq = ?1")?;
            let rank: f64 = rank.query_row([next.seq], |row| row.get(0))?;
            let mut neighbour = tx.prepare_cached(NEIGHBOUR)?;
            let around = params![next.job.priority.0, rank, seq];
            let before: Option<f64> = neighbour.query_row(around, |row| row.get(0))?;
            // Halfway between its new neighbours.
            let middle = before.map_or(rank - 1.0, |before| f64::midpoint(before, rank));
            if middle >= rank || before.is_some_and(|before| middle <= before) {
                spread(tx, next.job.priority)?;
                return put(tx, seq, job, place);
            }
            (next.job.priority.0, middle)
        }
    };
    let sql = "UPDATE jobs SET priority = ?2, rank = ?3 WHERE seq = ?1";
    tx.prepare_cached(sql)?.execute(params![seq, priority, rank])?;
    job.priority = Priority(priority);
    Ok(())
}

/// After many moves there is no number left between two neighbours: those of one priority are
/// numbered anew, by the numbers they came with, so that new ones still come after them.
fn spread(tx: &Tx<'_>, priority: Priority) -> Result<(), StoreError> {
    let sql = "SELECT seq FROM jobs INDEXED BY jobs_waiting
        WHERE state IN ('HELD', 'QUEUED') AND priority = ?1 ORDER BY rank, seq";
    let ordered = {
        let mut statement = tx.prepare_cached(sql)?;
        let rows = statement.query_map([priority.0], |row| row.get::<_, i64>(0))?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    let mut ranks = ordered.clone();
    ranks.sort_unstable();
    let mut statement = tx.prepare_cached("UPDATE jobs SET rank = ?2 WHERE seq = ?1")?;
    for (seq, rank) in ordered.into_iter().zip(ranks) {
        statement.execute([seq, rank])?;
    }
    Ok(())
}

fn waiting(tx: &Tx<'_>, id: JobId) -> Result<row::Numbered, StoreError> {
    let found = row::find(tx, id)?;
    match found.job.state {
        JobState::Held | JobState::Queued => Ok(found),
        state => Err(StoreError::NotWaiting(state)),
    }
}
