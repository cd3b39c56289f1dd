//! Questions about jobs.

use rusqlite::{Connection, named_params, params};

use super::{
    super::{
        Page, StoreError,
        page::{self, Limit},
    },
    row::{self, jobs, select},
};
use crate::domain::{Job, JobId, JobKind, JobState, Payload};

/// Which jobs; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// In this state.
    pub state: Option<JobState>,
    /// On or for this machine.
    pub device: Option<String>,
    /// Of this kind.
    pub kind: Option<JobKind>,
    /// Of this name; `*` stands for anything.
    pub name: Option<String>,
    /// Submitted by them.
    pub submitted_by: Option<String>,
    /// With all of these labels; a label without a value is there, whatever its value.
    pub labels: Vec<(String, Option<String>)>,
    /// At most this many; 0 means the usual 100, the most is 1000.
    pub limit: usize,
    /// From an earlier page.
    pub cursor: Option<String>,
}

/// How many jobs there are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; JobState::ALL.len()]);

impl Counts {
    /// In that state.
    pub fn of(&self, state: JobState) -> u64 {
        self.0[state as usize]
    }
}

/// The job of that id.
pub fn get(connection: &Connection, id: JobId) -> Result<Job, StoreError> {
    row::find(connection, id).map(|found| found.job)
}

/// The job that this idempotency key brought in.
pub fn by_key(connection: &Connection, key: &str) -> Result<Option<Job>, StoreError> {
    Ok(jobs(select(connection, "WHERE idempotency_key = ?1", [key])?).pop())
}

/// Jobs, newest first.
pub fn list(connection: &Connection, filter: &JobFilter) -> Result<Page<Job>, StoreError> {
    let limit = Limit::new(filter.limit);
    let start = page::start(filter.cursor.as_deref())?;
    let params = named_params! {
        ":start": start,
        ":device": filter.device,
        ":state": filter.state.map(JobState::as_str),
        ":kind": filter.kind.map(JobKind::as_str),
        ":name": filter.name,
        ":by": filter.submitted_by,
        ":labels": labels(filter)?,
        ":limit": limit.query(),
    };
    let found = select(connection, &list_sql(filter), params)?;
    Ok(limit.page(found.into_iter().map(|numbered| (numbered.seq, numbered.job)).collect()))
}

/// As a JSON list of pairs.
fn labels(filter: &JobFilter) -> Result<Option<String>, StoreError> {
    let labels = (!filter.labels.is_empty()).then(|| serde_json::to_string(&filter.labels));
    labels.transpose().map_err(|error| StoreError::unreadable("labels", &error))
}

pub(super) fn list_sql(filter: &JobFilter) -> String {
    // One text for each index that may serve: a condition on a parameter would hide it.
    format!(
        "WHERE seq < :start AND {} AND {} AND (:kind IS NULL OR kind = :kind)
         AND (:name IS NULL OR name GLOB :name) AND (:by IS NULL OR submitted_by = :by)
         AND (:labels IS NULL OR NOT EXISTS (SELECT 1 FROM json_each(:labels) asked WHERE NOT EXISTS (
             SELECT 1 FROM json_each(labels) its WHERE its.key = asked.value ->> 0
             AND (asked.value ->> 1 IS NULL OR its.value = asked.value ->> 1))))
         ORDER BY seq DESC LIMIT :limit",
        if filter.device.is_some() { "device = :device" } else { ":device IS NULL" },
        match (filter.state, &filter.device) {
            (None, _) => ":state IS NULL",
            (Some(_), None) => "state = :state",
            // The plus leaves the choice to the index on devices, which is the narrower one.
            (Some(_), Some(_)) => "+state = :state",
        },
    )
}

