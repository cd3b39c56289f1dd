//! What a job may ask for: other jobs' ends, keys, groups, new tries, room for its file.

use std::fs;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::why;
use crate::support::{Station, eventually};

#[test]
fn a_job_may_wait_for_the_failure_of_another_or_for_any_end() {
    let station = Station::start();
    let bad = station.submit(&json!({"command": ["false"], "hold": true}));
    let good = station.submit(&json!({"command": ["true"], "hold": true}));
    let after = |job: &str, on: &str| {
        station.submit(&json!({"command": ["true"], "depends_on": [{"job": job, "on": on}]}))
    };
    let mended = after(&bad, "failed");
    let swept = [after(&bad, "ended"), after(&good, "ended")];
    let never = [after(&bad, "completed"), after(&good, "failed")];
    let chained = after(&never[0], "completed");
    let (waits_for, text) = why(&station, &mended);
    assert_eq!(waits_for, "job");
    assert!(text.contains(&bad) && text.contains("not yet failed"), "{text}");
    assert_eq!(station.job(&never[0])["depends_on"], json!([bad]), "a plain id where it is plain");
    station.act(&bad, "release").expect(200);
    station.act(&good, "release").expect(200);
    station.await_job(&mended, "COMPLETED");
    for id in &swept {
        station.await_job(id, "COMPLETED");
    }
    for (id, why) in [(&never[0], "is FAILED"), (&never[1], "is COMPLETED, not failed")] {
        let job = station.await_job(id, "FAILED");
        assert!(job["error"].as_str().unwrap().contains(why), "{job}");
    }
    station.await_job(&chained, "FAILED");
    let line = ["run", "--after-failed", &bad, "--after-any", &good, "--json", "--", "true"];
    let id = station.cli(line).exited(0).json()["id"].as_str().unwrap().to_owned();
    station.await_job(&id, "COMPLETED");
    for bad in [json!({"job": good, "on": "maybe"}), json!({"on": "failed"}), json!(7)] {
        let body = json!({"command": ["true"], "depends_on": [bad]});
        station.local().post("/api/v1/jobs", &body).refused(422);
    }
}

/// No machine has to be free for it to be seen.
#[test]
fn a_job_for_a_machine_fails_with_what_it_needs_though_no_machine_is_there() {
    let config = "devices: [{name: mill, driver: grbl, port: /dev/does-not-exist}]";
    let station = Station::with().config(config).start();
    let bad = station.submit(&json!({"command": ["false"], "hold": true}));
    let path = format!("/api/v1/jobs?device=mill&after={bad}");
    let job = station.local().request("POST", &path, &[], b"G21\nG90\nG1 X1 F100\n").expect(201);
    let id = job["id"].as_str().unwrap();
    let other = station.local().request("POST", "/api/v1/jobs?device=mill", &[], b"G1 X1 F100\n");
    let other = other.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(why(&station, &other).0, "device");
    station.act(&bad, "release").expect(200);
    station.await_job(id, "FAILED");
}

