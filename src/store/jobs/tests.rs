mod races;
mod random;

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::*;
use crate::{
    domain::{
        Actor, Analysis, Job, JobId, JobKind, JobState, NewJob, Payload, Priority, Progress,
        Timestamp,
    },
    store::{
        Store, StoreError, events, queue_modes,
        tests::{assert_whole, command, drawing, fresh, write},
    },
};

fn submit(store: &Store, job: NewJob) -> JobId {
    let id = job.id;
    write(store, move |tx| insert(tx, &job));
    id
}

fn to(store: &Store, id: JobId, state: JobState) -> Result<Job, StoreError> {
    store.write(move |tx| transition(tx, id, state, Change::because("test"))).wait()
}

fn found(store: &Store, id: JobId) -> Job {
    store.read(|connection| get(connection, id)).unwrap()
}

fn claim(store: &Store) -> Option<JobId> {
    while write(store, |tx| settle(tx, Timestamp::now(), 100)) > 0 {}
    write(store, |tx| claim_commands(tx, &Groups::of(9), Timestamp::now(), 1))
        .pop()
        .map(|job| job.id)
}

fn claim_on(store: &Store, device: &'static str, driver: &'static str) -> Option<Job> {
    let (name, driver) = (device.to_owned(), driver.to_owned());
    let machine = Claimant { name, driver, envelope: None, others: Vec::new() };
    write(store, move |tx| claim_for_device(tx, &machine, false, Timestamp::now()))
}

#[test]
fn every_field_comes_back_as_it_was_submitted() {
    let (_dir, store) = fresh();
    let needed = submit(&store, command());
    let new = NewJob {
        name: "a drawing".to_owned(),
        payload: Payload::Inline(vec![0, 255, 10]),
        priority: Priority(-7),
        device: Some("plotter".to_owned()),
        driver: Some("grbl".to_owned()),
        hold: true,
        not_before: Some(Timestamp::from_ms(4_000_000_000_000)),
        depends_on: vec![needed.into()],
        labels: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        timeout_seconds: Some(1.5),
        max_attempts: 3,
        analysis: Some(Analysis { lines: 12, min: Some([0.0, 1.0, 2.5]), ..Analysis::default() }),
        ..command()
    };
    let content = new.payload.clone();
    let job = write(&store, move |tx| insert(tx, &new)).job;
    assert_eq!(found(&store, job.id), job);
    assert_eq!((job.state, job.kind, job.lines_total), (JobState::Held, JobKind::Device, Some(12)));
    assert_eq!(store.read(|connection| payload(connection, job.id)).unwrap(), content);
    let argv = store.read(|connection| payload(connection, needed)).unwrap();
    assert_eq!(argv, Payload::Command(vec!["true".to_owned()]));
    let missing = store.read(|connection| get(connection, JobId::new()));
    assert!(matches!(missing, Err(StoreError::NotFound(what)) if what.starts_with("job ")));
}

