//! Copies elsewhere: whole, incremental, and caught up with when a target is back.

use std::{fs, path::Path};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::support::{Builder, Station, eventually};

/// A station that copies to `target`, when it is told to: by a restart of the daemon.
fn copying(target: &Path) -> Builder {
    let sync = json!({"interval": "1h", "targets": [target]});
    Station::with()
        .config(&json!({"sync": sync}).to_string())
        .simulate("grbl")
        .set("simulator.speed", "0")
        .set("supervisor.health_interval", "1s")
}

fn details(station: &Station) -> Value {
    station.local().get("/api/v1/daemons/sync").expect(200)["health"].clone()
}

/// Copies now; how it went.
#[track_caller]
fn copy(station: &Station) -> Value {
    station.local().post("/api/v1/daemons/sync/restart", &Value::Null).expect(200);
    eventually("a pass is over", || {
        let health = details(station);
        (health["details"]["last_sync_at"].is_string()).then_some(health)
    })
}

fn query<T: rusqlite::types::FromSql>(database: &Path, sql: &str) -> T {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(database, flags).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn what_has_ended_is_copied_once_beside_a_sound_database() {
    let target = tempfile::tempdir().unwrap();
    let station = copying(target.path()).start();
    let file = "G0 X1\n".repeat(20_000);
    let plot = station.tcp().request("POST", "/api/v1/jobs", &[], file.as_bytes()).expect(201);
    let plot = plot["id"].as_str().unwrap();
    let program = station.submit(&json!({"command": ["echo", "hello"]}));
    let held = station.submit(&json!({"command": ["echo", "later"], "hold": true}));
    station.await_job(plot, "COMPLETED");
    station.await_job(&program, "COMPLETED");

    let health = copy(&station);
    assert_eq!(
        (&health["status"], &health["details"]["errors_count"]),
        (&json!("healthy"), &json!(0))
    );
    let database = target.path().join("stationd.db");
    assert_eq!(query::<String>(&database, "PRAGMA integrity_check"), "ok");
    assert_eq!(query::<i64>(&database, "SELECT count(*) FROM jobs"), 3);
    let jobs = target.path().join("jobs");
    assert_eq!(fs::read_to_string(jobs.join(plot).join("file")).unwrap(), file);
    assert!(jobs.join(plot).join("checkpoint.json").exists());
    assert_eq!(fs::read_to_string(jobs.join(&program).join("output.log")).unwrap(), "hello\n");
    assert!(!jobs.join(&held).exists(), "it has not ended");

    // Again: of what is there already nothing is touched but the database, which has grown.
    let stamp = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let before = stamp(&jobs.join(plot).join("file"));
    let health = copy(&station);
    assert!(health["details"]["files_synced"].as_u64() <= Some(1), "{health}");
    assert_eq!(stamp(&jobs.join(plot).join("file")), before);
    station.act(&held, "release").expect(200);
    station.await_job(&held, "COMPLETED");
    copy(&station);
    assert!(jobs.join(&held).join("output.log").exists());
    assert_eq!(
        query::<i64>(&database, "SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL"),
        3
    );
}

#[test]
fn a_target_that_is_away_degrades_and_is_caught_up_with() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("disk");
    fs::write(&target, "in the way").unwrap();
    let sync = json!({"interval": "1s", "targets": [target]});
    let station = Station::with()
        .config(&json!({"sync": sync}).to_string())
        .set("supervisor.health_interval", "1s")
        .start();
    let job = station.submit(&json!({"command": ["true"]}));
    station.await_job(&job, "COMPLETED");
    let health = eventually("it has failed more than once", || {
        let health = details(&station);
        (health["details"]["errors_count"].as_u64() > Some(1)).then_some(health)
    });
    assert_eq!(health["status"], "degraded");
    assert!(health["message"].as_str().unwrap().ends_with("sync errors"), "{health}");
    assert!(health["details"]["last_error"].as_str().unwrap().contains("disk"), "{health}");
    let listed = station.cli(["daemon", "list"]).exited(0).stdout;
    assert!(
        listed.lines().any(|it| it.starts_with("  SYNC: RUNNING (degraded - ")
            || it.starts_with("  sync: RUNNING (degraded - ")),
        "{listed}"
    );
    fs::remove_file(&target).unwrap();
    eventually("it has caught up", || {
        let health = details(&station);
        (health["status"] == "healthy" && health["details"]["files_synced"].as_u64() > Some(0))
            .then_some(())
    });
    assert_eq!(query::<String>(&target.join("stationd.db"), "PRAGMA integrity_check"), "ok");
}
