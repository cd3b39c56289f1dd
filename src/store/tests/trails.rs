//! Events, the audit trail, settings.

use rusqlite::Connection;

use super::{
    super::{
        audit::{AuditCheck, AuditFilter},
        events::EventFilter,
        *,
    },
    command, fresh, open, write,
};
use crate::domain::{Actor, AuditEntry, Body, Channel, Outcome, Severity, Timestamp};

fn alert(store: &Store, title: &'static str) -> u64 {
    write(store, move |tx| {
        tx.emit("system", Some(1), Body::alert(Severity::Info, "test", title, "x"))
    })
}

fn entry(action: &str) -> AuditEntry {
    AuditEntry {
        actor: Actor { name: format!("who {action}"), source: "socket".to_owned() },
        action: action.to_owned(),
        resource: "system".to_owned(),
        outcome: Outcome::Ok,
        detail: "{}".to_owned(),
    }
}

#[test]
fn events_are_found_by_number_kind_resource_and_channel() {
    let (_dir, store) = fresh();
    let job = write(&store, |tx| jobs::insert(tx, &command())).job;
    alert(&store, "one");
    alert(&store, "two");
    let seqs = |since, filter: EventFilter, limit| -> Vec<u64> {
        let found = store.read(|connection| events::since(connection, since, &filter, limit));
        found.unwrap().iter().map(|event| event.seq).collect()
    };
    let any = EventFilter::default;
    assert_eq!(seqs(0, any(), 100), [1, 2, 3]);
    assert_eq!(seqs(1, any(), 1), [2]);
    assert_eq!(seqs(u64::MAX, any(), 1), [0; 0]);
    let resource = Some(format!("job:{}", job.id));
    assert_eq!(seqs(0, EventFilter { resource, ..any() }, 100), [1]);
    assert_eq!(
        seqs(0, EventFilter { kind: Some("system_alert".to_owned()), ..any() }, 100),
        [2, 3]
    );
    assert_eq!(seqs(2, EventFilter { channel: Some(Channel::System), ..any() }, 100), [3]);
}

#[test]
fn old_events_go_but_the_newest_stays_so_that_numbers_go_on() {
    let (dir, store) = fresh();
    for _ in 0..10 {
        alert(&store, "an event");
    }
    // Five an hour ago, five now.
    write(&store, |tx| Ok(tx.execute("UPDATE events SET at = at - 3600000 WHERE seq <= 5", [])?));
    let half_an_hour_ago = Timestamp::from_ms(Timestamp::now().as_ms() - 1_800_000);
    assert_eq!(store.read(|c| events::seq_before(c, half_an_hour_ago)).unwrap(), 5);
    assert_eq!(write(&store, move |tx| events::prune(tx, half_an_hour_ago, 2)), 2);
    assert_eq!(write(&store, move |tx| events::prune(tx, half_an_hour_ago, 100)), 3);
    assert_eq!(write(&store, move |tx| events::prune(tx, half_an_hour_ago, 100)), 0);
    assert_eq!(store.read(events::oldest).unwrap(), Some(6));
    let tomorrow = Timestamp::from_ms(Timestamp::now().as_ms() + 86_400_000);
    assert_eq!(write(&store, move |tx| events::prune(tx, tomorrow, 100)), 4);
    store.close().unwrap();
    let store = open(&dir).unwrap();
    assert_eq!(alert(&store, "after a restart"), 11);
}

#[test]
fn the_audit_trail_is_listed_newest_first_and_tells_everyone() {
    let (_dir, store) = fresh();
    for action in ["a", "b", "c", "d", "e"] {
        write(&store, move |tx| tx.audit(&entry(action)));
    }
    let page = |cursor, actor: Option<&str>| {
        let actor = actor.map(str::to_owned);
        store.read(|c| audit::list(c, &AuditFilter { actor, limit: 2, cursor })).unwrap()
    };
    let actions = |page: &Page<audit::AuditRecord>| -> String {
        page.items.iter().map(|record| record.action.as_str()).collect()
    };
    let first = page(None, None);
    let second = page(first.next_cursor.clone(), None);
    let third = page(second.next_cursor.clone(), None);
    assert_eq!([&first, &second, &third].map(actions), ["ed", "cb", "a"]);
    assert_eq!(third.next_cursor, None);
    assert_eq!(actions(&page(None, Some("who c"))), "c");
    let told = store
        .read(|c| {
            events::since(
                c,
                0,
                &EventFilter { channel: Some(Channel::Audit), ..EventFilter::default() },
                9,
            )
        })
        .unwrap();
    assert_eq!(told.len(), 5);
    assert!(told[0].json.contains(r#""actor":"who a""#), "{}", told[0].json);
}

#[test]
fn any_edit_of_the_audit_trail_is_found() {
    let edits = [
        ("UPDATE audit SET actor = 'nobody' WHERE seq = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE seq = 3", 3),
        ("UPDATE audit SET detail = '{} ' WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 2", 3),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 4", 4),
        (
            "UPDATE audit SET (actor, hash) = (SELECT actor, hash FROM audit WHERE seq = 1) WHERE seq = 2",
            2,
        ),
    ];
    for (edit, place) in edits {
        let (dir, store) = fresh();
        for action in ["a", "b", "c", "d"] {
            write(&store, move |tx| tx.audit(&entry(action)));
        }
        assert_eq!(store.read(audit::verify).unwrap(), AuditCheck::Intact { records: 4 });
        Connection::open(dir.path().join("stationd.db")).unwrap().execute(edit, []).unwrap();
        let found = store.read(audit::verify).unwrap();
        assert!(
            matches!(found, AuditCheck::Broken { seq, .. } if seq == place),
            "{edit}: {found:?}"
        );
    }
}

#[test]
fn the_chain_goes_on_after_a_failed_write_and_after_a_restart() {
    let (dir, store) = fresh();
    write(&store, |tx| tx.audit(&entry("first")));
    let failed = store.write(|tx| {
        tx.audit(&entry("never"))?;
        Err::<(), _>(StoreError::Full)
    });
    assert!(failed.wait().is_err());
    write(&store, |tx| tx.audit(&entry("second")));
    store.close().unwrap();
    let store = open(&dir).unwrap();
    write(&store, |tx| tx.audit(&entry("third")));
    assert_eq!(store.read(audit::verify).unwrap(), AuditCheck::Intact { records: 3 });
}

#[test]
fn settings_are_set_replaced_and_forgotten() {
    let (_dir, store) = fresh();
    let get = || store.read(|connection| settings::get(connection, "key")).unwrap();
    assert_eq!(get(), None);
    write(&store, |tx| settings::set(tx, "key", "one"));
    write(&store, |tx| settings::set(tx, "key", "two"));
    assert_eq!(get().as_deref(), Some("two"));
    assert!(write(&store, |tx| settings::remove(tx, "key")));
    assert!(!write(&store, |tx| settings::remove(tx, "key")));
    assert_eq!(get(), None);
}