#[test]
fn the_same_key_again_is_the_same_job() {
    let (_dir, store) = fresh();
    let keyed = || NewJob { idempotency_key: Some("key".to_owned()), ..command() };
    let first = write(&store, move |tx| insert(tx, &keyed()));
    let again = write(&store, move |tx| insert(tx, &keyed()));
    assert!(first.created && !again.created);
    assert_eq!(first.job, again.job);
    // Within one transaction, too.
    let batch = write(&store, move |tx| {
        let other = || NewJob { idempotency_key: Some("other".to_owned()), ..command() };
        [other(), other(), keyed()].iter().map(|job| insert(tx, job)).collect::<Result<Vec<_>, _>>()
    });
    assert_eq!(batch.iter().map(|one| one.created).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(store.read(counts).unwrap().of(JobState::Queued), 2);
    assert_eq!(store.read(events::newest).unwrap(), Some(2), "no event for what did not happen");
}

#[test]
fn a_batch_is_all_or_nothing() {
    let (_dir, store) = fresh();
    let bad = NewJob { depends_on: vec![JobId::new().into()], ..command() };
    let batch = Batch { jobs: vec![command(), bad], key: None, fingerprint: [0; 32] };
    let answer = store.write(move |tx| insert_batch(tx, &batch)).wait();
    assert!(matches!(answer, Err(StoreError::NotFound(_))));
    assert_eq!(store.read(counts).unwrap(), Counts::default());
    assert_eq!(store.read(events::newest).unwrap(), None);
}

#[test]
fn a_move_sets_the_fields_that_follow_from_it() {
    let (_dir, store) = fresh();
    let id = submit(&store, drawing(None, Some("grbl")));
    let job = claim_on(&store, "plotter", "grbl").unwrap();
    assert_eq!((job.attempts, job.device.as_deref()), (1, Some("plotter")));
    assert!(job.started_at.is_some() && job.finished_at.is_none());
    let progress = Progress {
        lines_acknowledged: 3,
        lines_total: 9,
        progress_percentage: 33.0,
        eta_seconds: Some(2.0),
        message: Some("half".to_owned()),
    };
    write(&store, move |tx| checkpoint_progress(tx, id, &progress));
    assert_eq!(
        (found(&store, id).lines_acknowledged, found(&store, id).eta_seconds),
        (3, Some(2.0))
    );
    let job = to(&store, id, JobState::Interrupted).unwrap();
    assert_eq!((job.error.as_deref(), job.lines_acknowledged), (Some("test"), 3));
    let job = to(&store, id, JobState::Running).unwrap();
    assert_eq!((job.error.as_deref(), job.attempts), (None, 1), "going on is no new attempt");
    let job = to(&store, id, JobState::Failed).unwrap();
    assert!(job.finished_at.is_some() && job.error.is_some());
    let job = to(&store, id, JobState::Queued).unwrap();
    assert_eq!((job.device.as_deref(), job.driver.as_deref()), (None, Some("grbl")));
    assert_eq!((job.lines_acknowledged, job.error, job.finished_at), (0, None, None));
    assert_eq!(claim_on(&store, "router", "grbl").unwrap().attempts, 2, "any machine may take it");
    let change = Change {
        actor: Some(Actor::station()),
        exit_code: Some(0),
        cause_seq: Some(1),
        ..Change::because("end of file")
    };
    let job = write(&store, move |tx| transition(tx, id, JobState::Completed, change.clone()));
    assert_eq!((job.progress_percentage, job.exit_code), (100.0, Some(0)));
    assert_eq!(found(&store, id), job);
    let told = store.read(|c| events::since(c, 0, &events::EventFilter::default(), 99)).unwrap();
    let last: serde_json::Value = serde_json::from_str(&told.last().unwrap().json).unwrap();
    assert_eq!(last["from_state"], "RUNNING");
    assert_eq!(last["to_state"], "COMPLETED");
    assert_eq!(last["reason"], "end of file");
    assert_eq!(last["cause_seq"], 1);
    assert_eq!(last["metadata"]["actor"], "station");
}

#[test]
fn a_machine_has_one_job_at_a_time() {
    let (_dir, store) = fresh();
    submit(&store, drawing(Some("plotter"), None));
    let second = submit(&store, drawing(Some("plotter"), None));
    let first = claim_on(&store, "plotter", "grbl").unwrap().id;
    assert!(claim_on(&store, "plotter", "grbl").is_none());
    assert!(matches!(
        to(&store, second, JobState::Running),
        Err(StoreError::DeviceTaken { job, .. }) if job == first
    ));
    to(&store, first, JobState::Interrupted).unwrap();
    assert!(claim_on(&store, "plotter", "grbl").is_none(), "it waited before that");
    let third = submit(&store, drawing(Some("plotter"), None));
    assert_eq!(claim_on(&store, "plotter", "grbl").unwrap().id, third, "a person has said so");
    to(&store, third, JobState::Completed).unwrap();
    assert!(claim_on(&store, "plotter", "grbl").is_none());
    to(&store, first, JobState::Queued).unwrap();
    assert_eq!(claim_on(&store, "plotter", "grbl").unwrap().id, first, "tried again");
    to(&store, first, JobState::Interrupted).unwrap();
    to(&store, first, JobState::Cancelled).unwrap();
    assert_eq!(claim_on(&store, "plotter", "grbl").unwrap().id, second);
}

#[test]
fn what_nobody_remembers_the_time_of_waits_for_a_person_too() {
    let (_dir, store) = fresh();
    let first = submit(&store, drawing(Some("plotter"), None));
    let second = submit(&store, drawing(Some("plotter"), None));
    claim_on(&store, "plotter", "grbl").unwrap();
    to(&store, first, JobState::Interrupted).unwrap();
    write(&store, |tx| Ok(tx.execute("DELETE FROM events", [])?));
    assert!(claim_on(&store, "plotter", "grbl").is_none());
    to(&store, first, JobState::Cancelled).unwrap();
    assert_eq!(claim_on(&store, "plotter", "grbl").unwrap().id, second);
}

#[test]
fn a_machine_does_not_resume_a_job_beside_another() {
    let (_dir, store) = fresh();
    let first = submit(&store, drawing(Some("plotter"), None));
    claim_on(&store, "plotter", "grbl").unwrap();
    to(&store, first, JobState::Interrupted).unwrap();
    submit(&store, drawing(Some("plotter"), None));
    claim_on(&store, "plotter", "grbl").unwrap();
    let resumed = to(&store, first, JobState::Running);
    assert!(matches!(resumed, Err(StoreError::DeviceTaken { .. })));
    assert_eq!(found(&store, first).state, JobState::Interrupted);
}

#[test]
fn a_machine_takes_what_is_for_it_for_its_driver_or_for_any() {
    let (_dir, store) = fresh();
    let low = NewJob { priority: Priority(-1), ..drawing(None, None) };
    let any = submit(&store, low);
    let other = submit(&store, drawing(Some("router"), None));
    let driver = submit(&store, drawing(None, Some("grbl")));
    let named = submit(&store, drawing(Some("plotter"), Some("grbl")));
    let wrong = submit(&store, drawing(Some("plotter"), Some("ebb")));
    let mut taken = Vec::new();
    while let Some(job) = claim_on(&store, "plotter", "grbl") {
        taken.push(job.id);
        to(&store, job.id, JobState::Completed).unwrap();
    }
    assert_eq!(taken, [driver, named, any]);
    assert_eq!(found(&store, other).state, JobState::Queued);
    let wrong = found(&store, wrong);
    assert_eq!(wrong.state, JobState::Failed);
    assert!(wrong.error.unwrap().contains("driver ebb"));
}

#[test]
fn a_job_waits_for_its_time() {
    let (_dir, store) = fresh();
    let soon = Timestamp::from_ms(Timestamp::now().as_ms() + 3_600_000);
    let id = submit(&store, NewJob { not_before: Some(soon), ..command() });
    assert_eq!(store.read(next_not_before).unwrap(), Some(soon));
    assert_eq!(claim(&store), None);
    assert_eq!(write(&store, move |tx| claim_commands(tx, &Groups::of(9), soon, 1)).len(), 1);
    assert_eq!(store.read(next_not_before).unwrap(), None);
    // A time that lay ahead when the clock was wrong is looked at again.
    to(&store, id, JobState::Failed).unwrap();
    to(&store, id, JobState::Queued).unwrap();
    assert_eq!(claim(&store), None);
    assert_eq!(store.read(next_not_before).unwrap(), Some(soon));
}

#[test]
fn a_job_waits_for_those_it_depends_on_and_fails_with_them() {
    let (_dir, store) = fresh();
    let [a, b, c] = [(); 3].map(|()| submit(&store, command()));
    for id in [a, b, c] {
        assert_eq!(claim(&store), Some(id));
    }
    let both = submit(&store, NewJob { depends_on: vec![a.into(), b.into()], ..command() });
    let doomed = submit(&store, NewJob { depends_on: vec![a.into(), c.into()], ..command() });
    let chained = submit(&store, NewJob { depends_on: vec![doomed.into()], ..command() });
    assert_eq!(claim(&store), None);
    to(&store, a, JobState::Completed).unwrap();
    assert_eq!(claim(&store), None);
    to(&store, b, JobState::Completed).unwrap();
    write(&store, move |tx| delete(tx, a));
    assert_eq!(claim(&store), Some(both), "a completed one may be deleted");
    to(&store, c, JobState::Failed).unwrap();
    assert_eq!(claim(&store), None);
    assert!(found(&store, doomed).error.unwrap().contains(&format!("job {c}")));
    assert_eq!(found(&store, chained).state, JobState::Failed);
    let orphan = submit(&store, NewJob { depends_on: vec![c.into()], ..command() });
    write(&store, move |tx| delete(tx, c));
    assert_eq!(claim(&store), None);
    assert!(found(&store, orphan).error.unwrap().contains("gone"));
    assert_whole(&store);
}

#[test]
fn a_retry_in_the_same_write_dooms_nobody() {
    let (_dir, store) = fresh();
    let first = submit(&store, command());
    let second = submit(&store, NewJob { depends_on: vec![first.into()], ..command() });
    assert_eq!(claim(&store), Some(first));
    write(&store, move |tx| {
        transition(tx, first, JobState::Failed, Change::because("exit 1"))?;
        transition(tx, first, JobState::Queued, Change::because("retry"))
    });
    assert_eq!(claim(&store), Some(first));
    assert_eq!(claim(&store), None);
    to(&store, first, JobState::Completed).unwrap();
    assert_eq!(claim(&store), Some(second));
}

#[test]
fn the_list_comes_in_pages_newest_first() {
    let (_dir, store) = fresh();
    let ids: Vec<_> = (0..7).map(|_| submit(&store, command())).collect();
    submit(&store, drawing(Some("plotter"), None));
    let page = |cursor| {
        let filter =
            JobFilter { kind: Some(JobKind::Command), limit: 3, cursor, ..JobFilter::default() };
        store.read(|connection| list(connection, &filter)).unwrap()
    };
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = page(cursor);
        seen.extend(page.items.into_iter().map(|job| job.id));
        // What comes in meanwhile does not shift the pages.
        submit(&store, command());
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids.into_iter().rev().collect::<Vec<_>>());
    for cursor in ["", "xyz", "ffffffffffffffffff"] {
        let filter = JobFilter { cursor: Some(cursor.to_owned()), ..JobFilter::default() };
        let refused = store.read(|connection| list(connection, &filter));
        assert!(matches!(refused, Err(StoreError::BadCursor(_))), "{cursor}");
    }
}

