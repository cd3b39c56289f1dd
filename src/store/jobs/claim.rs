//! Whose turn it is.
//!
//! A claim looks at ready jobs only: those whose `look_at` is 0. One that turns out to wait, for its
//! time or for another job, is put aside until that time comes or that job ends, so that it costs
//! one look each time something has changed for it and nothing in between. One that needs others is
//! judged first ([`settle`]): when it comes in, and whenever one of those has ended.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    super::{StoreError, Tx},
    change::{self, Change, transition},
    clear::{Claimant, Clearance, clear},
    interrupted::interrupted_on,
    row::{self, Numbered},
};
use crate::domain::{Job, JobId, JobState, Needed, On, Timestamp};

/// Why a job with a red verdict waits for a person.
pub(super) const HELD: &str = "held by the preflight check";

/// So many jobs that suit other machines are passed over in one claim.
const MOST_PASSED: usize = 1000;

/// What a look at a ready job finds.
enum Verdict {
    /// It may run.
    Go,
    /// Not on this machine.
    Elsewhere,
    /// Not before then; until a job it needs ends, if none.
    Wait(Option<Timestamp>),
    /// Not before a person has decided, for this reason.
    Hold(String),
    /// Never, for this reason.
    Never(String),
}

/// How many command jobs of a group may run at a time.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// By group.
    pub named: BTreeMap<String, usize>,
    /// Of any other.
    pub usual: usize,
}

impl Groups {
    /// No group in particular.
    pub fn of(usual: usize) -> Self {
        Self { named: BTreeMap::new(), usual }
    }

    fn limit(&self, group: &str) -> usize {
        self.named.get(group).copied().unwrap_or(self.usual)
    }
}

/// What a command job without a group, or of one, has as its target.
const COMMAND: &str = "command";
const GROUP: &str = "command:";

/// The targets of command jobs that are ready: from one to the next in the index, whatever the
/// number of jobs.
pub(super) const TARGETS: &str = "WITH RECURSIVE ready (target) AS (
    SELECT (SELECT min(target) FROM jobs INDEXED BY jobs_ready
        WHERE state = 'QUEUED' AND look_at = 0 AND target >= 'command' AND target < 'command;')
    UNION ALL SELECT (SELECT min(target) FROM jobs INDEXED BY jobs_ready
        WHERE state = 'QUEUED' AND look_at = 0 AND target > ready.target AND target < 'command;')
    FROM ready WHERE ready.target IS NOT NULL)
    SELECT target FROM ready WHERE target IS NOT NULL";

/// The best of one target.
pub(super) const HEAD: &str = "SELECT priority, rank, seq FROM jobs INDEXED BY jobs_ready
    WHERE state = 'QUEUED' AND look_at = 0 AND target = ?1
    ORDER BY priority DESC, rank, seq LIMIT 1";

const RUNNING_IN: &str = "SELECT count(*) FROM jobs INDEXED BY jobs_by_state
    WHERE state IN ('RUNNING', 'PAUSED') AND target = ?1";

/// Those whose time has come are ready.
pub(super) const DUE: &str = "UPDATE jobs INDEXED BY jobs_timed SET look_at = 0
    WHERE state = 'QUEUED' AND look_at > 0 AND look_at <= ?1";

