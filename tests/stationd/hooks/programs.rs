//! Programs that are run because something happened.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Instant};

use serde_json::{Value, json};

use super::{await_written, hooked, write_down};
use crate::support::{Station, eventually, lives};

/// Names that a shell, or whoever puts texts together, would fall for.
const HOSTILE: [&str; 10] = [
    "a;touch x.gcode",
    "$(touch x.gcode).gcode",
    "`touch x.gcode`",
    "a\ntouch x.gcode\n",
    "\"'; touch x.gcode #",
    "{job_id} {state} {}",
    "-rf --help",
    "a b  c\t*?[x]~",
    "|| touch x.gcode &",
    "über %s %n \\0 \u{202e}",
];

fn is_free_of_traces(directory: &Path) -> bool {
    let left = fs::read_dir(directory).unwrap().flatten();
    let traces: Vec<_> = left
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('x'))
        .collect();
    assert!(traces.is_empty(), "{traces:?}");
    true
}

fn alerts(station: &Station) -> Vec<Value> {
    let alerts = station.local().get("/api/v1/events?type=system_alert&limit=1000").expect(200);
    alerts["items"].as_array().unwrap().clone()
}

#[test]
fn hostile_names_are_one_argument_and_nothing_else() {
    let builder = Station::with();
    let (file, environment) = (builder.home().join("args"), builder.home().join("env"));
    let by_environment = format!(
        "printf '%s\\0' \"$STATIOND_JOB_NAME\" \"$STATIOND_STATE\" >> '{}'",
        environment.display()
    );
    let arguments = ["{job_name}", "<{job_name}|{state}>", "{job_id}", "{reason}", "{device}"];
    let hooks = json!({"COMPLETED": [
        write_down(&file, &arguments),
        {"command": ["sh", "-c", by_environment]},
    ]});
    let station = builder.config(&json!({"hooks": hooks}).to_string()).start();
    for name in HOSTILE {
        let job = station.submit(&json!({"command": ["true"], "name": name}));
        station.await_job(&job, "COMPLETED");
        let words = await_written(&file, 5);
        let name = station.job(&job)["name"].as_str().unwrap().to_owned();
        let expected =
            [name.clone(), format!("<{name}|COMPLETED>"), job, "completed".into(), String::new()];
        assert_eq!(words, expected);
        assert_eq!(await_written(&environment, 2), [name, "COMPLETED".to_owned()]);
        fs::remove_file(&file).unwrap();
        fs::remove_file(&environment).unwrap();
    }
    for directory in [station.home().to_owned(), station.workspace()] {
        assert!(is_free_of_traces(&directory));
    }
}

#[test]
fn a_script_gets_the_event_as_json_and_little_else() {
    let builder = Station::with();
    // Relative: it lies beside the configuration.
    let script = builder.home().join("told");
    let text = "#!/bin/sh\ncat > \"${0%/*}/stdin.json\"\nenv -0 > \"${0%/*}/environment\"\n\
                ls /proc/self/fd > \"${0%/*}/descriptors\"\npwd; echo more >&2; exit 3\n";
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let hooks = json!({"FAILED": [{"script": "told"}]});
    let station = builder
        .config(&json!({"hooks": hooks}).to_string())
        .env("SECRET_OF_THE_STATION", "swordfish")
        .start();
    let job = json!({"command": ["false"], "name": "it", "labels": {"for": "ann"}});
    let job = station.submit(&job);
    let run = station.await_run("FAILED[0]", "FAILED");
    assert_eq!((&run["code"], &run["error"]), (&json!(3), &json!("the program exited with 3")));
    let workspace = fs::canonicalize(station.workspace()).unwrap();
    assert_eq!(run["output"], format!("{}\nmore\n", workspace.display()));
    assert_eq!((&run["kind"], &run["attempts"]), (&json!("script"), &json!(1)));

    let told = fs::read(station.home().join("stdin.json")).unwrap();
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told, run["payload"]);
    assert_eq!(
        (&told["id"], &told["event"], &told["state"], &told["from_state"], &told["job_id"]),
        (&run["id"], &json!("FAILED"), &json!("FAILED"), &json!("RUNNING"), &json!(job))
    );
    assert_eq!((&told["labels"], &told["job"]["exit_code"]), (&json!({"for": "ann"}), &json!(1)));
    let environment = fs::read_to_string(station.home().join("environment")).unwrap();
    let environment: Vec<_> = environment.split('\0').collect();
    for expected in [
        format!("STATIOND_JOB_ID={job}"),
        "STATIOND_EVENT=FAILED".to_owned(),
        "STATIOND_FROM_STATE=RUNNING".to_owned(),
        format!("STATIOND_EVENT_ID={}", told["event_id"]),
    ] {
        assert!(environment.contains(&expected.as_str()), "{expected}: {environment:?}");
    }
    assert!(!environment.join(" ").contains("swordfish"), "{environment:?}");
    let descriptors = fs::read_to_string(station.home().join("descriptors")).unwrap();
    assert_eq!(
        descriptors.lines().count(),
        4,
        "stdin, stdout, stderr, the directory: {descriptors}"
    );
}

