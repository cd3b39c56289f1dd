//! Machines and daemons as what happens, and as what is ordered about.

use std::fs;

use serde_json::{Value, json};

use super::{await_written, hooked, write_down, written};
use crate::support::{Station, eventually, sh};

#[test]
fn a_daemon_that_is_given_up_is_told_of_once() {
    let builder = Station::with();
    let file = builder.home().join("words");
    let hooks = json!({
        "daemon:FAILED": [write_down(&file, &["{event}", "{daemon_name}", "{from_state}"])],
        "daemon:RUNNING": [{"daemon": "other", "do": "start", "when": {"daemon": "main*"}}],
    });
    let daemons = json!([
        sh(
            "broken",
            "exit 3",
            &json!({"restart_policy": {"max_restarts": 1, "backoff_base": "10ms"}})
        ),
        sh("main", "exec sleep 600", &json!({"enabled": false})),
        sh("other", "exec sleep 600", &json!({"enabled": false})),
    ]);
    let config = json!({"hooks": hooks, "daemons": daemons});
    let station = builder.config(&config.to_string()).start();
    let words = await_written(&file, 3);
    assert_eq!(words[..2], ["daemon:FAILED", "broken"], "{words:?}");
    assert_ne!(words[2], "FAILED");
    assert_eq!(station.daemon("other")["state"], "STOPPED");
    station.local().post("/api/v1/daemons/main/start", &Value::Null).expect(200);
    station.await_run("daemon:RUNNING[0]", "SUCCEEDED");
    assert_eq!(station.daemon("other")["state"], "RUNNING");
    // What it also says of itself is no new state.
    let runs = station.hook_runs("?hook=daemon:FAILED[0]");
    assert_eq!((runs.len(), written(&file).len()), (1, 3), "{runs:?}");
    assert_eq!(runs[0]["resource"], "daemon:broken");
}

#[test]
fn a_machine_is_told_of_by_its_status() {
    let builder = Station::with();
    let file = builder.home().join("words");
    let told = ["{state}", "{from_state}", "{device}"];
    let mut only = write_down(&file, &told);
    only["when"] = json!({"device": "sim-*"});
    let mut never = write_down(&file, &told);
    never["when"] = json!({"device": "other"});
    let hooks = json!({"device:idle": [only, never]});
    let mut station = builder
        .config(&json!({"hooks": hooks}).to_string())
        .simulate("grbl")
        .set("simulator.speed", "0")
        .start();
    let words = await_written(&file, 3);
    assert_eq!(words[..3], ["idle", "", "sim-grbl"], "{words:?}");
    let job =
        station.tcp().request("POST", "/api/v1/jobs?name=p.gcode", &[], b"G0 X1\n").expect(201);
    station.await_job(job["id"].as_str().unwrap(), "COMPLETED");
    let words = await_written(&file, 6);
    assert_eq!(words[3..], ["idle", "busy", "sim-grbl"]);
    // It was idle before the crash, and is connected anew.
    eventually("both runs are over", || {
        (station.hook_runs("?state=SUCCEEDED").len() == 2).then_some(())
    });
    station.kill();
    station.again();
    let words = await_written(&file, 9);
    assert_eq!(words[6..], ["idle", "", "sim-grbl"]);
}

#[test]
fn a_daemon_is_told_to_do_it_now() {
    let target = tempfile::tempdir().unwrap();
    let config = json!({
        "sync": {"interval": "1h", "targets": [target.path()]},
        "hooks": {"COMPLETED": [{"daemon": "Sync", "do": "now"}]},
    });
    let station = Station::with().config(&config.to_string()).start();
    eventually("the first pass is over", || {
        target.path().join("stationd.db").exists().then_some(())
    });
    let job = station.submit(&json!({"command": ["echo", "hello"]}));
    station.await_run("COMPLETED[0]", "SUCCEEDED");
    let copy = target.path().join("jobs").join(job).join("output.log");
    assert_eq!(fs::read_to_string(copy).unwrap(), "hello\n");
}

#[test]
fn a_plug_ins_hooks_are_run_where_it_lies() {
    let station = Station::start();
    let source = station.home().join("source");
    fs::create_dir_all(source.join("bin")).unwrap();
    let script = "#!/bin/sh\nprintf '%s\\0' \"$1\" \"$(pwd)\" >> film\n";
    crate::plugins::program(&source.join("bin/film"), script);
    let hooks =
        json!({"COMPLETED": [{"command": ["bin/film", "{job_name}"]}, {"script": "bin/film"}]});
    let yaml = json!({"name": "timelapse", "hooks": hooks});
    crate::plugins::write(&source.join("plugin.yaml"), &yaml.to_string());
    station.cli(["plugin", "install", source.to_str().unwrap()]).exited(0);
    eventually("its hooks are in force", || {
        let list = station.local().get("/api/v1/hooks");
        (list.status == 200 && list.text().contains("timelapse/COMPLETED[0]")).then_some(())
    });
    let job = station.submit(&json!({"command": ["true"], "name": "part"}));
    station.await_job(&job, "COMPLETED");
    let directory = station.workspace().join("plugins/timelapse");
    let words = await_written(&directory.join("film"), 4);
    let real = fs::canonicalize(&directory).unwrap().display().to_string();
    assert_eq!(words, ["part", &real, "", &real]);
    let list = station.cli(["hook", "list"]).exited(0).stdout;
    assert!(list.contains("timelapse/COMPLETED[0]") && list.contains("SUCCEEDED"), "{list}");

    station.cli(["plugin", "uninstall", "timelapse"]).exited(0);
    let job = station.submit(&json!({"command": ["true"]}));
    station.await_job(&job, "COMPLETED");
    eventually("its hooks are gone", || {
        let list = station.local().get("/api/v1/hooks");
        (list.status == 200 && list.expect(200)["items"] == json!([])).then_some(())
    });
}

#[test]
fn what_happens_to_nobody_costs_nothing() {
    let station = hooked(&json!({})).start();
    let job = station.submit(&json!({"command": ["true"]}));
    station.await_job(&job, "COMPLETED");
    assert_eq!(station.hook_runs(""), Vec::<Value>::new());
    assert_eq!(station.daemon("hooks")["health"]["status"], "healthy");
}