/// The best of three queues, each read from its index, after a place in their order.
pub(super) const NEXT_FOR_DEVICE: &str = "WHERE seq = (SELECT seq FROM (
    SELECT * FROM (SELECT priority, rank, seq FROM jobs INDEXED BY jobs_ready
        WHERE state = 'QUEUED' AND look_at = 0 AND target = ?1 AND priority <= ?3
        AND (priority < ?3 OR rank > ?4 OR (rank = ?4 AND seq > ?5))
        ORDER BY priority DESC, rank, seq LIMIT 1)
    UNION ALL SELECT * FROM (SELECT priority, rank, seq FROM jobs INDEXED BY jobs_ready
        WHERE state = 'QUEUED' AND look_at = 0 AND target = ?2 AND priority <= ?3
        AND (priority < ?3 OR rank > ?4 OR (rank = ?4 AND seq > ?5))
        ORDER BY priority DESC, rank, seq LIMIT 1)
    UNION ALL SELECT * FROM (SELECT priority, rank, seq FROM jobs INDEXED BY jobs_ready
        WHERE state = 'QUEUED' AND look_at = 0 AND target = 'any' AND priority <= ?3
        AND (priority < ?3 OR rank > ?4 OR (rank = ?4 AND seq > ?5))
        ORDER BY priority DESC, rank, seq LIMIT 1))
    ORDER BY priority DESC, rank, seq LIMIT 1)";

/// Takes the next job for this machine and makes it RUNNING; none if none may run now or the machine
/// has one. What a job that was interrupted on it holds up is passed over. With `only_named`, only a
/// job that names the machine. On the way a job that needs one that failed, was cancelled or is gone
/// becomes FAILED, and one that would leave the envelope, or is red in another way and not forced,
/// becomes HELD.
pub fn claim_for_device(
    tx: &Tx<'_>,
    machine: &Claimant,
    only_named: bool,
    now: Timestamp,
) -> Result<Option<Job>, StoreError> {
    if change::job_on(tx, &machine.name)?.is_some() {
        return Ok(None);
    }
    tx.prepare_cached(DUE)?.execute([now.as_ms()])?;
    let own = format!("device:{}", machine.name);
    let shared = if only_named { own.clone() } else { format!("driver:{}", machine.driver) };
    let interrupted = interrupted_on(tx, &machine.name)?;
    // Before all that have a place.
    let mut after = (i64::MAX, 0.0, 0);
    for _ in 0..MOST_PASSED {
        let params = params![own, shared, after.0, after.1, after.2];
        let Some(Numbered { seq, job }) = row::select(tx, NEXT_FOR_DEVICE, params)?.pop() else {
            return Ok(None);
        };
        let verdict = match interrupted {
            Some(other) if other.holds(tx, &job)? => Verdict::Elsewhere,
            _ => judge(tx, seq, &job, Some(machine), now)?,
        };
        match verdict {
            Verdict::Go => {
                let change = Change {
                    device: Some(machine.name.clone()),
                    driver: Some(machine.driver.clone()),
                    ..Change::because("started")
                };
                return transition(tx, job.id, JobState::Running, change).map(Some);
            }
            Verdict::Elsewhere => {
                let sql = "SELECT priority, rank, seq FROM jobs WHERE seq = ?1";
                after = tx
                    .prepare_cached(sql)?
                    .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            }
            other => put_aside(tx, seq, job.id, other)?,
        }
    }
    Ok(None)
}

