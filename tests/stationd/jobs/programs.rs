//! What a program finds around it, and how much of it it may use.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use super::output;
use crate::support::{Station, eventually};

#[test]
fn a_program_works_where_and_with_what_its_job_says() {
    let station = Station::with().env("SECRET_OF_THE_STATION", "x").start();
    let cwd = station.home().join("a place");
    fs::create_dir(&cwd).unwrap();
    let script = "pwd; umask; printenv A; printenv EMPTY; printenv STATIOND_JOB_NAME
        printenv STATIOND_JOB_DIR; printenv STATIOND_WORKSPACE; printenv STATIOND_JOB_ATTEMPT
        echo done > made";
    let id = station.submit(&json!({
        "command": ["sh", "-c", script], "name": "a $name; `id`", "cwd": cwd,
        "env": {"A": "two words\nand a line", "EMPTY": "", "TOKEN": "secret"},
    }));
    let job = station.await_job(&id, "COMPLETED");
    let own = station.workspace().join("jobs").join(&id);
    let expected = format!(
        "{}\n0027\ntwo words\nand a line\n\na $name; `id`\n{}\n{}\n1\n",
        cwd.display(),
        own.display(),
        station.workspace().display(),
    );
    assert_eq!(output(&station, &id), expected);
    let made = fs::metadata(cwd.join("made")).unwrap();
    assert_eq!(made.permissions().mode() & 0o777, 0o640);
    assert_eq!(job["env_names"], json!(["A", "EMPTY", "TOKEN"]));
    assert_eq!(job["cwd"].as_str(), cwd.to_str());
    let shown = station.cli(["job", "show", &id, "--json"]).exited(0).stdout;
    assert!(!shown.contains("secret"), "the values of variables are shown to nobody: {shown}");
}

#[test]
fn a_place_that_is_not_there_is_named() {
    let station = Station::start();
    let id = station.submit(&json!({"command": ["true"], "cwd": "/no/such/place"}));
    let error = station.await_job(&id, "FAILED")["error"].clone();
    assert_eq!(error, "failed to start \"true\": there is no directory /no/such/place");
}

#[test]
fn limits_hold_and_it_is_said_how() {
    let station = Station::start();
    let script = "ulimit -n; ulimit -v; head -c 400000000 /dev/zero | tail -c 400000000 | wc -c";
    let limits = json!({"memory": "100MB", "open_files": 50, "cpu": 0.5});
    let id = station.submit(&json!({"command": ["sh", "-c", script], "limits": limits}));
    eventually("it is over", || {
        matches!(station.job(&id)["state"].as_str(), Some("COMPLETED" | "FAILED")).then_some(())
    });
    let text = output(&station, &id);
    assert!(text.starts_with("[stationd] limits: memory 100 MB"), "{text}");
    assert!(text.contains("open files 50 (rlimit)") && text.contains("\n50\n"), "{text}");
    assert!(!text.contains("400000000"), "more memory than allowed was there: {text}");
    let shown = &station.job(&id)["limits"];
    assert_eq!(*shown, json!({"memory": 100_000_000, "open_files": 50, "cpu": 0.5}));
}

#[test]
fn what_a_program_cannot_have_is_refused_with_its_name() {
    let station = Station::start();
    for (field, value, pointer) in [
        ("env", json!({"A=B": "1"}), "/env"),
        ("env", json!({"STATIOND_JOB": "1"}), "/env"),
        ("env", json!({"A": "a\0b"}), "/env"),
        ("env", json!({"A": "x".repeat(200_000)}), "/env"),
        ("cwd", json!("relative"), "/cwd"),
        ("limits", json!({"memory": "much"}), "/limits/memory"),
        ("limits", json!({"memory": "1kB"}), "/limits/memory"),
        ("limits", json!({"disk": 1}), "/limits"),
        ("stop_timeout_seconds", json!(-1), "/stop_timeout_seconds"),
    ] {
        let mut body = json!({"command": ["true"]});
        body[field] = value;
        let answer = station.local().post("/api/v1/jobs", &body);
        let problem = answer.json();
        answer.refused(422);
        let found = problem["errors"][0]["pointer"].as_str().unwrap_or_default();
        assert!(found.starts_with(pointer), "{body}: {problem}");
    }
}

#[test]
fn the_command_line_says_all_of_it() {
    let station = Station::start();
    let ran = station.cli([
        "run",
        "--env",
        "A=b c",
        "--cwd",
        "/",
        "--limit",
        "open-files=64",
        "--limit",
        "memory=2GB",
        "--stop-timeout",
        "1.5",
        "--watch",
        "--json",
        "--",
        "sh",
        "-c",
        "pwd; echo $A; ulimit -n",
    ]);
    let id = ran.exited(0).stdout.lines().next().map(|line| {
        let job: Value = serde_json::from_str(line).unwrap();
        job["id"].as_str().unwrap().to_owned()
    });
    let id = id.unwrap();
    let job = station.job(&id);
    assert_eq!((&job["cwd"], &job["stop_timeout_seconds"]), (&json!("/"), &json!(1.5)));
    let text = station.cli(["job", "logs", &id]).exited(0).stdout;
    assert!(text.ends_with("\n/\nb c\n64\n"), "{text}");
    station.cli(["run", "--limit", "disk=1", "--", "true"]).exited(2);
}

