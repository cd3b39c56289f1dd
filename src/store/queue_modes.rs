//! Parts of the queue that are paused or drained: all of it, or the part of a device.

use std::{fmt, str::FromStr};

use rusqlite::{Connection, params};
use serde::Serialize;

use super::{StoreError, Tx};
use crate::domain::{Timestamp, same_name};

/// What a part of the queue does other than usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It starts nothing; what runs goes on.
    Paused,
    /// It runs what waits and takes nothing new.
    Draining,
    /// Nothing is left to run; it takes nothing new.
    Drained,
}

impl Mode {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Draining => "draining",
            Self::Drained => "drained",
        }
    }

    /// True if new jobs are refused.
    pub fn refuses(self) -> bool {
        self != Self::Paused
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let same = |mode: &Self| mode.as_str() == text;
        let all = [Self::Paused, Self::Draining, Self::Drained];
        all.into_iter().find(same).ok_or_else(|| format!("\"{text}\" is not a mode of the queue"))
    }
}

/// A part of the queue and its mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The device; all of the queue if none.
    pub device: Option<String>,
    /// What it does.
    pub mode: Mode,
    /// Since when.
    pub since: Timestamp,
    /// Who asked for it.
    pub actor: String,
}

/// Every part that is not as usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modes(pub Vec<Part>);

impl Modes {
    /// Of the queue as a whole.
    pub fn whole(&self) -> Option<Mode> {
        self.0.iter().find(|part| part.device.is_none()).map(|part| part.mode)
    }

    /// Of the part of a device, whatever the whole does.
    pub fn device(&self, name: &str) -> Option<Mode> {
        let its = |part: &&Part| part.device.as_deref().is_some_and(|it| same_name(it, name));
        self.0.iter().find(its).map(|part| part.mode)
    }
}

/// The modes in force.
pub fn all(connection: &Connection) -> Result<Modes, StoreError> {
    let sql = "SELECT scope, mode, since, actor FROM queue_modes ORDER BY scope";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        let (scope, mode): (String, String) = (row.get(0)?, row.get(1)?);
        parts.push(Part {
            device: (!scope.is_empty()).then_some(scope),
            mode: mode.parse().map_err(|why: String| StoreError::unreadable("mode", &why))?,
            since: Timestamp::from_ms(row.get(2)?),
            actor: row.get(3)?,
        });
    }
    Ok(Modes(parts))
}

/// Sets the mode of a part, or lets it be as usual again; true if that changes anything.
pub fn set(
    tx: &Tx<'_>,
    device: Option<&str>,
    mode: Option<Mode>,
    actor: &str,
) -> Result<bool, StoreError> {
    let scope = device.unwrap_or_default();
    let Some(mode) = mode else {
        let sql = "DELETE FROM queue_modes WHERE scope = ?1";
        return Ok(tx.prepare_cached(sql)?.execute([scope])? > 0);
    };
    let sql = "INSERT INTO queue_modes (scope, mode, since, actor) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (scope) DO UPDATE SET mode = excluded.mode, since = excluded.since,
        actor = excluded.actor WHERE mode <> excluded.mode";
    let row = params![scope, mode.as_str(), Timestamp::now().as_ms(), actor];
    Ok(tx.prepare_cached(sql)?.execute(row)? > 0)
}

/// True if a job of that part runs or could run without a person and before its time has come.
pub fn is_busy(connection: &Connection, device: Option<&str>) -> Result<bool, StoreError> {
    // A job that waits to be tried again has been started already and is waited for.
    let due = "(look_at IN (0, -1) OR (look_at > 0 AND attempts > 0))";
    let sql = match device {
        None => format!(
            "SELECT 1 FROM jobs WHERE state IN ('RUNNING', 'PAUSED')
             OR (state = 'QUEUED' AND {due}) LIMIT 1"
        ),
        Some(_) => format!(
            "SELECT 1 FROM jobs WHERE device = ?1 AND (state IN ('RUNNING', 'PAUSED')
             OR (state = 'QUEUED' AND {due})) LIMIT 1"
        ),
    };
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(match device {
        None => statement.exists([])?,
        Some(device) => statement.exists([device])?,
    })
}