/// Takes the next command jobs, at most `limit`, and makes them RUNNING, in the order in which they
/// are to start; fewer if no more may run now. Of a group that is full, none is taken. A job that
/// needs one that failed, was cancelled or is gone becomes FAILED on the way.
pub fn claim_commands(
    tx: &Tx<'_>,
    groups: &Groups,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Job>, StoreError> {
    tx.prepare_cached(DUE)?.execute([now.as_ms()])?;
    let mut claimed = Vec::with_capacity(limit);
    while claimed.len() < limit
        && let Some(seq) = next_command(tx, groups)?
        && let Some(found) = row::select(tx, "WHERE seq = ?1", [seq])?.pop()
    {
        match judge(tx, seq, &found.job, None, now)? {
            Verdict::Go => {
                let change = Change::because("started");
                claimed.push(change::apply_to(tx, found, JobState::Running, change)?);
            }
            other => put_aside(tx, seq, found.job.id, other)?,
        }
    }
    Ok(claimed)
}

/// The best of all groups that are not full.
fn next_command(tx: &Tx<'_>, groups: &Groups) -> Result<Option<i64>, StoreError> {
    let mut targets = tx.prepare_cached(TARGETS)?;
    let targets = targets.query_map([], |row| row.get::<_, String>(0))?;
    let mut best: Option<(i32, f64, i64)> = None;
    for target in targets {
        let target = target?;
        if let Some(group) = target.strip_prefix(GROUP) {
            let mut running = tx.prepare_cached(RUNNING_IN)?;
            let running: usize = running.query_row([&target], |row| row.get(0))?;
            if running >= groups.limit(group) {
                continue;
            }
        } else if target != COMMAND {
            continue;
        }
        let head = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let head: Option<(i32, f64, i64)> =
            tx.prepare_cached(HEAD)?.query_row([&target], head).optional()?;
        let is_before = |one: &(i32, f64, i64), other: &(i32, f64, i64)| {
            (-one.0, one.1, one.2) < (-other.0, other.1, other.2)
        };
        if let Some(head) = head
            && best.is_none_or(|best| is_before(&head, &best))
        {
            best = Some(head);
        }
    }
    Ok(best.map(|(.., seq)| seq))
}

pub(super) const UNSETTLED: &str = "SELECT id FROM jobs INDEXED BY jobs_unjudged
    WHERE state = 'QUEUED' AND look_at = -1 ORDER BY seq LIMIT ?1";

/// True if there is something to [`settle`]. Cheap.
pub fn unsettled(connection: &Connection) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached(UNSETTLED)?.exists([1])?)
}

