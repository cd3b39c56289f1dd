use std::{fs, os::unix::fs::PermissionsExt};

use refinery::{Migration, Runner};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{super::*, assert_whole, command, eventually, fresh, open, options, write};
use crate::domain::JobState;

/// Every migration that was ever released.
const RELEASED: [(&str, &str); 8] = [
    ("V1__initial", include_str!("../../../migrations/V1__initial.sql")),
    ("V2__daemons", include_str!("../../../migrations/V2__daemons.sql")),
    ("V3__preflight", include_str!("../../../migrations/V3__preflight.sql")),
    ("V4__queue", include_str!("../../../migrations/V4__queue.sql")),
    ("V5__hooks", include_str!("../../../migrations/V5__hooks.sql")),
    ("V6__programs", include_str!("../../../migrations/V6__programs.sql")),
    ("V7__commands", include_str!("../../../migrations/V7__commands.sql")),
    ("V8__checks", include_str!("../../../migrations/V8__checks.sql")),
];

fn with_migrations(dir: &TempDir, more: &[(&str, &str)]) -> Result<(), StoreError> {
    let all = RELEASED.iter().chain(more);
    let known: Vec<_> = all.map(|(name, sql)| Migration::unapplied(name, sql).unwrap()).collect();
    let mut connection = Connection::open(dir.path().join("stationd.db")).unwrap();
    migrate::run(&mut connection, &options(dir.path()), Runner::new(&known))
}

fn backups(dir: &TempDir) -> Vec<std::path::PathBuf> {
    fs::read_dir(dir.path().join("backups"))
        .map(|entries| entries.map(|entry| entry.unwrap().path()))
        .map(|paths| paths.filter(|path| path.extension().is_some_and(|end| end == "db")).collect())
        .unwrap_or_default()
}

#[test]
fn the_files_are_for_owner_and_group_whatever_the_umask() {
    let (dir, store) = fresh();
    write(&store, |tx| jobs::insert(tx, &command()));
    for name in ["stationd.db", "stationd.db-wal", "stationd.db-shm"] {
        let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{name}");
    }
}

#[test]
fn a_commit_is_synced_and_references_are_kept() {
    let (_dir, store) = fresh();
    let pragma = |name: &'static str| {
        write(&store, move |tx| {
            Ok(tx.query_row(&format!("PRAGMA {name}"), [], |row| {
                row.get::<_, rusqlite::types::Value>(0)
            })?)
        })
    };
    assert_eq!(pragma("synchronous"), 2.into());
    assert_eq!(pragma("foreign_keys"), 1.into());
    assert_eq!(pragma("journal_mode"), "wal".to_owned().into());
    assert_eq!(pragma("busy_timeout"), 5000.into());
    let tables: u32 = store
        .read(|connection| {
            let sql = "SELECT count(*) FROM pragma_table_list
                WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'
                AND name <> 'refinery_schema_history'";
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        })
        .unwrap();
    assert_eq!(tables, 0, "every table is strict");
}

#[test]
fn what_was_written_is_there_after_opening_again_and_numbers_go_on() {
    let (dir, store) = fresh();
    let job = write(&store, |tx| jobs::insert(tx, &command())).job;
    store.close().unwrap();
    let (feed, heard) = super::feed();
    let store = Store::open(options(dir.path()), feed.clone()).unwrap();
    assert_eq!(feed.newest(), 1);
    assert_eq!(store.read(|connection| jobs::get(connection, job.id)).unwrap(), job);
    write(&store, |tx| jobs::insert(tx, &command()));
    assert_eq!(heard.lock().unwrap()[0].0, 2);
    assert!(backups(&dir).is_empty(), "no migration, no copy");
}

#[test]
fn a_clean_stop_needs_no_check_and_any_other_gets_one() {
    let (dir, store) = fresh();
    assert_eq!(store.integrity(), Integrity::Unknown);
    store.close().unwrap();
    let store = open(&dir).unwrap();
    assert_eq!(store.integrity(), Integrity::Unknown);
    drop(store);
    let store = open(&dir).unwrap();
    eventually("the check", || store.integrity() == Integrity::Ok);
}

#[test]
fn a_database_from_a_newer_program_is_refused_with_both_versions() {
    let (dir, store) = fresh();
    store.close().unwrap();
    with_migrations(&dir, &[("V99__future", "CREATE TABLE future (a INTEGER) STRICT")]).unwrap();
    let error = open(&dir).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, known: 8, .. }));
    let text = error.to_string();
    assert!(text.contains("version 99") && text.contains("up to 8"), "{text}");
}

#[test]
fn an_older_database_is_copied_before_it_is_migrated() {
    let (dir, store) = fresh();
    let job = write(&store, |tx| jobs::insert(tx, &command())).job;
    store.close().unwrap();
    with_migrations(&dir, &[("V90__more", "ALTER TABLE jobs ADD COLUMN more TEXT")]).unwrap();
    let copies = backups(&dir);
    assert_eq!(copies.len(), 1);
    backup::verify(&copies[0]).unwrap();
    let copy = Connection::open(&copies[0]).unwrap();
    assert_eq!(jobs::get(&copy, job.id).unwrap(), job);
    assert!(copy.prepare("SELECT more FROM jobs").is_err(), "as it was before");
    with_migrations(&dir, &[("V90__more", "ALTER TABLE jobs ADD COLUMN more TEXT")]).unwrap();
    assert_eq!(backups(&dir).len(), 1, "twice is nothing");
}

