//! Jobs that come again and again, and what a clock that jumps makes of them.

use std::time::Duration;

use croner::Cron;
use jiff::{Zoned, tz::TimeZone};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{JobId, NewJob, Timestamp};

/// Runs that are caught up at most, however many were missed.
const MOST_CAUGHT_UP: usize = 10;
/// With seconds before all others.
const MOST_FIELDS: usize = 6;
/// A run that is later than that was missed.
const ON_TIME: Duration = Duration::from_mins(1);
/// A last run that lies further ahead than that was by a clock that was wrong.
const BACK: Duration = Duration::from_hours(24);

/// What becomes of runs that were missed, because the station did not run or the clock jumped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// Nothing.
    Skip,
    /// One run stands for all.
    #[default]
    RunOnce,
    /// Each is caught up, the newest ten at most.
    RunAll,
}

impl Missed {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::RunOnce => "run_once",
            Self::RunAll => "run_all",
        }
    }

    /// The policy of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Skip, Self::RunOnce, Self::RunAll].into_iter().find(|it| it.as_str() == name)
    }
}

/// Text that is no cron expression.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "\"{text}\" is not a cron expression ({why}): write minute, hour, day, month and weekday, as \
     \"0 3 * * *\" for each night at three, with seconds before them if need be, or @hourly, @daily, @weekly"
)]
pub struct NotCron {
    text: String,
    why: String,
}

/// A job that comes again and again.
#[derive(Clone, Debug, Serialize)]
pub struct Schedule {
    /// Its name for ever.
    pub id: JobId,
    /// What people call it; no other has the same.
    pub name: String,
    /// When it is due, in the station's time zone.
    pub cron: String,
    /// What becomes of missed runs.
    pub missed: Missed,
    /// A run starts though the one before has not ended.
    pub overlap: bool,
    /// Nothing is due.
    pub paused: bool,
    /// What is submitted.
    #[serde(skip)]
    pub job: NewJob,
    /// When it is due next.
    pub next_at: Option<Timestamp>,
    /// When it was last due.
    pub last_at: Option<Timestamp>,
    /// The job that was submitted last.
    pub last_job: Option<JobId>,
    /// What came of it when it was last due, if that needs saying.
    pub note: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// What is to be done now about a schedule that is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The runs, oldest first, each by its time.
    pub runs: Vec<Timestamp>,
    /// True if runs were missed that are not caught up.
    pub missed: bool,
}

