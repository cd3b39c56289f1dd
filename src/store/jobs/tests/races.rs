//! What was decided about a job that has moved or changed since.

use super::*;

#[test]
fn what_was_decided_for_one_state_does_not_hold_for_another() {
    let (_dir, store) = fresh();
    let id = submit(&store, command());
    assert_eq!(claim(&store), Some(id));
    // A person cancels what waits, as they saw it; meanwhile it runs.
    let late = store.write(move |tx| {
        let change = Change::because("cancel");
        transition_from(tx, id, JobState::Queued, JobState::Cancelled, change)
    });
    assert!(matches!(
        late.wait(),
        Err(StoreError::Moved { from: JobState::Queued, to: JobState::Running })
    ));
    assert_eq!(found(&store, id).state, JobState::Running);
    let version = found(&store, id).version;
    assert_eq!(version, 2, "one change of state");
    let checked = move |expected| store.write(move |tx| check_version(tx, id, expected)).wait();
    assert!(checked(None).is_ok() && checked(Some(2)).is_ok());
    assert!(matches!(checked(Some(1)), Err(StoreError::Changed { found: 2, .. })));
}

#[test]
fn nothing_is_drained_while_a_job_has_yet_to_be_judged() {
    let (_dir, store) = fresh();
    let busy = || store.read(|connection| queue_modes::is_busy(connection, None)).unwrap();
    assert!(!busy());
    let held = submit(&store, NewJob { hold: true, ..command() });
    let waits = submit(&store, NewJob { depends_on: vec![held.into()], ..command() });
    assert!(busy(), "it is not known yet what it waits for");
    assert_eq!(claim(&store), None);
    assert!(!busy(), "a person is waited for");
    to(&store, held, JobState::Cancelled).unwrap();
    assert!(busy());
    assert_eq!(claim(&store), None);
    assert_eq!(found(&store, waits).state, JobState::Failed);
    assert!(!busy());
}