#[test]
fn a_migration_that_fails_half_way_leaves_the_database_as_it_was() {
    let (dir, store) = fresh();
    store.close().unwrap();
    let steps = [
        ("V2__good", "CREATE TABLE good (a INTEGER) STRICT"),
        ("V90__bad", "CREATE TABLE half (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);"),
    ];
    assert!(matches!(with_migrations(&dir, &steps), Err(StoreError::Migration(_))));
    let store = open(&dir).unwrap();
    let tables: u32 = store
        .read(|connection| {
            let sql = "SELECT count(*) FROM sqlite_schema WHERE name IN ('good', 'half')";
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        })
        .unwrap();
    assert_eq!(tables, 0);
    assert_whole(&store);
}

#[test]
fn an_edited_migration_and_a_garbled_history_are_refused_without_a_panic() {
    for edit in [
        "UPDATE refinery_schema_history SET checksum = '1'",
        "UPDATE refinery_schema_history SET checksum = 'x', applied_on = 'yesterday'",
        "DELETE FROM refinery_schema_history",
    ] {
        let (dir, store) = fresh();
        store.close().unwrap();
        Connection::open(dir.path().join("stationd.db")).unwrap().execute(edit, []).unwrap();
        assert!(matches!(open(&dir).map(drop), Err(StoreError::Migration(_))), "{edit}");
    }
}

#[test]
fn what_is_no_database_of_ours_is_refused_and_left_alone() {
    let (whole, store) = fresh();
    write(&store, |tx| jobs::insert(tx, &command()));
    store.close().unwrap();
    let good = fs::read(whole.path().join("stationd.db")).unwrap();
    let mut broken_schema = good.clone();
    broken_schema[100..4096].fill(0x5a);
    let cases: [(&str, Vec<u8>, &[u8]); 6] = [
        ("another kind of file", b"hello ".repeat(100), b""),
        ("within its header", good[..50].to_vec(), b""),
        ("cut short", good[..good.len() - 4096].to_vec(), b""),
        ("header overwritten", [&[0; 100], &good[100..]].concat(), b""),
        ("schema overwritten", broken_schema, b""),
        ("empty with a log", Vec::new(), b"something"),
    ];
    for (case, content, log) in cases {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("stationd.db");
        fs::write(&path, &content).unwrap();
        if !log.is_empty() {
            fs::write(dir.path().join("stationd.db-wal"), log).unwrap();
        }
        let error = open(&dir).map(drop).unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{case}: {error}");
        assert_eq!(fs::read(&path).unwrap(), content, "{case}");
    }
    let foreign = TempDir::new().unwrap();
    let other = Connection::open(foreign.path().join("stationd.db")).unwrap();
    other.execute_batch("CREATE TABLE theirs (a)").unwrap();
    assert!(matches!(open(&foreign).map(drop), Err(StoreError::Unusable { .. })));
}

#[test]
fn a_damaged_page_is_found_in_the_background_after_an_unclean_stop() {
    let (dir, store) = fresh();
    for _ in 0..200 {
        write(&store, |tx| jobs::insert(tx, &command()));
    }
    store.close().unwrap();
    let path = dir.path().join("stationd.db");
    let edit = Connection::open(&path).unwrap();
    edit.execute("UPDATE settings SET value = 'yes' WHERE key = 'store.running'", []).unwrap();
    drop(edit);
    let mut content = fs::read(&path).unwrap();
    let event = content.windows(9).position(|text| text == br#""seq":50,"#).unwrap();
    let page = event / 4096 * 4096;
    content[page..page + 4096].fill(0x5a);
    fs::write(&path, content).unwrap();
    let store = open(&dir).unwrap();
    eventually("the damage", || matches!(store.integrity(), Integrity::Damaged(_)));
    store.close().unwrap();
    let store = open(&dir).unwrap();
    eventually("the damage, again", || matches!(store.integrity(), Integrity::Damaged(_)));
}

#[test]
fn a_copy_of_a_database_in_use_is_whole_and_of_one_moment() {
    let (dir, store) = fresh();
    let to = dir.path().join("copy.db");
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            for _ in 0..200 {
                write(&store, |tx| jobs::insert(tx, &command()));
            }
        });
        while !busy.is_finished() {
            store.snapshot(&to).unwrap();
            backup::verify(&to).unwrap();
            let copy = Connection::open(&to).unwrap();
            let sql = "SELECT (SELECT count(*) FROM jobs) = (SELECT count(*) FROM events)";
            assert!(copy.query_row(sql, [], |row| row.get::<_, bool>(0)).unwrap());
        }
    });
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(!dir.path().join(".copy.db.part").exists());
    assert!(matches!(store.snapshot(&dir.path().join("no/where")), Err(StoreError::Io { .. })));
}

#[test]
fn what_a_job_may_not_be_the_database_refuses() {
    let (_dir, store) = fresh();
    write(&store, |tx| jobs::insert(tx, &command()));
    for wrong in ["state = 'QUEUED RUNNING'", "state = ''", "kind = 'other'", "id = x'00'"] {
        let sql = format!("UPDATE jobs SET {wrong}");
        let refused = store.write(move |tx| Ok(tx.execute(&sql, [])?)).wait();
        assert!(refused.unwrap_err().to_string().contains("CHECK"), "{wrong}");
    }
    for state in JobState::ALL {
        let sql = format!("UPDATE jobs SET state = '{state}'");
        write(&store, move |tx| Ok(tx.execute(&sql, [])?));
    }
}