#[test]
fn of_a_unique_key_one_job_waits_or_runs() {
    let station = Station::start();
    let submit = |more: Value| {
        let mut job = json!({"command": ["true"], "hold": true, "unique_key": "nightly"});
        job.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        station.local().post("/api/v1/jobs", &job)
    };
    let first = submit(json!({})).expect(201)["id"].as_str().unwrap().to_owned();
    let refused = submit(json!({})).refused(409);
    assert!(refused.contains(&first) && refused.contains("nightly"), "{refused}");
    assert_eq!(submit(json!({"if_exists": "ignore"})).expect(200)["id"], first.as_str());
    let second = submit(json!({"if_exists": "replace"})).expect(201)["id"].clone();
    let second = second.as_str().unwrap();
    let replaced = station.job(&first);
    assert_eq!(replaced["state"], "CANCELLED");
    station.act(&first, "retry").refused(409);
    station.act(second, "cancel").expect(200);
    station.act(&first, "retry").expect(200);
    station.await_job(&first, "COMPLETED");
    submit(json!({"hold": false})).expect(201);
    submit(json!({"copies": 2, "unique_key": "x"})).refused(422);
    let line = ["run", "--unique", "k", "--if-exists", "ignore", "--hold", "--json", "--", "true"];
    let ids = [(); 2].map(|()| station.cli(line).exited(0).json()["id"].clone());
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn of_a_group_no_more_run_than_are_allowed() {
    let config = "queue: {max_concurrent_commands: 4, groups: {render: 1}}";
    let station = Station::with().config(config).start();
    let (go, running) = (station.home().join("go"), station.home().join("running"));
    fs::create_dir(&running).unwrap();
    let script =
        "mkdir $1/$$; ls $1 | wc -l; while [ ! -e \"$0\" ]; do sleep 0.01; done; rmdir $1/$$";
    let render = || {
        station.submit(&json!({"command": ["sh", "-c", script, go, running],
        "group": "render", "priority": "high"}))
    };
    let renders = [render(), render(), render()];
    station.await_job(&renders[0], "RUNNING");
    let others = [(); 2].map(|()| {
        let line = ["run", "--group", "other", "--json", "--", "true"];
        station.cli(line).exited(0).json()["id"].as_str().unwrap().to_owned()
    });
    for id in &others {
        station.await_job(id, "COMPLETED");
    }
    let (waits_for, text) = why(&station, &renders[1]);
    assert_eq!((waits_for.as_str(), text.contains("render")), ("group", true), "{text}");
    assert_eq!(fs::read_dir(&running).unwrap().count(), 1);
    fs::write(&go, "").unwrap();
    for id in &renders {
        station.await_job(id, "COMPLETED");
        let output = station.local().get(&format!("/api/v1/jobs/{id}/log")).text();
        assert_eq!(output.trim(), "1");
    }
    let bad = json!({"command": ["true"], "group": "a b"});
    station.local().post("/api/v1/jobs", &bad).refused(422);
}

#[test]
fn a_failed_command_is_tried_again_later_and_later() {
    let config = "queue: {retry: {base: 60s, max: 60s}}";
    let station = Station::with().config(config).start();
    let retry = json!({"base": 0.1, "factor": 3, "jitter": 0});
    let job = json!({"command": ["false"], "max_attempts": 3, "retry": retry});
    let id = station.submit(&job);
    let job = eventually("all attempts are made", || {
        let job = station.job(&id);
        (job["attempts"] == 3 && job["state"] == "FAILED").then_some(job)
    });
    assert_eq!(job["error"], "the program exited with 1");
    let history = station.local().get(&format!("/api/v1/jobs/{id}/history")).expect(200);
    let again: Vec<_> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["from_state"] == "FAILED")
        .map(|it| it["reason"].clone())
        .collect();
    assert_eq!(
        again,
        [
            "attempt 1 of 3 failed: the program exited with 1; tried again in 0.1 s",
            "attempt 2 of 3 failed: the program exited with 1; tried again in 0.3 s",
        ]
    );
    // As configured, if the job does not say; what it waits for is told.
    let id = station.submit(&json!({"command": ["false"], "max_attempts": 2}));
    let job = eventually("it waits to be tried again", || {
        let job = station.job(&id);
        (job["state"] == "QUEUED" && job["attempts"] == 1).then_some(job)
    });
    let at: Timestamp = job["not_before"].as_str().unwrap().parse().unwrap();
    let wait = at.as_second() - Timestamp::now().as_second();
    assert!((40..=60).contains(&wait), "{wait} s");
    let (waits_for, text) = why(&station, &id);
    assert_eq!((waits_for.as_str(), text.contains("attempt 2 of 2")), ("time", true), "{text}");
    let bad = json!({"command": ["true"], "retry": {"base": 2, "max": 1}});
    station.local().post("/api/v1/jobs", &bad).refused(422);
}

#[test]
fn times_are_those_of_the_station() {
    let station = Station::with().set("station.timezone", "Asia/Tokyo").start();
    let line = ["run", "--at", "2030-01-31 18:00", "--label", "a=b", "--label", "c=d", "--json"];
    let job = station.cli(line.iter().chain(&["--", "true"])).exited(0).json();
    assert_eq!(job["not_before"], "2030-01-31T09:00:00.000Z");
    assert_eq!(job["labels"], json!({"a": "b", "c": "d"}));
    let soon = json!({"command": ["true"], "not_before": "+200ms"});
    station.await_job(&station.submit(&soon), "COMPLETED");
    let bad = json!({"command": ["true"], "not_before": "whenever"});
    let refused = station.local().post("/api/v1/jobs", &bad).refused(422);
    assert!(refused.contains("+2h"), "{refused}");
    let builder = Station::with().set("station.timezone", "Mars/Olympus");
    let ran = builder.run();
    assert_eq!(ran.code, Some(78), "{}", ran.stderr);
}

#[test]
fn files_of_ended_jobs_make_room_for_new_ones_and_else_there_is_none() {
    let station = Station::with().simulate("grbl").set("queue.max_storage", "3000").start();
    let file = |length: usize| {
        let mut file = b"G21\nG90\nG1 X1 F600\n".to_vec();
        file.resize(length, b' ');
        file
    };
    let submit = |length: usize, more: &str| {
        let path = format!("/api/v1/jobs?device=sim-grbl{more}");
        station.local().request("POST", &path, &[], &file(length))
    };
    let id = |job: Value| job["id"].as_str().unwrap().to_owned();
    let old = id(submit(1400, "").expect(201));
    station.await_job(&old, "COMPLETED");
    let new = id(submit(1400, "").expect(201));
    station.await_job(&new, "COMPLETED");
    let held = id(submit(1400, "&hold=true").expect(201));
    station.local().get(&format!("/api/v1/jobs/{old}/file")).refused(404);
    assert_eq!(station.job(&old)["state"], "COMPLETED", "the job itself stays");
    assert_eq!(station.local().get(&format!("/api/v1/jobs/{new}/file")).status, 200);
    let other = id(submit(1400, "&hold=true").expect(201));
    let refused = submit(1400, "").refused(507);
    assert!(refused.contains("queue.max_storage"), "{refused}");
    station.act(&other, "cancel").expect(200);
    submit(1400, "&hold=true").expect(201);
    assert_eq!(station.job(&held)["state"], "HELD");
}
