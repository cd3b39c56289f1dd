//! In what order hooks are run, and that none is lost or repeated.

use std::{collections::BTreeMap, fs};

use serde_json::json;

use super::{await_written, hooked, write_down, written};
use crate::support::{Station, eventually};

#[test]
fn hooks_of_a_job_follow_each_other_and_those_of_a_hundred_all_run() {
    let builder = Station::with();
    let file = builder.home().join("words");
    // Each takes a moment, and would be overtaken if it could.
    let script = format!(
        "printf '%s\\0%s\\0' \"$1\" \"$2+\" >> '{0}'; sleep 0.0$(( $$ % 5 )); \
         printf '%s\\0%s\\0' \"$1\" \"$2-\" >> '{0}'",
        file.display()
    );
    let record = json!([{"command": ["sh", "-c", script, "sh", "{job_id}", "{state}"]}]);
    let hooks = json!({"QUEUED": record, "RUNNING": record, "COMPLETED": record});
    let station = builder.config(&json!({"hooks": hooks}).to_string()).start();
    let jobs: Vec<_> = (0..100).map(|_| station.submit(&json!({"command": ["true"]}))).collect();
    let words = await_written(&file, 100 * 3 * 2 * 2);
    let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for pair in words.chunks(2) {
        told.entry(&pair[0]).or_default().push(&pair[1]);
    }
    assert_eq!(told.len(), jobs.len());
    for job in &jobs {
        let expected = ["QUEUED+", "QUEUED-", "RUNNING+", "RUNNING-", "COMPLETED+", "COMPLETED-"];
        assert_eq!(told[job.as_str()], expected, "{job}");
    }
    let overlaps = words.chunks(4).any(|both| both[0] != both[2]);
    assert!(overlaps, "different jobs do not wait for each other");
}

#[test]
fn a_crash_loses_no_event_and_repeats_no_finished_hook() {
    let builder = Station::with();
    let file = builder.home().join("words");
    let hooks = json!({"COMPLETED": [write_down(&file, &["{job_id}"])]});
    let mut station = builder.config(&json!({"hooks": hooks}).to_string()).start();
    let mut jobs = Vec::new();
    for round in 0..5 {
        for _ in 0..10 {
            jobs.push(station.submit(&json!({"command": ["true"]})));
        }
        eventually("some are done", || (written(&file).len() > round * 10 + 3).then_some(()));
        station.kill();
        station.again();
    }
    for job in &jobs {
        station.await_job(job, "COMPLETED");
    }
    eventually("every job was told of", || {
        let words = written(&file);
        jobs.iter().all(|job| words.contains(job)).then_some(())
    });
    eventually("nothing is left to do", || {
        let open = ["WAITING", "RUNNING"];
        let left: usize =
            open.iter().map(|it| station.hook_runs(&format!("?state={it}")).len()).sum();
        (left == 0).then_some(())
    });
    // Those that were being run at one of the five moments may have been run again, no others.
    let words = written(&file);
    assert!(words.len() <= jobs.len() + 5 * 4, "{} of {}", words.len(), jobs.len());
    let runs = station.hook_runs("?state=SUCCEEDED&limit=1000");
    assert_eq!(runs.len(), jobs.len(), "an event has one run of a hook");
    let tried: i64 = runs.iter().map(|run| run["attempts"].as_i64().unwrap()).sum();
    assert!(words.len() <= usize::try_from(tried).unwrap(), "every repetition is counted");
}

#[test]
fn a_reload_takes_up_new_hooks_for_what_happens_from_then_on() {
    let builder = Station::with();
    let (before, after) = (builder.home().join("before"), builder.home().join("after"));
    let hooks = json!({"COMPLETED": [write_down(&before, &["{job_id}"])]});
    let station = builder.config(&json!({"hooks": hooks}).to_string()).start();
    let first = station.submit(&json!({"command": ["true"]}));
    assert_eq!(await_written(&before, 1), std::slice::from_ref(&first));
    let hooks = json!({"completed": [write_down(&after, &["{job_id}"])]});
    fs::write(station.config_file(), json!({"hooks": hooks}).to_string()).unwrap();
    station.cli(["reload"]).exited(0);
    eventually("it is in force", || {
        let list = station.local().get("/api/v1/hooks");
        (list.status == 200 && list.text().contains("after")).then_some(())
    });
    let second = station.submit(&json!({"command": ["true"]}));
    assert_eq!(await_written(&after, 1), [second]);
    assert_eq!(written(&before), [first]);

    // A bad one changes nothing.
    fs::write(station.config_file(), r#"{"hooks": {"COMPLETE": [{"command": ["true"]}]}}"#)
        .unwrap();
    let refused = station.cli(["reload"]).exited(1);
    assert!(refused.stderr.contains("the nearest is COMPLETED"), "{refused:?}");
    let third = station.submit(&json!({"command": ["true"]}));
    assert_eq!(await_written(&after, 2)[1], third);
}

#[test]
fn what_waits_for_a_hook_that_is_gone_is_not_run() {
    let builder = Station::with();
    let file = builder.home().join("words");
    let script = format!("printf '%s\\0' begun >> '{}'; exec sleep 600", file.display());
    let hooks = json!({"COMPLETED": [{"command": ["sh", "-c", script], "timeout": "10m"}]});
    let mut station = builder.config(&json!({"hooks": hooks}).to_string()).start();
    station.submit(&json!({"command": ["true"]}));
    await_written(&file, 1);
    station.kill();
    fs::write(station.config_file(), "").unwrap();
    station.again();
    let run = station.await_run("COMPLETED[0]", "SKIPPED");
    assert_eq!(run["error"], "the hook is not configured any more");
    assert_eq!(written(&file).len(), 1);
}

#[test]
fn hooks_hold_up_no_job() {
    let hooks = json!({"QUEUED": [{"command": ["sleep", "600"], "timeout": "10m"}]});
    let mut station = hooked(&hooks).set("supervisor.stop_timeout", "4s").start();
    for _ in 0..10 {
        let job = station.submit(&json!({"command": ["true"]}));
        station.await_job(&job, "COMPLETED");
    }
    station.await_run("QUEUED[0]", "WAITING");
    assert_eq!(station.stop(), 0, "nor the stop");
}