#[test]
fn one_that_hangs_is_killed_with_its_whole_tree() {
    let builder = Station::with();
    let pids = builder.home().join("pids");
    // It ignores SIGTERM, and so do a child in its group and one in a session of its own.
    let script = format!(
        "trap '' TERM; sleep 600 & setsid sh -c 'trap \"\" TERM; echo $$ >> {0}; exec sleep 600' & \
         echo $$ $! >> {0}; echo begun; while :; do sleep 1; done",
        pids.display()
    );
    let hooks = json!({"COMPLETED": [{"command": ["sh", "-c", script], "timeout": "1s"}]});
    let station = builder.config(&json!({"hooks": hooks}).to_string()).start();
    let begun = Instant::now();
    station.submit(&json!({"command": ["true"]}));
    let started: Vec<u64> = eventually("it runs", || {
        let text = fs::read_to_string(&pids).ok()?;
        let found: Vec<_> = text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
        (found.len() >= 3).then_some(found)
    });
    let run = station.await_run("COMPLETED[0]", "FAILED");
    assert_eq!(run["error"], "did not end within 1 s, and was killed", "{run}");
    assert_eq!(run["output"], "begun\n");
    assert!(begun.elapsed().as_secs() >= 5, "it was asked first");
    for pid in started {
        assert!(!lives(pid), "{pid}");
    }
    eventually("somebody is told", || {
        alerts(&station).iter().any(|it| it["metadata"]["run_id"] == run["id"]).then_some(())
    });
}

#[test]
fn a_flood_is_cut_and_holds_nothing_up() {
    let hooks = json!({"COMPLETED": [{"command": ["sh", "-c", "yes | head -c 20000000"]}]});
    let station = hooked(&hooks).start();
    station.submit(&json!({"command": ["true"]}));
    let run = station.await_run("COMPLETED[0]", "SUCCEEDED");
    assert_eq!(run["output"].as_str().unwrap().len(), 64 << 10);
    assert_eq!(run["output_lost_bytes"], 20_000_000 - (64 << 10));
    let shown = station.cli(["hook", "show", run["id"].as_str().unwrap()]).exited(0).stdout;
    assert!(shown.ends_with("  … and 19934464 bytes more\n"), "{}", &shown[shown.len() - 80..]);
}

#[test]
fn one_that_cannot_be_started_says_why_and_what_it_leaves_behind_is_ended() {
    let builder = Station::with();
    let (gone, pid) = (builder.home().join("gone"), builder.home().join("pid"));
    fs::write(&gone, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&gone, fs::Permissions::from_mode(0o755)).unwrap();
    let script = format!("sleep 600 & echo $! > '{}'", pid.display());
    let hooks = json!({"COMPLETED": [{"script": "gone"}, {"command": ["sh", "-c", script]}]});
    let station = builder.config(&json!({"hooks": hooks}).to_string()).start();
    fs::remove_file(&gone).unwrap();
    station.submit(&json!({"command": ["true"]}));
    let run = station.await_run("COMPLETED[0]", "FAILED");
    assert!(run["error"].as_str().unwrap().contains("no such program"), "{run}");
    let run = station.await_run("COMPLETED[1]", "SUCCEEDED");
    assert!(run["duration_seconds"].as_f64() < Some(5.0), "it waits for nobody: {run}");
    let left: u64 = fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
    assert!(!lives(left));
}

#[test]
fn a_failure_changes_the_job_only_if_it_is_told_to() {
    let aborts = json!({"command": ["false"], "on_fail": "abort_job"});
    let ignores = json!({"command": ["false"], "on_fail": "ignore"});
    let when = |hook: &Value, name: &str| {
        let mut hook = hook.clone();
        hook["when"] = json!({"job_name": name});
        hook
    };
    let station = hooked(&json!({"RUNNING": [when(&aborts, "abort*"), when(&ignores, "go*")],
        "QUEUED": [when(&aborts, "never*")]}))
    .start();
    let aborted = station.submit(&json!({"command": ["sleep", "600"], "name": "abort me"}));
    let job = station.await_job(&aborted, "CANCELLED");
    assert_eq!(job["state"], "CANCELLED");
    let waiting =
        json!({"command": ["true"], "name": "never", "not_before": "2100-01-01T00:00:00Z"});
    let waiting = station.submit(&waiting);
    station.await_job(&waiting, "CANCELLED");
    let going = station.submit(&json!({"command": ["sleep", "1"], "name": "go on"}));
    station.await_run("RUNNING[1]", "FAILED");
    station.await_job(&going, "COMPLETED");
    let audit = station.local().get("/api/v1/events?type=audit&limit=1000").expect(200);
    let by_hook = audit["items"].as_array().unwrap().iter();
    let by_hook: Vec<_> = by_hook.filter(|it| it["actor"] == "hook:RUNNING[0]").collect();
    assert_eq!(by_hook.len(), 1, "{audit}");
    eventually("somebody is told of what is not to be ignored", || {
        let alerts = alerts(&station);
        let about = |hook: &str| alerts.iter().filter(|it| it["metadata"]["hook"] == hook).count();
        assert_eq!(about("RUNNING[1]"), 0, "{alerts:?}");
        ((about("RUNNING[0]"), about("QUEUED[0]")) == (1, 1)).then_some(())
    });
}
