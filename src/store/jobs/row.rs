//! A row of the table as a job.

use std::{collections::BTreeMap, str::FromStr};

use rusqlite::{Connection, Params, Row, types::ValueRef};
use serde::de::DeserializeOwned;

use super::super::StoreError;
use crate::domain::{Job, JobId, JobKind, JobState, Needed, Priority, Timestamp};

/// A job and its number in the order of submission.
pub(super) struct Numbered {
    pub(super) seq: i64,
    pub(super) job: Job,
}

const COLUMNS: &str = "seq, id, name, kind, state, priority, device, driver, command, progress,
    lines_total, lines_done, eta_seconds, attempts, max_attempts, not_before, depends_on, labels,
    timeout_seconds, submitted_by, created_at, started_at, finished_at, exit_code, error, analysis,
    forced, job_group, unique_key, retry, schedule, version, surroundings, message";

/// The jobs that `rest` (from WHERE on) selects.
pub(super) fn select(
    connection: &Connection,
    rest: &str,
    params: impl Params,
) -> Result<Vec<Numbered>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs {rest}"))?;
    let mut rows = statement.query(params)?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(numbered(row)?);
    }
    Ok(jobs)
}

/// The job of that id.
pub(super) fn find(connection: &Connection, id: JobId) -> Result<Numbered, StoreError> {
    let found = select(connection, "WHERE id = ?1", [id.as_bytes()])?;
    found.into_iter().next().ok_or_else(|| StoreError::job(id))
}

/// Bare jobs.
pub(super) fn jobs(found: Vec<Numbered>) -> Vec<Job> {
    found.into_iter().map(|numbered| numbered.job).collect()
}

/// The id in a column.
pub(super) fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<JobId> {
    row.get(column).map(JobId::from_bytes)
}

/// The word in a column.
pub(super) fn word<T>(row: &Row<'_>, column: usize, what: &'static str) -> Result<T, StoreError>
where
    T: FromStr<Err: ToString>,
{
    let text = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    text.parse().map_err(|error: T::Err| StoreError::unreadable(what, &error))
}

fn numbered(row: &Row<'_>) -> Result<Numbered, StoreError> {
    let time = |column| {
        Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_ms))
    };
    let kind = match row.get_ref(3)?.as_bytes().map_err(rusqlite::Error::from)? {
        b"command" => JobKind::Command,
        _ => JobKind::Device,
    };
    let job = Job {
        id: id(row, 1)?,
        name: row.get(2)?,
        kind,
        state: word::<JobState>(row, 4, "job state")?,
        priority: Priority(row.get(5)?),
        device: row.get(6)?,
        driver: row.get(7)?,
        command: json(row, 8, "command")?,
        surroundings: json(row, 32, "surroundings")?.unwrap_or_default(),
        progress_percentage: row.get(9)?,
        message: row.get(33)?,
        lines_total: row.get(10)?,
        lines_acknowledged: row.get(11)?,
        eta_seconds: row.get(12)?,
        attempts: row.get(13)?,
        max_attempts: row.get(14)?,
        not_before: time(15)?,
        depends_on: json::<Vec<Needed>>(row, 16, "depends_on")?.unwrap_or_default(),
        labels: json::<BTreeMap<_, _>>(row, 17, "labels")?.unwrap_or_default(),
        timeout_seconds: row.get(18)?,
        submitted_by: row.get(19)?,
        created_at: Timestamp::from_ms(row.get(20)?),
        started_at: time(21)?,
        finished_at: time(22)?,
        exit_code: row.get(23)?,
        error: row.get(24)?,
        analysis: json(row, 25, "analysis")?,
        forced: row.get(26)?,
        group: row.get(27)?,
        unique_key: row.get(28)?,
        retry: json(row, 29, "retry")?,
        schedule: row.get(30)?,
        version: row.get(31)?,
    };
    Ok(Numbered { seq: row.get(0)?, job })
}

fn json<T: DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
    what: &'static str,
) -> Result<Option<T>, StoreError> {
    let text = match row.get_ref(column)? {
        ValueRef::Null => return Ok(None),
        value => value.as_bytes().map_err(rusqlite::Error::from)?,
    };
    serde_json::from_slice(text).map(Some).map_err(|error| StoreError::unreadable(what, &error))
}
