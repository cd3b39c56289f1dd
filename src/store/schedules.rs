//! All SQL of schedules.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    StoreError, Tx,
    jobs::{self, Inserted},
};
use crate::domain::{JobId, Missed, NewJob, Payload, Schedule, Timestamp};

const COLUMNS: &str = "id, name, cron, missed, overlap, paused, job, next_at, last_at, last_job,
    note, created_by, created_at";

/// Stores a new schedule; its name must be free. A file it names must be in place before.
pub fn insert(tx: &Tx<'_>, schedule: &Schedule) -> Result<(), StoreError> {
    if find(tx, &schedule.name)?.is_some() {
        return Err(StoreError::Exists(format!("schedule called \"{}\"", schedule.name)));
    }
    let sha256 = match &schedule.job.payload {
        Payload::Stored { sha256, .. } => Some(sha256),
        Payload::Inline(_) | Payload::Command(_) => None,
    };
    let program = match &schedule.job.program {
        Some(Payload::Stored { sha256, .. }) => Some(sha256),
        _ => None,
    };
    let job = serde_json::to_string(&schedule.job)
        .map_err(|error| StoreError::unreadable("schedule", &error))?;
    let sql = "INSERT INTO schedules (id, name, cron, missed, overlap, paused, job, file_sha256,
        next_at, created_by, created_at, program_sha256)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    tx.prepare_cached(sql)?.execute(params![
        schedule.id.as_bytes(),
        schedule.name,
        schedule.cron,
        schedule.missed.as_str(),
        schedule.overlap,
        schedule.paused,
        job,
        sha256,
        schedule.next_at.map(Timestamp::as_ms),
        schedule.created_by,
        schedule.created_at.as_ms(),
        program,
    ])?;
    Ok(())
}

/// Every schedule, by name.
pub fn list(connection: &Connection) -> Result<Vec<Schedule>, StoreError> {
    select(connection, "ORDER BY name", [])
}

/// When the first of them is due. Cheap.
pub fn next(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(next_at) FROM schedules WHERE next_at IS NOT NULL";
    let next: Option<i64> = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(next.map(Timestamp::from_ms))
}

/// The schedule of that name or id.
pub fn get(connection: &Connection, name: &str) -> Result<Schedule, StoreError> {
    find(connection, name)?.ok_or_else(|| StoreError::NotFound(format!("schedule {name}")))
}

/// Deletes one; the jobs that came from it stay.
pub fn delete(tx: &Tx<'_>, id: JobId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM schedules WHERE id = ?1")?.execute([id.as_bytes()])?;
    Ok(())
}

/// Pauses a schedule, or lets it go on from `next_at`.
pub fn pause(
    tx: &Tx<'_>,
    id: JobId,
    paused: bool,
    next_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let sql = "UPDATE schedules SET paused = ?2, next_at = ?3 WHERE id = ?1";
    let next_at = next_at.map(Timestamp::as_ms);
    tx.prepare_cached(sql)?.execute(params![id.as_bytes(), paused, next_at])?;
    Ok(())
}

/// Sets when it is due next.
pub fn set_next(tx: &Tx<'_>, id: JobId, next_at: Option<Timestamp>) -> Result<(), StoreError> {
    let sql = "UPDATE schedules SET next_at = ?2 WHERE id = ?1 AND NOT paused";
    tx.prepare_cached(sql)?.execute(params![id.as_bytes(), next_at.map(Timestamp::as_ms)])?;
    Ok(())
}

