//! A row of the table as people see it.

use std::str::FromStr;

use rusqlite::{Connection, Params, Row};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use super::super::StoreError;
use crate::domain::Timestamp;

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RunState {
    /// For its turn, or to be tried again.
    Waiting,
    /// It is being done.
    Running,
    /// Done.
    Succeeded,
    /// Given up.
    Failed,
    /// Its hook was not configured any more.
    Skipped,
}

/// A word that is not the state of a run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{0}\" is not the state of a run")]
pub struct NotAState(String);

impl RunState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::Running, Self::Succeeded, Self::Failed, Self::Skipped];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Skipped => "SKIPPED",
        }
    }
}

impl FromStr for RunState {
    type Err = NotAState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let same = |state: &Self| state.as_str().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(same).ok_or_else(|| NotAState(text.to_owned()))
    }
}

/// One run of a hook.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HookRun {
    /// Its name for ever.
    pub id: String,
    /// The number of the event; none for a test.
    pub event_id: Option<u64>,
    /// What happened, as `COMPLETED` or `device:idle`.
    pub event: String,
    /// What it happened to, as `job:ID`.
    pub resource: String,
    /// The hook, as `COMPLETED[0]`.
    pub hook: String,
    /// `command`, `script`, `webhook`, `websocket` or `daemon`.
    pub kind: String,
    /// Where it is.
    pub state: RunState,
    /// How often it has been tried.
    pub attempts: u32,
    /// When it is tried (again), while it waits.
    pub next_at: Option<Timestamp>,
    /// When it became due.
    pub created_at: Timestamp,
    /// When it was last tried.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How long the last try took.
    pub duration_seconds: Option<f64>,
    /// The exit code, or the HTTP status.
    pub code: Option<i64>,
    /// What is wrong.
    pub error: Option<String>,
    /// The beginning of what the program wrote, or the server answered.
    pub output: Option<String>,
    /// Bytes of it beyond that.
    pub output_lost_bytes: u64,
    /// What it was told.
    pub payload: Value,
}

const COLUMNS: &str = "seq, id, event_seq, event, resource, hook, kind, state, attempts, next_at,
    created_at, started_at, finished_at, code, error, output, output_lost, payload";

/// The runs that `rest` (from WHERE on) selects, each with its number.
pub(super) fn select(
    connection: &Connection,
    rest: &str,
    params: impl Params,
) -> Result<Vec<(i64, HookRun)>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM hook_runs {rest}");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params)?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.push((row.get(0)?, read(row)?));
    }
    Ok(runs)
}

fn read(row: &Row<'_>) -> Result<HookRun, StoreError> {
    let time = |column: usize| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_ms))
    };
    let state: String = row.get(7)?;
    let state = state.parse().map_err(|why| StoreError::unreadable("run state", &why))?;
    let payload: String = row.get(17)?;
    let (started_at, finished_at) = (time(11)?, time(12)?);
    let lasted = |from: Timestamp, to: Timestamp| from.until(to).as_secs_f64();
    Ok(HookRun {
        id: row.get(1)?,
        event_id: row.get(2)?,
        event: row.get(3)?,
        resource: row.get(4)?,
        hook: row.get(5)?,
        kind: row.get(6)?,
        state,
        attempts: row.get(8)?,
        next_at: time(9)?.filter(|_| state == RunState::Waiting),
        created_at: Timestamp::from_ms(row.get(10)?),
        started_at,
        finished_at,
        duration_seconds: started_at.zip(finished_at).map(|(from, to)| lasted(from, to)),
        code: row.get(13)?,
        error: row.get(14)?,
        output: row.get(15)?,
        output_lost_bytes: row.get(16)?,
        payload: serde_json::from_str(&payload)
            .map_err(|why| StoreError::unreadable("payload", &why))?,
    })
}
