//! Nothing of a job is left running once it is over.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{gone, output, process, state};
use crate::support::{Station, eventually};

/// Runs the script in a session of its own, without its parent: what daemons do at their start.
fn double_fork(script: &str) -> String {
    format!("(setsid sh -c '{script}' > /dev/null 2>&1 &)")
}

/// Processes that carry the mark of a job.
fn marked(id: &str) -> usize {
    let mark = format!("STATIOND_JOB={id}");
    let carries = |process: &Path| {
        fs::read(process.join("environ"))
            .is_ok_and(|all| all.split(|byte| *byte == 0).any(|it| it == mark.as_bytes()))
    };
    fs::read_dir("/proc").unwrap().flatten().filter(|entry| carries(&entry.path())).count()
}

#[test]
fn a_cancelled_job_takes_along_who_has_left_its_group_and_who_does_not_listen() {
    let station = Station::start();
    let (daemon, own) = (station.home().join("daemon"), station.home().join("own"));
    let deaf =
        format!("trap \"\" TERM; echo $$ > {}; while :; do sleep 0.1; done", daemon.display());
    let script = format!(
        "trap '' TERM; {}; echo $$ > {}; while :; do sleep 0.1; done",
        double_fork(&deaf),
        own.display()
    );
    let job = json!({"command": ["sh", "-c", script], "stop_timeout_seconds": 0.3});
    let id = station.submit(&job);
    let programs = [process(&daemon), process(&own)];
    let begun = Instant::now();
    assert_eq!(station.act(&id, "cancel").expect(200)["state"], "CANCELLED");
    assert!(begun.elapsed() >= Duration::from_millis(300), "it had its time");
    for program in &programs {
        assert!(state(program).is_none_or(|state| state == 'Z'), "gone before it is said");
    }
    assert_eq!(marked(&id), 0);
}

#[test]
fn one_that_is_asked_may_end_in_its_own_way() {
    let station = Station::start();
    let ready = station.home().join("ready");
    let script = "trap 'echo bye; exit 0' TERM; echo > \"$0\"; while :; do sleep 0.01; done";
    let id = station.submit(&json!({"command": ["sh", "-c", script, ready]}));
    eventually("it listens", || ready.exists().then_some(()));
    assert_eq!(station.act(&id, "cancel").expect(200)["state"], "CANCELLED");
    let text = output(&station, &id);
    assert!(text.ends_with("bye\n"), "{text}");
}

#[test]
fn a_time_out_ends_the_whole_tree() {
    let station = Station::start();
    let daemon = station.home().join("daemon");
    let child = format!("echo $$ > {}; exec sleep 600", daemon.display());
    let script = format!("{}; exec sleep 600", double_fork(&child));
    let id = station.submit(&json!({"command": ["sh", "-c", script], "timeout_seconds": 0.5}));
    let program = process(&daemon);
    let job = station.await_job(&id, "FAILED");
    assert!(job["error"].as_str().unwrap().contains("longer than its limit of "), "{job}");
    assert!(state(&program).is_none_or(|state| state == 'Z'));
}

#[test]
fn what_a_program_leaves_behind_is_ended_and_named() {
    let station = Station::start();
    let [group, daemon] = ["group", "daemon"].map(|name| station.home().join(name));
    let child = format!("echo $$ > {}; exec sleep 600", daemon.display());
    let script = format!(
        "sh -c 'echo $$ > {}; exec sleep 600' & {}
         while [ ! -s {} ] || [ ! -s {} ]; do sleep 0.01; done; echo over",
        group.display(),
        double_fork(&child),
        group.display(),
        daemon.display()
    );
    let id = station.submit(&json!({"command": ["sh", "-c", script]}));
    station.await_job(&id, "COMPLETED");
    for file in [&group, &daemon] {
        gone(&process(file));
    }
    let text = output(&station, &id);
    let pid = fs::read_to_string(&daemon).unwrap();
    assert!(
        text.starts_with("over\n[stationd] the program ended and left processes behind"),
        "{text}"
    );
    assert!(text.contains(&format!("{} (sleep)", pid.trim())), "{text}");
    assert_eq!(marked(&id), 0);
}

#[test]
fn what_is_left_behind_and_does_not_listen_is_killed() {
    let station = Station::start();
    let daemon = station.home().join("daemon");
    let deaf =
        format!("trap \"\" TERM; echo $$ > {}; while :; do sleep 0.1; done", daemon.display());
    let script =
        format!("{}; while [ ! -s {} ]; do sleep 0.01; done", double_fork(&deaf), daemon.display());
    let job = json!({"command": ["sh", "-c", script], "stop_timeout_seconds": 0.2});
    let id = station.submit(&job);
    station.await_job(&id, "COMPLETED");
    let program = process(&daemon);
    assert!(state(&program).is_none_or(|state| state == 'Z'));
}

#[test]
fn a_time_out_does_not_count_while_a_job_is_paused() {
    let station = Station::start();
    let job = json!({"command": ["sleep", "0.4"], "timeout_seconds": 5});
    let id = station.submit(&job);
    station.await_job(&id, "RUNNING");
    station.act(&id, "pause").expect(200);
    station.act(&id, "resume").expect(200);
    station.await_job(&id, "COMPLETED");
    let job = json!({"command": ["sleep", "600"], "timeout_seconds": 0.5});
    let id = station.submit(&job);
    station.await_job(&id, "RUNNING");
    station.act(&id, "pause").expect(200);
    let other = station.submit(&json!({"command": ["sleep", "1.5"]}));
    station.await_job(&other, "COMPLETED"); // three times as long
    assert_eq!(station.job(&id)["state"], "PAUSED");
    station.act(&id, "resume").expect(200);
    station.await_job(&id, "FAILED");
}

#[test]
fn a_killed_station_leaves_nothing_running_and_loses_nothing() {
    let mut station = Station::with().set("queue.max_concurrent_commands", "8").start();
    let daemons: Vec<_> = (0..8).map(|number| station.home().join(format!("d{number}"))).collect();
    let go = station.home().join("go");
    let ids: Vec<_> = daemons
        .iter()
        .map(|file| {
            let child = format!("echo $$ > {}; exec sleep 600", file.display());
            let script = format!("[ -e \"$0\" ] && exit; {}; exec sleep 600", double_fork(&child));
            station.submit(&json!({"command": ["sh", "-c", script, go]}))
        })
        .collect();
    let waiting: Vec<_> = (0..20).map(|_| station.submit(&json!({"command": ["true"]}))).collect();
    let programs: Vec<_> = daemons.iter().map(|file| process(file)).collect();
    station.kill();
    fs::write(go, "").unwrap();
    station.again();
    for program in &programs {
        gone(program);
    }
    for id in &ids {
        assert_eq!(station.await_job(id, "COMPLETED")["attempts"], 2);
    }
    for id in &waiting {
        assert_eq!(station.await_job(id, "COMPLETED")["attempts"], 1, "it had not begun");
    }
}

#[test]
fn a_station_that_stops_gives_back_what_has_not_begun() {
    let mut station = Station::with()
        .set("queue.max_concurrent_commands", "1")
        .set("queue.shutdown_grace", "200ms")
        .start();
    let running = station.submit(&json!({"command": ["sleep", "600"]}));
    station.await_job(&running, "RUNNING");
    let waiting = station.submit(&json!({"command": ["true"]}));
    assert_eq!(station.stop(), 0);
    assert_eq!(marked(&running), 0);
    station.again();
    assert_eq!(station.await_job(&waiting, "COMPLETED")["attempts"], 1);
    assert_eq!(station.job(&running)["state"], "INTERRUPTED");
}