#[test]
fn a_watched_job_is_watched_until_its_last_try() {
    let station = Station::start();
    let try_until = |last: &str| {
        let script = format!("[ $STATIOND_JOB_ATTEMPT = {last} ]");
        let retry = ["run", "--retries", "2", "--retry-delay", "0.1", "--watch", "--", "sh", "-c"];
        station.cli(retry.into_iter().chain([script.as_str()]))
    };
    try_until("3").exited(0);
    let failed = try_until("4").exited(1);
    assert!(failed.stderr.contains("job retry"), "{}", failed.stderr);
    assert_eq!(failed.stderr.matches("RUNNING").count(), 3, "{}", failed.stderr);
}

#[test]
fn how_far_it_is_is_told_in_both_forms() {
    let station = Station::start();
    let go = station.home().join("go");
    let script = "echo 'progress: 42 first words'; while [ ! -e \"$0\" ]; do sleep 0.01; done
        echo '{\"progress\": 0.755, \"message\": \"more\", \"eta_seconds\": 12}'
        while [ ! -e \"$0.2\" ]; do sleep 0.01; done; exit 3";
    let id = station.submit(&json!({"command": ["sh", "-c", script, go]}));
    let until = |percentage: f64| {
        eventually("the progress is told", || {
            let job = station.job(&id);
            (job["progress_percentage"] == percentage).then_some(job)
        })
    };
    assert_eq!(until(42.0)["message"], "first words");
    let mut socket = crate::support::WebSocket::subscribed(&station.local(), &["jobs"]);
    fs::write(&go, "").unwrap();
    let told = socket.until(|it| it["type"] == "job_progress" && it["progress"] == 0.755);
    assert_eq!(
        (&told["eta_seconds"], &told["metadata"]),
        (&json!(12.0), &json!({"message": "more"}))
    );
    assert_eq!(until(75.5)["eta_seconds"], 12.0);
    fs::write(station.home().join("go.2"), "").unwrap();
    let job = station.await_job(&id, "FAILED");
    assert_eq!((&job["progress_percentage"], &job["message"]), (&json!(75.5), &json!("more")));
    let done = station.submit(&json!({"command": ["true"]}));
    let last = socket.until(|it| it["type"] == "job_progress" && it["job_id"] == done.as_str());
    assert_eq!(last["progress_percentage"], 100.0);
    let end = socket.until(|it| it["job_id"] == done.as_str() && it["to_state"] == "COMPLETED");
    assert!(end["seq"].is_u64(), "{end}");
}

#[test]
fn no_more_progress_is_told_than_anybody_can_read() {
    let station = Station::start();
    let mut socket = crate::support::WebSocket::subscribed(&station.local(), &["jobs"]);
    let script =
        "i=0; while [ $i -lt 20000 ]; do echo \"progress: $((i / 200))\"; i=$((i + 1)); done";
    let id = station.submit(&json!({"command": ["sh", "-c", script]}));
    let (mut told, mut last) = (0_u32, Value::Null);
    socket.until(|it| {
        if it["type"] == "job_progress" {
            (told, last) = (told + 1, it.clone());
        }
        it["to_state"] == "COMPLETED"
    });
    let job = station.job(&id);
    let time = |name: &str| job[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let ran = time("started_at").duration_until(time("finished_at")).as_secs_f64();
    assert!(f64::from(told) <= ran * 10.0 + 2.0, "{told} in {ran} s");
    assert_eq!(last["progress_percentage"], 100.0);
}

#[test]
fn two_hundred_jobs_run_once_each_and_never_more_than_eight_at_a_time() {
    let station = Station::with().set("queue.max_concurrent_commands", "8").start();
    let (running, runs) = (station.home().join("running"), station.home().join("runs"));
    fs::create_dir(&running).unwrap();
    let script = "mkdir $0/$$ && ls $0 | wc -l; echo $STATIOND_JOB >> \"$1\"; rmdir $0/$$";
    let ids: Vec<_> = (0..200)
        .map(|_| station.submit(&json!({"command": ["sh", "-c", script, running, runs]})))
        .collect();
    for id in &ids {
        let job = station.await_job(id, "COMPLETED");
        assert_eq!(job["attempts"], 1, "{job}");
        let seen: u32 = output(&station, id).trim().parse().unwrap();
        assert!((1..=8).contains(&seen), "{seen} at a time");
    }
    let runs = fs::read_to_string(runs).unwrap();
    let mut runs: Vec<_> = runs.lines().collect();
    let mut ids: Vec<_> = ids.iter().map(String::as_str).collect();
    runs.sort_unstable();
    ids.sort_unstable();
    assert_eq!(runs, ids);
}

#[test]
fn what_was_claimed_ahead_goes_back_when_there_is_no_room() {
    let station = Station::with().set("queue.max_concurrent_commands", "2").start();
    let gate = station.submit(&json!({"command": ["true"], "hold": true}));
    let mut jobs = Vec::new();
    for number in 0..120 {
        let command = if number < 60 { json!(["true"]) } else { json!(["sleep", "600"]) };
        jobs.push(station.submit(&json!({"command": command, "depends_on": [gate]})));
    }
    station.act(&gate, "release").expect(200);
    for id in &jobs[..60] {
        station.await_job(id, "COMPLETED");
    }
    eventually("as many run as may", || {
        let status = station.local().get("/api/v1/status").expect(200);
        (status["active_jobs"] == 2 && status["queue_length"] == 58).then_some(())
    });
    for id in &jobs[60..62] {
        assert_eq!(station.job(id)["state"], "RUNNING", "in their order");
    }
    for id in &jobs[62..] {
        let job = station.job(id);
        assert_eq!((&job["state"], &job["attempts"]), (&json!("QUEUED"), &json!(0)), "{job}");
    }
}