/// Submits `runs` jobs of a schedule that was due at `schedule.next_at`, once only, and notes when
/// it is due next. A run whose predecessor waits or runs is skipped, unless that is allowed.
pub fn fire(
    tx: &Tx<'_>,
    schedule: &Schedule,
    runs: usize,
    next_at: Option<Timestamp>,
    note: Option<&str>,
    limit: u64,
) -> Result<(), StoreError> {
    let sql = "UPDATE schedules SET next_at = ?3, last_at = ?2, note = ?4
        WHERE id = ?1 AND next_at = ?2 AND NOT paused";
    let due = schedule.next_at.map(Timestamp::as_ms);
    let row = params![schedule.id.as_bytes(), due, next_at.map(Timestamp::as_ms), note];
    if tx.prepare_cached(sql)?.execute(row)? == 0 {
        return Ok(()); // somebody was faster, or paused or deleted it
    }
    if runs == 0 {
        return Ok(());
    }
    if !schedule.overlap
        && let Some(job) = alive(tx, &schedule.name)?
    {
        return remark(tx, schedule.id, &format!("skipped: job {job} has not ended"));
    }
    for _ in 0..runs {
        match submit(tx, schedule, limit) {
            Ok(_) => {}
            Err(error @ (StoreError::KeyTaken { .. } | StoreError::NoRoom { .. })) => {
                return remark(tx, schedule.id, &format!("skipped: {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Submits a job of the schedule now.
pub fn submit(tx: &Tx<'_>, schedule: &Schedule, limit: u64) -> Result<Inserted, StoreError> {
    if let Payload::Stored { size, .. } = &schedule.job.payload {
        jobs::make_room(tx, *size, limit)?;
    }
    let mut job = NewJob { id: JobId::new(), ..schedule.job.clone() };
    job.rules.schedule = Some(schedule.name.clone());
    let inserted = jobs::insert(tx, &job)?;
    let sql = "UPDATE schedules SET last_job = ?2 WHERE id = ?1";
    let row = params![schedule.id.as_bytes(), inserted.job.id.as_bytes()];
    tx.prepare_cached(sql)?.execute(row)?;
    Ok(inserted)
}

/// True if a schedule names the file.
pub(super) const NAMES_FILE: &str =
    "SELECT 1 FROM schedules WHERE file_sha256 = ?1 OR program_sha256 = ?1";

fn remark(tx: &Tx<'_>, id: JobId, note: &str) -> Result<(), StoreError> {
    let sql = "UPDATE schedules SET note = ?2 WHERE id = ?1";
    tx.prepare_cached(sql)?.execute(params![id.as_bytes(), note])?;
    Ok(())
}

/// A job of that schedule that has not ended.
fn alive(tx: &Tx<'_>, name: &str) -> Result<Option<JobId>, StoreError> {
    let sql = "SELECT id FROM jobs INDEXED BY jobs_of_schedule WHERE schedule = ?1
        AND state IN ('HELD', 'QUEUED', 'RUNNING', 'PAUSED', 'INTERRUPTED')
        ORDER BY seq DESC LIMIT 1";
    let mut statement = tx.prepare_cached(sql)?;
    Ok(statement.query_row([name], |row| row.get(0).map(JobId::from_bytes)).optional()?)
}

fn find(connection: &Connection, name: &str) -> Result<Option<Schedule>, StoreError> {
    if let Ok(id) = name.parse::<JobId>() {
        return Ok(select(connection, "WHERE id = ?1", [id.as_bytes()])?.pop());
    }
    Ok(select(connection, "WHERE name = ?1", [name])?.pop())
}

fn select(
    connection: &Connection,
    rest: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<Schedule>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM schedules {rest}");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params)?;
    let mut schedules = Vec::new();
    while let Some(row) = rows.next()? {
        schedules.push(schedule(row)?);
    }
    Ok(schedules)
}

fn schedule(row: &Row<'_>) -> Result<Schedule, StoreError> {
    let time = |column| {
        Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_ms))
    };
    let unreadable =
        |error: &dyn std::fmt::Display| StoreError::unreadable("schedule", &error.to_string());
    let missed: String = row.get(3)?;
    let job: String = row.get(6)?;
    Ok(Schedule {
        id: JobId::from_bytes(row.get(0)?),
        name: row.get(1)?,
        cron: row.get(2)?,
        missed: Missed::named(&missed).ok_or_else(|| unreadable(&missed))?,
        overlap: row.get(4)?,
        paused: row.get(5)?,
        job: serde_json::from_str(&job).map_err(|error| unreadable(&error))?,
        next_at: time(7)?,
        last_at: time(8)?,
        last_job: row.get::<_, Option<[u8; 16]>>(9)?.map(JobId::from_bytes),
        note: row.get(10)?,
        created_by: row.get(11)?,
        created_at: Timestamp::from_ms(row.get(12)?),
    })
}