/// Judges up to `limit` jobs for which something has changed: whether they may be claimed, wait
/// longer, or can never run and so become FAILED, which may change something for others. Returns
/// how many there were.
pub fn settle(tx: &Tx<'_>, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
    let ids = {
        let mut statement = tx.prepare_cached(UNSETTLED)?;
        let rows = statement.query_map([limit], |row| row::id(row, 0))?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    for id in &ids {
        let Numbered { seq, job } = row::find(tx, *id)?;
        match needs(tx, seq, &job)? {
            Verdict::Go => {
                let look_at = job.not_before.filter(|it| *it > now).map_or(0, Timestamp::as_ms);
                tx.prepare_cached("UPDATE jobs SET look_at = ?2 WHERE seq = ?1")?
                    .execute(params![seq, look_at])?;
            }
            other => put_aside(tx, seq, job.id, other)?,
        }
    }
    Ok(ids.len())
}

/// When the next job that waits for its time may run.
pub fn next_not_before(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(look_at) FROM jobs INDEXED BY jobs_timed WHERE state = 'QUEUED' AND look_at > 0";
    let time: Option<i64> = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(time.map(Timestamp::from_ms))
}

/// A ready job that may not run now is not ready any more.
fn put_aside(tx: &Tx<'_>, seq: i64, id: JobId, verdict: Verdict) -> Result<(), StoreError> {
    match verdict {
        Verdict::Go | Verdict::Elsewhere => {}
        Verdict::Wait(until) => {
            tx.prepare_cached("UPDATE jobs SET look_at = ?2 WHERE seq = ?1")?
                .execute(params![seq, until.map(Timestamp::as_ms)])?;
        }
        Verdict::Hold(reason) => {
            let reason = format!("{HELD}: {reason}");
            let change = Change { error: Some(reason.clone()), ..Change::because(reason) };
            transition(tx, id, JobState::Held, change)?;
        }
        Verdict::Never(reason) => {
            transition(tx, id, JobState::Failed, Change::because(reason))?;
        }
    }
    Ok(())
}

fn judge(
    tx: &Tx<'_>,
    seq: i64,
    job: &Job,
    machine: Option<&Claimant>,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    if let (Some(asked), Some(Claimant { driver, .. })) = (&job.driver, machine)
        && asked != driver
    {
        return Ok(Verdict::Never(format!("it asks for driver {asked}, the device has {driver}")));
    }
    if let Some(time) = job.not_before.filter(|time| *time > now) {
        return Ok(Verdict::Wait(Some(time)));
    }
    let verdict = needs(tx, seq, job)?;
    let (Verdict::Go, Some(machine)) = (&verdict, machine) else { return Ok(verdict) };
    Ok(match clear(job, machine, job.device.is_some()) {
        Clearance::Go => Verdict::Go,
        Clearance::Elsewhere => Verdict::Elsewhere,
        Clearance::Hold(reason) => Verdict::Hold(reason),
    })
}

/// What the jobs it needs say.
fn needs(tx: &Tx<'_>, seq: i64, job: &Job) -> Result<Verdict, StoreError> {
    let mut verdict = Verdict::Go;
    for Needed { job: needed, on } in job.depends_on.iter().copied() {
        let Some(state) = state(tx, needed)? else {
            if is_open(tx, needed, seq)? {
                return Ok(Verdict::Never(format!("job {needed}, which it depends on, is gone")));
            }
            continue; // it had ended as needed before it was deleted
        };
        match on.is_met(state) {
            Some(true) => {}
            Some(false) => {
                let but = if on == On::Completed { String::new() } else { format!(", not {on}") };
                let reason = format!("job {needed}, which it depends on, is {state}{but}");
                return Ok(Verdict::Never(reason));
            }
            None => verdict = Verdict::Wait(None),
        }
    }
    Ok(verdict)
}

fn state(tx: &Tx<'_>, id: JobId) -> Result<Option<JobState>, StoreError> {
    let mut statement = tx.prepare_cached("SELECT state FROM jobs WHERE id = ?1")?;
    let mut rows = statement.query([id.as_bytes()])?;
    rows.next()?.map(|row| row::word(row, 0, "job state")).transpose()
}

fn is_open(tx: &Tx<'_>, needed: JobId, seq: i64) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM dependencies WHERE needs = ?1 AND job = ?2";
    let mut statement = tx.prepare_cached(sql)?;
    Ok(statement.query_row(params![needed.as_bytes(), seq], |_| Ok(())).optional()?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{NewJob, Priority},
        store::{
            Store,
            jobs::{get, insert},
            tests::{command, fresh, write},
        },
    };

    fn submit(store: &Store, job: NewJob) -> JobId {
        let id = job.id;
        write(store, move |tx| insert(tx, &job));
        id
    }

    fn to(store: &Store, id: JobId, state: JobState) -> Job {
        write(store, move |tx| transition(tx, id, state, Change::because("test")))
    }

    #[test]
    fn many_are_claimed_at_once_in_their_order_past_those_that_cannot_run() {
        let (_dir, store) = fresh();
        let low = submit(&store, NewJob { priority: Priority(-1), ..command() });
        let first = submit(&store, command());
        let needs = |id| NewJob {
            depends_on: vec![Needed { job: id, on: On::Completed }],
            priority: Priority(5),
            ..command()
        };
        let waits = submit(&store, needs(first));
        let failed = submit(&store, command());
        to(&store, failed, JobState::Failed);
        let hopeless = submit(&store, needs(failed));
        let second = submit(&store, command());
        let claim = |limit| {
            while write(&store, |tx| settle(tx, Timestamp::now(), 100)) > 0 {}
            let claimed = write(&store, move |tx| {
                claim_commands(tx, &Groups::of(9), Timestamp::now(), limit)
            });
            assert!(claimed.iter().all(|job| job.state == JobState::Running && job.attempts == 1));
            claimed.into_iter().map(|job| job.id).collect::<Vec<_>>()
        };
        assert_eq!(claim(0), []);
        assert_eq!(claim(2), [first, second]);
        assert_eq!(
            store.read(|connection| get(connection, hopeless)).unwrap().state,
            JobState::Failed
        );
        to(&store, first, JobState::Completed);
        assert_eq!(claim(9), [waits, low]);
        assert_eq!(claim(9), []);
    }
}