#[test]
fn a_waiting_job_can_be_moved_and_its_place_told() {
    let (_dir, store) = fresh();
    let [a, b, c] = [(); 3].map(|()| submit(&store, command()));
    let ahead = |id| store.read(|connection| queued_ahead(connection, id)).unwrap();
    assert_eq!([a, b, c].map(ahead), [0, 1, 2]);
    write(&store, move |tx| {
        edit(tx, c, &Edit { place: Some(Place::Before(b)), ..Edit::default() })
    });
    assert_eq!([a, b, c].map(ahead), [0, 2, 1]);
    write(&store, move |tx| {
        edit(tx, b, &Edit { place: Some(Place::Before(a)), ..Edit::default() })
    });
    assert_eq!([a, b, c].map(ahead), [1, 0, 2]);
    write(&store, move |tx| edit(tx, c, &Edit { priority: Some(Priority(5)), ..Edit::default() }));
    let order: Vec<_> = store.read(|c| queue(c, 9)).unwrap().iter().map(|job| job.id).collect();
    assert_eq!(order, [c, b, a]);
    assert_eq!([claim(&store), claim(&store), claim(&store)], [Some(c), Some(b), Some(a)]);
    let late = store
        .write(move |tx| edit(tx, a, &Edit { priority: Some(Priority(1)), ..Edit::default() }))
        .wait();
    assert!(matches!(late, Err(StoreError::NotWaiting(JobState::Running))));
}