/// The jobs that wait, at most `limit`: first those that wait for their turn, in the order they will
/// run (each as soon as it may), then those that wait for a person.
pub fn queue(connection: &Connection, limit: usize) -> Result<Vec<Job>, StoreError> {
    // The index gives the order among all; those that a person must release are not many.
    let mut waiting = Vec::new();
    for (state, index) in [("QUEUED", "jobs_waiting"), ("HELD", "jobs_by_state")] {
        let rest = format!(
            "INDEXED BY {index} WHERE state IN ('HELD', 'QUEUED') AND state = '{state}'
             ORDER BY priority DESC, rank, seq LIMIT ?1"
        );
        let left = i64::try_from(limit.saturating_sub(waiting.len())).unwrap_or(i64::MAX);
        waiting.extend(jobs(select(connection, &rest, [left])?));
    }
    Ok(waiting)
}

/// RUNNING and PAUSED jobs, oldest first.
pub fn active(connection: &Connection) -> Result<Vec<Job>, StoreError> {
    Ok(jobs(select(connection, "WHERE state IN ('RUNNING', 'PAUSED') ORDER BY seq", [])?))
}

/// RUNNING and PAUSED jobs of one kind: at start, what the last stop left behind.
pub fn running(connection: &Connection, kind: JobKind) -> Result<Vec<Job>, StoreError> {
    let rest = "WHERE state IN ('RUNNING', 'PAUSED') AND kind = ?1 ORDER BY seq";
    Ok(jobs(select(connection, rest, [kind.as_str()])?))
}

/// How many waiting jobs for the same target will run before this one; 0 if it does not wait.
pub fn queued_ahead(connection: &Connection, id: JobId) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM jobs this JOIN jobs other ON other.target = this.target
        WHERE this.id = ?1 AND this.state = 'QUEUED' AND other.state = 'QUEUED' AND other.look_at = 0
        AND (-other.priority, other.rank, other.seq) < (-this.priority, this.rank, this.seq)";
    Ok(connection.prepare_cached(sql)?.query_row([id.as_bytes()], |row| row.get(0))?)
}

/// How many jobs there are in each state, as of the last commit. Cheap whatever their number.
pub fn counts(connection: &Connection) -> Result<Counts, StoreError> {
    let mut statement = connection.prepare_cached("SELECT state, jobs FROM job_counts")?;
    let mut rows = statement.query([])?;
    let mut counts = Counts::default();
    while let Some(row) = rows.next()? {
        counts.0[row::word::<JobState>(row, 0, "job state")? as usize] = row.get(1)?;
    }
    Ok(counts)
}

/// What goes to the machine instead of the job's file, if that was converted.
pub fn program(connection: &Connection, id: JobId) -> Result<Option<Payload>, StoreError> {
    let sql = "SELECT content, file_sha256, file_bytes FROM job_programs
        WHERE job = (SELECT seq FROM jobs WHERE id = ?1)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(match row.get::<_, Option<Vec<u8>>>(0)? {
        Some(content) => Payload::Inline(content),
        None => Payload::Stored { sha256: row.get(1)?, size: row.get(2)? },
    }))
}

/// What runs: the program that the job's file was converted to, else what the job is made of.
pub fn runs(connection: &Connection, id: JobId) -> Result<Payload, StoreError> {
    match program(connection, id)? {
        Some(program) => Ok(program),
        None => payload(connection, id),
    }
}

/// What the job is made of.
pub fn payload(connection: &Connection, id: JobId) -> Result<Payload, StoreError> {
    let job = row::find(connection, id)?;
    if let Some(command) = job.job.command {
        return Ok(Payload::Command(command));
    }
    let sql = "SELECT content, file_sha256, file_bytes
        FROM jobs LEFT JOIN job_files ON job = seq WHERE seq = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let (content, sha256, size) =
        statement.query_row(params![job.seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    match (content, sha256, size) {
        (Some(content), ..) => Ok(Payload::Inline(content)),
        (None, Some(sha256), Some(size)) => Ok(Payload::Stored { sha256, size }),
        _ => Err(StoreError::NotFound(format!("file of job {id}"))),
    }
}