/// Refuses what is no cron expression, and what never comes.
pub fn check_cron(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, NotCron> {
    let wrong = |why: String| NotCron { text: text.to_owned(), why };
    if text.split_whitespace().count() > MOST_FIELDS {
        return Err(wrong("it has more than six fields, and a year cannot be given".to_owned()));
    }
    let cron: Cron =
        text.parse().map_err(|error: croner::errors::CronError| wrong(error.to_string()))?;
    next(&cron, now, zone).ok_or_else(|| wrong("it never comes".to_owned()))
}

impl Schedule {
    /// When it is due next, seen from now. A clock that was set back a little does not make it run
    /// twice; one that was a day or more ahead is not trusted for what it said.
    pub fn next_after(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let after = match self.last_at {
            Some(last) if last > now && now.until(last) < BACK => last,
            _ => now,
        };
        next(&self.cron.parse().ok()?, after, zone)
    }

    /// What is due by now: nothing if its time has not come. A clock that jumped a year ahead makes
    /// it no more than a few runs.
    pub fn due(&self, now: Timestamp, zone: &TimeZone) -> Due {
        let Some(since) = self.next_at.filter(|since| *since <= now) else { return Due::default() };
        let Ok(cron) = self.cron.parse::<Cron>() else { return Due::default() };
        let most = if self.missed == Missed::RunAll { MOST_CAUGHT_UP } else { 1 };
        // Newest first; one more than is kept tells whether there were others.
        let mut runs = Vec::new();
        let mut before = now.after(Duration::from_secs(1));
        while runs.len() <= most
            && let Some(run) = previous(&cron, before, zone).filter(|run| *run >= since)
        {
            runs.push(run);
            before = run;
        }
        let mut missed = runs.len() > most;
        runs.truncate(most);
        if self.missed == Missed::Skip && runs.iter().any(|run| run.until(now) > ON_TIME) {
            runs.clear();
            missed = true;
        }
        runs.reverse();
        Due { runs, missed }
    }
}

fn local(time: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    let time = jiff::Timestamp::from_millisecond(time.as_ms()).ok()?;
    Some(time.to_zoned(zone.clone()))
}

fn next(cron: &Cron, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let found = cron.find_next_occurrence(&local(after, zone)?, false).ok()?;
    Some(Timestamp::from_ms(found.timestamp().as_millisecond()))
}

fn previous(cron: &Cron, before: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let found = cron.find_previous_occurrence(&local(before, zone)?, false).ok()?;
    Some(Timestamp::from_ms(found.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Payload, Priority, Rules};

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule(cron: &str, missed: Missed, next_at: &str) -> Schedule {
        let job = NewJob {
            id: JobId::new(),
            name: "nightly".to_owned(),
            payload: Payload::Command(vec!["true".to_owned()]),
            program: None,
            priority: Priority(0),
            device: None,
            driver: None,
            surroundings: crate::domain::Surroundings::default(),
            hold: false,
            not_before: None,
            depends_on: Vec::new(),
            labels: std::collections::BTreeMap::new(),
            timeout_seconds: None,
            rules: Rules::default(),
            max_attempts: 1,
            submitted_by: "test".to_owned(),
            idempotency_key: None,
            analysis: None,
            forced: false,
        };
        Schedule {
            id: JobId::new(),
            name: "nightly".to_owned(),
            cron: cron.to_owned(),
            missed,
            overlap: false,
            paused: false,
            job,
            next_at: Some(at(next_at)),
            last_at: None,
            last_job: None,
            note: None,
            created_by: "test".to_owned(),
            created_at: at("2026-01-01T00:00:00Z"),
        }
    }

    #[test]
    fn a_schedule_follows_the_clock_of_the_wall() {
        let nightly = schedule("0 3 * * *", Missed::RunOnce, "2026-03-01T02:00:00Z");
        for (now, next) in [
            ("2026-03-27T12:00:00Z", "2026-03-28T02:00:00.000Z"), // winter: 03:00 is 02:00 UTC
            ("2026-03-28T12:00:00Z", "2026-03-29T01:00:00.000Z"), // the clocks went on at 02:00
            ("2026-10-24T12:00:00Z", "2026-10-25T02:00:00.000Z"), // and back at 03:00
        ] {
            assert_eq!(nightly.next_after(at(now), &berlin()), Some(at(next)), "{now}");
        }
        // 02:30 does not exist on that day, and comes twice on the other: it runs once each.
        let half = schedule("30 2 * * *", Missed::RunOnce, "2026-03-01T01:30:00Z");
        for day in ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z"] {
            let first = half.next_after(at(day), &berlin()).unwrap();
            let second = half.next_after(first, &berlin()).unwrap();
            assert!(first.until(second) > Duration::from_hours(22), "{first} {second}");
            assert!(at(day).until(first) < Duration::from_hours(15), "{first}");
        }
    }

    #[test]
    fn missed_runs_are_dealt_with_as_said_and_never_flood() {
        let a_year_later = at("2027-03-01T02:30:30Z");
        for (cron, missed, runs) in [
            ("* * * * *", Missed::Skip, 1), // the present minute is on time
            ("* * * * *", Missed::RunOnce, 1),
            ("* * * * *", Missed::RunAll, 10),
            ("0 3 1 * *", Missed::Skip, 0),
            ("0 3 1 * *", Missed::RunOnce, 1),
            ("0 3 1 * *", Missed::RunAll, 10),
            ("0 3 1 6 *", Missed::RunAll, 1),
        ] {
            let due = schedule(cron, missed, "2026-03-01T02:00:00Z").due(a_year_later, &berlin());
            assert_eq!(due.runs.len(), runs, "{cron} {missed:?}: {due:?}");
            assert!(due.runs.is_sorted() && due.runs.iter().all(|run| *run <= a_year_later));
        }
        let soon = schedule("0 3 * * *", Missed::RunAll, "2026-03-01T02:00:00Z");
        assert_eq!(soon.due(at("2026-03-01T01:59:59.999Z"), &berlin()), Due::default());
        let on_time = soon.due(at("2026-03-01T02:00:00Z"), &berlin());
        assert_eq!(on_time, Due { runs: vec![at("2026-03-01T02:00:00Z")], missed: false });
    }

    #[test]
    fn a_clock_that_goes_back_makes_no_second_run_and_blocks_nothing() {
        let mut nightly = schedule("0 3 * * *", Missed::RunOnce, "2026-06-02T01:00:00Z");
        nightly.last_at = Some(at("2026-06-01T01:00:00Z"));
        let an_hour_back = nightly.next_after(at("2026-06-01T00:10:00Z"), &berlin());
        assert_eq!(an_hour_back, Some(at("2026-06-02T01:00:00Z")));
        let a_year_back = nightly.next_after(at("2025-06-01T00:10:00Z"), &berlin());
        assert_eq!(a_year_back, Some(at("2025-06-01T01:00:00Z")));
    }

    #[test]
    fn nonsense_is_refused_with_an_example() {
        let now = at("2026-03-01T00:00:00Z");
        for text in ["", "* * *", "61 * * * *", "0 0 31 2 *", "often", "0 0 3 * * * 2030"] {
            let refusal = check_cron(text, now, &berlin()).unwrap_err().to_string();
            assert!(refusal.contains("0 3 * * *"), "{text}: {refusal}");
        }
        for text in ["*/5 * * * *", "0 3 * * MON-FRI", "*/10 * * * * *", "@daily"] {
            assert!(check_cron(text, now, &berlin()).is_ok(), "{text}");
        }
    }
}