#[test]
fn only_ended_jobs_go_and_the_old_ones_first() {
    let (_dir, store) = fresh();
    let [a, b, c] = [(); 3].map(|()| submit(&store, command()));
    let refused = store.write(move |tx| delete(tx, a)).wait();
    assert!(matches!(refused, Err(StoreError::NotEnded(JobState::Queued))));
    to(&store, a, JobState::Cancelled).unwrap();
    to(&store, b, JobState::Cancelled).unwrap();
    write(&store, move |tx| {
        Ok(tx.execute("UPDATE jobs SET finished_at = 1000 WHERE id = ?1", [b.as_bytes()])?)
    });
    let hour_ago = Timestamp::from_ms(Timestamp::now().as_ms() - 3_600_000);
    assert_eq!(write(&store, move |tx| prune(tx, hour_ago, 10)), [b]);
    assert_eq!(write(&store, move |tx| prune(tx, hour_ago, 10)), []);
    assert_eq!(
        (found(&store, a).state, found(&store, c).state),
        (JobState::Cancelled, JobState::Queued)
    );
    assert_whole(&store);
}

/// However many jobs have ended, a claim and a list read only what they need.
#[test]
fn questions_are_answered_from_indexes() {
    let (_dir, store) = fresh();
    let plan = |sql: &str, parameters: usize| -> String {
        let parameters = vec![rusqlite::types::Null; parameters];
        store
            .read(|connection: &Connection| {
                let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let rows = statement.query_map(rusqlite::params_from_iter(&parameters), |row| {
                    row.get::<_, String>(3)
                })?;
                Ok(rows.collect::<Result<Vec<_>, _>>()?.join("\n"))
            })
            .unwrap()
    };
    let uses = |sql: &str, parameters, index: &str| {
        let plan = plan(sql, parameters);
        assert!(plan.contains(index), "{sql}\n{plan}");
        assert!(!plan.contains("SCAN jobs"), "{sql}\n{plan}");
        plan
    };
    let command = uses(claim::HEAD, 1, "jobs_ready");
    assert!(!command.contains("TEMP B-TREE"), "{command}");
    uses(claim::TARGETS, 0, "jobs_ready");
    // All of that index is what is asked for.
    let unsettled = plan(claim::UNSETTLED, 1);
    assert_eq!(unsettled, "SCAN jobs USING INDEX jobs_unjudged");
    uses(&format!("SELECT * FROM jobs {}", change::BY_UNIQUE_KEY), 1, "jobs_by_unique_key");
    uses(keep::OLDEST_STORED, 0, "jobs_stored");
    let device = uses(&format!("SELECT * FROM jobs {}", claim::NEXT_FOR_DEVICE), 5, "jobs_ready");
    assert_eq!(device.matches("jobs_ready").count(), 3, "{device}");
    let newest = |filter: &JobFilter| format!("SELECT * FROM jobs {}", read::list_sql(filter));
    let state = Some(JobState::Failed);
    let listed = uses(&newest(&JobFilter { state, ..JobFilter::default() }), 8, "jobs_by_state");
    assert!(!listed.contains("TEMP B-TREE"), "{listed}");
    let device = Some("plotter".to_owned());
    uses(&newest(&JobFilter { state, device, ..JobFilter::default() }), 8, "jobs_by_device");
    uses(&newest(&JobFilter::default()), 8, "INTEGER PRIMARY KEY (rowid<?)");
    uses(keep::OLD, 2, "jobs_finished");
    uses(claim::DUE, 1, "jobs_timed");
    uses(change::JOB_ON, 1, "jobs_on_device");
    uses(change::DEPENDENTS, 1, "INTEGER PRIMARY KEY (rowid=?)");
}
